// Which pod goes to which node, by kubectl. The test makes the Nodes itself; nothing runs on them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { davy, eventually, kubectl, request } from './kit.js';

const apply = (house, ...objects) =>
  kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });

async function node(house, name, { labels = {}, spec = {}, cpu = '2', pods = '110' } = {}) {
  await apply(house, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec });
  const { json } = await request(house, 'GET', `/api/v1/nodes/${name}`);
  json.status = { allocatable: { cpu, memory: '4Gi', pods }, capacity: { cpu, memory: '4Gi', pods } };
  const { status } = await request(house, 'PUT', `/api/v1/nodes/${name}/status`, { body: json });
  assert.equal(status, 200);
}

const pod = (name, { cpu, labels = {}, ...spec } = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'app', image: 'app:1', resources: cpu ? { requests: { cpu } } : {} }],
    ...spec,
  },
});

const get = (house, name) => kubectl.json(house, `get pod ${name}`);
const bound = (house, name, where) =>
  eventually(async () => {
    const it = await get(house, name);
    return it.spec.nodeName === where && it;
  });
const scheduled = (it) => it.status.conditions?.find((c) => c.type === 'PodScheduled');
const waits = (house, name, message) =>
  eventually(async () => {
    const it = await get(house, name);
    assert.equal(scheduled(it)?.message, message);
    assert.equal(it.spec.nodeName, undefined);
    return it;
  });
const says = (house, name, pattern) =>
  eventually(async () => pattern.test(await kubectl(house, `events --for pod/${name}`)));

test('a pod waits for a node, gets one, and the Events say so', async (t) => {
  const house = await davy(t);
  await apply(house, pod('web', { cpu: '1500m' }));
  const { status } = await waits(house, 'web', 'no nodes available to schedule pods');
  assert.equal(status.phase, 'Pending');
  await says(house, 'web', /Warning +FailedScheduling +Pod\/web +no nodes available to schedule pods/);
  await node(house, 'one');
  const there = await bound(house, 'web', 'one');
  assert.equal(scheduled(there).status, 'True');
  assert.equal(scheduled(there).reason, undefined);
  await says(house, 'web', /Normal +Scheduled +Pod\/web +Successfully assigned default\/web to one/);

  await t.test('what is taken is taken until its pod ends', async () => {
    await apply(house, pod('more', { cpu: '1' }));
    const it = await waits(
      house,
      'more',
      '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    );
    assert.equal(scheduled(it).reason, 'Unschedulable');
    assert.equal(scheduled(it).status, 'False');
    await says(house, 'more', /FailedScheduling +Pod\/more +0\/1 nodes are available: 1 Insufficient cpu\./);
    const ended = await get(house, 'web');
    ended.status.phase = 'Succeeded';
    await request(house, 'PUT', '/api/v1/namespaces/default/pods/web/status', { body: ended });
    await bound(house, 'more', 'one');
  });

  await t.test('cordon, taint, label', async () => {
    await kubectl(house, 'cordon one');
    await apply(house, pod('later'));
    await waits(
      house,
      'later',
      '0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    );
    await kubectl(house, 'taint node one dedicated=db:NoSchedule');
    await kubectl(house, 'uncordon one');
    await waits(
      house,
      'later',
      '0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: db}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    );
    await apply(house, pod('tolerant', { tolerations: [{ key: 'dedicated', operator: 'Exists' }], nodeSelector: { disk: 'ssd' } }));
    await waits(
      house,
      'tolerant',
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    );
    await kubectl(house, 'label node one disk=ssd');
    await bound(house, 'tolerant', 'one');
    await kubectl(house, 'taint node one dedicated-');
    await bound(house, 'later', 'one');
  });

  await t.test('others are left to their schedulers', async () => {
    await apply(house, pod('foreign', { schedulerName: 'another' }), pod('after'));
    await bound(house, 'after', 'one');
    assert.equal(scheduled(await get(house, 'foreign')), undefined);
  });
});

test('gates, spreading and keeping apart', async (t) => {
  const house = await davy(t);
  await node(house, 'one', { labels: { zone: 'a' } });
  await node(house, 'two', { labels: { zone: 'b' } });

  await apply(house, pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] }));
  const gated = await waits(house, 'gated', 'Scheduling is blocked due to non-empty scheduling gates');
  assert.equal(scheduled(gated).reason, 'SchedulingGated');
  assert.match(await kubectl(house, 'get pod gated'), /SchedulingGated/);
  await kubectl(house, ['patch', 'pod', 'gated', '--type=json', '-p', '[{"op":"remove","path":"/spec/schedulingGates"}]']);
  await eventually(async () => (await get(house, 'gated')).spec.nodeName);

  const labels = { app: 'web' };
  const apart = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: { matchLabels: labels } }],
    },
  };
  await apply(house, ...[1, 2, 3].map((i) => pod(`web-${i}`, { labels, affinity: apart })));
  const where = await eventually(async () => {
    const all = (await kubectl.json(house, 'get pods -l app=web')).items;
    const nodes = all.map((p) => p.spec.nodeName).filter(Boolean);
    return nodes.length === 2 && all.filter((p) => !p.spec.nodeName && scheduled(p)).length === 1 && nodes.sort();
  });
  assert.deepEqual(where, ['one', 'two']);
  const third = (await kubectl.json(house, 'get pods -l app=web')).items.find((p) => !p.spec.nodeName);
  assert.equal(
    scheduled(third).message,
    "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
  );
  await kubectl(house, 'delete pod -l app=web --wait=false');

  const even = [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'even' } } }];
  await apply(house, ...[1, 2, 3, 4].map((i) => pod(`even-${i}`, { labels: { app: 'even' }, topologySpreadConstraints: even })));
  await eventually(async () => {
    const nodes = (await kubectl.json(house, 'get pods -l app=even')).items.map((p) => p.spec.nodeName);
    return nodes.sort().join() === 'one,one,two,two';
  });
});

test('the more important pod gets the room', async (t) => {
  const house = await davy(t);
  await node(house, 'one');
  await apply(
    house,
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'high' }, value: 1000 },
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'polite' }, value: 1000, preemptionPolicy: 'Never' },
    pod('small', { cpu: '500m' }),
    pod('large', { cpu: '1500m' }),
  );
  await bound(house, 'small', 'one');
  await bound(house, 'large', 'one');
  await apply(house, pod('polite', { cpu: '1', priorityClassName: 'polite' }));
  await waits(house, 'polite', '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.');
  await kubectl(house, 'delete pod polite');

  // The victim has an end of its own: the pod is nominated until it is gone.
  await kubectl(house, ['patch', 'pod', 'large', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}']);
  await apply(house, pod('vip', { cpu: '1', priorityClassName: 'high' }));
  const vip = await eventually(async () => {
    const it = await get(house, 'vip');
    return it.status.nominatedNodeName === 'one' && it;
  });
  assert.equal(scheduled(vip).message, '0/1 nodes are available: 1 Insufficient cpu.');
  const victim = await get(house, 'large');
  assert.ok(victim.metadata.deletionTimestamp);
  const target = victim.status.conditions.find((c) => c.type === 'DisruptionTarget');
  assert.equal(target.reason, 'PreemptionByScheduler');
  await says(house, 'large', new RegExp(`Normal +Preempted +Pod/large +Preempted by pod ${vip.metadata.uid} on node one`));

  await apply(house, pod('queue-jumper', { cpu: '1' }));
  await waits(
    house,
    'queue-jumper',
    '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  );
  await kubectl(house, ['patch', 'pod', 'large', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  await bound(house, 'vip', 'one');
  assert.equal((await get(house, 'small')).spec.nodeName, 'one');
});

test('claims are waited for, and volumes are made where the pod goes', async (t) => {
  const house = await davy(t);
  await node(house, 'one');
  const none = 'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
  const claim = (name, storageClassName) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } },
  });
  const storage = (name, volumeBindingMode) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'example.com/disk',
    volumeBindingMode,
  });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  await apply(house, storage('now', 'Immediate'), storage('late', 'WaitForFirstConsumer'), pod('db', { volumes }));
  await waits(house, 'db', `0/1 nodes are available: persistentvolumeclaim "data" not found. ${none}`);
  await apply(house, claim('data', 'now'));
  await waits(house, 'db', `0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. ${none}`);
  await kubectl(house, 'delete pvc data --wait=false');
  await kubectl(house, ['patch', 'pvc', 'data', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']).catch(() => {});
  await eventually(async () => (await kubectl(house, 'get pvc -o name')) === '');
  await apply(house, claim('data', 'late'));
  await eventually(
    async () => (await kubectl.json(house, 'get pvc data')).metadata.annotations?.['volume.kubernetes.io/selected-node'] === 'one',
  );
  assert.equal((await get(house, 'db')).spec.nodeName, undefined);
  await apply(house, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk-1' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'late',
      hostPath: { path: '/data' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['one'] }] }] } },
    },
  });
  await eventually(async () => {
    const it = (await kubectl.json(house, 'get pvc data'));
    it.spec.volumeName = 'disk-1';
    await request(house, 'PUT', '/api/v1/namespaces/default/persistentvolumeclaims/data', { body: it });
    const { json } = await request(house, 'GET', '/api/v1/namespaces/default/persistentvolumeclaims/data');
    json.status = { ...json.status, phase: 'Bound' };
    return (await request(house, 'PUT', '/api/v1/namespaces/default/persistentvolumeclaims/data/status', { body: json })).status === 200;
  });
  await bound(house, 'db', 'one');
});

test('a thousand pods find their places at once', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create deployment many --image=app:1 --replicas=1000');
  await Promise.all(['a', 'b'].map((name) => node(house, name, { cpu: '400', pods: '500' })));
  await eventually(async () => {
    const all = (await request(house, 'GET', '/api/v1/namespaces/default/pods')).json.items;
    const on = (name) => all.filter((p) => p.spec.nodeName === name).length;
    return on('a') === 500 && on('b') === 500;
  });
});
