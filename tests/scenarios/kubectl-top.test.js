// kubectl top, and metrics.k8s.io as other clients ask for it. In the place of the node stands a server that
// says what a node would: node/stats_test.c has the node's side.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';

import { davy, eventually, kubectl, kubectlRaw, nodeArgs, request } from './kit.js';

const api = '/apis/metrics.k8s.io/v1beta1';

const used = (namespace, name, uid, ...containers) => ({
  namespace,
  name,
  uid,
  containers: containers.map(([container, cpu, memory]) => ({ name: container, cpu_nanos: cpu, memory_bytes: memory })),
});

async function pod(house, name, containers, { namespace = 'default', labels, phase = 'Running' } = {}) {
  const url = `/api/v1/namespaces/${namespace}/pods`;
  const spec = { nodeName: 'n1', containers: containers.map((container) => ({ name: container, image: 'app:1' })) };
  const { json } = await request(house, 'POST', url, {
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec },
  });
  json.status = { phase };
  await request(house, 'PUT', `${url}/${name}/status`, { body: json });
  return json.metadata.uid;
}

// A house with a node of 2 cores and 4Gi, whose stats are what `say` returns; null: no stats.
async function world(t, say) {
  const house = await davy(t);
  const node = http.createServer((req, res) => {
    const stats = req.url === '/stats' ? say() : null;
    res.writeHead(stats === null ? 500 : 200, { 'Content-Type': 'application/json' });
    res.end(typeof stats === 'string' ? stats : JSON.stringify(stats));
  });
  await new Promise((resolve) => node.listen(path.join(house.dir, 'run/node.sock'), resolve));
  t.after(() => {
    node.close();
    node.closeAllConnections();
  });
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels: { zone: 'a' } } };
  const { json } = await request(house, 'POST', '/api/v1/nodes', { body });
  json.status = { capacity: { cpu: '2', memory: '4Gi' }, allocatable: { cpu: '2', memory: '4Gi' } };
  await request(house, 'PUT', '/api/v1/nodes/n1/status', { body: json });
  return house;
}

const columns = (text) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));

test('kubectl top shows what nodes, pods and containers use', async (t) => {
  const pods = [];
  const house = await world(t, () => ({
    timestamp: '2026-01-01T00:00:00Z',
    window_ms: 10250,
    node: { name: 'n1', cpu_nanos: 500000000, memory_bytes: 1 << 30 },
    pods,
  }));
  const web = await pod(house, 'web', ['app', 'side'], { labels: { app: 'web' } });
  const db = await pod(house, 'db', ['db'], { labels: { app: 'db' } });
  const dns = await pod(house, 'dns', ['dns'], { namespace: 'kube-system' });
  const over = await pod(house, 'over', ['app'], { phase: 'Succeeded' });
  pods.push(
    used('default', 'web', web, ['app', 12345678, 20480 * 1024], ['side', 1, 1024 * 1024]),
    used('kube-system', 'dns', dns, ['dns', 3000000, 1024 * 1024]),
    used('default', 'db', db, ['db', 250000000, 100 << 20]),
    used('default', 'over', over, ['app', 1, 1]),
    used('default', 'nobody', 'x', ['app', 1, 1]),
  );
  assert.deepEqual(columns(await kubectl(house, 'top nodes')), [
    ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'],
    ['n1', '500m', '25%', '1024Mi', '25%'],
  ]);
  const rows = [
    ['db', '250m', '100Mi'],
    ['web', '13m', '21Mi'],
  ];
  assert.deepEqual(columns(await kubectl(house, 'top pods --no-headers')), rows);
  assert.deepEqual(columns(await kubectl(house, 'top pods --no-headers -l app=web')), [rows[1]]);
  assert.deepEqual(columns(await kubectl(house, 'top pod web --no-headers')), [rows[1]]);
  assert.deepEqual(columns(await kubectl(house, 'top pods --no-headers -A')), [
    ['default', ...rows[0]],
    ['default', ...rows[1]],
    ['kube-system', 'dns', '3m', '1Mi'],
  ]);
  assert.deepEqual(columns(await kubectl(house, 'top pods --containers --no-headers')), [
    ['db', 'db', '250m', '100Mi'],
    ['web', 'app', '13m', '20Mi'],
    ['web', 'side', '1m', '1Mi'],
  ]);
  assert.deepEqual(columns(await kubectl(house, 'get podmetrics -A')), [
    ['NAMESPACE', 'NAME', 'CPU', 'MEMORY', 'WINDOW'],
    ['default', 'db', '250m', '100Mi', '10.25s'],
    ['default', 'web', '12345679n', '21Mi', '10.25s'],
    ['kube-system', 'dns', '3m', '1Mi', '10.25s'],
  ]);

  const { json } = await request(house, 'GET', `${api}/namespaces/default/pods/web`);
  assert.match(json.metadata.creationTimestamp, /^\d{4}-/);
  delete json.metadata.creationTimestamp;
  assert.deepEqual(json, {
    kind: 'PodMetrics',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
    timestamp: '2026-01-01T00:00:00Z',
    window: '10.25s',
    containers: [
      { name: 'app', usage: { cpu: '12345678n', memory: '20Mi' } },
      { name: 'side', usage: { cpu: '1n', memory: '1Mi' } },
    ],
  });
  const list = await request(house, 'GET', `${api}/nodes?labelSelector=zone%3Da`);
  assert.deepEqual([list.json.kind, list.json.items.length], ['NodeMetricsList', 1]);
  assert.equal((await request(house, 'GET', `${api}/nodes?labelSelector=zone%3Db`)).json.items.length, 0);
  assert.equal((await request(house, 'GET', `${api}/pods?fieldSelector=metadata.name%3Ddb`)).json.items.length, 1);
  assert.match(await kubectl.fails(house, 'top pod over'), /podmetrics.metrics.k8s.io "default\/over" not found/);
  assert.match(await kubectl.fails(house, 'top pod none'), /pods "none" not found/);
  assert.match(await kubectl.fails(house, 'top node none'), /nodes "none" not found/);
});

test('metrics are only read, and by whom a role lets', async (t) => {
  let stats = { timestamp: '2026-01-01T00:00:00Z', window_ms: 1000, node: { name: 'n1', cpu_nanos: 0, memory_bytes: 0 }, pods: [] };
  const house = await world(t, () => stats);
  const { json } = await request(house, 'GET', api);
  assert.deepEqual(
    json.resources.map(({ name, kind, namespaced, verbs }) => ({ name, kind, namespaced, verbs })),
    [
      { name: 'nodes', kind: 'NodeMetrics', namespaced: false, verbs: ['get', 'list'] },
      { name: 'pods', kind: 'PodMetrics', namespaced: true, verbs: ['get', 'list'] },
    ],
  );
  for (const [method, url] of [['POST', `${api}/namespaces/default/pods`], ['DELETE', `${api}/nodes/n1`], ['DELETE', `${api}/nodes`], ['GET', `${api}/pods?watch=1`]]) {
    const body = { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', metadata: { name: 'a' } };
    const refused = await request(house, method, url, method === 'POST' ? { body } : {});
    assert.deepEqual([refused.status, refused.json.reason], [405, 'MethodNotAllowed'], `${method} ${url}`);
  }
  assert.match(await kubectl.fails(house, 'top pods --as=jo'), /pods.metrics.k8s.io is forbidden: User "jo" cannot list resource "pods" in API group "metrics.k8s.io"/);
  await kubectl(house, 'create rolebinding jo --clusterrole=view --user=jo');
  await pod(house, 'web', ['app']);
  assert.equal((await request(house, 'GET', `${api}/namespaces/default/pods`, { headers: { 'Impersonate-User': 'jo' } })).status, 200);
  // Its content is nothing that a namespace has to lose.
  await kubectl(house, 'create namespace short');
  await kubectl(house, 'delete namespace short');

  for (const bad of [null, 'no JSON', '[]'.repeat(3), 'x'.repeat(9 << 20)]) {
    stats = bad;
    assert.match(await kubectl.fails(house, 'top nodes'), /Error from server \(ServiceUnavailable\): the server is currently unable to handle the request \(get nodes.metrics.k8s.io\)/);
  }
});

test('a node of this machine says what the machine uses', async (t) => {
  if (process.getuid() !== 0) return t.skip('a node needs root');
  const house = await davy(t, { args: nodeArgs() });
  const [, [name, cpu, , memory]] = await eventually(async () => {
    const { code, stdout } = await kubectlRaw(house, 'top nodes');
    return code === 0 && columns(stdout);
  });
  assert.equal(name, 'n1');
  assert.match(cpu, /^\d+m$/);
  assert.ok(Number(memory.replace('Mi', '')) > 10, memory);
});

test('without a node there are no metrics', async (t) => {
  const house = await davy(t);
  const { status, json } = await request(house, 'GET', `${api}/namespaces/default/pods/web`);
  assert.deepEqual([status, json.reason, json.message], [503, 'ServiceUnavailable', 'the server is currently unable to handle the request (get pods.metrics.k8s.io web)']);
});
