// A team's own Deployment and Secret, as they stand in its repository: they run, roll and roll back.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { busyboxImage } from './images.js';
import { binary, davy, eventually, kubectl, kubectlRaw, nodeArgs, run } from './kit.js';

const root = process.getuid() === 0 ? {} : { skip: 'it needs root' };

const SECRET = `
apiVersion: v1
kind: Secret
metadata:
  name: db-secret
type: Opaque
stringData:
  url: postgresql://user:pass@host:5432/db
`;
const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api-deployment
spec:
  replicas: 3
  selector:
    matchLabels:
      app: api
  template:
    metadata:
      labels:
        app: api
    spec:
      containers:
      - name: api
        image: myregistry/api:v1.0.0
        ports:
        - containerPort: 3000
        env:
        - name: DATABASE_URL
          valueFrom:
            secretKeyRef:
              name: db-secret
              key: url
        resources:
          requests:
            memory: "256Mi"
            cpu: "250m"
          limits:
            memory: "512Mi"
            cpu: "500m"
        livenessProbe:
          httpGet:
            path: /health
            port: 3000
          initialDelaySeconds: 30
          periodSeconds: 10
        readinessProbe:
          httpGet:
            path: /ready
            port: 3000
          initialDelaySeconds: 5
          periodSeconds: 5
`;

// An HTTP server that says which version it is; a broken one is never ready.
function api(house, version, ready = true) {
  const files = [
    ['www/', { dir: true }],
    ['www/health', { text: 'ok' }],
    ['www/version', { text: version }],
    ...(ready ? [['www/ready', { text: 'ok' }]] : []),
  ];
  const config = { Cmd: ['sh', '-c', 'echo "uses $DATABASE_URL"; exec httpd -f -p 3000 -h /www'] };
  const file = busyboxImage(house.dir, [`myregistry/api:${version}`], config, files);
  return run(binary, ['image', 'import', file, '--data', house.dir]);
}

const fetchText = (url) =>
  new Promise((resolve, reject) => {
    http.get(url, { agent: false }, (res) => {
      let text = '';
      res.on('data', (part) => (text += part));
      res.on('end', () => resolve(text));
    }).on('error', reject);
  });

test('a Deployment runs, rolls and rolls back', root, async (t) => {
  const house = await davy(t, { args: nodeArgs() });
  for (const [version, ready] of [['v1.0.0', true], ['v2.0.0', true], ['v3.0.0', false]])
    assert.equal((await api(house, version, ready)).code, 0);
  const pods = async () => (await kubectl.json(house, 'get pods -l app=api')).items.filter((p) => !p.metadata.deletionTimestamp);
  const versions = async () => {
    const all = await pods();
    return (await Promise.all(all.map((p) => fetchText(`http://${p.status.podIP}:3000/version`)))).sort();
  };

  // As it stands: the Secret is missing at first.
  await kubectl(house, 'apply -f -', { input: DEPLOYMENT });
  await eventually(async () => (await pods()).every((p) => p.status.containerStatuses?.[0].state.waiting?.reason === 'CreateContainerConfigError'));
  await kubectl(house, 'apply -f -', { input: SECRET });
  assert.match(await kubectl(house, 'rollout status deployment/api-deployment'), /successfully rolled out/);
  assert.deepEqual(await versions(), ['v1.0.0', 'v1.0.0', 'v1.0.0']);
  const [first] = await pods();
  assert.equal(first.status.qosClass, 'Burstable');
  assert.equal(await kubectl(house, `logs ${first.metadata.name}`), 'uses postgresql://user:pass@host:5432/db\n');

  // The next version, while somebody asks all the time.
  await kubectl(house, 'set image deployment/api-deployment api=myregistry/api:v2.0.0');
  assert.match(await kubectl(house, 'rollout status deployment/api-deployment'), /successfully rolled out/);
  await eventually(async () => (await versions()).join() === 'v2.0.0,v2.0.0,v2.0.0');

  // A broken one gets no further than its first pod; the others go on, and undo takes it away.
  await kubectl(house, 'set image deployment/api-deployment api=myregistry/api:v3.0.0');
  await eventually(async () => (await pods()).some((p) => p.spec.containers[0].image.endsWith('v3.0.0') && p.status.phase === 'Running'));
  const deployment = await kubectl.json(house, 'get deployment api-deployment');
  assert.equal(deployment.status.availableReplicas, 3);
  assert.match((await kubectlRaw(house, 'rollout status deployment/api-deployment --timeout=1s')).stderr, /timed out/);
  await kubectl(house, 'rollout undo deployment/api-deployment');
  assert.match(await kubectl(house, 'rollout status deployment/api-deployment'), /successfully rolled out/);
  await eventually(async () => (await versions()).join() === 'v2.0.0,v2.0.0,v2.0.0');

  // Through kubectl's own tunnel, and files in and out.
  const [pod] = await pods();
  assert.equal((await kubectlRaw(house, ['exec', pod.metadata.name, '--', 'cat', '/www/version'])).stdout, 'v2.0.0');

  await kubectl(house, 'delete deployment api-deployment --cascade=foreground');
  assert.deepEqual(await pods(), []);
});
