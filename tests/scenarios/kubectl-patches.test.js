// Four ways to change an object, and who owns what afterwards.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { davy, kubectl, request, writeFile } from './kit.js';

const deployment = ({ image = 'web:1', replicas = 2, env = [{ name: 'A', value: '1' }], labels = { app: 'web' } } = {}) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image, ports: [{ containerPort: 80 }], env }] } },
    },
  });

const managers = (object) => object.metadata.managedFields.map((entry) => `${entry.manager} ${entry.operation} ${entry.subresource ?? ''}`.trim()).sort();

test('three-way apply: what was applied and is no more goes, what others set stays', async (t) => {
  const house = await davy(t);
  const apply = (text, ...args) => kubectl(house, ['apply', '-f', '-', ...args], { input: text });
  assert.match(await apply(deployment({ env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }], labels: { app: 'web', gone: 'yes' } })), /created/);
  assert.match(await apply(deployment({ env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }], labels: { app: 'web', gone: 'yes' } })), /unchanged/);
  await kubectl(house, 'set env deployment/web C=3');
  await kubectl(house, 'label deployment web theirs=1');
  const file = path.join(house.dir, 'web.json');
  await writeFile(file, deployment({ image: 'web:2' }));
  const diff = await (await import('./kit.js')).kubectlRaw(house, ['diff', '-f', file]);
  assert.equal(diff.code, 1);
  assert.match(diff.stdout, /^-.*image: web:1$/m);
  assert.match(diff.stdout, /^\+.*image: web:2$/m);
  assert.match(await apply(deployment({ image: 'web:2' })), /configured/);
  const object = await kubectl.json(house, 'get deployment web');
  const [container] = object.spec.template.spec.containers;
  assert.deepEqual(container.env.map((one) => one.name).sort(), ['A', 'C']);
  assert.equal(container.image, 'web:2');
  assert.deepEqual({ theirs: object.metadata.labels.theirs, gone: object.metadata.labels.gone }, { theirs: '1', gone: undefined });
});

test('server-side apply after client-side apply: fields move over, and conflicts are told', async (t) => {
  const house = await davy(t);
  const apply = (text, ...args) => kubectl(house, ['apply', '-f', '-', ...args], { input: text });
  await apply(deployment());
  const moved = await (await import('./kit.js')).kubectlRaw(house, ['apply', '--server-side', '-f', '-'], { input: deployment() });
  assert.equal(moved.code, 0, moved.stderr);
  assert.doesNotMatch(moved.stderr, /Warning/);
  const object = await kubectl.json(house, 'get deployment web --show-managed-fields');
  assert.ok(managers(object).includes('kubectl Apply'), managers(object).join());

  await kubectl(house, 'set image deployment/web web=web:4');
  const refused = await kubectl.fails(house, 'apply --server-side -f -', { input: deployment({ image: 'web:5' }) });
  assert.match(refused, /Apply failed with 1 conflict: conflict with "kubectl-set" using apps\/v1: \.spec\.template\.spec\.containers\[name="web"\]\.image/);
  assert.match(await apply(deployment({ image: 'web:5' }), '--server-side', '--force-conflicts'), /serverside-applied/);
  assert.equal((await kubectl.json(house, 'get deployment web')).spec.template.spec.containers[0].image, 'web:5');

  // Applied no more, and nobody else's: gone.
  await apply(deployment({ image: 'web:5', env: [] }), '--server-side');
  assert.equal((await kubectl.json(house, 'get deployment web')).spec.template.spec.containers[0].env, undefined);
});

test('two appliers, two fields; the third wants one of them', async (t) => {
  const house = await davy(t);
  const map = (data) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data });
  const apply = (manager, data, ...args) => kubectl(house, ['apply', '--server-side', `--field-manager=${manager}`, '-f', '-', ...args], { input: map(data) });
  await apply('one', { a: '1' });
  await apply('two', { b: '2', a: '1' });
  assert.deepEqual(managers(await kubectl.json(house, 'get cm m --show-managed-fields')), ['one Apply', 'two Apply']);
  const url = '/api/v1/namespaces/default/configmaps/m?fieldManager=three';
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  const answer = await request(house, 'PATCH', url, { body: map({ a: '3', b: '3' }), headers });
  assert.equal(answer.status, 409);
  assert.deepEqual(answer.json.details.causes.map((cause) => [cause.reason, cause.field]).sort(), [
    ['FieldManagerConflict', '.data.a'],
    ['FieldManagerConflict', '.data.a'],
    ['FieldManagerConflict', '.data.b'],
  ]);
  assert.match(answer.json.message, /^Apply failed with 3 conflicts: conflicts with "one":\n- \.data\.a\nconflicts with "two":/);
  await apply('one', {});
  assert.deepEqual((await kubectl.json(house, 'get cm m')).data, { a: '1', b: '2' }, 'the other owns it too');
  await apply('two', { b: '2' });
  assert.deepEqual((await kubectl.json(house, 'get cm m')).data, { b: '2' });
  assert.equal((await request(house, 'PATCH', '/api/v1/namespaces/default/configmaps/m', { body: map({}), headers })).status, 422, 'without a manager');
});

test('the same apply once more writes nothing', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'apply --server-side -f -', { input: deployment({ replicas: 0 }) });
  const version = async () => (await kubectl.json(house, 'get deployment web')).metadata.managedFields;
  const before = await version();
  await kubectl(house, 'apply --server-side -f -', { input: deployment({ replicas: 0 }) });
  assert.deepEqual(await version(), before);
});

test('JSON patch, merge patch and strategic merge patch', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'apply -f -', { input: deployment() });
  const patch = (type, text, ...args) => kubectl(house, ['patch', 'deployment', 'web', `--type=${type}`, '-p', text, ...args]);
  const spec = async () => (await kubectl.json(house, 'get deployment web')).spec;

  await patch('json', '[{"op":"test","path":"/spec/replicas","value":2},{"op":"replace","path":"/spec/replicas","value":3},{"op":"add","path":"/metadata/labels/x~1y","value":"z"}]');
  assert.equal((await spec()).replicas, 3);
  assert.match(await kubectl.fails(house, ['patch', 'deployment', 'web', '--type=json', '-p', '[{"op":"test","path":"/spec/replicas","value":9}]']), /test failed/);
  await patch('strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"B","value":"2"}]},{"name":"side","image":"side:1"}]}}}}');
  assert.deepEqual((await spec()).template.spec.containers.map((one) => [one.name, one.env?.length]), [['web', 2], ['side', undefined]]);
  await patch('strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}');
  assert.deepEqual((await spec()).template.spec.containers.map((one) => one.name), ['web']);
  await patch('merge', '{"spec":{"template":{"spec":{"containers":[{"name":"only","image":"o"}]}}}}');
  assert.deepEqual((await spec()).template.spec.containers.map((one) => one.name), ['only']);
  await patch('merge', '{"spec":{"replicas":7}}', '--subresource=scale');
  assert.equal((await spec()).replicas, 7);
  assert.match(await kubectl.fails(house, ['patch', 'deployment', 'web', '-p', '{"metadata":{"resourceVersion":"1"}}']), /the object has been modified/);
  assert.match(await kubectl.fails(house, ['patch', 'deployment', 'web', '-p', '{"spec":{"selector":{"matchLabels":{"a":"b"}}}}']), /field is immutable/);
});
