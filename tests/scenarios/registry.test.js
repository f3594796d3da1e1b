// The registry: what skopeo and buildah push runs at once, what lies is refused, and pulls come back whole.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { busyboxImage } from './images.js';
import { binary, davy, eventually, kubectl, run, temporary } from './kit.js';

const has = (program) => (process.env.PATH ?? '').split(':').some((dir) => existsSync(path.join(dir, program)));
const root = process.getuid() === 0 ? {} : { skip: 'it needs root' };
const skopeo = has('skopeo') ? root : { skip: 'there is no skopeo' };
const buildah = has('buildah') ? root : { skip: 'there is no buildah' };

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

async function crew(t) {
  const house = await davy(t, { args: ['--roles=control,node', '--node-name=n1'] });
  const url = await eventually(() => house.endpoints.registry);
  const registry = `localhost:${new URL(url).port}`;
  const ask = (method, target, { body, headers } = {}) =>
    fetch(target.startsWith('http') ? target : url + target, { method, body, headers, redirect: 'manual' });
  const image = (...words) => run(binary, ['image', ...words, '--data', house.dir]);
  return { ...house, url, registry, ask, image };
}

const ok = (result) => {
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
};
const copy = (...words) => run('skopeo', ['copy', '--insecure-policy', ...words]);

async function push(house, repository, bytes) {
  const started = await house.ask('POST', `/v2/${repository}/blobs/uploads/`);
  assert.equal(started.status, 202);
  const at = started.headers.get('location');
  const put = await house.ask('PUT', `${at}?digest=${digestOf(bytes)}`, { body: bytes });
  assert.equal(put.status, 201, await put.text());
  return { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
}

const code = async (answer) => (await answer.json()).errors[0].code;

test('registry', root, async (t) => {
  const house = await crew(t);
  const { ask } = house;
  const bytes = randomBytes(3 << 20);

  await t.test('it says what it is', async () => {
    const answer = await ask('GET', '/v2/');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('docker-distribution-api-version'), 'registry/2.0');
    assert.deepEqual(await (await ask('GET', '/v2/_catalog')).json(), { repositories: [] });
    assert.equal(await code(await ask('GET', '/v2/nobody/tags/list')), 'NAME_UNKNOWN');
    assert.equal(await code(await ask('GET', '/v2/Big/tags/list')), 'NAME_INVALID');
    assert.equal(await code(await ask('GET', '/v2/web/manifests/v1')), 'MANIFEST_UNKNOWN');
    assert.equal(await code(await ask('GET', `/v2/web/blobs/${digestOf('x')}`)), 'BLOB_UNKNOWN');
    assert.equal((await ask('GET', '/v2/', { headers: { Origin: 'http://evil.example' } })).status, 403);
  });

  await t.test('a blob comes in chunks, each where the last one ended', async () => {
    const started = await ask('POST', '/v2/team/web/blobs/uploads/');
    const at = started.headers.get('location');
    const first = await ask('PATCH', at, { body: bytes.subarray(0, 1 << 20), headers: { 'Content-Range': `0-${(1 << 20) - 1}` } });
    assert.equal(first.status, 202);
    assert.equal(first.headers.get('range'), `0-${(1 << 20) - 1}`);
    const again = await ask('PATCH', at, { body: 'x', headers: { 'Content-Range': '5-5' } });
    assert.equal(again.status, 416);
    assert.equal((await ask('GET', at)).headers.get('range'), `0-${(1 << 20) - 1}`);
    assert.equal((await ask('PATCH', at, { body: bytes.subarray(1 << 20) })).status, 202);
    const end = await ask('PUT', `${at}?digest=${digestOf(bytes)}`);
    assert.equal(end.status, 201, await end.text());
    assert.equal(end.headers.get('docker-content-digest'), digestOf(bytes));
    assert.equal(await code(await ask('PATCH', at, { body: 'x' })), 'BLOB_UPLOAD_UNKNOWN');
  });

  await t.test('and goes out whole, or in parts', async () => {
    const at = `/v2/team/web/blobs/${digestOf(bytes)}`;
    const head = await ask('HEAD', at);
    assert.equal(head.headers.get('content-length'), String(bytes.length));
    assert.ok(Buffer.from(await (await ask('GET', at)).arrayBuffer()).equals(bytes));
    const part = await ask('GET', at, { headers: { Range: 'bytes=1000000-1999999' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 1000000-1999999/${bytes.length}`);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000000, 2000000)));
    assert.equal((await ask('GET', at, { headers: { Range: `bytes=${bytes.length}-` } })).status, 416);
  });

  await t.test('a client that goes in the middle can go on, or leaves nothing', async () => {
    const part = (method, target) =>
      new Promise((resolve) => {
        const sent = httpRequest(house.url + target, { method, headers: { 'Content-Length': bytes.length } });
        sent.on('error', resolve);
        sent.write(bytes.subarray(0, 1 << 20), () => sent.destroy());
      });
    const left = () => readdirSync(path.join(house.dir, 'images/tmp')).length;
    assert.equal(left(), 0);
    await part('POST', `/v2/team/web/blobs/uploads/?digest=${digestOf(bytes)}`);
    await eventually(() => left() === 0);
    const at = (await ask('POST', '/v2/team/web/blobs/uploads/')).headers.get('location');
    await part('PATCH', at);
    const [, from] = await eventually(async () => {
      const range = (await ask('GET', at)).headers.get('range')?.split('-');
      return Number(range?.[1]) > 0 && range;
    });
    assert.ok(Number(from) < 1 << 20);
    const rest = await eventually(async () => {
      const has = Number((await ask('GET', at)).headers.get('range').split('-')[1]) + 1;
      const answer = await ask('PUT', `${at}?digest=${digestOf(bytes)}`, { body: bytes.subarray(has), headers: { 'Content-Range': `${has}-${bytes.length - 1}` } });
      return answer.status !== 409 && answer.status !== 416 && answer;
    });
    assert.equal(rest.status, 201, await rest.text());
    assert.equal(left(), 0);
  });

  await t.test('in one piece, and from another repository', async () => {
    const one = await ask('POST', `/v2/team/api/blobs/uploads/?digest=${digestOf('one')}`, { body: 'one' });
    assert.equal(one.status, 201);
    const mounted = await ask('POST', `/v2/other/blobs/uploads/?mount=${digestOf('one')}&from=team/api`);
    assert.equal(mounted.status, 201);
    assert.equal(mounted.headers.get('location'), `/v2/other/blobs/${digestOf('one')}`);
    const missing = await ask('POST', `/v2/other/blobs/uploads/?mount=${digestOf('two')}&from=team/api`);
    assert.equal(missing.status, 202);
    assert.equal((await ask('DELETE', missing.headers.get('location'))).status, 204);
  });

  await t.test('what is not what it says is refused', async () => {
    const started = await ask('POST', '/v2/team/web/blobs/uploads/');
    const wrong = await ask('PUT', `${started.headers.get('location')}?digest=${digestOf('x')}`, { body: 'y' });
    assert.equal(await code(wrong), 'DIGEST_INVALID');
    const put = (body, as = 'v1', type = manifestType) =>
      ask('PUT', `/v2/team/web/manifests/${as}`, { body: JSON.stringify(body), headers: { 'Content-Type': type } });
    assert.equal(await code(await put([])), 'MANIFEST_INVALID');
    const absent = { digest: digestOf('absent'), size: 6, mediaType: 'application/octet-stream' };
    assert.equal(await code(await put({ config: absent, layers: [] })), 'MANIFEST_BLOB_UNKNOWN');
    const config = { ...(await push(house, 'team/web', Buffer.from('{}'))), mediaType: 'application/vnd.oci.image.config.v1+json' };
    const layer = { ...(await push(house, 'team/web', bytes)), mediaType: 'application/vnd.oci.image.layer.v1.tar' };
    assert.equal(await code(await put({ config, layers: [layer] })), 'MANIFEST_INVALID');
    assert.equal(await code(await put({ config, layers: [] }, digestOf('other'))), 'DIGEST_INVALID');
    const huge = await ask('PUT', '/v2/team/web/manifests/v1', { body: Buffer.alloc((4 << 20) + 1, ' ') });
    assert.equal(huge.status, 413);
    assert.equal(await code(await ask('GET', '/v2/team/web/tags/list')), 'NAME_UNKNOWN');
  });

  await t.test('what is no image is kept too', async () => {
    const config = { ...(await push(house, 'charts/web', Buffer.from('{}'))), mediaType: 'application/vnd.cncf.helm.config.v1+json' };
    const layer = { ...(await push(house, 'charts/web', Buffer.from('chart'))), mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] });
    for (const tag of ['1.0.0', '1.1.0', '1.2.0'])
      assert.equal((await ask('PUT', `/v2/charts/web/manifests/${tag}`, { body })).status, 201);
    const got = await ask('GET', `/v2/charts/web/manifests/${digestOf(body)}`);
    assert.equal(got.headers.get('content-type'), manifestType);
    assert.equal(await got.text(), body);
    const page = await ask('GET', '/v2/charts/web/tags/list?n=2');
    assert.deepEqual(await page.json(), { name: 'charts/web', tags: ['1.0.0', '1.1.0'] });
    const next = page.headers.get('link').match(/^<(.*)>; rel="next"$/)[1];
    assert.deepEqual(await (await ask('GET', next)).json(), { name: 'charts/web', tags: ['1.2.0'] });
    assert.equal((await ask('DELETE', '/v2/charts/web/manifests/1.0.0')).status, 202);
    assert.equal((await ask('GET', '/v2/charts/web/manifests/1.0.0')).status, 404);
    assert.equal((await ask('DELETE', `/v2/charts/web/manifests/${digestOf(body)}`)).status, 202);
    assert.equal(await code(await ask('GET', '/v2/charts/web/tags/list')), 'NAME_UNKNOWN');
  });
});

test('the door stays open across an upgrade, and --registry-port 0 makes none', root, async (t) => {
  const house = await crew(t);
  const blob = await push(house, 'kept', Buffer.from('bytes'));
  ok(await run(binary, ['upgrade', '--data', house.dir]));
  const answer = await eventually(() => house.ask('GET', `/v2/kept/blobs/${blob.digest}`).catch(() => null));
  assert.equal(await answer.text(), 'bytes');
  const none = await davy(t, { args: ['--roles=control,node', '--node-name=n1', '--registry-port=0'] });
  assert.deepEqual(Object.keys(none.endpoints), ['kubernetes']);
  const bad = await run(binary, ['serve', '--data', house.dir, '--registry-port=70000']);
  assert.match(bad.stderr, /--registry-port=70000: a port is 1 to 65535; 0 is none/);
});

test('skopeo pushes, pulls and deletes', skopeo, async (t) => {
  const house = await crew(t);
  const file = busyboxImage(house.dir, ['tools:v1']);
  const name = `${house.registry}/team/tools:v1`;
  ok(await copy('--dest-tls-verify=false', `docker-archive:${file}`, `docker://${name}`));
  assert.match(ok(await house.image('ls')), new RegExp(`^${name} `, 'm'));
  assert.deepEqual(JSON.parse(ok(await run('skopeo', ['list-tags', '--tls-verify=false', `docker://${house.registry}/team/tools`]))).Tags, ['v1']);
  const seen = JSON.parse(ok(await run('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`])));
  assert.deepEqual(seen.Layers.length, 1);

  await t.test('a pod runs it at once', async () => {
    const spec = { hostNetwork: true, containers: [{ name: 'c', image: name, imagePullPolicy: 'Never' }] };
    await kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }) });
    await eventually(async () => (await kubectl.json(house, 'get pod web')).status.phase === 'Running');
    await kubectl(house, 'delete pod web --grace-period=0 --force');
  });

  await t.test('it comes back as it went', async () => {
    ok(await copy('--src-tls-verify=false', `docker://${name}`, `dir:${house.dir}/out`));
    assert.equal(digestOf(readFileSync(`${house.dir}/out/manifest.json`)), seen.Digest);
  });

  await t.test('another Davy pulls it', async () => {
    const other = await crew(t);
    assert.equal(ok(await other.image('pull', name)), `pulled ${name}\n`);
    assert.match(ok(await other.image('ls')), new RegExp(`^${name} `, 'm'));
    const none = await other.image('pull', `${house.registry}/team/tools:v2`);
    const whole = `${house.registry}/team/tools:v2`;
    assert.equal(none.stderr, `davy: failed to pull and unpack image "${whole}": failed to resolve reference "${whole}": ${whole}: not found\n`);
  });

  await t.test('an index for several machines', async () => {
    const many = `docker://${house.registry}/team/many:v1`;
    ok(await copy('--all', '--dest-tls-verify=false', '--src-tls-verify=false', `docker://${name}`, `docker://${house.registry}/team/many:one`));
    const { digest, size } = await (async () => {
      const answer = await house.ask('GET', '/v2/team/many/manifests/one');
      return { digest: answer.headers.get('docker-content-digest'), size: Number(answer.headers.get('content-length')) };
    })();
    const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch];
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ mediaType: manifestType, digest, size, platform: { os: 'linux', architecture } }],
    });
    assert.equal((await house.ask('PUT', '/v2/team/many/manifests/v1', { body })).status, 201);
    assert.match(ok(await house.image('ls')), new RegExp(`^${house.registry}/team/many:v1 `, 'm'));
    assert.equal(JSON.parse(ok(await run('skopeo', ['inspect', '--raw', '--tls-verify=false', many]))).manifests.length, 1);
    const other = await crew(t);
    ok(await other.image('pull', many.slice('docker://'.length)));
  });

  await t.test('what is deleted is gone', async () => {
    ok(await run('skopeo', ['delete', '--tls-verify=false', `docker://${name}`]));
    assert.doesNotMatch(ok(await house.image('ls')), new RegExp(`^${name} `, 'm'));
  });
});

test('buildah builds and pushes', buildah, async (t) => {
  const house = await crew(t);
  const dir = await temporary(t);
  const own = ['--root', `${dir}/root`, '--runroot', `${dir}/run`, '--storage-driver', 'vfs'];
  const build = (...words) => run('buildah', [...own, ...words]);
  const container = ok(await build('from', 'scratch')).trim();
  ok(await build('copy', container, '/bin/busybox', '/bin/sh'));
  ok(await build('config', '--cmd', '["/bin/sh","-c","sleep 1000"]', container));
  const name = `${house.registry}/built:v1`;
  ok(await build('commit', container, name));
  ok(await build('push', '--tls-verify=false', name));
  const spec = { hostNetwork: true, terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: name, imagePullPolicy: 'IfNotPresent' }] };
  await kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'built' }, spec }) });
  await eventually(async () => (await kubectl.json(house, 'get pod built')).status.phase === 'Running');
});

// Lets through to a registry who says "user" and "secret".
async function guarded(t, url) {
  const asked = [];
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.headers.authorization !== `Basic ${btoa('user:secret')}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="tests"' }).end('{}');
      return;
    }
    const answer = await fetch(url + request.url, { method: request.method, headers: { Accept: request.headers.accept ?? '' } });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections()));
  t.after(close);
  return { name: `127.0.0.1:${server.address().port}`, asked, close };
}

test('pods pull what they need', skopeo, async (t) => {
  const house = await crew(t);
  const file = busyboxImage(house.dir, ['tools:v1']);
  ok(await copy('--dest-tls-verify=false', `docker-archive:${file}`, `docker://${house.registry}/team/tools:v1`));
  const guard = await guarded(t, house.url);
  const image = `${guard.name}/team/tools:v1`;
  const create = (name, spec = {}, policy = 'IfNotPresent') =>
    kubectl(house, 'apply -f -', {
      input: JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { hostNetwork: true, terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image, imagePullPolicy: policy }], ...spec },
      }),
    });
  const running = (name) => eventually(async () => (await kubectl.json(house, `get pod ${name}`)).status.phase === 'Running');

  await t.test('not as nobody', async () => {
    await create('nobody');
    const message = await eventually(async () => {
      const now = (await kubectl.json(house, 'get pod nobody')).status.containerStatuses?.[0].state.waiting;
      return /^(ErrImagePull|ImagePullBackOff)$/.test(now?.reason ?? '') && now.message;
    });
    const why = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": pull access denied, repository does not exist or may require authorization`;
    assert.ok(message.includes(why), message);
    await kubectl(house, 'delete pod nobody --grace-period=0 --force');
  });

  await t.test('with the Secret that fits', async () => {
    const auths = { 'registry.example.com': { username: 'other', password: 'x' }, [`http://${guard.name}/v2/`]: { auth: btoa('user:secret') } };
    const stringData = { '.dockerconfigjson': JSON.stringify({ auths }) };
    await kubectl(house, 'apply -f -', {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pull' }, type: 'kubernetes.io/dockerconfigjson', stringData }),
    });
    await create('somebody', { imagePullSecrets: [{ name: 'absent' }, { name: 'pull' }] });
    await running('somebody');
    await eventually(async () => /Successfully pulled image/.test(await kubectl(house, 'get events')));
    assert.ok(!guard.asked.some((line) => line.includes('/blobs/')), 'layers that are here do not come again');
  });

  await t.test('Always asks, and takes what is here when nobody answers', async () => {
    const before = guard.asked.length;
    await create('always', { imagePullSecrets: [{ name: 'pull' }] }, 'Always');
    await running('always');
    assert.ok(guard.asked.length > before);
    await guard.close();
    await create('alone', { imagePullSecrets: [{ name: 'pull' }] }, 'Always');
    await running('alone');
  });
});

test('a registry that stops in the middle leaves nothing behind', root, async (t) => {
  const house = await crew(t);
  const server = createServer((_, response) => response.socket.destroy());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const result = await house.image('pull', `127.0.0.1:${server.address().port}/web:v1`);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /failed to do request: Head "http:\/\/127\.0\.0\.1:\d+\/v2\/web\/manifests\/v1": EOF$/m);
  assert.equal(ok(await house.image('ls')).trim().split('\n').length, 1);
});
