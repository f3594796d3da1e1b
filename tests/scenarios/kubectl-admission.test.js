// What an object gets, or must pass, before it is stored: addresses, quotas, limits, priorities.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { davy, eventually, kubectl, request } from './kit.js';

const pod = (name, resources, more = {}) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'x', resources }], ...more } });

test('Services get addresses and node ports, once each', async (t) => {
  const house = await davy(t);
  const spec = async (name) => (await kubectl.json(house, `get service ${name}`)).spec;
  assert.equal((await spec('kubernetes')).clusterIP, '10.96.0.1');

  await kubectl(house, 'create service clusterip a --tcp=80:8080');
  await kubectl(house, 'create service nodeport b --tcp=80');
  await kubectl(house, 'create service externalname c --external-name=x.y');
  await kubectl(house, 'create service clusterip d --clusterip=None --tcp=80');
  const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map(spec));
  assert.match(a.clusterIP, /^10\.96\.\d+\.\d+$/);
  assert.deepEqual([a.clusterIPs, a.ipFamilies, a.ipFamilyPolicy], [[a.clusterIP], ['IPv4'], 'SingleStack']);
  assert.notEqual(a.clusterIP, b.clusterIP);
  assert.ok(b.ports[0].nodePort >= 30000 && b.ports[0].nodePort <= 32767);
  assert.equal(c.clusterIP, undefined);
  assert.equal(d.clusterIP, 'None');

  for (const [args, words] of [
    [`clusterip e --clusterip=${a.clusterIP} --tcp=80`, /provided IP is already allocated/],
    ['clusterip e --clusterip=1.2.3.4 --tcp=80', /the provided IP \(1.2.3.4\) is not in the valid range. The range of valid IPs is 10.96.0.0\/16/],
    ['nodeport e --tcp=80 --node-port=80', /provided port is not in the valid range. The range of valid ports is 30000-32767/],
    [`nodeport e --tcp=80 --node-port=${b.ports[0].nodePort}`, /provided port is already allocated/],
  ])
    assert.match(await kubectl.fails(house, `create service ${args}`), words);

  await kubectl(house, ['patch', 'service', 'b', '-p', '{"spec":{"type":"ClusterIP"}}']);
  assert.equal((await spec('b')).ports[0].nodePort, undefined, 'given back with the type');
  assert.equal((await spec('b')).clusterIP, b.clusterIP, 'kept');
  await kubectl(house, `create service nodeport e --tcp=80 --node-port=${b.ports[0].nodePort}`);
  await kubectl(house, 'delete service a');
  await kubectl(house, `create service clusterip f --clusterip=${a.clusterIP} --tcp=80`);
  assert.match(
    await kubectl.fails(house, ['patch', 'service', 'f', '-p', '{"spec":{"clusterIP":"10.96.9.9","clusterIPs":["10.96.9.9"]}}']),
    /may not change once set/,
  );
});

test('a hundred Services made at once have a hundred addresses', async (t) => {
  const house = await davy(t);
  const made = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      request(house, 'POST', '/api/v1/namespaces/default/services', {
        body: { metadata: { name: `s${i}` }, spec: { type: 'NodePort', ports: [{ port: 80 }] } },
      }),
    ),
  );
  assert.equal(new Set(made.map((answer) => answer.json.spec.clusterIP)).size, 100);
  assert.equal(new Set(made.map((answer) => answer.json.spec.ports[0].nodePort)).size, 100);
});

test('a quota is never passed, however many ask at once, and what goes is given back', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create namespace q');
  await kubectl(house, '-n q create quota q1 --hard=pods=3,configmaps=5,requests.cpu=1');
  const used = async () => (await kubectl.json(house, '-n q get quota q1')).status?.used;
  await eventually(async () => (await used())?.configmaps === '1'); // kube-root-ca.crt

  const maps = await Promise.all(
    Array.from({ length: 20 }, (_, i) => request(house, 'POST', '/api/v1/namespaces/q/configmaps', { body: { metadata: { name: `m${i}` } } })),
  );
  assert.equal(maps.filter((answer) => answer.status === 201).length, 4);
  const refused = maps.find((answer) => answer.status === 403);
  assert.match(refused.json.message, /exceeded quota: q1, requested: configmaps=1, used: configmaps=5, limited: configmaps=5/);

  assert.match(await kubectl.fails(house, '-n q create -f -', { input: pod('p0', {}) }), /failed quota: q1: must specify requests.cpu for: c/);
  await kubectl(house, '-n q create -f -', { input: pod('p1', { requests: { cpu: '600m' } }) });
  assert.match(
    await kubectl.fails(house, '-n q create -f -', { input: pod('p2', { requests: { cpu: '600m' } }) }),
    /exceeded quota: q1, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1/,
  );
  assert.deepEqual(await used(), { pods: '1', configmaps: '5', 'requests.cpu': '600m' });
  await kubectl(house, '-n q delete pod p1');
  await eventually(async () => (await used()).pods === '0');
  await kubectl(house, '-n q create -f -', { input: pod('p2', { requests: { cpu: '600m' } }) });
});

test('limits of a namespace are given, and enforced', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'apply -f -', {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'l' },
      spec: { limits: [{ type: 'Container', default: { cpu: '500m', memory: '256Mi' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' }, min: { cpu: '50m' } }] },
    }),
  });
  await kubectl(house, 'create -f -', { input: pod('a', {}) });
  assert.deepEqual((await kubectl.json(house, 'get pod a')).spec.containers[0].resources, {
    limits: { cpu: '500m', memory: '256Mi' },
    requests: { cpu: '100m', memory: '256Mi' },
  });
  assert.match(await kubectl.fails(house, 'create -f -', { input: pod('b', { limits: { cpu: '2' } }) }), /maximum cpu usage per Container is 1, but limit is 2/);
  assert.match(await kubectl.fails(house, 'create -f -', { input: pod('b', { requests: { cpu: '10m' } }) }), /minimum cpu usage per Container is 50m, but request is 10m/);
});

test('pods are somebody, and get a token unless they say no', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create serviceaccount worker');
  await kubectl(house, ['patch', 'serviceaccount', 'worker', '-p', '{"imagePullSecrets":[{"name":"registry"}]}']);
  await kubectl(house, 'create -f -', { input: pod('a', {}) });
  await kubectl(house, 'create -f -', { input: pod('b', {}, { serviceAccountName: 'worker', automountServiceAccountToken: false }) });
  const [a, b] = await Promise.all(['a', 'b'].map(async (name) => (await kubectl.json(house, `get pod ${name}`)).spec));
  assert.equal(a.serviceAccountName, 'default');
  assert.match(a.volumes[0].name, /^kube-api-access-/);
  assert.deepEqual(a.volumes[0].projected.sources.map((one) => Object.keys(one)[0]), ['serviceAccountToken', 'configMap', 'downwardAPI']);
  assert.equal(a.containers[0].volumeMounts[0].mountPath, '/var/run/secrets/kubernetes.io/serviceaccount');
  assert.deepEqual([b.serviceAccountName, b.volumes, b.imagePullSecrets], ['worker', undefined, [{ name: 'registry' }]]);
  assert.match(
    await kubectl.fails(house, 'create -f -', { input: pod('c', {}, { serviceAccountName: 'nobody' }) }),
    /error looking up service account default\/nobody: serviceaccount "nobody" not found/,
  );
});

test('pods get a priority, and the tolerations every pod has', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create -f -', { input: pod('a', {}) });
  const { spec } = await kubectl.json(house, 'get pod a');
  assert.deepEqual([spec.priority, spec.preemptionPolicy], [0, 'PreemptLowerPriority']);
  assert.deepEqual(spec.tolerations.map((one) => [one.key, one.tolerationSeconds]), [
    ['node.kubernetes.io/not-ready', 300],
    ['node.kubernetes.io/unreachable', 300],
  ]);
  await kubectl(house, 'create priorityclass high --value=1000 --global-default=true');
  await kubectl(house, 'create -f -', { input: pod('b', {}) });
  await kubectl(house, 'create -f -', { input: pod('c', {}, { priorityClassName: 'system-node-critical' }) });
  assert.equal((await kubectl.json(house, 'get pod b')).spec.priorityClassName, 'high');
  assert.equal((await kubectl.json(house, 'get pod c')).spec.priority, 2000001000);
  assert.match(await kubectl.fails(house, 'create -f -', { input: pod('d', {}, { priorityClassName: 'no' }) }), /no PriorityClass with name no was found/);
});
