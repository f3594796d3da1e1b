// A Deployment's life by kubectl. There is no node: the test itself marks Pods ready, as a kubelet would.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { davy, eventually, kubectl, request } from './kit.js';

const pods = '/api/v1/namespaces/default/pods';

// Marks every Pod ready for as long as the test runs, but those whose image says that they are broken.
function kubelet(t, house) {
  let on = true;
  const loop = (async () => {
    while (on) {
      for (const pod of (await request(house, 'GET', pods)).json.items) {
        if (pod.metadata.deletionTimestamp || pod.status.phase === 'Running' || pod.spec.containers[0].image.includes('broken')) continue;
        const now = new Date().toISOString().replace(/\.\d+/, '');
        pod.status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }] };
        await request(house, 'PUT', `${pods}/${pod.metadata.name}/status`, { body: pod });
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })().catch(() => {}); // Davy ends first, and then it has nothing more to do.
  t.after(async () => {
    on = false;
    await loop;
  });
}

test('a deployment is made, scaled, changed, undone, paused and deleted', async (t) => {
  const house = await davy(t);
  const deployment = () => kubectl.json(house, 'get deployment web');
  const images = async () => (await request(house, 'GET', pods)).json.items.map((p) => p.spec.containers[0].image).sort();
  const rolledOut = () => kubectl(house, 'rollout status deployment web --timeout=30s');

  await kubectl(house, 'create deployment web --image=app:1 --replicas=3');
  await eventually(async () => (await deployment()).status.unavailableReplicas === 3);
  const waiting = (await deployment()).status;
  assert.equal(waiting.conditions.find((c) => c.type === 'Available').reason, 'MinimumReplicasUnavailable');
  kubelet(t, house);
  assert.match(await rolledOut(), /deployment "web" successfully rolled out/);
  const { status, metadata } = await eventually(async () => {
    const it = await deployment();
    return it.status.availableReplicas === 3 && it;
  });
  assert.equal(metadata.annotations['deployment.kubernetes.io/revision'], '1');
  assert.deepEqual(
    status.conditions.map(({ type, status: is, reason, message }) => [type, is, reason, message.replace(/web-\w+/, 'SET')]).sort(),
    [
      ['Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'],
      ['Progressing', 'True', 'NewReplicaSetAvailable', 'ReplicaSet "SET" has successfully progressed.'],
    ],
  );
  assert.match(await kubectl(house, 'get events'), /ScalingReplicaSet.*Scaled up replica set web-\w+ from 0 to 3/);

  await t.test('scale', async () => {
    await kubectl(house, 'scale deployment web --replicas=5');
    await rolledOut();
    assert.equal((await images()).length, 5);
    await kubectl(house, 'scale deployment web --replicas=2');
    await eventually(async () => (await images()).length === 2);
    await rolledOut();
  });

  await t.test('a new image replaces the Pods, and can be undone', async () => {
    await kubectl(house, 'set image deployment web app=app:2');
    await rolledOut();
    await eventually(async () => (await images()).join() === 'app:2,app:2');
    assert.match(await kubectl(house, 'rollout history deployment web'), /1 +<none>\n2 +<none>/);
    await kubectl(house, 'rollout undo deployment web');
    await rolledOut();
    await eventually(async () => (await images()).join() === 'app:1,app:1');
    const { metadata } = await deployment();
    assert.equal(metadata.annotations['deployment.kubernetes.io/revision'], '3');
    assert.equal((await kubectl(house, 'get rs -o name')).trim().split('\n').length, 2);
    assert.match(await kubectl(house, 'rollout history deployment web'), /2 +<none>\n3 +<none>/);
  });

  await t.test('paused, nothing rolls; resumed, it does', async () => {
    await kubectl(house, 'rollout pause deployment web');
    await eventually(async () => (await deployment()).status.conditions.some((c) => c.reason === 'DeploymentPaused'));
    await kubectl(house, 'set image deployment web app=app:3');
    const { metadata } = await deployment();
    await eventually(async () => (await deployment()).status.observedGeneration === metadata.generation);
    assert.deepEqual(await images(), ['app:1', 'app:1']);
    await kubectl(house, 'rollout resume deployment web');
    await rolledOut();
    await eventually(async () => (await images()).join() === 'app:3,app:3');
  });

  await t.test('a restart replaces every Pod', async () => {
    const names = async () => (await request(house, 'GET', pods)).json.items.map((p) => p.metadata.name);
    const before = await names();
    await kubectl(house, 'rollout restart deployment web');
    await rolledOut();
    await eventually(async () => {
      const now = await names();
      return now.length === 2 && now.every((name) => !before.includes(name));
    });
  });

  await t.test('a broken image takes nothing away that is needed', async () => {
    await kubectl(house, 'scale deployment web --replicas=4');
    await rolledOut();
    await kubectl(house, 'set image deployment web app=app:broken');
    await eventually(async () => (await images()).includes('app:broken'));
    await eventually(async () => (await deployment()).status.updatedReplicas === 2);
    assert.equal((await deployment()).status.availableReplicas, 3);
    await kubectl(house, 'rollout undo deployment web');
    await rolledOut();
  });

  await t.test('deleted, it takes its ReplicaSets and Pods along', async () => {
    await kubectl(house, 'delete deployment web');
    await eventually(async () => (await kubectl(house, 'get rs,pods -o name')) === '');
  });
});

test('a replica set takes Pods that fit and lets go those that do not', async (t) => {
  const house = await davy(t);
  const spec = { containers: [{ name: 'c', image: 'app:1' }] };
  const sets = '/apis/apps/v1/namespaces/default/replicasets';
  const mine = async () =>
    (await request(house, 'GET', pods)).json.items.filter((p) => p.metadata.ownerReferences?.[0].name === 'web').map((p) => p.metadata.name);

  await request(house, 'POST', pods, { body: { metadata: { name: 'bare', labels: { app: 'x' } }, spec } });
  const template = { metadata: { labels: { app: 'x' } }, spec };
  await request(house, 'POST', sets, { body: { metadata: { name: 'web' }, spec: { replicas: 2, selector: { matchLabels: { app: 'x' } }, template } } });
  await eventually(async () => (await kubectl.json(house, 'get rs web')).status.replicas === 2);
  assert.ok((await mine()).includes('bare'));

  await kubectl(house, 'label pod bare app=y --overwrite');
  await eventually(async () => (await mine()).length === 2 && !(await mine()).includes('bare'));
  assert.equal((await request(house, 'GET', `${pods}/bare`)).json.metadata.ownerReferences, undefined);

  await kubectl(house, 'delete rs web --cascade=orphan');
  await eventually(async () => (await mine()).length === 0);
  assert.equal((await request(house, 'GET', pods)).json.items.length, 3);
});

test('Recreate stops the old Pods before it makes new ones', async (t) => {
  const house = await davy(t);
  kubelet(t, house);
  const body = {
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } }, spec: { nodeName: 'n1', containers: [{ name: 'app', image: 'app:1' }] } },
    },
  };
  await request(house, 'POST', '/apis/apps/v1/namespaces/default/deployments', { body });
  await kubectl(house, 'rollout status deployment web --timeout=30s');
  await kubectl(house, 'set image deployment web app=app:2');
  const items = async () => (await request(house, 'GET', pods)).json.items;
  await eventually(async () => (await items()).every((p) => p.metadata.deletionTimestamp));
  // They take their time on their node; nothing new is there until they have ended.
  assert.deepEqual((await items()).map((p) => p.spec.containers[0].image), ['app:1', 'app:1', 'app:1']);
  await kubectl(house, 'delete pods --all --force --grace-period=0');
  await eventually(async () => (await items()).map((p) => p.spec.containers[0].image).join() === 'app:2,app:2,app:2');
  await kubectl(house, 'rollout status deployment web --timeout=30s');
});
