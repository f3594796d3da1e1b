// exec, attach, cp, port-forward and logs by kubectl of several versions and by client-node. Behind the API
// stands the node's own code for streams, with plain processes in the place of containers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';

import { clientNode, environment, minors } from './clients.js';
import { binary, davy, eventually, kubectl, kubectlRaw, kubectlStart, request, run } from './kit.js';

const logs = (house) => path.join(house.dir, 'logs/default_web_uid/app');

async function world(t) {
  const house = await davy(t);
  const node = spawn(path.join(path.dirname(binary), 'tests/streams/streams_node'), [
    path.join(house.dir, 'run/node.sock'),
    path.join(house.dir, 'logs'),
  ]);
  t.after(async () => {
    node.kill();
    await new Promise((resolve) => node.once('exit', resolve));
  });
  await new Promise((resolve) => node.stdout.once('data', resolve));
  await mkdir(logs(house), { recursive: true });
  const container = { name: 'app', image: 'app:1', ports: [{ containerPort: 80 }] };
  for (const [name, containers] of [['web', [container]], ['two', [container, { ...container, name: 'side' }]], ['gone', [container]]])
    await request(house, 'POST', '/api/v1/namespaces/default/pods', {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { nodeName: 'here', containers } },
    });
  for (const name of ['web', 'two', 'gone']) {
    const { json } = await request(house, 'GET', `/api/v1/namespaces/default/pods/${name}`);
    json.status = { phase: 'Running', containerStatuses: [{ name: 'app', ready: true, restartCount: 1, image: 'app:1', imageID: '', state: { running: {} } }] };
    await request(house, 'PUT', `/api/v1/namespaces/default/pods/${name}/status`, { body: json });
  }
  return house;
}

// A server on this machine that answers each connection with what it heard, and its port.
async function echo(t) {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return server.address().port;
}

const exchange = (port, text) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    let heard = '';
    socket.on('data', (piece) => {
      heard += piece;
      if (heard.length >= text.length) socket.end();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });

for (const minor of minors)
  test(`kubectl 1.${minor}: exec, attach, port-forward`, async (t) => {
    const house = await world(t);
    const env = environment(minor);
    const k = (command, options = {}) => kubectlRaw(house, command, { env, ...options });

    const out = await k('exec web -- echo hello');
    assert.deepEqual([out.stdout, out.stderr, out.code], ['hello\n', '', 0]);
    const both = await k(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
    assert.equal(both.stdout, 'out\n');
    assert.match(both.stderr, /^err\ncommand terminated with exit code 3\n$/);
    assert.equal(both.code, 3);
    const input = 'line of text\n'.repeat(40000);
    const counted = await k('exec -i web -- wc -c', { input });
    assert.equal(counted.stdout.trim(), String(input.length), counted.stderr);
    const back = await k('exec -i web -- cat', { input });
    assert.equal(back.stdout.length, input.length, back.stderr);
    const flood = await k(['exec', 'web', '--', 'sh', '-c', 'head -c 20000000 /dev/zero | tr "\\0" x']);
    assert.equal(flood.stdout.length, 20000000, flood.stderr);
    const bad = await k('exec web -- /no/such/program');
    assert.match(bad.stderr, /executable file not found/);
    assert.notEqual(bad.code, 0);
    assert.match((await k('exec gone -- true')).stderr, /is not on this node/);
    const attached = await k('attach -i web', { input: 'typed\n' });
    assert.equal(attached.stdout, 'typed\n', attached.stderr);

    const port = await echo(t);
    const forward = spawn('kubectl', ['--kubeconfig', house.kubeconfig, 'port-forward', 'pod/web', `:${port}`, ':1'], { env: { ...process.env, HOME: house.dir, ...env } });
    let said = '';
    let complaints = '';
    forward.stdout.on('data', (piece) => (said += piece));
    forward.stderr.on('data', (piece) => (complaints += piece));
    t.after(() => forward.kill());
    const ports = await eventually(() => {
      const found = [...said.matchAll(/Forwarding from 127.0.0.1:(\d+) -> (\d+)/g)];
      return found.length === 2 && Object.fromEntries(found.map((m) => [m[2], Number(m[1])]));
    });
    const long = 'some text '.repeat(100000);
    assert.deepEqual(await Promise.all([exchange(ports[port], 'one'), exchange(ports[port], 'two'), exchange(ports[port], long)]), ['one', 'two', long]);
    for (let i = 0; i < 20; i++) assert.equal(await exchange(ports[port], `again ${i}`), `again ${i}`);
    await exchange(ports[1], 'nobody').catch(() => {});
    await eventually(() => /failed to connect to localhost:1/.test(complaints));
  });

test('kubectl cp brings files there and back', async (t) => {
  const house = await world(t);
  const there = path.join(house.dir, 'there');
  await mkdir(there);
  await writeFile(path.join(house.dir, 'file'), 'x'.repeat(300000));
  await kubectl(house, `cp ${path.join(house.dir, 'file')} web:${there}/copy`);
  await kubectl(house, `cp web:${there}/copy ${path.join(house.dir, 'back')}`);
  const same = await run('cmp', [path.join(house.dir, 'file'), path.join(house.dir, 'back')]);
  assert.equal(same.code, 0);
});

test('kubectl logs: all of it, its end, since when, of the last life, and as it comes', async (t) => {
  const house = await world(t);
  const line = (second, text, stream = 'stdout') => `2026-01-01T00:00:0${second}.5Z ${stream} F ${text}\n`;
  assert.match(await kubectl.fails(house, 'logs web'), /container "app" in pod "web" is waiting to start: ContainerCreating/);
  await writeFile(path.join(logs(house), '0.log'), line(1, 'before'));
  await writeFile(path.join(logs(house), '1.log'), line(2, 'one') + line(3, 'two', 'stderr') + line(4, 'three'));
  assert.equal(await kubectl(house, 'logs web'), 'one\ntwo\nthree\n');
  assert.equal(await kubectl(house, 'logs web --tail=1'), 'three\n');
  assert.equal(await kubectl(house, 'logs web --previous'), 'before\n');
  assert.equal(await kubectl(house, 'logs web --timestamps --tail=1'), '2026-01-01T00:00:04.5Z three\n');
  assert.equal(await kubectl(house, 'logs web --since-time=2026-01-01T00:00:03Z'), 'two\nthree\n');
  assert.equal(await kubectl(house, 'logs web --since=1s'), '');
  assert.equal(await kubectl(house, 'logs web --limit-bytes=5'), 'one\nt');
  assert.match(await kubectl.fails(house, 'logs two -c none'), /container none is not valid for pod two/);
  assert.match(await kubectl.fails(house, 'logs gone'), /is not on this node/);

  const follow = kubectlStart(t, house, 'logs -f web');
  await eventually(() => follow.stdout === 'one\ntwo\nthree\n');
  await appendFile(path.join(logs(house), '1.log'), line(5, 'four'));
  await eventually(() => follow.stdout.endsWith('four\n'));
});

test('who may not is told so, and pods without a node have no streams', async (t) => {
  const house = await world(t);
  await kubectl(house, 'run waits --image=app:1');
  assert.match(await kubectl.fails(house, 'exec waits -- true'), /does not have a host assigned/);
  assert.match(await kubectl.fails(house, 'logs waits'), /does not have a host assigned/);
  await kubectl(house, 'create role reader --verb=get,list --resource=pods,pods/log');
  await kubectl(house, 'create rolebinding jo --role=reader --user=jo');
  assert.match(await kubectl.fails(house, 'exec web --as=jo -- true'), /cannot create resource "pods\/exec"|cannot get resource "pods\/exec"/);
  const { status } = await request(house, 'GET', '/api/v1/namespaces/default/pods/web/exec?command=true&stdout=1');
  assert.equal(status, 400);
});

test('client-node: exec, attach, port-forward, logs', async (t) => {
  const house = await world(t);
  const k8s = await clientNode();
  const config = new k8s.KubeConfig();
  config.loadFromFile(house.kubeconfig);
  const collect = () => {
    const stream = new PassThrough();
    stream.text = '';
    stream.on('data', (piece) => (stream.text += piece));
    return stream;
  };
  const [out, err] = [collect(), collect()];
  const status = await new Promise((resolve, reject) =>
    new k8s.Exec(config).exec('default', 'web', 'app', ['sh', '-c', 'echo out; echo err >&2; exit 5'], out, err, null, false, resolve).catch(reject),
  );
  await eventually(() => out.text === 'out\n' && err.text === 'err\n');
  assert.equal(status.status, 'Failure');
  assert.deepEqual(status.details.causes, [{ reason: 'ExitCode', message: '5' }]);

  const port = await echo(t);
  const forward = new k8s.PortForward(config);
  const server = net.createServer((socket) => forward.portForward('default', 'web', [port], socket, null, socket));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  assert.equal(await exchange(server.address().port, 'through channels'), 'through channels');
});
