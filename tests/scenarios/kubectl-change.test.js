// What kubectl changes: patch, edit, replace, label, annotate, set, scale, rollout, wait, delete, and
// nodes that are marked, tainted and drained.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { davy, eventually, kubectl, kubectlRaw, kubectlStart, request, writeFile } from './kit.js';

function shell(house) {
  const text = (input) => input && (typeof input === 'string' ? input : JSON.stringify(input));
  return {
    k: (command, input, env) => kubectl(house, command, { input: text(input), env }),
    raw: (command, input, env) => kubectlRaw(house, command, { input: text(input), env }),
    get: (what) => kubectl.json(house, `get ${what} --show-managed-fields`),
  };
}

const pod = (name, labels = { name }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: { containers: [{ name: 'c', image: 'nginx' }] },
});
const workload = (kind, name, spec = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, labels: { app: name } },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'one', image: 'one:1' }, { name: 'two', image: 'two:1' }] },
    },
    ...spec,
  },
});

test('label, annotate, patch, edit, replace', async (t) => {
  const house = await davy(t);
  const { k, raw, get } = shell(house);
  await k('create -f -', pod('p'));
  const managers = async () => (await get('pod p')).metadata.managedFields.map((f) => f.manager);

  await t.test('label and annotate', async () => {
    for (const dry of ['client', 'server']) await k(`label pod p new=1 --dry-run=${dry}`);
    assert.deepEqual((await get('pod p')).metadata.labels, { name: 'p' });
    assert.equal(await k('label pod p new=1 empty='), 'pod/p labeled\n');
    assert.equal(await k('label pod p new=1'), 'pod/p not labeled\n');
    assert.match((await raw('label pod p new=2')).stderr, /'new' already has a value \(1\), and --overwrite is false/);
    await k('label --overwrite pods --all new=2');
    assert.equal(await k('label pod p empty-'), 'pod/p unlabeled\n');
    await k('annotate pod p note= --record=true');
    const { labels, annotations } = (await get('pod p')).metadata;
    assert.deepEqual(labels, { name: 'p', new: '2' });
    assert.equal(annotations.note, '');
    assert.match(annotations['kubernetes.io/change-cause'], /annotate pod p note= .*--record=true/);
    assert.match((await raw('label pod p bad=-x-')).stderr, /invalid label value: "bad=-x-"/);
    for (const manager of ['kubectl-label', 'kubectl-annotate']) assert.ok((await managers()).includes(manager));
  });

  await t.test('patch: strategic, merge, json, yaml, and with a version', async () => {
    const image = async () => (await get('pod p')).spec.containers[0].image;
    await k(['patch', 'pod', 'p', '-p', '{"spec":{"containers":[{"name":"c","image":"a"}]}}']);
    assert.equal(await image(), 'a');
    await k(['patch', 'pod', 'p', '--type=json', '-p', '[{"op":"test","path":"/spec/containers/0/image","value":"a"},{"op":"replace","path":"/spec/containers/0/image","value":"b"}]']);
    assert.equal(await image(), 'b');
    await k(['patch', 'pod', 'p', '-p', 'spec:\n  containers:\n  - name: c\n    image: yaml\n']);
    assert.equal(await image(), 'yaml');
    await k(['patch', 'pod', 'p', '--type=merge', '-p', '{"metadata":{"labels":{"new":null}}}']);
    assert.equal((await get('pod p')).metadata.labels.new, undefined);
    for (const dry of ['client', 'server']) await k(['patch', 'pod', 'p', `--dry-run=${dry}`, '-p', '{"metadata":{"labels":{"dry":"1"}}}']);
    assert.equal((await get('pod p')).metadata.labels.dry, undefined);
    assert.match(await k(['patch', 'pod', 'p', '-p', '{"metadata":{"labels":{"name":"p"}}}']), /pod\/p patched \(no change\)/);
    assert.match((await raw(['patch', 'pod', 'p', '-p', '{"metadata":{"labels":"invalid"}}'])).stderr, /cannot restore map from string/);
    const { resourceVersion } = (await get('pod p')).metadata;
    const at = (rv) => ['patch', 'pod', 'p', '-p', JSON.stringify({ metadata: { resourceVersion: rv, labels: { at: rv } } })];
    await k(at(resourceVersion));
    assert.match((await raw(at('1'))).stderr, /please apply your changes to the latest version and try again/);
    assert.match((await raw(['patch', 'pod', 'p', '--type=json', '-p', '[{"op":"test","path":"/spec/nodeName","value":"x"}]'])).stderr, /test.*failed|nodeName/);
    assert.match((await raw(['patch', 'pod', 'p', '-p', '{"spec":{"hostNetwork":true}}'])).stderr, /pod updates may not change fields other than/);
    assert.ok((await managers()).includes('kubectl-patch'));
  });

  await t.test('subresources: status and scale', async () => {
    await k(['patch', 'pod', 'p', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"Running"}}']);
    assert.match(await k('get pod p --subresource=status'), /^NAME +READY +STATUS[^]*p +0\/1 +Running/);
    assert.match((await raw('get pod p --subresource=scale')).stderr, /the server could not find the requested resource/);
    assert.match(await k('get pods --field-selector status.phase=Running'), /^NAME[^]*\np /);
  });

  await t.test('edit', async () => {
    const edit = (program, ...more) => raw(['edit', 'pod/p', ...more], undefined, { EDITOR: program });
    assert.match((await edit('sed -i s/yaml/edited/', '--output-patch=true')).stdout, /Patch: \{"spec":\{.*"containers":\[\{"image":"edited","name":"c"\}/);
    assert.equal((await get('pod p')).spec.containers[0].image, 'edited');
    assert.match((await edit('cat')).stderr, /Edit cancelled, no changes made/);
    assert.ok((await managers()).includes('kubectl-edit'));
    // An edit that is refused comes back to the editor with the reason; unchanged the second time, it ends.
    const refused = await edit('sed -i s/restartPolicy:.*/restartPolicy:nonsense/;s/policy:n/policy:\\ n/');
    assert.notEqual(refused.code, 0);
  });

  await t.test('replace, with --force too', async () => {
    const live = await get('pod p');
    delete live.metadata.managedFields;
    live.metadata.labels.replaced = 'yes';
    await k('replace -f -', live);
    assert.match((await raw('replace -f -', live)).stderr, /the object has been modified; please apply your changes to the latest version/);
    assert.ok((await managers()).includes('kubectl-replace'));
    live.spec.containers[0].name = 'renamed';
    await k('replace --force -f -', live);
    assert.equal((await get('pod p')).spec.containers[0].name, 'renamed');
    assert.match((await raw('replace --grace-period=1 -f -', live)).stderr, /--grace-period must have --force specified/);
    assert.match((await raw('replace -f -', pod('nobody'))).stderr, /pods "nobody" not found/);
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', annotations: { a: 'b' }, resourceVersion: '0' } };
    await k('create -f -', { ...node, metadata: { name: 'n' } });
    await k('replace --dry-run=server -f -', node);
    assert.equal((await get('node n')).metadata.annotations, undefined);
    await k('replace -f -', node);
    assert.equal((await get('node n')).metadata.annotations.a, 'b');
  });
});

test('set, scale and rollout', async (t) => {
  const house = await davy(t);
  const { k, raw, get } = shell(house);

  await t.test('each set counts a generation, on each kind of workload', async () => {
    await k('create cm c --from-literal=key-1=1 --from-literal=key-2=2');
    await k('create secret generic s --from-literal=user=u');
    for (const [kind, spec] of [['DaemonSet', {}], ['ReplicaSet', { replicas: 0 }], ['StatefulSet', { replicas: 0, serviceName: 'x' }], ['Deployment', { replicas: 0 }]]) {
      const what = `${kind.toLowerCase()} w`;
      const generation = async () => (await get(what)).metadata.generation;
      const containers = async () => (await get(what)).spec.template.spec.containers;
      await k('create -f -', workload(kind, 'w', spec));
      assert.equal(await generation(), 1);
      await k(`label ${what} x=y`);
      assert.equal(await generation(), 1);
      await k(`set image ${what} *=all:2`);
      assert.deepEqual((await containers()).map((c) => c.image), ['all:2', 'all:2']);
      await k(`set image ${what} one=one:3`);
      assert.deepEqual((await containers()).map((c) => c.image), ['one:3', 'all:2']);
      await k(`set image ${what} one=one:4 --dry-run=server`);
      assert.match((await raw(`set image ${what} nobody=x`)).stderr, /unable to find container named "nobody"/);
      assert.equal(await generation(), 3);
      await k(`set env ${what} A=B -c one`);
      await k(`set env ${what} --from=configmap/c --keys=key-2`);
      assert.deepEqual((await containers())[0].env, [{ name: 'A', value: 'B' }, { name: 'KEY_2', valueFrom: { configMapKeyRef: { key: 'key-2', name: 'c' } } }]);
      assert.equal((await containers())[1].env.length, 1);
      await k(`set env ${what} A-`);
      assert.equal((await containers())[0].env.length, 1);
      assert.equal(await generation(), 6);
      await k(`set resources ${what} --limits=cpu=200m,memory=512Mi --requests=cpu=0.1`);
      assert.deepEqual((await containers())[1].resources, { limits: { cpu: '200m', memory: '512Mi' }, requests: { cpu: '100m' } });
      await k(`set serviceaccount ${what} deployer`);
      const { spec: is, metadata } = await get(what);
      assert.equal(is.template.spec.serviceAccountName, 'deployer');
      assert.equal(metadata.generation, 8);
      assert.ok(metadata.managedFields.some((f) => f.manager === 'kubectl-set'));
      if (kind !== 'ReplicaSet') {
        await k(`rollout restart ${what}`);
        assert.ok((await get(what)).spec.template.metadata.annotations['kubectl.kubernetes.io/restartedAt']);
        assert.equal(await generation(), 9);
      }
      for (const wanted of [/Name: +w/, /Selector: +app=w/, /Pod Template:/, /Image: +one:3/]) assert.match(await k(`describe ${what}`), wanted);
      await k(`delete ${what}`);
    }
  });

  await t.test('set selector and its resourceVersion', async () => {
    await k('create service clusterip s --tcp=80');
    await k('set selector service s role=a,b=c');
    assert.deepEqual((await get('service s')).spec.selector, { role: 'a', b: 'c' });
    const { resourceVersion } = (await get('service s')).metadata;
    await k(`set selector service s x=y --resource-version=${resourceVersion}`);
    assert.match((await raw('set selector service s x=z --resource-version=1')).stderr, /Conflict/);
  });

  await t.test('scale: by name, by label, all, and only from what is expected', async () => {
    for (const name of ['a', 'b']) await k('create -f -', workload('Deployment', name, { replicas: 1 }));
    const replicas = async () => [(await get('deploy a')).spec.replicas, (await get('deploy b')).spec.replicas].join();
    for (const dry of ['client', 'server']) await k(`scale deploy --all --replicas=3 --dry-run=${dry}`);
    assert.equal(await replicas(), '1,1');
    await k('scale deploy -l app=a --replicas=2');
    assert.equal(await replicas(), '2,1');
    await k('scale deploy --all --replicas=3');
    assert.equal(await replicas(), '3,3');
    assert.match((await raw('scale deploy a --current-replicas=2 --replicas=1')).stderr, /Expected replicas to be 2, was 3/);
    await k('scale --current-replicas=3 --replicas=0 deploy/a deploy/b');
    assert.equal(await replicas(), '0,0');
    const controller = { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'rc' }, spec: { replicas: 3, selector: { a: 'b' }, template: { metadata: { labels: { a: 'b' } }, spec: pod('x').spec } } };
    await k('create -f -', controller);
    await k('scale rc rc --replicas=2');
    assert.equal((await get('rc rc')).spec.replicas, 2);
    await k('delete rc rc');
    await k('delete deploy a b');
  });

  await t.test('rollout: history, undo, pause, resume, revisions', async () => {
    await k('create -f -', workload('Deployment', 'd', { replicas: 1 }));
    const image = async () => (await get('deploy d')).spec.template.spec.containers[0].image;
    const sets = async () => (await get('rs -l app=d')).items;
    const revision = async () => (await get('deploy d')).metadata.annotations['deployment.kubernetes.io/revision'];
    await eventually(async () => (await revision()) === '1');
    assert.match(await k('rollout undo deploy d --to-revision=1'), /skipped rollback/);
    await k('set image deploy d one=one:2');
    await k('annotate deploy d kubernetes.io/change-cause=second');
    await eventually(async () => (await revision()) === '2' && (await sets()).length === 2);
    await eventually(async () => /2 +second/.test(await k('rollout history deploy d')));
    assert.match(await k('rollout history deploy d --revision=1'), /Image:\tone:1/);
    assert.match(await k('rollout undo deploy d --dry-run=client'), /one:1/);
    await k('rollout undo deploy d --dry-run=server');
    assert.equal(await image(), 'one:2');
    await k('rollout undo deploy d --to-revision=1');
    assert.equal(await image(), 'one:1');
    await eventually(async () => (await revision()) === '3');
    assert.match((await raw('rollout undo deploy d --to-revision=1000000')).stderr, /unable to find specified revision 1000000/);
    await k('rollout pause deploy d');
    assert.match((await raw('rollout undo deploy d')).stderr, /you cannot rollback a paused deployment/);
    assert.match((await raw('rollout restart deploy d')).stderr, /can't restart paused deployment/);
    assert.ok((await get('deploy d')).metadata.managedFields.some((f) => f.manager === 'kubectl-rollout'));
    await k('rollout resume deploy d');
    const newest = (await sets()).find((s) => s.metadata.annotations['deployment.kubernetes.io/revision'] === '3');
    assert.equal(newest.metadata.annotations['deployment.kubernetes.io/revision-history'], '1');
    assert.match((await raw('rollout status deploy d --revision=2')).stderr, /desired revision \(2\) is different from the running revision \(3\)/);
    await k('delete deploy d --cascade=orphan');
    assert.equal((await sets()).length, 2);
    await k('delete rs -l app=d');
  });
});

test('wait and delete', async (t) => {
  const house = await davy(t);
  const { k, raw, get } = shell(house);
  await k('create deployment w --image=a');

  assert.match(await k(['wait', '--for=jsonpath={.status.replicas}', 'deploy/w']), /deployment.apps\/w condition met/);
  assert.match(await k(['wait', '--for=jsonpath={.status.replicas}=1', 'deploy/w']), /condition met/);
  assert.match((await raw('wait pods -l app=w --for=condition=Nonsense --timeout=100ms')).stderr, /timed out waiting for the condition/);
  assert.match((await raw('wait pod/none --for=delete --timeout=1s')).stdout + '', /^$/);
  const { metadata } = (await get('pods -l app=w')).items[0];
  const ready = k(`wait pod ${metadata.name} --for=condition=Ready --timeout=60s`);
  await request(house, 'PATCH', `/api/v1/namespaces/default/pods/${metadata.name}/status`, {
    body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
  });
  assert.match(await ready, /condition met/);
  const gone = k('wait deployment --for=delete --all --timeout=60s');
  await k('delete deployment --all');
  assert.match(await gone, /deployment.apps\/w condition met|^$/);
  const created = kubectlStart(t, house, 'wait cm/late --for=create --timeout=60s');
  await k('create cm late');
  assert.equal(await created.ended, 0);

  await k('create ns one');
  await k('create ns two');
  for (const ns of ['one', 'two']) await k('create -f -', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ns, namespace: ns, labels: { t: '1' } } });
  for (const dry of ['client', 'server']) await k(`delete cm -l t=1 -A --dry-run=${dry}`);
  assert.equal((await get('cm -A -l t=1')).items.length, 2);
  await k('delete cm -l t=1 -A');
  assert.equal((await get('cm -A -l t=1')).items.length, 0);
  assert.match((await raw('delete cm')).stderr, /resource\(s\) were provided, but no name was specified/);
  assert.match((await raw('delete cm none')).stderr, /configmaps "none" not found/);
  assert.equal(await k('delete cm none --ignore-not-found'), '');
  await k('delete ns one two --wait=false');
  await k('wait --for=delete ns/one ns/two --timeout=60s');
  const scoped = await raw('delete clusterrole view -n default --dry-run=server');
  assert.match(scoped.stdout + scoped.stderr, /warning: deleting cluster-scoped resources/i);

  const file = path.join(house.dir, 'two.yaml');
  await writeFile(file, `# Two of them.\n${JSON.stringify(pod('x'))}\n---\n${JSON.stringify(pod('y'))}\n`);
  await k(`create -f ${file}`);
  assert.equal(await k(`get -f ${file} -o name`), 'pod/x\npod/y\n');
  await k('delete pod x --grace-period=0 --force');
  await k('delete pod y --now');
  assert.equal(await k('get pods -o name'), '');
});

test('nodes', async (t) => {
  const house = await davy(t);
  const { k, raw, get } = shell(house);
  await k('create -f -', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels: { test: 'label' } } });
  const spec = async () => (await get('node n1')).spec;
  assert.match(await k('get nodes'), /^NAME +STATUS +ROLES +AGE +VERSION\nn1 +Unknown +<none> /);
  for (const wanted of [/Name: +n1/, /Roles: +<none>/, /Unschedulable: +false/, /Conditions:|Addresses:/]) assert.match(await k('describe node n1'), wanted);

  for (const dry of ['client', 'server']) await k(`taint node n1 dedicated=foo:NoSchedule --dry-run=${dry}`);
  assert.equal((await spec()).taints?.some((taint) => taint.key === 'dedicated') ?? false, false);
  await k('taint node n1 dedicated=foo:PreferNoSchedule');
  assert.deepEqual((await spec()).taints.find((taint) => taint.key === 'dedicated'), { key: 'dedicated', value: 'foo', effect: 'PreferNoSchedule' });
  assert.match((await raw('taint node n1 dedicated=x:PreferNoSchedule')).stderr, /already has dedicated taint/);
  await k('taint node n1 dedicated-');
  assert.ok((await get('node n1')).metadata.managedFields.some((f) => f.manager === 'kubectl-taint') || !(await spec()).taints);

  await k('cordon n1 --dry-run=server');
  assert.equal((await spec()).unschedulable, undefined);
  assert.equal(await k('cordon --selector test=label'), 'node/n1 cordoned\n');
  assert.match(await k('get node n1'), /Unknown,SchedulingDisabled/);
  await k('uncordon n1');
  assert.match(await k('uncordon n1'), /already uncordoned/);
  await k(['patch', 'node', 'n1', '-p', '{"spec":{"unschedulable":true}}']);
  await k(['patch', 'node', 'n1', '-p', '{"spec":{"unschedulable":null}}']);
  assert.equal((await spec()).unschedulable, undefined);

  for (const name of ['p1', 'p2']) await k('create -f -', { ...pod(name, { type: 'test', name }), spec: { ...pod(name).spec, nodeName: 'n1' } });
  for (const dry of ['client', 'server']) await k(`drain n1 --force --dry-run=${dry}`);
  assert.equal((await get('pod p1')).metadata.deletionTimestamp, undefined);
  const paged = await raw('--v=6 drain --force --pod-selector type=test --selector test=label --chunk-size=1 --dry-run=client');
  assert.match(paged.stderr, /pods\?continue=[^ ]*fieldSelector=spec.nodeName%3Dn1/);
  assert.match(paged.stdout, /evicting pod default\/p1 \(dry run\)[^]*evicting pod default\/p2/);
  assert.match(await k('drain n1 --force --pod-selector name=p1 --skip-wait-for-delete-timeout=1'), /evicting pod default\/p1/);
  assert.equal((await get('pod p2')).metadata.deletionTimestamp, undefined);
  assert.equal((await spec()).unschedulable, true);

  // A budget that allows no disruption stops the eviction of a Pod that runs.
  await k(['patch', 'pod', 'p2', '--subresource=status', '-p', '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}']);
  await k('create pdb p --selector=name=p2 --min-available=1');
  const refused = await raw('drain n1 --force --pod-selector name=p2 --timeout=1s --skip-wait-for-delete-timeout=1');
  assert.match(refused.stderr, /Cannot evict pod as it would violate the pod's disruption budget/);
  await k('delete pods --all --force --grace-period=0');
});
