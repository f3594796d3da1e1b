// What the documentation says is what the program does.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyboxImage } from './images.js';
import { binary, davy, eventually, kubectl, kubectlRaw, nodeArgs, run, temporary } from './kit.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

test('docs/api.md is what a running Davy says of itself', async () => {
  const printed = await run(path.join(root, 'tools/api-doc'), [binary]);
  assert.equal(printed.code, 0, printed.stderr);
  assert.equal(printed.stdout, await readFile(path.join(root, 'docs/api.md'), 'utf8'), 'run tools/api-doc build/davy > docs/api.md');
});

test('the commands of the README work as they stand', async (t) => {
  const house = await davy(t);
  const text = await readFile(path.join(root, 'README.md'), 'utf8');
  const commands = [...text.matchAll(/^    (kubectl .+)$/gm)].map((match) => match[1]);
  assert.ok(commands.length >= 3);
  for (const command of commands) {
    if (command.endsWith('--watch')) continue; // Goes on for ever; watches have stories of their own.
    const result = await kubectlRaw(house, command.slice('kubectl '.length));
    assert.equal(result.code, 0, `${command}: ${result.stderr}`);
  }
});

test('make up starts it, make down ends it, and twice is harmless', async (t) => {
  const data = path.join(await temporary(t), 'data');
  const make = (target) => run('make', ['-C', root, '--no-print-directory', target, `DATA=${data}`, 'PORTS=auto'], { env: { MAKEFLAGS: '' } });
  t.after(() => make('down'));
  const up = await make('up');
  assert.equal(up.code, 0, up.stderr);
  assert.match(up.stdout, /default +Active/);
  assert.equal((await make('up')).code, 0);
  const house = { kubeconfig: path.join(data, 'run/admin.kubeconfig'), dir: data, log: () => '' };
  assert.match(await kubectl(house, 'get ns'), /kube-system/);
  assert.equal((await make('down')).code, 0);
  await eventually(async () => (await run(binary, ['status', '--data', data])).code !== 0);
});

test('the tour names ten files that are there, and every room has its page', async () => {
  const tour = await readFile(path.join(root, 'docs/TOUR.md'), 'utf8');
  const files = [...tour.matchAll(/^\d+\. \[([^\]]+)\]\(\.\.\/([^)]+)\)/gm)];
  assert.equal(files.length, 10);
  for (const [, name, link] of files) {
    assert.equal(name, link);
    assert.ok(existsSync(path.join(root, link)), link);
  }
  for (const room of readdirSync(path.join(root, 'src'))) {
    const page = await readFile(path.join(root, 'src', room, 'README.md'), 'utf8');
    for (const [, file] of page.matchAll(/`([a-z0-9_]+\.[ch])`/g))
      assert.ok(existsSync(path.join(root, 'src', room, file)), `${room}/README.md names ${file}`);
  }
});

// The indented commands of a page, one after the other, in one directory.
async function follow(t, page, { args, begin = () => {} } = {}) {
  const dir = await temporary(t);
  const data = path.join(dir, 'data');
  const text = await readFile(path.join(root, page), 'utf8');
  const commands = [...text.matchAll(/^ {4,6}(davy|kubectl) (.+)$/gm)];
  let house = commands[0][2].startsWith('serve') ? undefined : await davy(t, { dir: data, args });
  await begin(house, dir);
  for (const [, program, command] of commands) {
    if (program === 'kubectl') {
      const result = await kubectlRaw(house, command.replaceAll('docs/', `${root}/docs/`));
      assert.equal(result.code, 0, `kubectl ${command}: ${result.stdout}${result.stderr}`);
      continue;
    }
    const words = command
      .replace('--data DIR', `--data ${data}`)
      .replace('FILE', path.join(dir, 'file'))
      .replace('/path/to/new/davy', binary)
      .split(' ');
    if (words[0] === 'serve') {
      house = await davy(t, { dir: data });
      continue;
    }
    const result = await run(binary, words);
    assert.equal(result.code, 0, `davy ${command}: ${result.stderr}`);
    if (words[0] === 'stop') assert.equal((await house.ended).code, 0);
  }
  await house.end(); // Before its directory goes.
  return commands.length;
}

test('the commands of docs/backup.md work as they stand', async (t) => {
  assert.ok((await follow(t, 'docs/backup.md')) >= 7);
});

test('the commands of docs/running.md work as they stand', async (t) => {
  assert.ok((await follow(t, 'docs/running.md')) >= 2);
});

for (const [page, least] of [['docs/workloads.md', 13], ['docs/access.md', 8], ['docs/storage.md', 8]])
  test(`the commands of ${page} work as they stand`, async (t) => {
    assert.ok((await follow(t, page)) >= least);
  });

test('the commands of docs/pods.md work as they stand', process.getuid() === 0 ? {} : { skip: 'it needs root' }, async (t) => {
  const begin = async (house, dir) => {
    const file = busyboxImage(dir, ['busybox:1']);
    assert.equal((await run(binary, ['image', 'import', file, '--data', house.dir])).code, 0);
  };
  assert.ok((await follow(t, 'docs/pods.md', { args: nodeArgs(), begin })) >= 9);
});
