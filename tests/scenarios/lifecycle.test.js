// Davy itself: starts, says where its doors are, is upgraded under load, backed up and restored.
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import { test } from 'node:test';
import { binary, credentials, davy, eventually, kubectl, request, run, temporary, writeFile } from './kit.js';

test('a private Davy says where it is, and stops cleanly', async (t) => {
  const house = await davy(t);
  assert.deepEqual(house.ready.endpoints, house.endpoints);
  assert.equal(house.ready.kubeconfig, house.kubeconfig);
  assert.equal((await stat(house.kubeconfig)).mode & 0o777, 0o600);
  assert.equal((await request(house, 'GET', '/readyz')).text, 'ok');
  assert.deepEqual(await house.stop(), { code: 0, signal: null });
});

test('state is there after a restart, and watches go on from where they were', async (t) => {
  const dir = await temporary(t);
  const first = await davy(t, { dir });
  await kubectl(first, 'create configmap kept --from-literal=a=b');
  const since = (await kubectl.json(first, 'get cm kept')).metadata.resourceVersion;
  await kubectl(first, 'label cm kept x=y');
  await first.stop();

  const second = await davy(t, { dir });
  assert.equal((await kubectl.json(second, 'get cm kept')).metadata.labels.x, 'y');
  const watch = await request(second, 'GET', `/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=${since}&timeoutSeconds=1`);
  const events = watch.text.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(events[0].type, 'MODIFIED');
  assert.equal(events[0].object.metadata.labels.x, 'y');
});

test('an upgrade under load refuses no connection and keeps what was written', async (t) => {
  const house = await davy(t);
  const { ca, cert, key } = await credentials(house);
  let running = true;
  let done = 0;
  const failures = [];
  async function client(number) {
    for (let i = 0; running; i++) {
      // A connection for each request: what an upgrade must never refuse.
      const agent = new https.Agent({ keepAlive: false, ca, cert, key });
      try {
        const answer = await request(house, 'POST', '/api/v1/namespaces/default/configmaps', {
          agent,
          body: { metadata: { name: `u${number}-${i}` } },
        });
        if (answer.status !== 201) failures.push(answer.text);
        done++;
      } catch (error) {
        failures.push(error.message);
      }
    }
  }
  const clients = [0, 1, 2, 3].map(client);
  await eventually(() => done > 50);
  const upgraded = await run(binary, ['upgrade', '--data', house.dir, '--binary', binary]);
  assert.equal(upgraded.code, 0, upgraded.stderr + house.log());
  const after = done;
  await eventually(() => done > after + 50);
  running = false;
  await Promise.all(clients);
  assert.deepEqual(failures, []);
  const names = (await kubectl(house, 'get cm -o name')).match(/\/u\d/g);
  assert.equal(names.length, done);
});

test('an upgrade to what is no davy is refused, and nothing happens', async (t) => {
  const house = await davy(t);
  const script = path.join(await temporary(t), 'script');
  await writeFile(script, 'no program at all', { mode: 0o755 });
  for (const [file, words] of [
    ['/bin/true', /'\/.*true' is not a davy/],
    ['/bin/echo', /is not a davy/],
    [script, /cannot be run: Exec format error/],
    ['/nowhere', /find '\/nowhere'/],
  ]) {
    const result = await run(binary, ['upgrade', '--data', house.dir, '--binary', file]);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, words);
  }
  assert.equal((await request(house, 'GET', '/readyz')).status, 200);
});

test('backup and restore of the whole state', async (t) => {
  const house = await davy(t);
  const file = path.join(await temporary(t), 'davy.backup');
  await kubectl(house, 'create secret generic db --from-literal=password=hunter2');
  const made = await run(binary, ['backup', 'create', file, '--data', house.dir]);
  assert.equal(made.code, 0, made.stderr + house.log());
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await kubectl(house, 'delete secret db');
  const refused = await run(binary, ['backup', 'restore', file, '--data', house.dir]);
  assert.notEqual(refused.code, 0, 'not while it runs');
  await house.stop();

  const elsewhere = await temporary(t);
  const restored = await run(binary, ['backup', 'restore', file, '--data', elsewhere]);
  assert.equal(restored.code, 0, restored.stderr);
  const again = await davy(t, { dir: elsewhere });
  assert.equal(Buffer.from((await kubectl.json(again, 'get secret db')).data.password, 'base64').toString(), 'hunter2');
});

test('what is wrong is said so that one can act on it', async (t) => {
  const dir = await temporary(t);
  const role = await run(binary, ['serve', '--data', dir, '--ports', 'auto', '--roles=edge']);
  assert.notEqual(role.code, 0);
  assert.match(role.stderr, /role 'edge' is not in this build/);
  const word = await run(binary, ['frobnicate']);
  assert.equal(word.code, 2);
  assert.match(word.stderr, /frobnicate/);

  const house = await davy(t);
  await house.stop();
  const { open } = await import('node:fs/promises');
  const db = path.join(house.dir, 'store/davy.db');
  const bytes = await readFile(db);
  const at = bytes.indexOf('"kube-public"');
  assert.ok(at > 0, 'the object is in the main file after a clean stop');
  const handle = await open(db, 'r+');
  await handle.write('X', at + 3);
  await handle.close();
  const damaged = await run(binary, ['serve', '--data', house.dir, '--ports', 'auto', '--roles=control']);
  assert.notEqual(damaged.code, 0);
  assert.match(damaged.stderr, /davy backup restore/);
});

test('a watch goes on across an upgrade from the version it had, and sees everything once', async (t) => {
  const house = await davy(t);
  const url = '/api/v1/namespaces/default/configmaps';
  let since = (await request(house, 'GET', url)).json.metadata.resourceVersion;
  const seen = [];
  let watching = true;
  const watcher = (async () => {
    while (watching) {
      // What informers do: when the watch ends, begin again behind the last version.
      const answer = await request(house, 'GET', `${url}?watch=true&resourceVersion=${since}&timeoutSeconds=2`).catch(() => null);
      for (const line of (answer?.text ?? '').split('\n').filter(Boolean)) {
        const event = JSON.parse(line);
        assert.equal(event.type, 'ADDED');
        if (/^e\d/.test(event.object.metadata.name)) seen.push(event.object.metadata.name);
        since = event.object.metadata.resourceVersion;
      }
    }
  })();
  const made = [];
  let upgraded = false;
  const upgrade = run(binary, ['upgrade', '--data', house.dir]).then((result) => {
    assert.equal(result.code, 0, result.stderr + house.log());
    upgraded = true;
  });
  for (let i = 0; !upgraded || made.length < 40; i++) {
    const answer = await request(house, 'POST', url, { body: { metadata: { name: `e${i}` } } });
    assert.equal(answer.status, 201, answer.text);
    made.push(`e${i}`);
  }
  await upgrade;
  await eventually(() => seen.length >= made.length);
  watching = false;
  await watcher;
  assert.deepEqual(seen, made);
});

test('keys are rotated while it is stopped', async (t) => {
  const dir = await temporary(t);
  const first = await davy(t, { dir });
  await kubectl(first, 'create secret generic db --from-literal=password=hunter2');
  assert.notEqual((await run(binary, ['keys', 'rotate', '--data', dir])).code, 0, 'not while it runs');
  await first.stop();
  const rotated = await run(binary, ['keys', 'rotate', '--data', dir]);
  assert.equal(rotated.code, 0, rotated.stderr);
  const second = await davy(t, { dir });
  assert.equal(Buffer.from((await kubectl.json(second, 'get secret db')).data.password, 'base64').toString(), 'hunter2');
});

test('a private Davy runs for an ordinary user too', async (t) => {
  if (process.getuid() !== 0) return; // Every other test is this one then.
  const dir = await temporary(t);
  const { chown, copyFile, chmod } = await import('node:fs/promises');
  await chown(dir, 65534, 65534);
  await copyFile(binary, path.join(dir, 'davy'));
  await chmod(path.join(dir, 'davy'), 0o755);
  const { spawn } = await import('node:child_process');
  const child = spawn(path.join(dir, 'davy'), ['serve', '--data', path.join(dir, 'data'), '--ports', 'auto'], { uid: 65534, gid: 65534, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = await Promise.race([new Promise((resolve) => child.stdout.once('data', (text) => resolve(JSON.parse(text)))), ended.then(() => null)]);
  assert.ok(ready?.ready, log);
  child.kill();
  assert.equal(await ended, 0);
});

test('the control role runs under a memory ceiling, where cgroups may be made', async (t) => {
  const house = await davy(t);
  if (house.log().includes('no memory ceiling')) return t.skip('no cgroup may be made here');
  const config = (await run(binary, ['config'])).stdout;
  const most = Number(config.match(/control memory +(\d+) MiB/)[1]) * 2 ** 20;
  const [pid] = (await readFile(`/proc/${house.pid}/task/${house.pid}/children`, 'utf8')).trim().split(' ');
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n').map((line) => line.split(':'));
  const v1 = lines.find(([, name]) => name === 'memory');
  const file = v1
    ? `/sys/fs/cgroup/memory${v1[2]}/memory.limit_in_bytes`
    : `/sys/fs/cgroup${lines.find(([number]) => number === '0')[2]}/memory.max`;
  assert.match(file, /davy-\d+-control/);
  assert.equal(Number(await readFile(file, 'utf8')), most);
  await house.stop();
  await assert.rejects(readFile(file), /ENOENT/);
});

test('a namespace that cannot end says what holds it', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create namespace stuck');
  await request(house, 'POST', '/api/v1/namespaces/stuck/configmaps', {
    body: { metadata: { name: 'held', finalizers: ['example.com/keep'] } },
  });
  await kubectl(house, 'delete namespace stuck --wait=false');
  const reasons = await eventually(async () => {
    const { status } = await kubectl.json(house, 'get ns stuck');
    return status.conditions && Object.fromEntries(status.conditions.map((it) => [it.type, it]));
  });
  assert.equal(reasons.NamespaceContentRemaining.status, 'True');
  assert.match(reasons.NamespaceContentRemaining.message, /configmaps\. has 1 resource instances/);
  assert.match(reasons.NamespaceFinalizersRemaining.message, /example\.com\/keep in 1 resource instances/);
  await kubectl(house, ['patch', 'cm', 'held', '-n', 'stuck', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  await eventually(async () => !(await kubectl(house, 'get ns -o name')).includes('stuck'));
});
