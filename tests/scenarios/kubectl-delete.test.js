// How things end: every --cascade, grace periods, finalizers, collections, families and circles.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { davy, eventually, kubectl, kubectlStart, request } from './kit.js';

const maps = '/api/v1/namespaces/default/configmaps';

async function make(house, name, { owners = [], finalizers, blocks = true } = {}) {
  const ownerReferences = owners.map(({ metadata, kind = 'ConfigMap', apiVersion = 'v1' }) => ({
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid,
    blockOwnerDeletion: blocks,
  }));
  const made = await request(house, 'POST', maps, { body: { metadata: { name, ownerReferences, finalizers, labels: { family: 'yes' } } } });
  assert.equal(made.status, 201, made.text);
  return made.json;
}

const get = (house, name) => request(house, 'GET', `${maps}/${name}`);
const gone = (house, name) => eventually(async () => (await get(house, name)).status === 404);

test('what is deleted, and what goes with it', async (t) => {
  const house = await davy(t);

  await t.test('in the background the owner goes first, and the family follows', async () => {
    const a = await make(house, 'a');
    const b = await make(house, 'b', { owners: [a] });
    await make(house, 'c', { owners: [b] });
    assert.equal(await kubectl(house, 'delete cm a'), 'configmap "a" deleted\n');
    await gone(house, 'b');
    await gone(house, 'c');
  });

  await t.test('in the foreground kubectl waits until the family has gone', async () => {
    const a = await make(house, 'a');
    await make(house, 'b', { owners: [a], finalizers: ['test.dev/hold'] });
    const waits = kubectlStart(t, house, 'delete cm a --cascade=foreground');
    await eventually(async () => (await get(house, 'b')).json.metadata.deletionTimestamp);
    assert.deepEqual((await get(house, 'a')).json.metadata.finalizers, ['foregroundDeletion']);
    assert.equal(waits.child.exitCode, null);
    await kubectl(house, ['patch', 'cm', 'b', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    assert.equal(await waits.ended, 0);
    assert.equal((await get(house, 'a')).status, 404);
    assert.equal((await get(house, 'b')).status, 404);
  });

  await t.test('orphans stay, and name their owner no more', async () => {
    const a = await make(house, 'a');
    const other = await make(house, 'other');
    await make(house, 'b', { owners: [a, other] });
    await kubectl(house, 'delete cm a --cascade=orphan');
    await gone(house, 'a');
    assert.deepEqual((await get(house, 'b')).json.metadata.ownerReferences.map((o) => o.name), ['other']);
    await kubectl(house, 'delete cm other --cascade=orphan');
    await gone(house, 'other');
    assert.equal((await get(house, 'b')).json.metadata.ownerReferences, undefined);
    await kubectl(house, 'delete cm b');
  });

  await t.test('an owner that was never there takes its dependents along; one who has another stays', async () => {
    const never = { metadata: { name: 'never', uid: 'e6b3c1de-0000-4000-8000-000000000000' } };
    const real = await make(house, 'real');
    await make(house, 'lost', { owners: [never] });
    await make(house, 'kept', { owners: [never, real] });
    await gone(house, 'lost');
    await eventually(async () => (await get(house, 'kept')).json.metadata.ownerReferences.length === 1);
    const unknown = { ...never, kind: 'Unheard', apiVersion: 'test.dev/v1' };
    await make(house, 'stays', { owners: [unknown] });
    await make(house, 'lost', { owners: [never] });
    await gone(house, 'lost'); // By now the other one was looked at too.
    assert.equal((await get(house, 'stays')).status, 200);
    await kubectl(house, 'delete cm real stays');
    await gone(house, 'kept');
  });

  await t.test('a circle ends in the foreground', async () => {
    const a = await make(house, 'a');
    const b = await make(house, 'b', { owners: [a] });
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'b', uid: b.metadata.uid, blockOwnerDeletion: true };
    await kubectl(house, ['patch', 'cm', 'a', '--type=merge', '-p', JSON.stringify({ metadata: { ownerReferences: [owner] } })]);
    await kubectl(house, 'delete cm a --cascade=foreground');
    await gone(house, 'a');
    await gone(house, 'b');
  });

  await t.test('a cluster-scoped object cannot belong to a namespace: it stays, and an Event says so', async () => {
    const a = await make(house, 'a');
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: a.metadata.uid };
    await request(house, 'POST', '/api/v1/namespaces', { body: { metadata: { name: 'wide', ownerReferences: [reference] } } });
    await eventually(async () => (await kubectl(house, 'get events')).includes('OwnerRefInvalidNamespace'));
    await kubectl(house, 'delete cm a');
    assert.match(await kubectl(house, 'get namespace wide'), /Active/);
  });

  await t.test('a family ends though everything was killed in the middle', async (t) => {
    const other = await davy(t);
    const a = await make(other, 'a');
    for (let i = 0; i < 40; i++) await make(other, `child-${i}`, { owners: [a] });
    assert.equal((await request(other, 'DELETE', `${maps}/a`)).status, 200);
    const control = (await readFile(`/proc/${other.pid}/task/${other.pid}/children`, 'utf8')).trim().split(' ');
    for (const pid of control) process.kill(Number(pid), 'SIGKILL'); // The supervisor starts it again.
    await eventually(async () => !(await kubectl(other, 'get cm -o name')).includes('child-'));
  });
});

test('Pods get time to end, unless nothing runs', async (t) => {
  const house = await davy(t);
  const pods = '/api/v1/namespaces/default/pods';
  const pod = (name, nodeName) => request(house, 'POST', pods, {
    body: { metadata: { name }, spec: { nodeName, containers: [{ name: 'c', image: 'app:1' }] } },
  });

  assert.equal((await pod('waits')).status, 201);
  assert.equal(await kubectl(house, 'delete pod waits'), 'pod "waits" deleted\n');

  assert.equal((await pod('runs', 'n1')).status, 201);
  await kubectl(house, 'delete pod runs --wait=false');
  assert.equal((await request(house, 'GET', `${pods}/runs`)).json.metadata.deletionGracePeriodSeconds, 30);
  await kubectl(house, 'delete pod runs --wait=false --grace-period=5');
  const shorter = (await request(house, 'GET', `${pods}/runs`)).json.metadata;
  assert.equal(shorter.deletionGracePeriodSeconds, 5);
  await kubectl(house, 'delete pod runs --wait=false --grace-period=60');
  assert.deepEqual((await request(house, 'GET', `${pods}/runs`)).json.metadata, shorter);
  await kubectl(house, 'delete pod runs --force --grace-period=0');
  assert.equal((await request(house, 'GET', `${pods}/runs`)).status, 404);

  const warned = await request(house, 'DELETE', '/apis/batch/v1/namespaces/default/jobs');
  assert.match(warned.headers.warning ?? '', /child pods are preserved by default when jobs are deleted/);
});

test('collections by label, by field, and all', async (t) => {
  const house = await davy(t);
  for (let i = 0; i < 6; i++)
    await request(house, 'POST', maps, { body: { metadata: { name: `m${i}`, labels: { odd: String(i % 2 === 1) } } } });
  const names = async () => (await kubectl(house, 'get cm -o name')).match(/m\d/g) ?? [];
  await kubectl(house, 'delete cm -l odd=true --dry-run=server');
  assert.equal((await names()).length, 6);
  await kubectl(house, 'delete cm -l odd=true');
  assert.deepEqual(await names(), ['m0', 'm2', 'm4']);
  await kubectl(house, 'delete cm --field-selector=metadata.name=m2');
  assert.deepEqual(await names(), ['m0', 'm4']);
  assert.equal((await request(house, 'DELETE', `${maps}?labelSelector=odd%3Dfalse`)).status, 200);
  assert.deepEqual(await names(), []);

  await kubectl(house, 'create namespace full');
  await kubectl(house, 'create deployment web --image=app:1 -n full');
  await kubectl(house, 'create configmap a -n full');
  await kubectl(house, 'create job work --image=app:1 -n full');
  await kubectl(house, 'delete namespace full');
  assert.match(await kubectl.fails(house, 'get namespace full'), /not found/);
});
