// The node role: who it is to the API, and what becomes of it when it or others die.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { binary, davy, eventually, kubectl, nodeArgs, request, run, temporary } from './kit.js';

const root = process.getuid() === 0 ? {} : { skip: 'it needs root' };
const withNode = { args: nodeArgs() };

// { control: PID, node: PID } of those that run now.
function roles(house) {
  const pids = readFileSync(`/proc/${house.pid}/task/${house.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return Object.fromEntries(
    pids.map((pid) => [readFileSync(`/proc/${pid}/cmdline`, 'utf8').match(/--role=(\w+)/)?.[1], Number(pid)]),
  );
}

const status = async (house) => JSON.parse((await run(binary, ['status', '--data', house.dir])).stdout).roles;
const ready = (house) => eventually(async () => (await status(house)).node === 'ready');

// One request over one of Davy's unix sockets.
function local(house, socket, method, url, body) {
  return new Promise((resolve, reject) => {
    const req = http.request(
      { socketPath: path.join(house.dir, 'run', socket), method, path: url, headers: { 'content-type': 'application/json' } },
      (res) => {
        let text = '';
        res.on('data', (part) => (text += part));
        res.on('end', () => resolve({ status: res.statusCode, json: JSON.parse(text) }));
      },
    );
    req.on('error', reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test('on the socket of nodes root is the node, with what a node may', async (t) => {
  const house = await davy(t, { args: ['--roles=control', '--node-name=n1'] });
  const self = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const node = (await local(house, 'api.sock', 'POST', self, {})).json.status.userInfo;
  assert.deepEqual(node, { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] });
  const admin = (await local(house, 'control.sock', 'POST', self, {})).json.status.userInfo;
  assert.deepEqual(admin.groups, ['system:masters', 'system:authenticated']);
  const may = async (method, url, body) => (await local(house, 'api.sock', method, url, body)).status;
  for (const url of ['pods', 'services', 'nodes', 'secrets', 'configmaps', 'persistentvolumes', 'persistentvolumeclaims', 'namespaces'])
    assert.equal(await may('GET', `/api/v1/${url}`), 200, url);
  for (const url of ['discovery.k8s.io/v1/endpointslices', 'networking.k8s.io/v1/networkpolicies', 'storage.k8s.io/v1/storageclasses'])
    assert.equal(await may('GET', `/apis/${url}`), 200, url);
  assert.equal(await may('GET', '/apis/apps/v1/deployments'), 403);
  assert.equal(await may('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' } }), 403);
  assert.equal(await may('DELETE', '/api/v1/nodes/n1'), 403);
});

test('the node role is started as root, dies and comes back, and goes on over upgrades', root, async (t) => {
  const house = await davy(t, withNode);
  await ready(house);
  const first = roles(house);
  process.kill(first.node, 'SIGKILL');
  await eventually(() => roles(house).node > 0 && roles(house).node !== first.node);
  await ready(house);
  const second = roles(house);
  assert.equal(second.control, first.control, 'nobody else is touched');

  process.kill(second.control, 'SIGKILL');
  assert.equal((await request(house, 'GET', '/readyz')).status, 200);
  assert.equal(roles(house).node, second.node, 'it lives on without the API');

  const upgraded = await run(binary, ['upgrade', '--data', house.dir]);
  assert.equal(upgraded.code, 0, upgraded.stderr + house.log());
  const third = roles(house);
  assert.notEqual(third.node, second.node);
  assert.deepEqual(await status(house), { control: 'ready', node: 'ready' });
  assert.deepEqual(await house.stop(), { code: 0, signal: null });
  assert.ok(!existsSync(`/proc/${third.node}`));
});

test('a node ends with a supervisor that was killed', root, async (t) => {
  const house = await davy(t, withNode);
  await ready(house);
  const { node } = roles(house);
  await house.stop('SIGKILL');
  await eventually(() => !existsSync(`/proc/${node}`));
});

test('what cannot be is said', async (t) => {
  const dir = await temporary(t);
  const rows = [
    [['--roles=node'], /'control' has to be among them/],
    [['--node-name=Not_A_Name'], /'Not_A_Name' cannot be a node's name/],
  ];
  for (const [args, words] of rows) {
    const result = await run(binary, ['serve', '--data', dir, '--ports', 'auto', ...args]);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, words);
  }
});

test('the Node says what its machine is, and nothing is written while nothing changes', root, async (t) => {
  const house = await davy(t, withNode);
  await ready(house);
  const { metadata, status } = await kubectl.json(house, 'get node n1');
  assert.equal(metadata.labels['kubernetes.io/hostname'], 'n1');
  assert.equal(metadata.labels['kubernetes.io/os'], 'linux');
  assert.equal(Number(status.capacity.cpu), os.availableParallelism());
  assert.equal(status.capacity.memory, `${readFileSync('/proc/meminfo', 'utf8').match(/MemTotal: +(\d+)/)[1]}Ki`);
  assert.equal(status.nodeInfo.bootID, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  assert.equal(status.nodeInfo.kernelVersion, os.release());
  for (const [field, value] of Object.entries(status.nodeInfo)) assert.notEqual(value, '', field);
  const conditions = Object.fromEntries(status.conditions.map((it) => [it.type, it]));
  assert.deepEqual(Object.keys(conditions), ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready']);
  assert.equal(conditions.Ready.status, 'True');
  assert.equal(conditions.Ready.reason, 'KubeletReady');
  assert.match(await kubectl(house, 'get nodes -o wide'), /^n1 +Ready +<none> +\S+ +v1\.32\.\S+ +\d+\.\d+\.\d+\.\d+ +<none> +\S.*\S +\w+:\/\/\S+$/m);

  const lease = await kubectl.json(house, 'get lease n1 -n kube-node-lease');
  assert.equal(lease.spec.holderIdentity, 'n1');
  assert.equal(lease.spec.leaseDurationSeconds, 40);
  assert.equal(lease.metadata.ownerReferences[0].uid, metadata.uid);
  // The next heartbeat renews the lease and leaves the node alone.
  await eventually(async () => (await kubectl.json(house, 'get lease n1 -n kube-node-lease')).spec.renewTime > lease.spec.renewTime);
  assert.equal((await kubectl.json(house, 'get node n1')).metadata.resourceVersion, metadata.resourceVersion);

  const described = await kubectl(house, 'describe node n1');
  assert.match(described, /HolderIdentity: +n1/);
  assert.match(described, /Normal +NodeReady .* Node n1 status is now: NodeReady/);
});

test('what others do to a Node is put right', root, async (t) => {
  const house = await davy(t, withNode);
  await ready(house);
  const { uid } = (await kubectl.json(house, 'get node n1')).metadata;
  await kubectl(house, 'label node n1 kubernetes.io/hostname- mine=yes');
  const labels = await eventually(async () => {
    const node = await kubectl.json(house, 'get node n1');
    return node.metadata.labels['kubernetes.io/hostname'] === 'n1' && node.metadata.labels;
  });
  assert.equal(labels.mine, 'yes');
  await kubectl(house, ['patch', 'node', 'n1', '--subresource=status', '--type=merge', '-p', '{"status":{"capacity":{"cpu":"1000"}}}']);
  await eventually(async () => Number((await kubectl.json(house, 'get node n1')).status.capacity.cpu) === os.availableParallelism());
  await kubectl(house, 'delete node n1');
  const again = await eventually(async () => {
    const node = await kubectl.json(house, 'get node n1');
    return node.metadata.uid !== uid && node.status.nodeInfo && node;
  });
  const owner = async () => (await kubectl.json(house, 'get lease n1 -n kube-node-lease')).metadata.ownerReferences[0].uid;
  await eventually(async () => (await owner()) === again.metadata.uid);
});
