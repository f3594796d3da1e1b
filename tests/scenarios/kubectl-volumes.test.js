// Claims and volumes, by kubectl: who finds whom, who waits, who is kept. No pod runs here; where no
// node is asked for, the test makes it itself.
import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { davy, eventually, kubectl, nodeArgs, request } from './kit.js';

const apply = (house, ...objects) =>
  kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
const pvc = (name, { storage = '1Gi', modes = ['ReadWriteOnce'], ...spec } = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: modes, resources: { requests: { storage } }, ...spec },
});
const pv = (name, { storage = '1Gi', modes = ['ReadWriteOnce'], labels, ...spec } = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, labels },
  spec: { accessModes: modes, capacity: { storage }, hostPath: { path: `/srv/${name}` }, ...spec },
});
const storage = (name, provisioner, volumeBindingMode = 'Immediate') => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner,
  volumeBindingMode,
});
const pod = (name, volumes) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'app', image: 'app:1' }], volumes },
});
const using = (claimName) => [{ name: 'data', persistentVolumeClaim: { claimName } }];

async function node(house, name) {
  await apply(house, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } });
  const { json } = await request(house, 'GET', `/api/v1/nodes/${name}`);
  const allocatable = { cpu: '8', memory: '16Gi', pods: '110' };
  json.status = { allocatable, capacity: allocatable };
  assert.equal((await request(house, 'PUT', `/api/v1/nodes/${name}/status`, { body: json })).status, 200);
}

const soon = (check) => // Until it no longer throws.
  eventually(async () => {
    await check();
    return true;
  });
const get = (house, what) => kubectl.json(house, `get ${what}`);
const phase = (house, what, wanted) =>
  eventually(async () => {
    const it = await get(house, what);
    assert.equal(it.status.phase, wanted);
    return it;
  });
const says = (house, what, pattern) =>
  soon(async () => assert.match(await kubectl(house, `events --for ${what}`), pattern));
const gone = (house, what) =>
  soon(async () => assert.equal(await kubectl(house, `get ${what} --ignore-not-found -o name`), ''));

test('a claim of the default class gets a volume where its first pod goes', async (t) => {
  const house = await davy(t);
  assert.match(
    await kubectl(house, 'get sc'),
    /^local \(default\) +davy\.dev\/local +Delete +WaitForFirstConsumer +true/m,
  );
  await apply(house, pvc('data'));
  await says(house, 'pvc/data', /Normal +WaitForFirstConsumer +\S+ +waiting for first consumer to be created before binding/);
  const waiting = await get(house, 'pvc data');
  assert.equal(waiting.spec.storageClassName, 'local');
  assert.equal(waiting.status.phase, 'Pending');
  assert.deepEqual(waiting.metadata.finalizers, ['kubernetes.io/pvc-protection']);

  await apply(house, pod('db', using('data')));
  await node(house, 'one');
  const claim = await phase(house, 'pvc data', 'Bound');
  assert.deepEqual(claim.status.capacity, { storage: '1Gi' });
  assert.deepEqual(claim.status.accessModes, ['ReadWriteOnce']);
  assert.equal(claim.metadata.annotations['pv.kubernetes.io/bind-completed'], 'yes');
  assert.equal(claim.metadata.annotations['volume.kubernetes.io/storage-provisioner'], 'davy.dev/local');
  assert.equal(claim.spec.volumeName, `pvc-${claim.metadata.uid}`);
  const volume = await phase(house, `pv ${claim.spec.volumeName}`, 'Bound');
  assert.deepEqual(volume.spec.csi, { driver: 'davy.dev/local', volumeHandle: claim.spec.volumeName });
  assert.equal(volume.spec.claimRef.uid, claim.metadata.uid);
  assert.equal(volume.spec.persistentVolumeReclaimPolicy, 'Delete');
  assert.equal(volume.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0], 'one');
  await says(house, 'pvc/data', /ProvisioningSucceeded +\S+ +Successfully provisioned volume pvc-/);
  await eventually(async () => (await get(house, 'pod db')).spec.nodeName === 'one');
  assert.match(await kubectl(house, 'get pvc'), /^data +Bound +pvc-\S+ +1Gi +RWO +local/m);

  await t.test('more is given at once', async () => {
    await kubectl(house, ['patch', 'pvc', 'data', '-p', '{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}']);
    await soon(async () => assert.equal((await get(house, 'pvc data')).status.capacity.storage, '3Gi'));
  });

  await t.test('it stays while its pod is there, and then its volume is released', async () => {
    await kubectl(house, 'delete pvc data --wait=false');
    await apply(house, pod('late', using('data')));
    await soon(async () =>
      assert.match(
        (await get(house, 'pod late')).status.conditions?.find((c) => c.type === 'PodScheduled')?.message ?? '',
        /persistentvolumeclaim "data" is being deleted/,
      ),
    );
    assert.match(await kubectl(house, 'get pvc'), /^data +Terminating/m);
    await kubectl(house, 'delete pod db --wait=false');
    await gone(house, 'pvc data');
    await phase(house, `pv ${claim.spec.volumeName}`, 'Released'); // Until the node has removed it.
  });
});

test('a claim finds the smallest volume that will do, or waits for it', async (t) => {
  const house = await davy(t);
  await apply(
    house,
    pv('huge', { storage: '100Gi', storageClassName: 'disk' }),
    pv('right', { storage: '5Gi', storageClassName: 'disk', labels: { tier: 'gold' } }),
    pv('tiny', { storage: '1Mi', storageClassName: 'disk' }),
    pv('many', { storage: '4Gi', storageClassName: 'disk', modes: ['ReadWriteMany'] }),
    pv('classless', { storage: '4Gi' }),
  );
  for (const name of ['huge', 'right', 'tiny', 'many', 'classless']) await phase(house, `pv ${name}`, 'Available');
  await apply(house, pvc('a', { storage: '3Gi', storageClassName: 'disk' }));
  const claim = await phase(house, 'pvc a', 'Bound');
  assert.equal(claim.spec.volumeName, 'right');
  assert.equal(claim.status.capacity.storage, '5Gi');
  assert.equal(claim.metadata.annotations['pv.kubernetes.io/bound-by-controller'], 'yes');
  assert.match(await kubectl(house, 'get pv right'), /^right +5Gi +RWO +Retain +Bound +default\/a +disk/m);

  await t.test('by its labels, and none at all', async () => {
    await apply(
      house,
      pvc('gold', { storageClassName: 'disk', selector: { matchLabels: { tier: 'gold' } } }),
      pvc('none', { storageClassName: '' }),
      pvc('lone', { storageClassName: '', storage: '50Gi' }),
    );
    await says(house, 'pvc/gold', /Warning +ProvisioningFailed +\S+ +storageclass\.storage\.k8s\.io "disk" not found/);
    await says(house, 'pvc/lone', /Normal +FailedBinding +\S+ +no persistent volumes available for this claim and no storage class is set/);
    assert.equal((await phase(house, 'pvc none', 'Bound')).spec.volumeName, 'classless');
    await apply(house, pv('second', { storageClassName: 'disk', labels: { tier: 'gold' } }));
    assert.equal((await phase(house, 'pvc gold', 'Bound')).spec.volumeName, 'second');
  });

  await t.test('promised ones, before and after', async () => {
    await apply(house, pv('mine', { storageClassName: '', claimRef: { namespace: 'default', name: 'later' } }));
    await phase(house, 'pv mine', 'Available');
    await apply(house, pvc('other', { storageClassName: '' }), pvc('later', { storageClassName: '' }));
    const later = await phase(house, 'pvc later', 'Bound');
    assert.equal(later.spec.volumeName, 'mine');
    assert.equal((await get(house, 'pvc other')).status.phase, 'Pending');
    assert.equal((await get(house, 'pv mine')).metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], undefined);
    await apply(house, pvc('wants', { storageClassName: '', volumeName: 'mine' }));
    await says(house, 'pvc/wants', /Warning +FailedBinding +\S+ +volume "mine" already bound to a different claim\./);
    await apply(house, pvc('big', { storageClassName: 'disk', storage: '9Ti', volumeName: 'huge' }));
    await says(house, 'pvc/big', /Warning +VolumeMismatch +\S+ +Cannot bind to requested volume "huge": requested PV is too small/);
  });

  await t.test('what becomes of them', async () => {
    await kubectl(house, 'delete pv right --wait=false');
    assert.match(await kubectl(house, 'get pv right'), /Terminating|Bound/);
    assert.equal((await get(house, 'pv right')).metadata.finalizers[0], 'kubernetes.io/pv-protection');
    await kubectl(house, 'delete pvc a');
    await gone(house, 'pv right');
    await kubectl(house, 'delete pvc later');
    await phase(house, 'pv mine', 'Released');
    await kubectl(house, ['patch', 'pv', 'mine', '--type=json', '-p', '[{"op":"remove","path":"/spec/claimRef"}]']);
    assert.equal((await phase(house, 'pvc other', 'Bound')).spec.volumeName, 'mine');
    // Taken away by force: the claim is lost for ever.
    await kubectl(house, ['patch', 'pv', 'classless', '-p', '{"metadata":{"finalizers":null}}']);
    await kubectl(house, 'delete pv classless --wait=false');
    await kubectl(house, ['patch', 'pv', 'classless', '-p', '{"metadata":{"finalizers":null}}']).catch(() => {});
    await phase(house, 'pvc none', 'Lost');
    await says(house, 'pvc/none', /Warning +ClaimLost +\S+ +Bound claim has lost its PersistentVolume\. Data on the volume is lost!/);
  });
});

test('provisioners: ours at once, others are waited for', async (t) => {
  const house = await davy(t);
  await apply(
    house,
    storage('now', 'davy.dev/local'),
    storage('other', 'example.com/disk'),
    storage('fixed', 'kubernetes.io/no-provisioner', 'WaitForFirstConsumer'),
    pvc('mine', { storageClassName: 'now' }),
    pvc('theirs', { storageClassName: 'other' }),
    pvc('raw', { storageClassName: 'now', volumeMode: 'Block' }),
  );
  await says(house, 'pvc/theirs', /Normal +ExternalProvisioning +\S+ +Waiting for a volume to be created either by the external provisioner 'example\.com\/disk' or manually/);
  await says(house, 'pvc/raw', /Warning +ProvisioningFailed +\S+ +failed to provision volume with StorageClass "now": block volume provisioning is not supported/);
  assert.equal((await get(house, 'pvc mine')).status.phase, 'Pending'); // There is no node yet.
  await node(house, 'one');
  await phase(house, 'pvc mine', 'Bound');

  await t.test('a class that makes none: the pod goes where there is one', async () => {
    await node(house, 'two');
    await apply(house, pvc('there', { storageClassName: 'fixed' }), pod('picky', using('there')));
    const message = async () => (await get(house, 'pod picky')).status.conditions?.find((c) => c.type === 'PodScheduled')?.message ?? '';
    await soon(async () => assert.match(await message(), /^0\/2 nodes are available: 2 node\(s\) didn't find available persistent volumes to bind\./));
    const at = (name) => ({ required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] }] } });
    await apply(house, pv('on-two', { storageClassName: 'fixed', nodeAffinity: at('two') }));
    await soon(async () => assert.equal((await get(house, 'pod picky')).spec.nodeName, 'two'));
    assert.equal((await get(house, 'pvc there')).spec.volumeName, 'on-two');
  });

  await t.test('a volume of the pod alone', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
    await apply(house, pod('scratch', [{ name: 'tmp', ephemeral: { volumeClaimTemplate: template } }]));
    const claim = await phase(house, 'pvc scratch-tmp', 'Bound');
    assert.equal(claim.metadata.labels.a, 'b');
    assert.equal(claim.metadata.ownerReferences[0].name, 'scratch');
    await soon(async () => assert.ok((await get(house, 'pod scratch')).spec.nodeName));
    await kubectl(house, 'delete pod scratch --wait=false');
    await gone(house, 'pvc scratch-tmp');
    await apply(house, pvc('taken-tmp'), pod('taken', [{ name: 'tmp', ephemeral: { volumeClaimTemplate: template } }]));
    await says(house, 'pod/taken', /FailedScheduling +\S+ +0\/2 nodes are available: PVC default\/taken-tmp was not created for pod/);
  });
});

const root = process.getuid() === 0 ? {} : { skip: 'it needs root' };

test('the node removes what is left of a claim, and keeps what is to be kept', root, async (t) => {
  const args = nodeArgs();
  const house = await davy(t, { args });
  await soon(async () => assert.ok((await get(house, 'node n1')).metadata.uid));
  const kept = { ...storage('kept', 'davy.dev/local'), reclaimPolicy: 'Retain' };
  await apply(house, storage('now', 'davy.dev/local'), kept, pvc('a', { storageClassName: 'now' }), pvc('b', { storageClassName: 'kept' }));
  const [a, b] = [(await phase(house, 'pvc a', 'Bound')).spec.volumeName, (await phase(house, 'pvc b', 'Bound')).spec.volumeName];
  const store = path.join(house.dir, 'volumes');
  for (const name of [a, b]) {
    await mkdir(path.join(store, name, 'deep/er'), { recursive: true }); // As the first pod would have it.
    await writeFile(path.join(store, name, 'deep/er/file'), 'x');
    await symlink('/etc', path.join(store, name, 'etc'));
  }
  await kubectl(house, 'delete pvc a b');
  await gone(house, `pv ${a}`);
  assert.deepEqual(await readdir(store), [b]);
  await phase(house, `pv ${b}`, 'Released');
  await kubectl(house, `delete pv ${b}`); // Its files are somebody's still.
  assert.deepEqual(await readdir(store), [b]);

  await t.test('also what was released while it was away', async () => {
    await apply(house, pvc('c', { storageClassName: 'now' }));
    const c = (await phase(house, 'pvc c', 'Bound')).spec.volumeName;
    await mkdir(path.join(store, c));
    await kubectl(house, 'delete pvc c --wait=false');
    await house.stop();
    const again = await davy(t, { args, dir: house.dir });
    await gone(again, `pv ${c}`);
    assert.deepEqual(await readdir(store), [b]);
  });
});
