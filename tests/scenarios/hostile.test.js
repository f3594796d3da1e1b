// What strangers and broken clients send: refused clearly, bounded, and nobody else notices.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { credentials, davy, eventually, kubectl, request, run } from './kit.js';

const url = '/api/v1/namespaces/default/configmaps';

function controlPid(house) {
  for (const task of readdirSync(`/proc/${house.pid}/task`))
    for (const pid of readFileSync(`/proc/${house.pid}/task/${task}/children`, 'utf8').trim().split(' '))
      if (pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--role=control')) return Number(pid);
  throw new Error('no control process');
}

const rssKb = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

// Bytes to the local socket; all that comes back until it closes or `end` is seen.
function raw(house, bytes, end) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path.join(house.dir, 'run/control.sock'));
    let heard = '';
    socket.on('data', (part) => {
      heard += part;
      if (end && heard.includes(end)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(heard));
    socket.write(bytes);
  });
}

test('bodies that are wrong are refused with words', async (t) => {
  const house = await davy(t);
  const rows = [
    ['{"metadata":', 'application/json', 400, /must be of type ConfigMap.*unexpected end of JSON input/],
    ['{"metadata":{"name":1}}', 'application/json', 400, /cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string/],
    ['a: [1\n', 'application/yaml', 400, /is unrecognized.*yaml: line \d+/],
    ['k8s\0\xff\xff', 'application/vnd.kubernetes.protobuf', 400, /is unrecognized/],
    ['x', 'text/html', 415, /accepted media types include: application\/json/],
    ['[]', 'application/json', 400, /must be an object/],
    ['{"kind":"Secret","apiVersion":"v1"}', 'application/json', 400, /kind in the data \(Secret\)/],
    ['['.repeat(5000), 'application/json', 400, /nested too deeply/],
    [`{"data":{"k":"${'x'.repeat(3 << 20)}"}}`, 'application/json', 413, /more than the 3145728 bytes/],
    [`{"metadata":{"name":"big"},"data":{"k":"${'x'.repeat(2 << 20)}"}}`, 'application/json', 422, /may not be more than 1048576 bytes/],
  ];
  for (const [body, type, status, words] of rows) {
    const answer = await request(house, 'POST', url, { body, headers: { 'content-type': type } }).catch((error) => ({ error }));
    assert.equal(answer.status, status, `${body.slice(0, 60)}: ${answer.text ?? answer.error}`);
    assert.match(answer.text, words);
  }
  assert.equal((await request(house, 'GET', url + '?continue=nonsense')).status, 400);
  assert.equal((await request(house, 'GET', url + '?labelSelector=a%20in')).status, 400);
  assert.match((await request(house, 'GET', url + '?fieldSelector=spec.foo%3D1')).text, /field label not supported: spec.foo/);
  assert.equal((await request(house, 'GET', url + '?resourceVersion=99999999')).status, 504);
  assert.equal((await request(house, 'GET', '/nothing/here')).status, 404);
  assert.equal((await request(house, 'PATCH', url + '/x', { body: '[]', headers: { 'content-type': 'application/json-patch+json' } })).status, 404);
});

test('bodies with a hundred thousand members keep nobody waiting', async (t) => {
  const house = await davy(t);
  const many = (text) => Array.from({ length: 100000 }, (_, i) => text(i));
  const type = (name) => ({ 'content-type': name });
  const bodies = [
    [`{"metadata":{"name":"j"},"data":{${many((i) => `"k${i}":""`).join()}}}`, type('application/json')],
    [`metadata: {name: y}\ndata:\n${many((i) => `  k${i}: ""\n`).join('')}`, type('application/yaml')],
    [Buffer.concat([Buffer.from('k8s\0\x12'), ...protobufMap(100000)]), type('application/vnd.kubernetes.protobuf')],
  ];
  for (const [body, headers] of bodies) {
    const made = request(house, 'POST', url, { body, headers });
    assert.equal((await request(house, 'GET', '/readyz')).status, 200);
    const answer = await made;
    assert.ok([201, 400, 413, 422].includes(answer.status), `${answer.status} ${answer.text.slice(0, 200)}`);
  }
  const reversed = `{"metadata":{"name":"j"},"data":{${many((i) => `"k${i}":""`).reverse().join()}}}`;
  assert.ok((await request(house, 'PUT', `${url}/j`, { body: reversed })).status < 500);
  assert.ok((await request(house, 'PATCH', `${url}/j`, { body: reversed, headers: type('application/merge-patch+json') })).status < 500);
});

// ConfigMap{1: metadata{1: name}, 2: data{1: key, 2: value}...} behind its length, as Unknown.raw.
function protobufMap(n) {
  const varint = (value) => {
    const bytes = [];
    for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
    return [...bytes, value];
  };
  const field = (number, bytes) => Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]);
  const parts = [field(1, field(1, Buffer.from('p')))];
  for (let i = 0; i < n; i++) parts.push(field(2, field(1, Buffer.from(`k${i}`))));
  const raw = Buffer.concat(parts);
  return [Buffer.from(varint(raw.length)), raw];
}

test('heads that could be read two ways are refused and the connection closed', async (t) => {
  const house = await davy(t);
  for (const [bytes, status] of [
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /version HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    [`GET /${'a'.repeat(20000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['\0\0\0\0\r\n\r\n', 400],
  ]) {
    const heard = await raw(house, bytes);
    assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `));
    assert.equal(heard.match(/HTTP\/1.1 /g).length, 1);
  }
});

test('a certificate of another CA does not get in', async (t) => {
  const house = await davy(t);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'davy-cert-'));
  t.after(() => run('rm', ['-rf', dir]));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
    '-subj', '/O=system:masters/CN=admin', '-keyout', `${dir}/key`, '-out', `${dir}/crt`], { stdio: 'ignore' });
  const { ca } = await credentials(house);
  const { hostname, port } = new URL(house.endpoints.kubernetes);
  const outcome = await new Promise((resolve) => {
    const socket = tls.connect({ host: hostname, port, ca, cert: readFileSync(`${dir}/crt`), key: readFileSync(`${dir}/key`) });
    let heard = '';
    socket.on('data', (part) => (heard += part));
    socket.on('error', (error) => resolve(`refused: ${error.message}`));
    socket.on('close', () => resolve(heard || 'closed'));
    socket.write(`GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  });
  assert.doesNotMatch(outcome, /200 OK/);
  assert.equal((await request(house, 'GET', '/readyz')).status, 200);
});

test('ten thousand idle connections cost little and nobody else notices', async (t) => {
  const house = await davy(t);
  const pid = controlPid(house);
  const before = rssKb(pid);
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()) || 20000;
  const wanted = Math.min(10000, limit - 2000);
  const sockets = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  const file = path.join(house.dir, 'run/control.sock');
  for (let i = 0; i < wanted; i += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, wanted - i) }, () => new Promise((resolve, reject) => {
        const socket = net.connect(file, () => socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'));
        socket.once('data', resolve);
        socket.once('error', reject);
        sockets.push(socket);
      })),
    );
  const each = ((rssKb(pid) - before) * 1024) / wanted;
  assert.ok(each < 2048, `${each} bytes of memory each`);
  assert.equal((await request(house, 'GET', '/readyz')).status, 200);
});

test('a watch that nobody reads is ended, and can be taken up again', async (t) => {
  const house = await davy(t);
  const pid = controlPid(house);
  const since = (await request(house, 'GET', url)).json.metadata.resourceVersion;
  const socket = net.connect(path.join(house.dir, 'run/control.sock'));
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(`GET ${url}?watch=true&resourceVersion=${since} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const before = rssKb(pid);
  const count = 60;
  for (let i = 0; i < count; i++)
    await request(house, 'POST', url, { body: { metadata: { name: `big${i}` }, data: { k: 'x'.repeat(200000) } } });
  assert.ok(rssKb(pid) - before < 80000, 'twelve megabytes of objects, and no copies for the sleeper');

  let heard = '';
  socket.on('data', (part) => (heard += part));
  socket.resume();
  await eventually(() => heard.endsWith('\r\n0\r\n\r\n'));
  const versions = [...heard.matchAll(/"resourceVersion":"(\d+)"/g)].map((match) => Number(match[1]));
  assert.ok(versions.length > 0 && versions.length < count);
  const rest = await request(house, 'GET', `${url}?watch=true&resourceVersion=${versions.at(-1)}&timeoutSeconds=1`);
  assert.equal(rest.text.trim().split('\n').length + versions.length, count, 'nothing was lost between the two');
});

test('a full disk refuses writes with 503 while reads go on', async (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'davy-full-'));
  const mounted = (await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'davy-full', dir])).code === 0;
  t.after(async () => {
    if (mounted) await run('umount', [dir]);
    await run('rm', ['-rf', dir]);
  });
  if (!mounted) {
    t.diagnostic('skipped: mounting a small disk needs root');
    return;
  }
  const house = await davy(t, { dir });
  let answer;
  let i = 0;
  do
    answer = await request(house, 'POST', url, { body: { metadata: { name: `f${i++}` }, data: { k: 'x'.repeat(100000) } } });
  while (answer.status === 201 && i < 200);
  assert.equal(answer.status, 503, answer.text);
  assert.match(answer.text, /disk is full/);
  assert.equal((await request(house, 'GET', `${url}/f0`)).status, 200);
  assert.equal((await request(house, 'GET', `${url}/f${i - 1}`)).status, 404, 'what was refused is not there');
  await run('mount', ['-o', 'remount,size=20m', dir]);
  await eventually(async () => (await request(house, 'POST', url, { body: { metadata: { name: 'after' } } })).status === 201);
  await house.stop();
});

test('a flood of one client is told to come back later, and others are served meanwhile', async (t) => {
  const house = await davy(t);
  const large = 'x'.repeat(900000);
  for (let i = 0; i < 4; i++)
    await request(house, 'POST', '/api/v1/namespaces/default/configmaps', {
      body: { metadata: { name: `large${i}` }, data: { large } },
    });
  const sessions = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const session = http2.connect(house.endpoints.kubernetes, await credentials(house));
      session.on('error', () => {});
      await once(session, 'remoteSettings');
      return session;
    }),
  );
  let open = true;
  const answers = { 200: 0, 429: 0 };
  async function ask(session) {
    const stream = session.request({
      ':path': '/api/v1/configmaps?labelSelector=a%3Db&fieldSelector=metadata.name!%3Dx',
      'user-agent': 'flood',
    });
    const [head] = await once(stream, 'response');
    let text = '';
    for await (const part of stream) text += part;
    if (head[':status'] === 429) {
      assert.equal(head['retry-after'], '1');
      assert.equal(JSON.parse(text).reason, 'TooManyRequests');
    }
    answers[head[':status']]++;
  }
  const flood = sessions.flatMap((session) =>
    Array.from({ length: 100 }, async () => {
      while (open) await ask(session);
    }),
  );
  await eventually(() => answers[429] > 0);
  assert.match(await kubectl(house, 'get namespaces'), /^default /m);
  open = false;
  await Promise.all(flood);
  for (const session of sessions) session.close();
  assert.ok(answers[200] > 0, 'the flood is slowed down, not shut out');
});
