// @kubernetes/client-node: typed calls, watches, and informers that outlive a restart and a lost history.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { test } from 'node:test';

import { clientNode } from './clients.js';
import { davy, eventually, kubectl, request } from './kit.js';

const k8s = await clientNode();
const namespace = 'default';

function config(house) {
  const kc = new k8s.KubeConfig();
  kc.loadFromFile(house.kubeconfig);
  return kc;
}

test('objects are made, read, changed and removed', async (t) => {
  const house = await davy(t);
  const kc = config(house);
  const core = kc.makeApiClient(k8s.CoreV1Api);
  const apps = kc.makeApiClient(k8s.AppsV1Api);

  // The client sends bodies without apiVersion and kind.
  const made = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'a', labels: { x: '1' } }, data: { k: 'v' } } });
  assert.ok(made.metadata.creationTimestamp instanceof Date);
  assert.ok(made.metadata.uid);
  const deployment = await apps.createNamespacedDeployment({
    namespace,
    body: {
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'app:1' }] } },
      },
    },
  });
  assert.equal(deployment.spec.strategy.rollingUpdate.maxSurge, '25%');
  assert.equal(deployment.spec.replicas, 1);

  const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: 'x=1' });
  assert.deepEqual(items.map((i) => i.metadata.name), ['a']);
  made.data.k = 'w';
  const replaced = await core.replaceNamespacedConfigMap({ name: 'a', namespace, body: made });
  assert.notEqual(replaced.metadata.resourceVersion, made.metadata.resourceVersion);
  await assert.rejects(core.replaceNamespacedConfigMap({ name: 'a', namespace, body: made }), (e) => e.code === 409);

  const header = (type) => k8s.setHeaderOptions('Content-Type', type);
  const patch = (body, type) => core.patchNamespacedConfigMap({ name: 'a', namespace, body, fieldManager: 'node', force: type === k8s.PatchStrategy.ServerSideApply || undefined }, header(type));
  await patch([{ op: 'add', path: '/data/json', value: '1' }], k8s.PatchStrategy.JsonPatch);
  await patch({ data: { merge: '1' } }, k8s.PatchStrategy.MergePatch);
  await patch({ data: { strategic: '1' } }, k8s.PatchStrategy.StrategicMergePatch);
  const applied = await patch({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { applied: '1' } }, k8s.PatchStrategy.ServerSideApply);
  assert.deepEqual(applied.data, { k: 'w', json: '1', merge: '1', strategic: '1', applied: '1' });
  assert.ok(applied.metadata.managedFields.some((f) => f.manager === 'node' && f.operation === 'Apply'));

  const scale = await apps.readNamespacedDeploymentScale({ name: 'web', namespace });
  scale.spec.replicas = 3;
  await apps.replaceNamespacedDeploymentScale({ name: 'web', namespace, body: scale });
  assert.equal((await apps.readNamespacedDeployment({ name: 'web', namespace })).spec.replicas, 3);

  // The generic client finds its way by discovery.
  const objects = k8s.KubernetesObjectApi.makeApiClient(kc);
  const secret = await objects.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace }, stringData: { p: 'q' } });
  assert.equal(secret.data.p, 'cQ==');
  assert.equal((await objects.read({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace } })).metadata.uid, secret.metadata.uid);

  const review = await kc.makeApiClient(k8s.AuthorizationV1Api).createSelfSubjectAccessReview({
    body: { spec: { resourceAttributes: { verb: 'list', resource: 'pods' } } },
  });
  assert.equal(review.status.allowed, true);

  await apps.deleteNamespacedDeployment({ name: 'web', namespace, propagationPolicy: 'Foreground' });
  await eventually(async () => (await apps.listNamespacedReplicaSet({ namespace })).items.length === 0);
  await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'x' });
  await assert.rejects(core.readNamespacedConfigMap({ name: 'a', namespace }), (e) => e.code === 404 && JSON.parse(e.body).reason === 'NotFound');
});

test('a service account of the cluster speaks with its token', async (t) => {
  const house = await davy(t);
  const kc = config(house);
  const core = kc.makeApiClient(k8s.CoreV1Api);
  await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'robot' } } });
  const { status } = await core.createNamespacedServiceAccountToken({ name: 'robot', namespace, body: { spec: { audiences: [], expirationSeconds: 600 } } });
  const theirs = new k8s.KubeConfig();
  theirs.loadFromClusterAndUser(kc.getCurrentCluster(), { name: 'robot', token: status.token });
  const robot = theirs.makeApiClient(k8s.CoreV1Api);
  await assert.rejects(robot.listNamespacedPod({ namespace }), (e) => e.code === 403);
  await kc.makeApiClient(k8s.RbacAuthorizationV1Api).createNamespacedRoleBinding({
    namespace,
    body: {
      metadata: { name: 'robot' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace }],
    },
  });
  await eventually(async () => (await robot.listNamespacedPod({ namespace })).items.length === 0);
});

test('a watch tells what happens to what it selects', async (t) => {
  const house = await davy(t);
  const kc = config(house);
  const core = kc.makeApiClient(k8s.CoreV1Api);
  const list = await core.listNamespacedConfigMap({ namespace });
  const seen = [];
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const controller = await new k8s.Watch(kc).watch(
    path,
    { resourceVersion: list.metadata.resourceVersion, labelSelector: 'mine' },
    (phase, object) => seen.push([phase, object.metadata.name]),
    () => {},
  );
  t.after(() => controller.abort());
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'other' } } });
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'a', labels: { mine: '1' } } } });
  await kubectl(house, 'annotate configmap a note=1');
  await kubectl(house, 'label configmap a mine-');
  await kubectl(house, 'label configmap other mine=1');
  await core.deleteNamespacedConfigMap({ name: 'other', namespace });
  await eventually(() => seen.length >= 5);
  assert.deepEqual(seen, [['ADDED', 'a'], ['MODIFIED', 'a'], ['DELETED', 'a'], ['ADDED', 'other'], ['DELETED', 'other']]);
});

test('an informer keeps a true copy through a restart of the server', async (t) => {
  const house = await davy(t);
  const kc = config(house);
  const core = kc.makeApiClient(k8s.CoreV1Api);
  const informer = k8s.makeInformer(kc, `/api/v1/namespaces/${namespace}/configmaps`, () => core.listNamespacedConfigMap({ namespace }));
  const events = [];
  for (const verb of ['add', 'update', 'delete']) informer.on(verb, (o) => events.push(`${verb} ${o.metadata.name}`));
  let stopped = false;
  informer.on('error', () => stopped || setImmediate(() => informer.start().catch(() => {})));
  t.after(() => {
    stopped = true;
    return informer.stop();
  });
  await informer.start();
  const names = () => informer.list().map((o) => o.metadata.name).filter((n) => n.length === 1).sort().join('');

  await kubectl(house, 'create configmap a');
  await kubectl(house, 'create configmap b');
  await eventually(() => names() === 'ab');
  await kubectl(house, ['patch', 'configmap', 'a', '-p', '{"data":{"k":"v"}}']);
  await eventually(() => informer.get('a', namespace)?.data?.k === 'v');
  await kubectl(house, 'delete configmap b');
  await eventually(() => names() === 'a');
  for (const event of ['add a', 'add b', 'update a', 'delete b']) assert.ok(events.includes(event), event);

  // The supervisor starts the API server again; the informer's next watch or list finds all there is.
  const [child] = (await readFile(`/proc/${house.pid}/task/${house.pid}/children`, 'utf8')).trim().split(' ');
  process.kill(Number(child), 'SIGKILL');
  await eventually(async () => (await request(house, 'POST', `/api/v1/namespaces/${namespace}/configmaps`, { body: { metadata: { name: 'c' } } })).status === 201);
  await eventually(() => names() === 'ac');
});

test('an informer that comes later than the history goes back hears 410, and lists again', async (t) => {
  const house = await davy(t);
  const kc = config(house);
  const core = kc.makeApiClient(k8s.CoreV1Api);
  await kubectl(house, 'create namespace churn');

  // More changes than are kept for watches: half of them come, and all go at once.
  const agent = new https.Agent({ keepAlive: true, maxSockets: 16 });
  t.after(() => agent.destroy());
  const churn = async () => {
    const base = '/api/v1/namespaces/churn/configmaps';
    let next = 0;
    const one = async () => {
      while (next < 5100) {
        const { status } = await request(house, 'POST', base, { body: { metadata: { name: `m${next++}` } }, agent });
        assert.equal(status, 201);
      }
    };
    await Promise.all(Array.from({ length: 16 }, one));
    assert.equal((await request(house, 'DELETE', base)).status, 200);
  };

  let lists = 0;
  let stale;
  const informer = k8s.makeInformer(kc, '/api/v1/namespaces/default/configmaps', async () => {
    const list = await core.listNamespacedConfigMap({ namespace });
    if (lists++ === 0) {
      stale = list.metadata.resourceVersion;
      await churn();
    }
    return list;
  });
  t.after(() => informer.stop());
  await informer.start();
  await kubectl(house, 'create configmap a');
  await eventually(() => informer.get('a', namespace));
  assert.equal(lists, 2);
  const late = await request(house, 'GET', `/api/v1/configmaps?watch=1&resourceVersion=${stale}`);
  const event = late.status === 410 ? { object: late.json } : JSON.parse(late.text.split('\n')[0]);
  assert.deepEqual([event.object.code, event.object.reason], [410, 'Expired']);
});
