// Names inside of pods: Services, pods of headless ones, others' through the machine; with busybox's nslookup.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyboxImage } from './images.js';
import { binary, davy, eventually, kubectl, kubectlRaw, nodeArgs, run } from './kit.js';

const root = process.getuid() === 0 ? {} : { skip: 'it needs root' };

test('names in a pod', root, async (t) => {
  const house = await davy(t, { args: nodeArgs() });
  const imported = await run(binary, ['image', 'import', busyboxImage(house.dir, ['busybox:1']), '--data', house.dir]);
  assert.equal(imported.stdout, 'imported docker.io/library/busybox:1\n', imported.stderr);
  const pod = (name, spec) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'db' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: 'busybox:1', command: ['sleep', '10000'], imagePullPolicy: 'IfNotPresent' }],
      ...spec,
    },
  });
  const service = (name, spec) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
  const items = [
    pod('one', { hostname: 'first', subdomain: 'db' }),
    pod('two', {}),
    service('db', { clusterIP: 'None', selector: { app: 'db' }, ports: [{ name: 'pg', port: 5432 }] }),
    service('web', { clusterIP: '10.96.7.7', ports: [{ port: 80 }] }),
    service('other', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
  ];
  await kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const ip = (name) =>
    eventually(async () => {
      const { status } = await kubectl.json(house, `get pod ${name}`);
      return status.phase === 'Running' && status.podIP;
    });
  const one = await ip('one');
  const two = await ip('two');
  // All addresses of a name, or what went wrong.
  const lookup = async (name) => {
    const { stdout, stderr } = await kubectlRaw(house, ['exec', 'one', '--', 'nslookup', '-type=a', name]);
    const found = [...stdout.split('\n\n').slice(1).join('\n').matchAll(/^Address(?: \d+)?: *([\d.]+)/gm)];
    return found.length > 0 ? found.map((m) => m[1]).sort().join(' ') : (stdout + stderr).match(/NXDOMAIN|SERVFAIL/)?.[0];
  };
  const is = (name, wanted) => eventually(async () => (await lookup(name)) === wanted);

  await t.test('of Services', async () => {
    await is('web.default.svc.cluster.local', '10.96.7.7');
    await is('other.default.svc.cluster.local', '10.96.7.7');
    await is('none.default.svc.cluster.local', 'NXDOMAIN');
  });
  await t.test('by the search path', async () => {
    const { stdout } = await kubectlRaw(house, ['exec', 'one', '--', 'ping', '-c1', '-w1', 'first.db']);
    assert.match(stdout, new RegExp(`PING first\\.db \\(${one.replaceAll('.', '\\.')}\\)`));
  });
  await t.test('of pods behind a headless Service', async () => {
    await is('db.default.svc.cluster.local', [one, two].sort().join(' '));
    await is('first.db.default.svc.cluster.local', one);
    await is(`${two.replaceAll('.', '-')}.db.default.svc.cluster.local`, two);
    await is(`${two.replaceAll('.', '-')}.default.pod.cluster.local`, two);
  });
  await t.test('follow what changes', async () => {
    await kubectl(house, 'delete pod two');
    await is('db.default.svc.cluster.local', one);
    await kubectl(house, 'delete service web');
    await is('web.default.svc.cluster.local', 'NXDOMAIN');
  });
});
