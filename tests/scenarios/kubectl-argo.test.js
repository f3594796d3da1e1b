// Argo's kinds: Rollouts, Experiments and analysis are stored, shown, scaled, patched and checked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { davy, kubectl, request } from './kit.js';

const rollout = (name, strategy, spec = {}) =>
  JSON.stringify({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name },
    spec: {
      replicas: 5,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'shop:1' }] } },
      strategy,
      ...spec,
    },
  });

const canary = {
  canary: {
    canaryService: 'shop-canary',
    stableService: 'shop-stable',
    maxSurge: '25%',
    maxUnavailable: 0,
    analysis: { templates: [{ templateName: 'success-rate' }], startingStep: 2, args: [{ name: 'service', value: 'shop' }] },
    steps: [{ setWeight: 20 }, { pause: {} }, { setWeight: 40 }, { pause: { duration: '10m' } }, { setCanaryScale: { replicas: 2 } }],
  },
};

const template = (kind, name, provider) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind,
  metadata: { name },
  spec: {
    args: [{ name: 'service' }],
    metrics: [{ name: 'success-rate', interval: '5m', count: 3, successCondition: 'result[0] >= 0.95', failureLimit: 3, provider }],
  },
});
const prometheus = { prometheus: { address: 'http://prometheus:9090', query: 'sum(rate(requests{service="{{args.service}}"}[5m]))' } };

test('Argo’s kinds', async (t) => {
  const house = await davy(t);
  const apply = (input, ...args) => kubectl(house, ['apply', '-f', '-', ...args], { input });
  const refused = (input) => kubectl.fails(house, 'apply -f -', { input });

  await t.test('are found, explained and listed', async () => {
    const kinds = await kubectl(house, 'api-resources --api-group=argoproj.io');
    for (const kind of ['Rollout', 'Experiment', 'AnalysisTemplate', 'ClusterAnalysisTemplate', 'AnalysisRun'])
      assert.match(kinds, new RegExp(`argoproj.io/v1alpha1 +(true|false) +${kind}\\b`));
    assert.match(await kubectl(house, 'explain rollout.spec.strategy.canary.steps'), /setWeight/);
  });

  await t.test('a Rollout has columns, scale and status', async () => {
    assert.match(await apply(rollout('shop', canary)), /rollout.argoproj.io\/shop created/);
    assert.match(await apply(rollout('shop', canary)), /unchanged/);
    assert.match(await kubectl(house, 'get ro'), /NAME +DESIRED +CURRENT +UP-TO-DATE +AVAILABLE +AGE\nshop +5 /);
    await kubectl(house, 'scale rollout shop --replicas=7');
    const status = '{"status":{"HPAReplicas":6,"replicas":6,"selector":"app=shop","phase":"Progressing"}}';
    await kubectl(house, ['patch', 'ro', 'shop', '--subresource=status', '--type=merge', '-p', status]);
    const scale = await request(house, 'GET', '/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/shop/scale');
    assert.deepEqual([scale.json.spec, scale.json.status], [{ replicas: 7 }, { replicas: 6, selector: 'app=shop' }]);
    const object = await kubectl.json(house, 'get ro shop');
    assert.equal(object.metadata.generation, 2, 'status is no change of what is wanted');
    assert.deepEqual(object.spec.strategy, canary, 'the strategy is kept as it was given');
  });

  await t.test('a Rollout of another workload, and one of two colours', async () => {
    const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
    await apply(rollout('ref', canary, { template: undefined, selector: undefined, workloadRef }));
    await apply(rollout('colours', { blueGreen: { activeService: 'active', previewService: 'preview', autoPromotionEnabled: false } }));
    assert.equal((await kubectl.json(house, 'get ro')).items.length, 3);
  });

  await t.test('a Rollout that cannot be carried out is refused', async () => {
    const steps = (...list) => ({ canary: { steps: list } });
    const bad = [
      [{}, /spec.strategy: Required value/],
      [{ canary: {}, blueGreen: { activeService: 'a' } }, /Multiple Strategies can not be listed/],
      [{ blueGreen: { previewService: 'a' } }, /spec.strategy.blueGreen.activeService: Required value/],
      [{ blueGreen: { activeService: 'a', previewService: 'a' } }, /same service for the active and preview/],
      [{ canary: { canaryService: 'a', stableService: 'a' } }, /same service for the stable and canary/],
      [steps({ setWeight: 101 }), /steps\[0\].setWeight: .*between 0 and 100/],
      [steps({ setWeight: 1 }, { setWeight: 1, pause: {} }), /steps\[1\]: .*Step must have one of/],
      [steps({ setCanaryScale: { weight: 1, replicas: 1 } }), /steps\[0\].setCanaryScale/],
      [steps({ setWieght: 1 }), /unknown field "spec.strategy.canary.steps\[0\].setWieght"/],
    ];
    for (const [strategy, words] of bad) assert.match(await refused(rollout('bad', strategy)), words);
    assert.match(await refused(rollout('bad', canary, { selector: { matchLabels: { app: 'other' } } })), /`?selector`? does not match template/);
  });

  await t.test('analysis and experiments are kept and checked', async () => {
    await apply(JSON.stringify(template('AnalysisTemplate', 'success-rate', prometheus)));
    await apply(JSON.stringify(template('ClusterAnalysisTemplate', 'everywhere', prometheus)));
    const run = template('AnalysisRun', 'one', prometheus);
    await apply(JSON.stringify(run));
    await kubectl(house, ['patch', 'ar', 'one', '--type=merge', '-p', '{"status":{"phase":"Failed"}}']);
    assert.match(await kubectl(house, 'get ar'), /NAME +STATUS +AGE\none +Failed/);
    const none = template('AnalysisTemplate', 'none', {});
    assert.match(await refused(JSON.stringify(none)), /spec.metrics\[0\].provider: .*no provider specified/);
    none.spec.metrics = [];
    assert.match(await refused(JSON.stringify(none)), /spec.metrics: Required value/);
    const experiment = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Experiment',
      metadata: { name: 'two' },
      spec: {
        duration: '20m',
        templates: ['a', 'b'].map((name) => ({
          name,
          selector: { matchLabels: { app: name } },
          template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'shop:1' }] } },
        })),
        analyses: [{ name: 'rate', templateName: 'success-rate' }],
      },
    };
    await apply(JSON.stringify(experiment));
    assert.equal((await kubectl.json(house, 'get exp two')).spec.templates.length, 2);
    await kubectl(house, 'delete ro,exp,ar,at,cat --all -A');
  });

  await t.test('an editor may change them, a viewer may read them', async () => {
    await kubectl(house, 'create rolebinding e --clusterrole=edit --user=ed');
    await kubectl(house, 'create rolebinding v --clusterrole=view --user=vi');
    const can = (user, verb) => kubectl(house, `auth can-i ${verb} rollouts --as=${user}`, { codes: [0, 1] });
    assert.match(await can('ed', 'patch'), /yes/);
    assert.match(await can('vi', 'list'), /yes/);
  });
});
