// What Kubernetes' conformance cases that need no container look at, told anew: requests as its clients send them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { davy, eventually, kubectl, request } from './kit.js';

const call = async (house, method, path, body, headers = {}) => {
  const answer = await request(house, method, path, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { code: answer.status, ...answer.json };
};
const post = (house, path, body, headers) => call(house, 'POST', path, body, headers);

const definition = (group, properties, more = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `noxus.${group}` },
  spec: {
    group,
    scope: 'Cluster',
    names: { plural: 'noxus', singular: 'noxu', kind: 'Noxu', listKind: 'NoxuList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties, ...more } } }],
  },
});

const noxu = (group, extra, metadata = '') => `
apiVersion: ${group}/v1
kind: Noxu
metadata:
  name: mytest
${metadata}  finalizers:
  - test-finalizer
${extra}
`;

test('field validation', async (t) => {
  const house = await davy(t);
  const deployment = (metadata, spec) => `{
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "my-dep", ${metadata} "labels": {"app": "nginx"}},
    "spec": {${spec} "selector": {"matchLabels": {"app": "nginx"}},
      "template": {"metadata": {"labels": {"app": "nginx"}}, "spec": {"containers": [{"name": "nginx", "image": "nginx:latest"}]}}}}`;
  const strict = '?fieldManager=field_validation_mgr&fieldValidation=Strict';
  const apply = (group, body) => call(house, 'PATCH', `/apis/${group}/v1/noxus/mytest${strict}`, body, { 'Content-Type': 'application/apply-patch+yaml' });
  const define = async (group, ...schema) => {
    assert.equal((await post(house, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(group, ...schema))).code, 201);
    await kubectl(house, `wait --for=condition=established crd/noxus.${group}`);
  };
  const spec = { type: 'object', properties: { foo: { type: 'string' }, cronSpec: { type: 'string' } } };

  await t.test('unknown and double fields of a typed object, and unknown metadata', async () => {
    const path = `/apis/apps/v1/namespaces/default/deployments${strict}`;
    const wrong = await post(house, path, deployment('', '"unknownField": "foo", "replicas": 2, "replicas": 3,'));
    assert.equal(wrong.code, 400);
    assert.match(wrong.message, /strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas"/);
    const meta = await post(house, path, deployment('"unknownMeta": "foo",', ''));
    assert.match(meta.message, /strict decoding error: unknown field "metadata.unknownMeta"/);
  });
  await t.test('a valid custom object, and one that has more than its schema', async () => {
    await define('valid.example.com', { spec });
    assert.equal((await apply('valid.example.com', noxu('valid.example.com', 'spec:\n  foo: foo1'))).code, 201);
    const more = await apply('valid.example.com', noxu('valid.example.com', 'unknownField: unknown\nspec:\n  foo: foo1'));
    assert.match(more.message, /\.unknownField: field not declared in schema/);
  });
  await t.test('without a schema for it anything goes', async () => {
    await define('open.example.com', {}, { 'x-kubernetes-preserve-unknown-fields': true });
    assert.equal((await apply('open.example.com', noxu('open.example.com', 'spec:\n  unknown: uk1'))).code, 201);
  });
  await t.test('unknown metadata of a custom object, and of one in it', async () => {
    const template = { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { metadata: { type: 'object', properties: { name: { type: 'string' } } }, spec: { type: 'object' } } };
    await define('sub.example.com', { spec: { ...spec, properties: { ...spec.properties, template }, 'x-kubernetes-preserve-unknown-fields': true } });
    const text = noxu('sub.example.com', 'spec:\n  foo: foo1\n  template:\n    apiVersion: foo/v1\n    kind: Sub\n    metadata:\n      unknownSubMeta: unknown\n      name: subobject', '  unknownMeta: unknown\n');
    const answer = await apply('sub.example.com', text);
    assert.equal(answer.code, 400);
    assert.match(answer.message, /\.metadata\.unknownMeta: field not declared in schema/);
  });
  await t.test('double fields have their line', async () => {
    const twice = await apply('open.example.com', noxu('open.example.com', 'spec:\n  unknown: uk1\n  foo: foo1\n  foo: foo2'));
    assert.match(twice.message, /line 11: key "foo" already set in map/);
  });
});

test('resource quotas follow the life of what they count', async (t) => {
  const house = await davy(t);
  const ns = '/api/v1/namespaces/default';
  const hard = {
    pods: '5', services: '10', 'services.nodeports': '1', 'services.loadbalancers': '1', replicationcontrollers: '10', resourcequotas: '1',
    cpu: '1', memory: '500Mi', configmaps: '10', secrets: '10', persistentvolumeclaims: '10', 'requests.storage': '10Gi', 'ephemeral-storage': '50Gi',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '10', 'gold.storageclass.storage.k8s.io/requests.storage': '10Gi',
    'requests.example.com/dongle': '3', 'count/replicasets.apps': '5',
  };
  assert.equal((await post(house, `${ns}/resourcequotas`, { metadata: { name: 'test-quota' }, spec: { hard } })).code, 201);
  const used = (wanted) =>
    eventually(async () => {
      const is = (await call(house, 'GET', `${ns}/resourcequotas/test-quota`)).status.used ?? {};
      for (const [name, value] of Object.entries(wanted)) assert.equal(is[name], value, name);
      return true;
    });
  const gone = (path) => call(house, 'DELETE', path, { gracePeriodSeconds: 0, propagationPolicy: 'Background' });
  await used({ resourcequotas: '1' });

  await t.test('a Service', async () => {
    const service = (name, type) => ({ metadata: { name }, spec: { type, ports: [{ port: 80, targetPort: 80 }], allocateLoadBalancerNodePorts: type === 'LoadBalancer' ? true : undefined } });
    assert.equal((await post(house, `${ns}/services`, service('one', 'ClusterIP'))).code, 201);
    assert.equal((await post(house, `${ns}/services`, service('two', 'NodePort'))).code, 201);
    const refused = await post(house, `${ns}/services`, service('three', 'LoadBalancer'));
    assert.equal(refused.code, 403);
    assert.match(refused.message, /exceeded quota: test-quota, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1/);
    await used({ services: '3', 'services.nodeports': '1' }); // "kubernetes" is one of them.
    await gone(`${ns}/services/one`);
    await gone(`${ns}/services/two`);
    await used({ services: '1', 'services.nodeports': '0' });
  });

  await t.test('Secrets, ConfigMaps, replica sets and controllers', async () => {
    const before = (await call(house, 'GET', `${ns}/resourcequotas/test-quota`)).status.used;
    await post(house, `${ns}/secrets`, { metadata: { name: 's' }, data: { k: 'dg==' } });
    await post(house, `${ns}/configmaps`, { metadata: { name: 'c' }, data: { k: 'v' } });
    await used({ secrets: `${Number(before.secrets) + 1}`, configmaps: `${Number(before.configmaps) + 1}` });
    await gone(`${ns}/secrets/s`);
    await gone(`${ns}/configmaps/c`);
    const template = { metadata: { labels: { name: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await post(house, `${ns}/replicationcontrollers`, { metadata: { name: 'rc' }, spec: { replicas: 0, selector: { name: 'x' }, template } });
    await post(house, '/apis/apps/v1/namespaces/default/replicasets', { metadata: { name: 'rs' }, spec: { replicas: 0, selector: { matchLabels: { name: 'x' } }, template } });
    await used({ secrets: before.secrets, configmaps: before.configmaps, replicationcontrollers: '1', 'count/replicasets.apps': '1' });
    await gone(`${ns}/replicationcontrollers/rc`);
    await gone('/apis/apps/v1/namespaces/default/replicasets/rs');
    await used({ replicationcontrollers: '0', 'count/replicasets.apps': '0' });
  });

  await t.test('a Pod, with what others invented', async () => {
    const pod = (name, requests, limits = {}) => ({ metadata: { name }, spec: { containers: [{ name: 'pause', image: 'pause', resources: { requests, limits } }] } });
    const asks = { cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': '2' };
    assert.equal((await post(house, `${ns}/pods`, pod('test-pod', asks, { 'example.com/dongle': '2' }))).code, 201);
    await used({ pods: '1', cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', 'requests.example.com/dongle': '2' });
    assert.equal((await post(house, `${ns}/pods`, pod('fail-pod', { cpu: '600m', memory: '100Mi' }))).code, 403);
    const dongles = await post(house, `${ns}/pods`, pod('fail-dongle', asks, { 'example.com/dongle': '2' }));
    assert.equal(dongles.code, 403);
    const stored = await call(house, 'GET', `${ns}/pods/test-pod`);
    delete stored.code;
    stored.spec.containers[0].resources.requests = { cpu: '100m', memory: '100Mi' };
    assert.equal((await call(house, 'PUT', `${ns}/pods/test-pod`, stored)).code, 422);
    await gone(`${ns}/pods/test-pod`);
    await used({ pods: '0', cpu: '0', memory: '0', 'requests.example.com/dongle': '0' });
  });

  await t.test('a claim, also by its class', async () => {
    const claim = { metadata: { name: 'test-claim' }, spec: { storageClassName: 'gold', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
    assert.equal((await post(house, `${ns}/persistentvolumeclaims`, claim)).code, 201);
    await used({ persistentvolumeclaims: '1', 'requests.storage': '1Gi', 'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1', 'gold.storageclass.storage.k8s.io/requests.storage': '1Gi' });
    await gone(`${ns}/persistentvolumeclaims/test-claim`);
    await used({ persistentvolumeclaims: '0', 'requests.storage': '0' });
  });

  await t.test('scopes count what they are for', async () => {
    await gone(`${ns}/resourcequotas/test-quota`);
    const scoped = (name, scopes) => post(house, `${ns}/resourcequotas`, { metadata: { name }, spec: { hard: { pods: '5' }, scopes } });
    await scoped('best', ['BestEffort']);
    await scoped('not-best', ['NotBestEffort']);
    await scoped('ending', ['Terminating']);
    await scoped('lasting', ['NotTerminating']);
    const is = (wanted) =>
      eventually(async () => {
        const { items } = await call(house, 'GET', `${ns}/resourcequotas`);
        assert.deepEqual(Object.fromEntries(items.map((quota) => [quota.metadata.name, quota.status.used?.pods])), wanted);
        return true;
      });
    await is({ best: '0', 'not-best': '0', ending: '0', lasting: '0' });
    const pod = (name, resources, more) => post(house, `${ns}/pods`, { metadata: { name }, spec: { ...more, containers: [{ name: 'c', image: 'i', resources }] } });
    await pod('a', {}, {});
    await is({ best: '1', 'not-best': '0', ending: '0', lasting: '1' });
    await pod('b', { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '2m', memory: '2Mi' } }, { activeDeadlineSeconds: 3600 });
    await is({ best: '1', 'not-best': '1', ending: '1', lasting: '1' });
    await gone(`${ns}/pods/a`);
    await gone(`${ns}/pods/b`);
    await is({ best: '0', 'not-best': '0', ending: '0', lasting: '0' });
  });

  await t.test('its status is patched and its own', async () => {
    const path = `${ns}/resourcequotas/best`;
    const patched = await call(house, 'PATCH', path, { spec: { hard: { pods: '8' } } }, { 'Content-Type': 'application/merge-patch+json' });
    assert.equal(patched.spec.hard.pods, '8');
    await eventually(async () => (await call(house, 'GET', path)).status.hard.pods === '8');
    const all = await call(house, 'DELETE', `${ns}/resourcequotas`);
    assert.equal(all.code, 200);
    assert.equal((await call(house, 'GET', `${ns}/resourcequotas`)).items.length, 0);
  });
});

test('shapes of answers', async (t) => {
  const house = await davy(t);
  const table = { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const review = { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } };
  const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  assert.equal((await post(house, reviews, review, table)).code, 406);
  assert.equal((await post(house, reviews, review)).status.allowed, true);
  assert.equal((await post(house, reviews, review, { Accept: `${table.Accept},application/json` })).code, 201);
  const { paths } = await call(house, 'GET', '/');
  for (const path of ['/api/v1', '/apis/apps/v1', '/healthz', '/openapi/v3', '/version']) assert.ok(paths.includes(path), path);
  for (const path of paths.filter((path) => /^\/apis?\/?/.test(path))) assert.equal((await call(house, 'GET', path)).code, 200, path);

  const templates = '/api/v1/namespaces/default/podtemplates';
  for (let i = 0; i < 5; i++)
    await post(house, templates, { metadata: { name: `template-${i}` }, template: { spec: { containers: [{ name: 'test', image: 'test2' }] } } });
  const first = await call(house, 'GET', `${templates}?limit=2`, undefined, table);
  assert.deepEqual(first.rows.map((row) => row.cells[0]), ['template-0', 'template-1']);
  assert.ok(first.metadata.resourceVersion && first.metadata.continue);
  const rest = await call(house, 'GET', `${templates}?continue=${encodeURIComponent(first.metadata.continue)}`, undefined, table);
  assert.equal(rest.rows[0].cells[0], 'template-2');
});
