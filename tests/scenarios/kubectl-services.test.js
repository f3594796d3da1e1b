// What stands behind a Service. There is no node: the test itself gives Pods addresses and readiness, as a kubelet would.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { davy, eventually, kubectl, request } from './kit.js';

const core = '/api/v1/namespaces/default';
const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const condition = (ready) => [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }];

async function ok(answer) {
  const it = await answer;
  assert.ok(it.status < 300, it.text);
  return it.json;
}

const world = (house) => ({
  pod: (name, { labels = { app: 'web' }, port = 8080, spec = {} } = {}) =>
    ok(
      request(house, 'POST', `${core}/pods`, {
        body: {
          metadata: { name, labels },
          spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'app:1', ports: [{ name: 'http', containerPort: port }] }], ...spec },
        },
      }),
    ),
  status: (name, status) =>
    ok(
      request(house, 'PATCH', `${core}/pods/${name}/status`, {
        body: { status: { phase: 'Running', ...status } },
        headers: { 'content-type': 'application/merge-patch+json' },
      }),
    ),
  service: (name, spec, labels) => ok(request(house, 'POST', `${core}/services`, { body: { metadata: { name, labels }, spec } })),
  slices: async (service) =>
    (await ok(request(house, 'GET', `${slicesPath}?labelSelector=kubernetes.io/service-name=${service}`))).items,
  endpoints: async (service) => (await request(house, 'GET', `${core}/endpoints/${service}`)).json,
});

// "10.0.0.1 rs-": address, then what of ready, serving, terminating is true.
const shown = (slice) =>
  (slice.endpoints ?? []).map(({ addresses, conditions: c }) => `${addresses[0]} ${c.ready ? 'r' : '-'}${c.serving ? 's' : '-'}${c.terminating ? 't' : '-'}`).sort();

test('a service shows its pods as they come, get ready, end and go', async (t) => {
  const house = await davy(t);
  const w = world(house);
  const service = await w.service(
    'web',
    { selector: { app: 'web' }, ports: [{ name: 'web', port: 80, targetPort: 'http', appProtocol: 'http' }] },
    { team: 'a' },
  );
  const only = async () => {
    const all = await w.slices('web');
    assert.equal(all.length, 1);
    return all[0];
  };
  const becomes = (...want) =>
    eventually(async () => {
      assert.deepEqual(shown(await only()), want);
      return true;
    });

  await becomes(); // Nobody yet: an empty slice, and empty Endpoints.
  await eventually(async () => (await w.endpoints('web')).kind === 'Endpoints');
  assert.equal((await w.endpoints('web')).subsets, undefined);

  await w.pod('a');
  await w.pod('b');
  await w.pod('other', { labels: { app: 'db' } });
  await w.status('a', { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], conditions: condition(true) });
  await w.status('b', { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }], conditions: condition(false) });
  await w.status('other', { podIP: '10.0.0.3', podIPs: [{ ip: '10.0.0.3' }], conditions: condition(true) });
  await becomes('10.0.0.1 rs-', '10.0.0.2 ---');

  const slice = await only();
  assert.deepEqual(slice.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  assert.deepEqual(slice.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Service', name: 'web', uid: service.metadata.uid, controller: true, blockOwnerDeletion: true },
  ]);
  assert.deepEqual(slice.ports, [{ name: 'web', protocol: 'TCP', port: 8080, appProtocol: 'http' }]);
  const first = slice.endpoints.find((e) => e.addresses[0] === '10.0.0.1');
  assert.equal(first.nodeName, 'n1');
  assert.equal(first.targetRef.kind + '/' + first.targetRef.name, 'Pod/a');

  const subsets = await eventually(async () => (await w.endpoints('web')).subsets);
  assert.deepEqual(subsets[0].addresses.map((a) => a.ip), ['10.0.0.1']);
  assert.deepEqual(subsets[0].notReadyAddresses.map((a) => a.ip), ['10.0.0.2']);
  assert.deepEqual(subsets[0].ports, [{ name: 'web', port: 8080, protocol: 'TCP', appProtocol: 'http' }]);
  assert.deepEqual((await w.endpoints('web')).metadata.labels, { team: 'a' });
  assert.match(await kubectl(house, 'describe service web'), /Endpoints: +10\.0\.0\.1:8080/);
  assert.match(await kubectl(house, 'get endpoints web'), /10\.0\.0\.1:8080/);

  await t.test('nothing is written when nothing that matters changes', async () => {
    const version = async () => [(await only()).metadata.resourceVersion, (await w.endpoints('web')).metadata.resourceVersion];
    const before = await version();
    await kubectl(house, 'annotate pod a note=x');
    await kubectl(house, 'annotate service web note=x');
    await w.pod('late'); // It has no address, so it is seen and left out: after it, all was looked at.
    await kubectl(house, 'delete pod late --force --grace-period=0');
    await w.pod('mark', { labels: { app: 'mark' } });
    await w.service('mark', { selector: { app: 'mark' }, ports: [{ port: 1 }] });
    await eventually(async () => (await w.slices('mark')).length === 1);
    assert.deepEqual(await version(), before);
  });

  await t.test('one that ends serves until it is gone', async () => {
    await w.status('b', { conditions: condition(true) });
    await becomes('10.0.0.1 rs-', '10.0.0.2 rs-');
    await kubectl(house, 'delete pod b --wait=false');
    await becomes('10.0.0.1 rs-', '10.0.0.2 -st');
    await eventually(async () => (await w.endpoints('web')).subsets[0].addresses.length === 1);
    await kubectl(house, 'delete pod b --force --grace-period=0');
    await becomes('10.0.0.1 rs-');
  });

  await t.test('labels that change take it out, and bring another in', async () => {
    await kubectl(house, 'label pod a app=away --overwrite');
    await becomes();
    await kubectl(house, 'label pod other app=web --overwrite');
    await becomes('10.0.0.3 rs-');
  });

  await t.test('one that is done is out', async () => {
    await w.status('other', { phase: 'Succeeded' });
    await becomes();
    await kubectl(house, 'label pod a app=web --overwrite');
    await becomes('10.0.0.1 rs-');
  });

  await t.test('another selector brings other pods', async () => {
    await kubectl(house, ['patch', 'service', 'web', '-p', '{"spec":{"selector":{"app":"nobody"}}}']);
    await becomes();
    await kubectl(house, ['patch', 'service', 'web', '-p', '{"spec":{"selector":{"app":"web"}}}']);
    await becomes('10.0.0.1 rs-');
  });

  await t.test('what somebody else changes or deletes is put right', async () => {
    const { name } = (await only()).metadata;
    await request(house, 'PATCH', `${slicesPath}/${name}`, {
      body: { endpoints: [] },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    await becomes('10.0.0.1 rs-');
    await kubectl(house, `delete endpointslice ${name}`);
    await becomes('10.0.0.1 rs-');
    await kubectl(house, 'delete endpoints web');
    await eventually(async () => (await w.endpoints('web')).subsets?.[0].addresses[0].ip === '10.0.0.1');
  });

  await t.test('both go with the service', async () => {
    await kubectl(house, 'delete service web');
    await eventually(async () => (await w.slices('web')).length === 0);
    await eventually(async () => (await w.endpoints('web')).code === 404);
  });
});

test('services of other kinds', async (t) => {
  const house = await davy(t);
  const w = world(house);
  await w.service('none', { ports: [{ port: 80 }] });
  await ok(request(house, 'POST', `${core}/endpoints`, { body: { metadata: { name: 'none' }, subsets: [{ addresses: [{ ip: '192.0.2.1' }] }] } }));
  await w.service('away', { type: 'ExternalName', externalName: 'example.com', selector: { app: 'web' } });
  await w.service('quiet', { clusterIP: 'None', selector: { app: 'web' } });
  await w.service('all', { selector: { app: 'web' }, publishNotReadyAddresses: true, ports: [{ port: 80 }] });
  await w.pod('a', { spec: { hostname: 'h', subdomain: 'quiet' } });
  await w.status('a', { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], conditions: condition(false) });

  const [quiet] = await eventually(async () => {
    const all = await w.slices('quiet');
    return all[0]?.endpoints?.length === 1 && all;
  });
  assert.equal(quiet.metadata.labels['service.kubernetes.io/headless'], '');
  assert.equal(quiet.endpoints[0].hostname, 'h');
  assert.deepEqual(quiet.ports ?? [], []);
  assert.deepEqual(shown(quiet), ['10.0.0.1 ---']);
  await eventually(async () => shown((await w.slices('all'))[0])[0] === '10.0.0.1 r--');
  await eventually(async () => (await w.endpoints('all')).subsets?.[0].addresses?.[0].ip === '10.0.0.1');

  assert.deepEqual(await w.slices('none'), []);
  assert.deepEqual(await w.slices('away'), []);
  assert.equal((await w.endpoints('away')).code, 404);
  assert.equal((await w.endpoints('none')).subsets[0].addresses[0].ip, '192.0.2.1');
});

test('a large service has slices of a hundred, also after a restart', async (t) => {
  const house = await davy(t);
  const w = world(house);
  await w.service('web', { selector: { app: 'web' }, ports: [{ port: 80 }] });
  const address = (i) => `10.1.${Math.floor(i / 200)}.${(i % 200) + 1}`;
  const up = async (i) => {
    await w.pod(`p${i}`);
    await w.status(`p${i}`, { podIP: address(i), podIPs: [{ ip: address(i) }], conditions: condition(true) });
  };
  await Promise.all(Array.from({ length: 250 }, (_, i) => up(i)));
  const all = async () => (await w.slices('web')).flatMap(shown).sort();
  const wanted = Array.from({ length: 250 }, (_, i) => `${address(i)} rs-`).sort();
  await eventually(async () => {
    assert.deepEqual(await all(), wanted);
    return true;
  });
  const slices = await w.slices('web');
  assert.equal(slices.length, 3);
  assert.ok(slices.every((slice) => slice.endpoints.length <= 100));
  await eventually(async () => (await w.endpoints('web')).subsets[0].addresses.length === 250);

  await house.stop();
  const again = await davy(t, { dir: house.dir });
  const after = world(again);
  await after.status('p7', { conditions: condition(false) });
  await eventually(async () => (await after.slices('web')).flatMap(shown).includes(`${address(7)} ---`));
  assert.equal((await after.slices('web')).flatMap(shown).length, 250);
});
