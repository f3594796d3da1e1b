// How kubectl looks: every output, selectors, sorting, chunks and watches; what it learns from discovery
// and explain; lists of several kinds in one file; the config that says who asks.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { davy, eventually, kubectl, kubectlRaw, kubectlStart, request, writeFile } from './kit.js';

function shell(house) {
  const text = (input) => input && (typeof input === 'string' ? input : JSON.stringify(input));
  return {
    k: (command, input, env) => kubectl(house, command, { input: text(input), env }),
    raw: (command, input, env) => kubectlRaw(house, command, { input: text(input), env }),
  };
}

const pod = (name, labels = { name }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: { containers: [{ name: 'c', image: `image-${name}` }] },
});

test('get', async (t) => {
  const house = await davy(t);
  const { k, raw } = shell(house);

  await t.test('nothing there', async () => {
    assert.match((await raw('get pods abc')).stderr, /pods "abc" not found/);
    for (const output of ['json', 'yaml', 'name', 'jsonpath={.items}', 'go-template={{.items}}', 'custom-columns=NAME:.metadata.name']) {
      const { code, stderr } = await raw(['get', 'pods', '-o', output]);
      assert.equal(code, 0);
      assert.doesNotMatch(stderr, /No resources found/);
    }
    for (const output of ['', ' -o wide']) assert.match((await raw(`get pods${output}`)).stderr, /No resources found in default namespace/);
    assert.equal((await raw('get pods --ignore-not-found')).stderr, '');
    assert.match((await raw('get foobar')).stderr, /the server doesn't have a resource type "foobar"/);
    assert.match((await raw('get pod x -A')).stderr, /a resource cannot be retrieved by name across all namespaces/);
    await k('get pods --sort-by={metadata.name}');
  });

  for (const name of ['b', 'a', 'c']) await k('create -f -', pod(name, { name, odd: String(name !== 'b') }));

  await t.test('every output', async () => {
    assert.match(await k('get pods -o wide'), /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\na +0\/1 +Pending +0 +\S+ +<none> +<none> +<none> +<none>\n/);
    assert.match(await k('get pods --show-labels'), /LABELS\na .* name=a,odd=true\n/);
    assert.match(await k('get pods -L name --no-headers'), /^a .* a\nb .* b\n/);
    assert.match(await k('get pods -A --show-kind'), /^NAMESPACE +NAME[^]*default +pod\/a /);
    assert.equal(await k('get pods -o name'), 'pod/a\npod/b\npod/c\n');
    assert.equal(await k(['get', 'pods', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.spec.containers[0].image};{end}']), 'a=image-a;b=image-b;c=image-c;');
    assert.equal(await k(['get', 'pods', '-o', 'go-template={{range .items}}{{.metadata.name}}:{{end}}']), 'a:b:c:');
    assert.equal(await k(['get', 'pod', 'a', '--template={{.metadata.name}}:{{.missing}}']), 'a:<no value>');
    assert.match((await raw('get pod a --allow-missing-template-keys=false -o jsonpath={.missing}')).stderr, /missing is not found/);
    assert.match(await k('get pods -o custom-columns=N:.metadata.name,I:.spec.containers[*].image'), /^N +I\na +image-a\nb +image-b\nc +image-c\n$/);
    assert.match(await k('get pod a -o yaml'), /^apiVersion: v1\nkind: Pod\nmetadata:\n  creationTimestamp:/);
    assert.doesNotMatch(await k('get pod a -o yaml'), /managedFields/);
    assert.equal(JSON.parse(await k('get pods,services -o json')).kind, 'List');
    assert.match(await k('get pod/a service/kubernetes'), /pod\/a +0\/1[^]*service\/kubernetes +ClusterIP/);
  });

  await t.test('selectors and order', async () => {
    const names = async (...flags) => (await k(['get', 'pods', '-o', 'name', ...flags])).match(/(?<=pod\/)\w+/g)?.join('') ?? '';
    assert.equal(await names('-l', 'odd=true'), 'ac');
    assert.equal(await names('-l', 'odd!=true'), 'b');
    assert.equal(await names('-l', 'name in (a, b)'), 'ab');
    assert.equal(await names('-l', 'name notin (a),!none'), 'bc');
    assert.equal(await names('--field-selector', 'metadata.name!=a,status.phase=Pending'), 'bc');
    assert.equal(await names('--field-selector', 'spec.nodeName='), 'abc');
    assert.equal(await names('--sort-by', '{.metadata.creationTimestamp}'), (await names()).length === 3 && (await names('--sort-by', '.metadata.creationTimestamp')));
    assert.match(await k('get pods --sort-by=.spec.containers[0].image'), /a [^]*b [^]*c /);
    assert.match((await raw('get pods --field-selector spec.nonsense=1')).stderr, /field label not supported: spec.nonsense/);
    assert.match((await raw(['get', 'pods', '-l', 'a in'])).stderr, /unable to parse|couldn't parse/);
  });

  await t.test('all, in chunks', async () => {
    const all = await raw('--v=6 get all --chunk-size=0');
    for (const list of ['api/v1/namespaces/default/pods', 'api/v1/namespaces/default/replicationcontrollers', 'api/v1/namespaces/default/services', ...['daemonsets', 'deployments', 'replicasets', 'statefulsets'].map((r) => `apis/apps/v1/namespaces/default/${r}`), 'apis/batch/v1/namespaces/default/jobs', 'apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'])
      assert.match(all.stderr, new RegExp(`/${list} 200 OK`));
    const paged = await raw('--v=6 get clusterroles --chunk-size=10');
    assert.match(paged.stderr, /\/clusterroles\?limit=10 200 OK[^]*\/v1\/clusterroles\?continue=/);
    assert.match((await raw('--v=6 get clusterroles')).stderr, /clusterroles\?limit=500 200 OK/);
    const namespaces = await k('get namespaces --chunk-size=1 --no-headers');
    for (const name of ['default', 'kube-public', 'kube-system']) assert.match(namespaces, new RegExp(`^${name} `, 'm'));
  });

  await t.test('watches', async () => {
    const table = kubectlStart(t, house, 'get pods -w --chunk-size=1');
    const named = kubectlStart(t, house, 'get pod a -w -o name');
    const events = kubectlStart(t, house, 'get pods -w --watch-only --output-watch-events -o json -l name=late');
    await eventually(() => /STATUS[^]*c +0\/1/.test(table.stdout) && named.stdout === 'pod/a\n');
    await k('label pod a x=y');
    await k('create -f -', pod('late'));
    await eventually(() => named.stdout === 'pod/a\npod/a\n' && /\nlate +0\/1/.test(table.stdout));
    // A watch that begins now may miss what was before it, so what it must see goes on happening.
    let n = 0;
    await eventually(async () => {
      await k(`label pod late n=${n++} --overwrite`);
      return /"type": ?"MODIFIED"/.test(events.stdout);
    });
    assert.match((await raw('get pods/invalid -w')).stderr, /"invalid" not found/);
  });
});

test('discovery, explain, versions', async (t) => {
  const house = await davy(t);
  const { k, raw } = shell(house);
  const rows = await k('api-resources');
  assert.match(rows, /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n/);
  for (const row of [/^pods +po +v1 +true +Pod$/m, /^deployments +deploy +apps\/v1 +true +Deployment$/m, /^customresourcedefinitions +crd,crds +apiextensions.k8s.io\/v1 +false/m, /^cronjobs +cj +batch\/v1/m])
    assert.match(rows, row);
  assert.match(await k('api-resources -o wide'), /^pods .* create,delete,deletecollection,get,list,patch,update,watch +all$/m);
  assert.equal((await k('api-resources --namespaced=false -o name')).includes('\npods\n'), false);
  const versions = (await k('api-versions')).trim().split('\n');
  for (const version of ['v1', 'apps/v1', 'autoscaling/v1', 'autoscaling/v2', 'batch/v1', 'rbac.authorization.k8s.io/v1']) assert.ok(versions.includes(version), version);
  const core = await k('get --raw=/api/v1');
  assert.match(core, /\{"name":"configmaps","singularName":"configmap","namespaced":true,"kind":"ConfigMap","verbs":\["create","delete","deletecollection","get","list","patch","update","watch"\],"shortNames":\["cm"\],"storageVersionHash":/);
  assert.match(core, /"name":"pods"[^}]*"categories":\["all"\]/);

  assert.match(await k('explain pods'), /^KIND: +Pod\nVERSION: +v1\n\nDESCRIPTION:/);
  assert.match(await k('explain po.status.message'), /FIELD: message <string>/);
  assert.match(await k('explain cronjob'), /GROUP: +batch\nKIND: +CronJob/);
  assert.match(await k('explain deployment.spec.template.spec.containers.resources'), /FIELD: resources <ResourceRequirements>/);
  assert.match(await k('explain hpa.spec.metrics --api-version=autoscaling/v2'), /VERSION: +v2/);
  const all = await k('explain service --recursive');
  assert.match(all, /spec\t<ServiceSpec>[^]*ports\t<\[\]ServicePort>[^]*targetPort\t/);
  assert.match((await raw('explain pods.spec.nonsense')).stderr, /field "nonsense" does not exist/);
  // Every kind can be explained.
  for (const name of ['ingress', 'networkpolicy', 'pdb', 'pv', 'pvc', 'storageclass', 'lease', 'crd', 'role', 'node', 'endpointslice']) assert.match(await k(`explain ${name}`), /KIND:/);
  assert.match(await k('version -o json'), /"serverVersion"/);
  assert.match(await k('cluster-info'), /Kubernetes control plane.*is running at/);
  assert.match(await k('get --raw /readyz?verbose'), /ok|passed/);
});

test('lists of kinds, folders of files, several objects with one command', async (t) => {
  const house = await davy(t);
  const { k, raw } = shell(house);
  const service = (name) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, labels: { app: 'mock' } }, spec: { ports: [{ port: 99 }], selector: { app: 'mock' } } });
  const controller = (name) => ({ apiVersion: 'v1', kind: 'ReplicationController', metadata: { name, labels: { app: 'mock' } }, spec: { replicas: 1, selector: { app: name }, template: { metadata: { labels: { app: name } }, spec: pod('x').spec } } });
  const cases = [
    [{ apiVersion: 'v1', kind: 'List', items: [service('mock'), controller('mock')] }, 'service/mock\nreplicationcontroller/mock\n'],
    [{ apiVersion: 'v1', kind: 'ServiceList', items: [service('mock'), service('mock2')] }, 'service/mock\nservice/mock2\n'],
    [{ apiVersion: 'v1', kind: 'ReplicationControllerList', items: [controller('mock'), controller('mock2')] }, 'replicationcontroller/mock\nreplicationcontroller/mock2\n'],
  ];
  for (const [list, names] of cases) {
    const file = path.join(house.dir, 'list.json');
    await writeFile(file, JSON.stringify(list));
    await k(`create -f ${file}`);
    assert.equal(await k(`get -f ${file} -o name`), names);
    assert.match((await raw(`get -f ${file} --watch`)).stderr, /watch is only supported on individual resources and resource collections/);
    await k(`describe -f ${file}`);
    for (const item of list.items) item.metadata.labels.status = 'replaced';
    await writeFile(file, JSON.stringify(list));
    await k(`replace -f ${file} --force --cascade=background`);
    await k(['edit', '-f', file], undefined, { EDITOR: 'sed -i s/status:.replaced/status:\\ edited/' });
    await k(`label -f ${file} labeled=true --overwrite`);
    await k(`annotate -f ${file} annotated=true --overwrite`);
    assert.equal(await k(`get -f ${file} -o jsonpath={.items[*].metadata.labels.status}{.items[*].metadata.annotations.annotated}`), 'edited editedtrue true');
    await k(`apply -f ${file}`);
    await k(`delete -f ${file}`);
    assert.equal(await k('get svc,rc -l app=mock -o name'), '');
  }

  const dir = path.join(house.dir, 'many/deeper');
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, '../one.yaml'), JSON.stringify(pod('busybox0')));
  await writeFile(path.join(dir, 'two.yaml'), JSON.stringify(pod('busybox1')));
  await writeFile(path.join(dir, 'broken.yaml'), JSON.stringify({ ...pod('busybox2'), kind: undefined, ind: 'Pod' }));
  const recursive = ['-f', path.join(house.dir, 'many'), '--recursive'];
  const created = await raw(['create', ...recursive]);
  assert.match(created.stderr, /error validating data: kind not set/);
  assert.equal(await k('get pods -o name'), 'pod/busybox0\npod/busybox1\n');
  for (const command of [['describe'], ['annotate', 'k=v'], ['label', 'k=v'], ['get', '-o', 'name']]) assert.match((await raw([...command, ...recursive])).stderr, /Object 'Kind' is missing/);
  assert.equal(await k('get pods -l k=v -o name'), 'pod/busybox0\npod/busybox1\n');
  const wrong = { apiVersion: 'v1', kind: 'List', items: [{ ...pod('strict'), nonsense: 1 }] };
  assert.match((await raw('create -f -', wrong)).stderr, /strict decoding error: unknown field "nonsense"/);
  assert.match((await raw('create --validate=warn -f -', wrong)).stderr, /Warning: unknown field "nonsense"/);
  await k('delete pods --all --force --grace-period=0');
});

test('config, tokens and who am I', async (t) => {
  const house = await davy(t);
  const { k, raw } = shell(house);
  assert.equal((await k('config current-context')).trim().length > 0, true);
  assert.match(await k('config view'), /certificate-authority-data: DATA\+OMITTED[^]*kind: Config/);
  await k('create ns mine');
  await k('config set-context --current --namespace=mine');
  await k('create cm here');
  assert.equal(await k('get cm here -n mine -o name'), 'configmap/here\n');
  await k('create sa robot');
  await k('create rolebinding robot --clusterrole=view --serviceaccount=mine:robot');
  const token = (await k('create token robot')).trim();
  await k(`config set-credentials robot --token=${token}`);
  const cluster = (await k('config view -o jsonpath={.clusters[0].name}')).trim();
  await k(`config set-context robot --cluster=${cluster} --user=robot --namespace=mine`);
  assert.match(await k('--context robot auth whoami'), /Username +system:serviceaccount:mine:robot/);
  await eventually(async () => (await raw('--context robot get cm here')).code === 0);
  assert.match((await raw('--context robot delete cm here')).stderr, /cannot delete resource "configmaps" in API group "" in the namespace "mine"/);
  assert.equal((await raw('--context robot auth can-i delete cm')).stdout, 'no\n');
  assert.match(await k('--context robot auth can-i --list'), /configmaps +\[\] +\[\] +\[get list watch\]/);
  assert.equal(await k('auth can-i * *'), 'yes\n');
  assert.equal(await k('auth can-i get pods --subresource=log'), 'yes\n');
  assert.match((await raw('auth can-i get invalid_resource')).stderr, /the server doesn't have a resource type 'invalid_resource'/);
  assert.match((await raw('auth can-i get nodes')).stderr, /Warning: resource 'nodes' is not namespace scoped/);
  assert.equal((await raw('auth can-i get /logs/ --as=x')).stdout, 'no\n');
  assert.match((await raw('--as=nobody get cm')).stderr, /User "nobody" cannot list resource "configmaps"/);
  const answer = await request(house, 'GET', '/api/v1/namespaces/mine/configmaps/here', { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
});
