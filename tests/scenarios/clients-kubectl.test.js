// One story, told by every kubectl from 1.29 to 1.35: each speaks a little differently (aggregated
// discovery, OpenAPI v3, protobuf, watch-list), and the house must not mind.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { environment, minors } from './clients.js';
import { davy, eventually, kubectl, kubectlRaw, request, writeFile } from './kit.js';

const manifest = (image, extra = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{ containerPort: 80 }]
        env: [{ name: A, value: "1" }${extra}]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, labels: { app: web } }
data: { color: blue }
`;

for (const minor of minors)
  test(`kubectl 1.${minor}`, async (t) => {
    const house = await davy(t);
    const env = environment(minor);
    const k = (command, options) => kubectl(house, command, { ...options, env });
    const raw = (command, options) => kubectlRaw(house, command, { ...options, env });
    const file = path.join(house.dir, 'app.yaml');
    const write = (image, extra) => writeFile(file, manifest(image, extra));
    const object = async (url) => (await request(house, 'GET', url)).json;
    const web = () => object('/apis/apps/v1/namespaces/default/deployments/web');

    assert.match(await k('version'), new RegExp(`Client Version: v1\\.${minor}\\.[^]*Server Version: v1\\.`));
    await k('create namespace team');
    await k('create configmap typed --from-literal=a=b -n team');
    assert.match(await k('get configmaps -n team'), /NAME +DATA +AGE[^]*typed +1 /);

    await write('app:1', ', { name: B, value: "2" }');
    assert.equal(await k(['apply', '-f', file]), 'deployment.apps/web created\nconfigmap/settings created\n');
    assert.equal(await k(['apply', '-f', file]), 'deployment.apps/web unchanged\nconfigmap/settings unchanged\n');
    assert.equal((await raw(['diff', '-f', file])).code, 0);
    await write('app:2');
    const difference = await raw(['diff', '-f', file]);
    assert.equal(difference.code, 1, difference.stderr);
    assert.match(difference.stdout, /-.*image: app:1\n\+.*image: app:2/);
    assert.equal((await web()).spec.template.spec.containers[0].image, 'app:1');
    assert.equal(await k(['apply', '-f', file]), 'deployment.apps/web configured\nconfigmap/settings unchanged\n');
    const container = (await web()).spec.template.spec.containers[0];
    assert.deepEqual([container.image, container.env], ['app:2', [{ name: 'A', value: '1' }]]);

    // The old ReplicaSet is what undo goes back to.
    await eventually(async () => (await object('/apis/apps/v1/namespaces/default/replicasets')).items.length === 2);
    assert.match(await k('rollout history deployment web'), /1 +<none>\n2 +<none>/);
    assert.match(await k('rollout undo deployment web'), /rolled back/);
    assert.equal((await web()).spec.template.spec.containers[0].image, 'app:1');

    const other = await raw(['apply', '--server-side', '--field-manager=second', '-f', '-'], {
      input: manifest('app:3').split('---')[0],
    });
    assert.notEqual(other.code, 0);
    assert.match(other.stderr, /conflict.*\n?.*image/);
    const forced = ['apply', '--server-side', '--force-conflicts', '--field-manager=second', '-f', '-'];
    assert.match(await k(forced, { input: manifest('app:3').split('---')[0] }), /web serverside-applied/);
    assert.equal((await web()).spec.template.spec.containers[0].image, 'app:3');
    assert.match(await k('get deployment web -o yaml --show-managed-fields'), /manager: second\n +operation: Apply/);

    await k(['patch', 'configmap', 'settings', '-p', '{"data":{"size":"big"}}']);
    await k(['patch', 'configmap', 'settings', '--type=json', '-p', '[{"op":"remove","path":"/data/color"}]']);
    assert.equal(await k('get configmap settings -o jsonpath={.data}'), '{"size":"big"}');
    const explained = await k('explain deployment.spec.replicas');
    assert.match(explained, /GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n[^]*FIELD: replicas <integer>/);
    assert.match(await k('explain pods.spec.containers --recursive'), /livenessProbe\t<Probe>[^]*httpGet\t<HTTPGetAction>/);
    assert.match(await k('api-resources --api-group=apps'), /deployments +deploy +apps\/v1 +true +Deployment/);

    assert.equal(await k('auth can-i create pods'), 'yes\n');
    assert.equal((await raw('auth can-i create pods --as=nobody')).stdout, 'no\n');
    assert.match(await k('auth whoami -o jsonpath={.status.userInfo.groups}'), /system:authenticated/);
    await k('create serviceaccount robot');
    assert.equal((await k('create token robot --duration=10m')).trim().split('.').length, 3);

    const waiting = k('wait deployment/web --for=condition=Available --timeout=60s');
    await eventually(async () => {
      for (const { metadata } of (await object('/api/v1/namespaces/default/pods')).items)
        await request(house, 'PATCH', `/api/v1/namespaces/default/pods/${metadata.name}/status`, {
          body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
          headers: { 'content-type': 'application/strategic-merge-patch+json' },
        });
      return (await web()).status.availableReplicas >= 2;
    });
    assert.match(await waiting, /deployment.apps\/web condition met/);

    assert.match(await k(['delete', '-f', file]), /deployment.apps "web" deleted.*\nconfigmap "settings" deleted/);
    await k('wait pods -l app=web --for=delete --timeout=60s');
    assert.match(await k('delete namespace team'), /namespace "team" deleted/);
    assert.equal((await object('/api/v1/namespaces/team')).reason, 'NotFound');
  });
