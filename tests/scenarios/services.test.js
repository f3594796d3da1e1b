// Services lead to pods from pods and from the machine, ports of the machine too; NetworkPolicies say who may pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyboxImage } from './images.js';
import { binary, davy, eventually, kubectl, kubectlRaw, nodeArgs, run } from './kit.js';

const root = process.getuid() === 0 ? {} : { skip: 'it needs root' };

test('services and policies', root, async (t) => {
  const house = await davy(t, { args: nodeArgs() });
  const imported = await run(binary, ['image', 'import', busyboxImage(house.dir, ['busybox:1']), '--data', house.dir]);
  assert.equal(imported.stdout, 'imported docker.io/library/busybox:1\n', imported.stderr);
  const own = 20000 + (process.pid % 5000); // A port of the machine that no other test has.
  const serve = 'mkdir -p /tmp/w; hostname > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w';
  const pod = (name, app, ports = []) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'c',
          image: 'busybox:1',
          command: ['sh', '-c', serve],
          imagePullPolicy: 'IfNotPresent',
          ports: [{ name: 'http', containerPort: 8080 }, ...ports],
          readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
        },
      ],
    },
  });
  const address = `10.96.${process.pid % 200}.77`;
  const apply = (...items) =>
    kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  await apply(
    pod('web-a', 'web', [{ name: 'own', containerPort: 8080, hostPort: own, protocol: 'TCP' }]),
    pod('web-b', 'web'),
    pod('client', 'client'),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { clusterIP: address, selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'nobody' },
      spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] },
    },
  );
  await eventually(async () => {
    const { items } = await kubectl.json(house, 'get pods');
    return items.every((p) => p.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
  });
  // With nc: wget of a static busybox needs libraries of the C library that are not there.
  const ask = async (from, host) => {
    const script = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${host} 80 2>&1 || true`;
    const { stdout, stderr } = await kubectlRaw(house, ['exec', from, '--', 'sh', '-c', script]);
    return stdout.trim().split('\n').at(-1) || stderr.trim() || 'silence';
  };
  const answers = async (from, host, n = 12) => [...new Set(await Promise.all(Array.from({ length: n }, () => ask(from, host))))].sort().join(' ');
  const isFor = (from, host, wanted) => eventually(async () => (await answers(from, host)) === wanted);

  await t.test('a Service leads to all its pods, by name, also to the one that asks', async () => {
    await isFor('client', 'web', 'web-a web-b');
    await isFor('web-a', 'web', 'web-a web-b');
    const { stdout } = await run('curl', ['-s', '-m', '2', `http://${address}/`]);
    assert.match(stdout, /^web-[ab]\n$/);
  });
  await t.test('the API is a Service, too', async () => {
    const script = 'nc -w 2 kubernetes.default 443 </dev/null && echo yes';
    const { stdout, stderr } = await kubectlRaw(house, ['exec', 'client', '--', 'sh', '-c', script]);
    assert.equal(stdout, 'yes\n', stderr);
  });
  await t.test('one without pods refuses at once', async () => {
    assert.match(await ask('client', 'nobody'), /refused/);
  });
  await t.test('a port of the machine leads to its pod', async () => {
    await eventually(async () => (await run('curl', ['-s', '-m', '2', `http://127.0.0.1:${own}/`])).stdout === 'web-a\n');
  });
  await t.test('a pod that goes is no longer asked', async () => {
    await kubectl(house, 'delete pod web-b');
    await isFor('client', 'web', 'web-a');
  });
  await t.test('a policy keeps all out, and another lets some in', async () => {
    const policy = (name, spec) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name }, spec });
    await apply(policy('deny', { podSelector: { matchLabels: { app: 'web' } } }));
    await eventually(async () => /timed out|silence/.test(await ask('client', 'web')));
    const { status } = await kubectl.json(house, 'get pod web-a'); // The machine's probes still come in.
    assert.equal(status.conditions.find((c) => c.type === 'Ready').status, 'True');
    await apply(
      policy('allow', {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 'http' }] }],
      }),
    );
    await isFor('client', 'web', 'web-a');
    await kubectl(house, 'label pod client app=other --overwrite');
    await eventually(async () => /timed out|silence/.test(await ask('client', 'web')));
    await kubectl(house, 'delete networkpolicy deny allow');
    await isFor('client', 'web', 'web-a');
  });
});
