// kubectl apply and diff: three-way changes, pruning, last-applied, kustomize, --force, dry runs, and
// the way from client-side to server-side apply and back.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { davy, kubectl, kubectlRaw, request, writeFile } from './kit.js';

const pod = (name, { labels = { name: 'first' }, image = 'pause:1', namespace, annotations } = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels, namespace, annotations },
  spec: { containers: [{ name: 'c', image }] },
});
const list = (...items) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
// Who wrote the object itself; its status others write, as they please.
const writers = (object) =>
  object.metadata.managedFields.filter((f) => f.subresource !== 'status').map((f) => `${f.manager}/${f.operation}`);
const LAST = 'kubectl.kubernetes.io/last-applied-configuration';

function shell(house) {
  return {
    k: (command, input) => kubectl(house, command, { input: input && (typeof input === 'string' ? input : JSON.stringify(input)) }),
    raw: (command, input) => kubectlRaw(house, command, { input: input && (typeof input === 'string' ? input : JSON.stringify(input)) }),
    get: (what) => kubectl.json(house, `get ${what} --show-managed-fields`),
  };
}

test('client-side apply', async (t) => {
  const house = await davy(t);
  const { k, raw, get } = shell(house);

  await t.test('makes, remembers, and says who did it', async () => {
    assert.equal(await k('apply -f -', pod('p')), 'pod/p created\n');
    const made = await get('pod p');
    assert.equal(JSON.parse(made.metadata.annotations[LAST]).metadata.name, 'p');
    assert.deepEqual(writers(made), ['kubectl-client-side-apply/Update']);
    assert.equal(JSON.parse(await k('apply view-last-applied pod p -o json')).spec.containers[0].image, 'pause:1');
    await k('delete pod p');
  });

  await t.test('set-last-applied', async () => {
    await k('create -f -', pod('p'));
    const annotation = async () => (await get('pod p')).metadata.annotations?.[LAST];
    for (const dry of ['client', 'server']) await k(`apply set-last-applied --dry-run=${dry} -f - --create-annotation=true`, pod('p'));
    assert.equal(await annotation(), undefined);
    await k('apply set-last-applied -f - --create-annotation=true', pod('p'));
    assert.ok(await annotation());
    await k('delete pod p');
  });

  await t.test('fields that the manifest has no more go, defaults included; what others added stays', async () => {
    const deployment = (strategy, volume, labels) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', labels },
      spec: {
        strategy,
        replicas: 0,
        selector: { matchLabels: { app: 'd' } },
        template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'v', ...volume }] } },
      },
    });
    await k('apply -f -', deployment({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } }, { emptyDir: {} }, { a: '1', b: '1' }));
    await k('label deployment d theirs=1');
    await k('apply -f -', deployment({ type: 'Recreate', rollingUpdate: null }, { hostPath: { path: '/x' } }, { a: '2' }));
    const { metadata, spec } = await get('deployment d');
    assert.deepEqual(spec.strategy, { type: 'Recreate' });
    assert.deepEqual(metadata.labels, { a: '2', theirs: '1' });
    const [volume] = spec.template.spec.volumes;
    assert.deepEqual(Object.keys(volume).sort(), ['hostPath', 'name']);
    // A list that merges by key: the container is changed where it is, one more is added, and taken again.
    const more = deployment({ type: 'Recreate' }, { hostPath: { path: '/x' } }, { a: '2' });
    more.spec.template.spec.containers = [{ name: 'b', image: 'j' }, { name: 'c', image: 'k' }];
    await k('apply -f -', more);
    assert.deepEqual((await get('deployment d')).spec.template.spec.containers.map((c) => c.image).sort(), ['j', 'k']);
    more.spec.template.spec.containers.shift();
    await k('apply -f -', more);
    assert.deepEqual((await get('deployment d')).spec.template.spec.containers.map((c) => c.image), ['k']);
    await k('delete deployment d');
  });

  await t.test('a selector, a namespace that differs, and dry runs', async () => {
    const both = list(pod('yes', { labels: { wanted: 'yes' } }), pod('no', { labels: { wanted: 'no' } }));
    assert.equal(await k('apply -l wanted=yes -f -', both), 'pod/yes created\n');
    assert.match((await raw('get pods no')).stderr, /pods "no" not found/);
    const { resourceVersion } = (await get('pod yes')).metadata;
    const changed = pod('yes', { labels: { wanted: 'perhaps' } });
    for (const dry of ['client', 'server']) assert.match(await k(`apply --dry-run=${dry} -f -`, changed), /pod\/yes configured \(/);
    assert.equal((await get('pod yes')).metadata.resourceVersion, resourceVersion);
    assert.match(await k('apply --dry-run=server -f -', pod('never')), /pod\/never created \(server dry run\)/);
    assert.match((await raw('get pods never')).stderr, /not found/);
    assert.match((await raw('apply -n foo -f -', pod('x', { namespace: 'bar' }))).stderr, /the namespace from the provided object "bar" does not match the namespace "foo"/);
    await k('delete pod yes');
  });

  await t.test('prune', async () => {
    await k('create ns nsb');
    const a = pod('a', { namespace: 'nsb', labels: { 'prune-group': 'true' } });
    const b = pod('b', { namespace: 'nsb', labels: { 'prune-group': 'true' } });
    await k('apply -n nsb -l prune-group=true -f -', a);
    assert.match(await k('apply -n nsb --prune -l prune-group=true -f -', b), /pod\/b created\npod\/a pruned/);
    assert.match((await raw('apply --prune -f -', a)).stderr, /all resources selected for prune without explicitly passing --all/);
    const claim = (name) => ({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, labels: { g: '1' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } });
    await k('apply --prune -l g=1 -f -', claim('one'));
    assert.match(await k('apply --prune -l g=1 -f -', claim('two')), /persistentvolumeclaim\/one pruned/);
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', labels: { g: '1' } }, spec: { selector: { g: '1' }, ports: [{ port: 80 }] } };
    await k('apply --prune -l g=1 -f - --prune-allowlist core/v1/Service', service);
    assert.equal(await k('get pvc two -o name'), 'persistentvolumeclaim/two\n');
    assert.match(await k('apply --prune -l g=1 -f -', service), /two pruned/);
    await k('delete service s');
    await k('delete ns nsb');
  });

  await t.test('an immutable field refuses; --force makes the object anew', async () => {
    const service = (clusterIP) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { clusterIP, ports: [{ port: 80 }] } });
    const free = (await get('service kubernetes')).spec.clusterIP.replace(/\.\d+$/, '');
    await k('apply -f -', service(`${free}.77`));
    assert.match((await raw('apply -f -', service(`${free}.78`))).stderr, /spec.clusterIPs\[0\]: Invalid value: .*may not change once set/);
    await k('apply --force -f -', service(`${free}.78`));
    assert.equal((await get('service a')).spec.clusterIP, `${free}.78`);
    await k('delete service a');
  });

  await t.test('a manifest with an old resourceVersion conflicts, and --force restores what it cannot replace', async () => {
    const deployment = (label, version, selector = label) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'n', resourceVersion: version },
      spec: { replicas: 0, selector: { matchLabels: { name: selector } }, template: { metadata: { labels: { name: label } }, spec: { containers: [{ name: 'n', image: 'n' }] } } },
    });
    await k('apply -f -', deployment('n1'));
    assert.match((await raw('apply -f -', deployment('n2', '99'))).stderr, /Error from server \(Conflict\)/);
    await k('apply --force --grace-period=10 -f -', deployment('n2', '99'));
    assert.match(await k('apply view-last-applied deploy/n -o json'), /"name": "n2"/);
    assert.match((await raw('apply --force -f -', deployment('n3', '99', 'n2'))).stderr, /Invalid value/);
    assert.equal((await get('deployment n')).spec.template.metadata.labels.name, 'n2');
    await k('delete deployment n');
  });

  await t.test('several objects, of which one fails', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'late' } };
    const first = await raw('apply -f -', list(pod('p', { namespace: 'late' }), namespace));
    assert.match(first.stderr, /namespaces "late" not found/);
    assert.match(await k('apply -f -', list(pod('p', { namespace: 'late' }), namespace)), /pod\/p created\nnamespace\/late unchanged/);
    const bogus = await raw('apply -f -', list({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'foo' } }, { apiVersion: 'example.com/v1', kind: 'Bogus', metadata: { name: 'foo' } }));
    assert.match(bogus.stderr, /no matches for kind "Bogus" in version "example.com\/v1"/);
    assert.equal(await k('get cm foo -o name'), 'configmap/foo\n');
    const bad = await raw('apply -f -', list(pod('pod-a'), pod('POD-B'), pod('pod-c')));
    assert.match(bad.stderr, /The Pod "POD-B" is invalid: metadata.name: Invalid value: "POD-B"/);
    assert.equal(await k('get pods -o name'), 'pod/pod-a\npod/pod-c\n');
    await k('delete pods --all');
  });

  await t.test('kustomize, with a hash in a name and the reference to it', async () => {
    const dir = path.join(house.dir, 'kustom');
    await mkdir(dir);
    await writeFile(path.join(dir, 'kustomization.yaml'), 'nameSuffix: -k\nlabels: [{ pairs: { app: kustom } }]\nresources: [pod.yaml]\nconfigMapGenerator: [{ name: map, literals: [a=b] }]\n');
    await writeFile(path.join(dir, 'pod.yaml'), JSON.stringify({ ...pod('p'), spec: { containers: [{ name: 'c', image: 'i', envFrom: [{ configMapRef: { name: 'map' } }] }] } }));
    await k(`apply -k ${dir}`);
    const { spec } = await get('pod p-k');
    assert.match(spec.containers[0].envFrom[0].configMapRef.name, /^map-k-\w+$/);
    assert.match(await k(`get -k ${dir} -o jsonpath={..metadata.name}`), /map-k-\w+ p-k/);
    await k(`delete -k ${dir}`);
    assert.equal(await k('get pods,cm -l app=kustom -o name'), '');
  });
});

test('diff', async (t) => {
  const house = await davy(t);
  const { k, raw, get } = shell(house);
  for (const side of ['', ' --server-side']) {
    const fresh = await raw(`diff${side} -f -`, pod('p'));
    assert.equal(fresh.code, 1, fresh.stderr);
    assert.match(fresh.stdout, /\+ {2}name: p\n/);
    assert.match((await raw('get pod p')).stderr, /not found/);
    await k(`apply${side} -f -`, pod('p'));
    const { resourceVersion } = (await get('pod p')).metadata;
    assert.equal((await raw(`diff${side} -f -`, pod('p'))).code, 0);
    const found = await raw(`diff${side} -f -`, pod('p', { image: 'pause:2' }));
    assert.equal(found.code, 1);
    assert.match(found.stdout, /-.*image: pause:1\n\+.*image: pause:2/);
    assert.equal((await get('pod p')).metadata.resourceVersion, resourceVersion);
    const bad = await raw(`diff${side} -f -`, pod('p', { labels: { name: '-bad-' } }));
    assert.ok(bad.code > 1, bad.stderr);
    await k('delete pod p');
  }
  await k('apply -l g=1 -f -', pod('a', { labels: { g: '1' } }));
  const b = pod('b', { labels: { g: '1' } });
  assert.doesNotMatch((await raw('diff -l g=1 -f -', b)).stdout, /name: a\n/);
  assert.match((await raw('diff --prune -l g=1 -f -', b)).stdout, /-.*name: a\n/);
});

test('server-side apply', async (t) => {
  const house = await davy(t);
  const { k, raw, get } = shell(house);
  const map = (data) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data });
  const managers = async (what) => writers(await get(what));

  await t.test('makes, changes, shares and takes away', async () => {
    assert.equal(await k('apply --server-side -f -', pod('p')), 'pod/p serverside-applied\n');
    assert.deepEqual(await managers('pod p'), ['kubectl/Apply']);
    await k('apply --server-side --field-manager=mine --force-conflicts -f -', pod('p'));
    assert.ok((await managers('pod p')).includes('mine/Apply'));
    await k('delete pod p');
    await k('apply --server-side --dry-run=server -f -', pod('p'));
    assert.equal(await k('get pods -o name'), '');
  });

  await t.test('a conflict names who and what, and can be forced', async () => {
    await k('apply --server-side --field-manager=a -f -', map({ x: '1', y: '1' }));
    const refused = await raw('apply --server-side --field-manager=b -f -', map({ x: '2' }));
    assert.match(refused.stderr, /Apply failed with 1 conflict: conflict with "a": \.data\.x/);
    assert.match(refused.stderr, /--force-conflicts/);
    await k('apply --server-side --field-manager=b --force-conflicts -f -', map({ x: '2' }));
    await k('apply --server-side --field-manager=a -f -', map({}));
    assert.deepEqual((await get('cm m')).data, { x: '2' });
    await k('delete cm m');
  });

  await t.test('from client-side to server-side, and back', async () => {
    await k('apply -f -', pod('p'));
    assert.notEqual((await raw('apply --server-side --field-manager=not-kubectl -f -', pod('p', { labels: { name: 'applied' } }))).code, 0);
    await k('apply --server-side -f -', pod('p', { labels: { name: 'applied' } }));
    assert.match(await k('apply view-last-applied pod/p -o json'), /"name": "applied"/);
    await k('apply --server-side -f -', pod('p'));
    assert.match(await k('apply view-last-applied pod/p -o json'), /"name": "first"/);
    await k('apply -f -', pod('p', { labels: { name: 'applied' } }));
    assert.equal((await get('pod p')).metadata.labels.name, 'applied');
    await k('delete pod p');

    await k('apply -f -', map({ key: 'value', legacy: 'unused' }));
    await k('apply --server-side -f -', map({ key: 'value', legacy: 'unused' }));
    assert.equal((await get('cm m')).data.legacy, 'unused');
    await k('apply --server-side -f -', map({ key: 'value' }));
    assert.deepEqual((await get('cm m')).data, { key: 'value' });
  });

  await t.test('what it does not know it refuses by name', async () => {
    const refused = await raw('apply --server-side -f -', { ...map({}), datum: {} });
    assert.match(refused.stderr, /\.datum: field not declared in schema/);
    const answer = await request(house, 'PATCH', '/api/v1/namespaces/default/configmaps/kube-root-ca.crt?fieldManager=x', { body: map({}), headers: { 'content-type': 'application/json' } });
    assert.equal(answer.status, 415);
  });
});
