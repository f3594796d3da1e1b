// What the documentation says is what the program does.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { binary, davy, eventually, kubectl, kubectlRaw, run, temporary } from './kit.js';

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
