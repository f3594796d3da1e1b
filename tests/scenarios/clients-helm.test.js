// A local chart, installed, upgraded, rolled back and removed by helm 3 and helm 4. There is no node:
// the test marks Pods ready where `--wait` waits for them.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { environment } from './clients.js';
import { davy, eventually, request, run, writeFile } from './kit.js';

const files = {
  'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\nappVersion: "1"\n',
  'values.yaml': 'image: app:1\nreplicas: 2\nhook: false\nextra: false\n',
  'crds/crd.yaml': `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: goods.shop.test }
spec:
  group: shop.test
  scope: Namespaced
  names: { plural: goods, singular: good, kind: Good }
  versions:
  - name: v1
    served: true
    storage: true
    schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { price: { type: integer } } } } } }
`,
  'templates/all.yaml': `
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}, labels: { release: {{ .Release.Name }} } }
data: { image: {{ .Values.image }}{{ if .Values.extra }}, extra: "yes"{{ end }} }
---
apiVersion: v1
kind: Secret
metadata: { name: {{ .Release.Name }} }
stringData: { password: secret }
---
apiVersion: v1
kind: Service
metadata: { name: {{ .Release.Name }} }
spec:
  selector: { app: {{ .Release.Name }} }
  ports: [{ port: 80, targetPort: http }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec: { containers: [{ name: app, image: {{ .Values.image | quote }}, ports: [{ name: http, containerPort: 80 }] }] }
---
apiVersion: shop.test/v1
kind: Good
metadata: { name: {{ .Release.Name }} }
spec: { price: 3 }
{{ if .Values.extra }}
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: {{ .Release.Name }} }
{{ end }}
`,
  'templates/hook.yaml': `
{{ if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: { helm.sh/hook: "pre-upgrade", helm.sh/hook-delete-policy: "hook-succeeded" }
spec: { template: { spec: { restartPolicy: Never, containers: [{ name: migrate, image: app:migrate }] } } }
{{ end }}
`,
  'templates/NOTES.txt': 'Version {{ .Capabilities.KubeVersion.Version }}; {{ (lookup "v1" "Namespace" "" "default").status.phase }}\n',
};

async function chart(house) {
  const dir = path.join(house.dir, 'shop');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  return dir;
}

const strategic = { 'content-type': 'application/strategic-merge-patch+json' };

// What a kubelet would say: every Pod runs and is ready.
async function allReady(house) {
  for (const { metadata, status } of (await request(house, 'GET', '/api/v1/namespaces/default/pods')).json.items)
    if (status.phase === 'Pending' && !metadata.deletionTimestamp)
      await request(house, 'PATCH', `/api/v1/namespaces/default/pods/${metadata.name}/status`, {
        body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
        headers: strategic,
      });
}

// Keeps doing `work` until the promise has ended; its result.
async function meanwhile(promise, work) {
  let over = false;
  const ended = promise.finally(() => (over = true));
  await eventually(async () => {
    await work();
    return over;
  });
  return ended;
}

for (const minor of [29, 32, 33, 35])
  test(`helm of the package for 1.${minor}`, async (t) => {
    const house = await davy(t);
    const dir = await chart(house);
    const env = {
      ...environment(minor),
      HOME: house.dir,
      KUBECONFIG: house.kubeconfig,
      KUBECACHEDIR: path.join(house.dir, 'kubecache'),
    };
    const helm = async (...args) => {
      const { code, stdout, stderr } = await run('helm', args, { env });
      assert.equal(code, 0, `helm ${args.join(' ')}: ${stderr}${stdout}`);
      return stdout;
    };
    const object = async (url) => (await request(house, 'GET', url)).json;
    const data = async () => (await object('/api/v1/namespaces/default/configmaps/web')).data;
    const revision = async () => JSON.parse(await helm('list', '-o', 'json'))[0];
    const deployment = '/apis/apps/v1/namespaces/default/deployments/web';

    const installed = await helm('install', 'web', dir);
    assert.match(installed, /STATUS: deployed[^]*Version v1\.\d+.*; Active/);
    assert.deepEqual(await data(), { image: 'app:1' });
    assert.equal((await object('/api/v1/namespaces/default/secrets/web')).data.password, 'c2VjcmV0');
    assert.equal((await object('/apis/shop.test/v1/namespaces/default/goods/web')).spec.price, 3);
    assert.match((await object('/api/v1/namespaces/default/secrets/sh.helm.release.v1.web.v1')).type, /helm.sh\/release.v1/);

    const waiting = helm('upgrade', 'web', dir, '--set', 'image=app:2,extra=true', '--wait', '--timeout', '60s');
    await meanwhile(waiting, () => allReady(house));
    assert.deepEqual(await data(), { image: 'app:2', extra: 'yes' });
    assert.equal((await object('/api/v1/namespaces/default/serviceaccounts/web')).kind, 'ServiceAccount');
    const { status, spec } = await object(deployment);
    assert.equal(spec.template.spec.containers[0].image, 'app:2');
    assert.equal(status.availableReplicas, 2);
    assert.deepEqual(((r) => [r.revision, r.status, r.chart])(await revision()), ['2', 'deployed', 'shop-0.1.0']);

    // A hook is a Job that helm waits for; its end is written as the job controller would.
    const job = '/apis/batch/v1/namespaces/default/jobs/web-migrate';
    const hooked = helm('upgrade', 'web', dir, '--set', 'hook=true,replicas=1', '--timeout', '60s');
    await meanwhile(hooked, async () => {
      const made = await request(house, 'GET', job);
      if (made.status !== 200 || made.json.status?.completionTime) return;
      const now = new Date().toISOString().replace(/\.\d+/, '');
      const body = { ...made.json, status: { startTime: now, completionTime: now, succeeded: 1, uncountedTerminatedPods: {} } };
      body.status.conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', lastProbeTime: now, lastTransitionTime: now }));
      const ended = await request(house, 'PUT', `${job}/status`, { body });
      assert.ok([200, 404, 409].includes(ended.status), ended.text);
    });
    assert.equal((await object(deployment)).spec.replicas, 1);
    assert.equal((await request(house, 'GET', '/api/v1/namespaces/default/serviceaccounts/web')).status, 404);
    await eventually(async () => (await request(house, 'GET', job)).status === 404);

    assert.match(await helm('rollback', 'web', '1'), /Rollback was a success/);
    assert.deepEqual(await data(), { image: 'app:1' });
    assert.equal((await object(deployment)).spec.template.spec.containers[0].image, 'app:1');
    const history = JSON.parse(await helm('history', 'web', '-o', 'json'));
    assert.deepEqual(
      history.map(({ revision, status }) => [revision, status]),
      [[1, 'superseded'], [2, 'superseded'], [3, 'superseded'], [4, 'deployed']],
    );
    assert.match(await helm('get', 'manifest', 'web'), /image: "app:1"/);
    assert.match(await helm('status', 'web'), /STATUS: deployed/);

    const failed = await run('helm', ['upgrade', 'web', dir, '--set', 'image='], { env });
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /image: Required value/);
    assert.equal((await revision()).status, 'failed');

    assert.match(await helm('uninstall', 'web', '--wait'), /release "web" uninstalled/);
    for (const url of ['configmaps', 'services', 'secrets'].map((r) => `/api/v1/namespaces/default/${r}/web`).concat(deployment))
      assert.equal((await request(house, 'GET', url)).status, 404, url);
    assert.deepEqual((await object('/api/v1/namespaces/default/secrets')).items, []);
    assert.equal((await object('/apis/shop.test/v1/namespaces/default/goods')).items.length, 0);
  });
