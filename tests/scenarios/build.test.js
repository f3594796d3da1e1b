// `davy build`: a Dockerfile of several stages, from a base that only this machine has, becomes an image that runs.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { busyboxImage } from './images.js';
import { binary, davy, eventually, kubectl, run, temporary } from './kit.js';

const has = (program) => (process.env.PATH ?? '').split(':').some((dir) => existsSync(path.join(dir, program)));
const needs = process.getuid() !== 0 ? { skip: 'it needs root' } : has('buildah') ? {} : { skip: 'there is no buildah' };

const dockerfile = `# What people write.
ARG VERSION=18-alpine
FROM node:\${VERSION} AS builder
ARG GREETING=none
RUN --mount=type=secret,id=key cp /run/secrets/key /tmp/key
RUN dd if=/dev/zero of=/big bs=1M count=8 && echo "$GREETING" > /greeting

FROM node:18-alpine AS last
COPY --from=builder --chown=1001:1001 /greeting /app/greeting
COPY . /app/
USER 1001
HEALTHCHECK --interval=30s CMD cat /app/greeting
CMD ["sh", "-c", "cat /app/greeting /app/own; exec sleep 1000"]
`;

test('a Dockerfile becomes an image that runs', needs, async (t) => {
  const house = await davy(t, { args: ['--roles=control,node', '--node-name=n1'] });
  const dir = await temporary(t);
  const context = path.join(dir, 'app');
  mkdirSync(context);
  writeFileSync(path.join(context, 'own'), 'of the context\n');
  writeFileSync(path.join(dir, 'key'), 'secret\n');
  writeFileSync(path.join(dir, 'Dockerfile.web'), dockerfile);
  const davyRun = (...words) => run(binary, [...words, '--data', house.dir]);
  const base = await davyRun('image', 'import', busyboxImage(dir, ['docker.io/library/node:18-alpine']));
  assert.equal(base.code, 0, base.stderr);
  const build = (...words) =>
    davyRun('build', context, '--file', path.join(dir, 'Dockerfile.web'), `--secret=id=key,src=${dir}/key`, ...words);

  await t.test('with its arguments and secrets, under its name', async () => {
    const built = await build('--tag', 'web:v1', '--build-arg', 'GREETING=hello');
    assert.equal(built.code, 0, built.stderr);
    assert.match(built.stdout, /^built docker\.io\/library\/web:v1$/m);
    assert.match(built.stdout, /^ {2}builder +[\d.]+ MB\n {2}\(last\) +[\d.]+ MB\nbefore [\d.]+ MB, after [\d.]+ MB: [\d.]+ % less$/m);
    const spec = { hostNetwork: true, terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'web:v1', imagePullPolicy: 'IfNotPresent' }] };
    await kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }) });
    await eventually(async () => (await kubectl(house, 'logs web').catch(() => '')) === 'hello\nof the context\n');
  });

  await t.test('the health check and the user are in it', async () => {
    const file = path.join(dir, 'out.tar');
    const saved = await davyRun('image', 'save', 'web:v1', '-o', file);
    assert.equal(saved.code, 0, saved.stderr);
    const read = async (name) => (await run('tar', ['-xOf', file, name])).stdout;
    const [{ Config: at }] = JSON.parse(await read('manifest.json'));
    const { config } = JSON.parse(await read(at));
    assert.deepEqual(config.Healthcheck.Test, ['CMD-SHELL', 'cat /app/greeting']);
    assert.equal(config.User, '1001');
  });

  await t.test('one stage of it', async () => {
    const built = await build('--tag=web:builder', '--target=builder');
    assert.equal(built.code, 0, built.stderr);
    assert.match((await davyRun('image', 'ls')).stdout, /^docker\.io\/library\/web:builder /m);
  });

  await t.test('what cannot be built is said', async () => {
    writeFileSync(path.join(dir, 'Dockerfile.web'), 'FROM node:18-alpine\nRUN exit 3\n');
    const built = await build('--tag=broken');
    assert.equal(built.code, 1);
    assert.match(built.stderr, /buildah could not build the image\n$/);
    assert.equal((await davyRun('build', '--what')).code, 2);
    assert.match((await build('--tag=Not Good')).stderr, /--tag Not Good: invalid reference format/);
  });
});
