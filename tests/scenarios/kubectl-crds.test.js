// Kinds that users add: defined, used with everything kubectl has, and taken away with what they hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { davy, eventually, kubectl, request } from './kit.js';

const definition = (change = (v) => v) => {
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  required: ['image'],
                  properties: {
                    cronSpec: { type: 'string', pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$', description: 'When it runs.' },
                    image: { type: 'string' },
                    replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
                    ports: {
                      type: 'array',
                      'x-kubernetes-list-type': 'map',
                      'x-kubernetes-list-map-keys': ['name'],
                      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer' } } },
                    },
                  },
                },
                status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
              },
            },
          },
          subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' } },
          additionalPrinterColumns: [
            { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
            { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
          ],
        },
        { name: 'v1beta1', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } },
      ],
    },
  };
  return JSON.stringify(change(crd));
};

const crontab = (spec, name = 'my') =>
  JSON.stringify({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, spec });

test('a kind of one’s own', async (t) => {
  const house = await davy(t);
  const apply = (text, ...args) => kubectl(house, ['apply', '-f', '-', ...args], { input: text });

  await t.test('is there as soon as it is established', async () => {
    assert.match(await apply(definition()), /crontabs.stable.example.com created/);
    await kubectl(house, 'wait --for condition=established --timeout=60s crd/crontabs.stable.example.com');
    assert.match(await kubectl(house, 'api-resources'), /crontabs +ct +stable.example.com\/v1 +true +CronTab/);
    assert.match(await kubectl(house, 'explain ct.spec.cronSpec'), /When it runs\./);
  });

  await t.test('has defaults, columns, scale and status', async () => {
    await apply(crontab({ cronSpec: '* * * * */5', image: 'img:1' }));
    assert.match(await kubectl(house, 'get ct'), /NAME +SPEC +REPLICAS\nmy +\* \* \* \* \*\/5 +1 *\n/);
    assert.match(await kubectl(house, 'get all -o wide'), /crontab.stable.example.com\/my .* img:1/);
    await kubectl(house, 'scale ct my --replicas=5');
    await kubectl(house, ['patch', 'ct', 'my', '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":3,"selector":"app=x"}}']);
    const scale = await request(house, 'GET', '/apis/stable.example.com/v1/namespaces/default/crontabs/my/scale');
    assert.deepEqual([scale.json.spec, scale.json.status], [{ replicas: 5 }, { replicas: 3, selector: 'app=x' }]);
    const object = await kubectl.json(house, 'get ct my');
    assert.equal(object.metadata.generation, 2, 'status is no change of what is wanted');
  });

  await t.test('is the same object in each version', async () => {
    const old = await kubectl.json(house, 'get crontabs.v1beta1.stable.example.com my');
    assert.equal(old.apiVersion, 'stable.example.com/v1beta1');
    assert.equal(old.spec.replicas, 5);
  });

  await t.test('is applied item by item, by two managers', async () => {
    const one = crontab({ image: 'i', ports: [{ name: 'a', port: 1 }] }, 'shared');
    const two = crontab({ image: 'i', ports: [{ name: 'b', port: 2 }] }, 'shared');
    await apply(one, '--server-side', '--field-manager=one');
    await apply(two, '--server-side', '--field-manager=two');
    const ports = async () => (await kubectl.json(house, 'get ct shared')).spec.ports.map((port) => port.name).sort();
    assert.deepEqual(await ports(), ['a', 'b']);
    await apply(crontab({ image: 'i' }, 'shared'), '--server-side', '--field-manager=one');
    assert.deepEqual(await ports(), ['b']);
  });

  await t.test('refuses what its schema does not have, in Kubernetes’ words', async () => {
    const bad = crontab({ cronSpec: 'x', foo: 1 }, 'bad');
    assert.match(await kubectl.fails(house, 'create -f -', { input: bad }), /strict decoding error: unknown field "spec.foo"/);
    const words = await kubectl.fails(house, 'create --validate=false -f -', { input: bad });
    assert.match(words, /spec.image: Required value/);
    assert.match(words, /spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match/);
    assert.match(
      await kubectl.fails(house, ['patch', 'ct', 'my', '--type=merge', '-p', '{"spec":{"replicas":15}}']),
      /spec.replicas: Invalid value: 15: spec.replicas in body should be less than or equal to 10/,
    );
    assert.match(
      await kubectl.fails(house, ['patch', 'ct', 'my', '--type=strategic', '-p', '{"spec":{"replicas":5}}']),
      /strategic-merge-patch\+json is not supported/,
    );
  });

  await t.test('survives a restart and a change of its schema', async () => {
    process.kill(Number((await import('node:fs')).readFileSync(`/proc/${house.pid}/task/${house.pid}/children`, 'utf8').trim().split(' ')[0]), 'SIGKILL');
    await eventually(async () => /my/.test(await kubectl(house, 'get ct')));
    await apply(definition((crd) => {
      crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.foo = { type: 'integer' };
      return crd;
    }));
    assert.match(await apply(crontab({ cronSpec: '* * * * *', image: 'img:1', foo: 7 })), /configured/);
    assert.equal((await kubectl.json(house, 'get ct my')).spec.foo, 7);
  });

  await t.test('goes with all its objects', async () => {
    await kubectl(house, 'delete crd crontabs.stable.example.com');
    assert.match(await kubectl.fails(house, 'get ct'), /could not find the requested resource|doesn't have a resource type/);
    await apply(definition());
    await kubectl(house, 'wait --for condition=established --timeout=60s crd/crontabs.stable.example.com');
    assert.equal((await request(house, 'GET', '/apis/stable.example.com/v1/crontabs')).json.items.length, 0);
  });
});

test('definitions that cannot work are refused by name', async (t) => {
  const house = await davy(t);
  const cases = [
    [(crd) => { crd.metadata.name = 'x.y'; return crd; }, /must be spec.names.plural\+"."\+spec.group/],
    [(crd) => { crd.spec.scope = 'World'; return crd; }, /spec.scope: Unsupported value: "World"/],
    [(crd) => { crd.spec.versions[1].storage = true; return crd; }, /exactly one version marked as storage version/],
    [(crd) => { delete crd.spec.versions[0].schema; return crd; }, /openAPIV3Schema: Required value: schemas are required/],
    [(crd) => { crd.spec.conversion = { strategy: 'Webhook' }; return crd; }, /spec.conversion.strategy: Unsupported value: "Webhook"/],
    [(crd) => { crd.spec.versions[0].schema.openAPIV3Schema['x-kubernetes-validations'] = [{ rule: 'true' }]; return crd; }, /CEL rules \(x-kubernetes-validations\) are not supported/],
    [(crd) => { crd.spec.versions[0].additionalPrinterColumns[0].jsonPath = 'nonsense['; return crd; }, /additionalPrinterColumns\[0\].jsonPath: Invalid value/],
  ];
  for (const [change, words] of cases)
    assert.match(await kubectl.fails(house, 'create --validate=false -f -', { input: definition(change) }), words);
});
