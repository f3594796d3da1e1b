// A user keeps ConfigMaps with the real kubectl: makes, reads, changes, watches and removes them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { davy, eventually, kubectl, kubectlStart, request, writeFile } from './kit.js';

test('ConfigMaps with kubectl', async (t) => {
  const house = await davy(t);

  await t.test('the namespaces every cluster has are there', async () => {
    const names = (await kubectl.json(house, 'get namespaces')).items.map((ns) => ns.metadata.name);
    assert.deepEqual(names, ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
    assert.match(await kubectl(house, 'get ns default'), /^NAME +STATUS +AGE\ndefault +Active +\S+\n$/);
  });

  await t.test('create (a protobuf body), get in every output', async () => {
    assert.equal(await kubectl(house, 'create configmap web --from-literal=a=1 --from-literal=b=two'), 'configmap/web created\n');
    assert.match(await kubectl(house, 'get configmap web'), /^NAME +DATA +AGE\nweb +2 +\S+\n$/);
    assert.match(await kubectl(house, 'get cm web --no-headers -o wide'), /^web +2 /);
    assert.equal(await kubectl(house, 'get cm web -o name'), 'configmap/web\n');
    assert.equal(await kubectl(house, 'get cm web -o jsonpath={.data.b}'), 'two');
    assert.match(await kubectl(house, 'get cm web -o yaml'), /^apiVersion: v1\ndata:\n  a: "1"\n  b: two\nkind: ConfigMap\n/);
    const object = await kubectl.json(house, 'get cm web');
    assert.match(object.metadata.uid, /^[0-9a-f-]{36}$/);
    assert.match(object.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(await kubectl(house, 'describe cm web'), /^Name: +web\n/);
    assert.match(await kubectl.fails(house, 'create configmap web'), /configmaps "web" already exists/);
  });

  await t.test('apply makes, does nothing twice, and changes', async () => {
    const file = path.join(house.dir, 'apply.yaml');
    const manifest = (value) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\ndata:\n  key: ${value}\n  other: stays\n`;
    await writeFile(file, manifest('one'));
    assert.equal(await kubectl(house, `apply -f ${file}`), 'configmap/applied created\n');
    assert.equal(await kubectl(house, `apply -f ${file}`), 'configmap/applied unchanged\n');
    await writeFile(file, manifest('two').replace('  other: stays\n', ''));
    assert.equal(await kubectl(house, `apply -f ${file}`), 'configmap/applied configured\n');
    assert.deepEqual((await kubectl.json(house, 'get cm applied')).data, { key: 'two' });
  });

  await t.test('label, annotate, patch and edit', async () => {
    await kubectl(house, 'label cm web tier=front');
    await kubectl(house, 'annotate cm web note=kept');
    assert.equal(await kubectl(house, 'get cm -l tier=front -o name'), 'configmap/web\n');
    assert.equal(await kubectl(house, 'get cm -l tier!=front,tier -o name'), '');
    await kubectl(house, ['patch', 'cm', 'web', '--type=merge', '-p', '{"data":{"a":null,"c":"3"}}']);
    assert.deepEqual((await kubectl.json(house, 'get cm web')).data, { b: 'two', c: '3' });
    await kubectl(house, 'edit cm web', { env: { EDITOR: 'sed -i s/two/zwei/' } });
    assert.deepEqual((await kubectl.json(house, 'get cm web')).data, { b: 'zwei', c: '3' });
    await kubectl(house, 'label cm web tier-');
    assert.equal((await kubectl.json(house, 'get cm web')).metadata.labels, undefined);
  });

  await t.test('a manifest with a field that is not there is refused by its name', async () => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'odd' }, dat: {} });
    assert.match(await kubectl.fails(house, 'apply -f -', { input }), /strict decoding error: unknown field "dat"/);
    assert.match(await kubectl.fails(house, 'create configmap Wrong_Name'), /Invalid value: "Wrong_Name": a lowercase RFC 1123 subdomain/);
  });

  await t.test('a watch sees every change in order', async () => {
    const watch = kubectlStart(t, house, 'get cm -w --output-watch-events --no-headers --field-selector metadata.name=seen');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await kubectl(house, 'create cm seen');
    await kubectl(house, 'label cm seen a=b');
    await kubectl(house, 'delete cm seen');
    await eventually(() => /^ADDED +seen.*\nMODIFIED +seen.*\nDELETED +seen.*\n$/.test(watch.stdout));
  });

  await t.test('lists come in consistent chunks', async () => {
    await kubectl(house, 'create namespace many');
    for (let i = 0; i < 25; i++)
      await request(house, 'POST', '/api/v1/namespaces/many/configmaps', { body: { metadata: { name: `m${10 + i}` } } });
    const names = (await kubectl(house, 'get cm -n many --chunk-size=10 -o name')).trim().split('\n');
    assert.equal(names.filter((name) => /\/m\d\d$/.test(name)).length, 25);

    const first = (await request(house, 'GET', '/api/v1/namespaces/many/configmaps?limit=10')).json;
    assert.equal(first.items.length, 10);
    assert.ok(first.metadata.remainingItemCount >= 15);
    await request(house, 'DELETE', '/api/v1/namespaces/many/configmaps/m30');
    const rest = (await request(house, 'GET', `/api/v1/namespaces/many/configmaps?limit=100&continue=${encodeURIComponent(first.metadata.continue)}`)).json;
    assert.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.ok(rest.items.some((cm) => cm.metadata.name === 'm30'), 'the second chunk shows the same moment as the first');
  });

  await t.test('delete, and a namespace takes what it holds with it', async () => {
    assert.equal(await kubectl(house, 'delete cm web'), 'configmap "web" deleted\n');
    assert.match(await kubectl.fails(house, 'get cm web'), /Error from server \(NotFound\): configmaps "web" not found/);
    await kubectl(house, 'delete namespace many');
    assert.match(await kubectl.fails(house, 'get ns many'), /namespaces "many" not found/);
    assert.equal((await request(house, 'GET', '/api/v1/namespaces/many/configmaps')).json.items.length, 0);
  });

  await t.test('strangers see only that it lives', async () => {
    assert.equal((await request(house, 'GET', '/readyz', { anonymous: true })).status, 200);
    const answer = await request(house, 'GET', '/api/v1/configmaps', { anonymous: true });
    assert.equal(answer.status, 403);
    assert.match(answer.json.message, /User "system:anonymous" cannot list resource "configmaps" in API group "" at the cluster scope/);
  });
});

test('Secrets are kept, and not in clear on disk', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create secret generic db --from-literal=password=correct-horse-battery');
  assert.match(await kubectl(house, 'get secret db'), /^NAME +TYPE +DATA +AGE\ndb +Opaque +1 /);
  assert.equal(Buffer.from((await kubectl.json(house, 'get secret db')).data.password, 'base64').toString(), 'correct-horse-battery');
  await house.stop();
  for (const file of ['store/davy.db', 'store/davy.db-wal']) {
    const bytes = await readFile(path.join(house.dir, file)).catch(() => Buffer.alloc(0));
    assert.ok(!bytes.includes('correct-horse') && !bytes.includes(Buffer.from('correct-horse-battery').toString('base64')));
  }
});
