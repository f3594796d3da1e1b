// The supervisor and its roles: who dies, who hangs, what a role may do, and what each is told.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { binary, davy, eventually, request, run, temporary } from './kit.js';

const children = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

const status = (pid) =>
  Object.fromEntries(readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').map((line) => line.split(/:\s+/)));

test('a role that dies is started again, later each time, and connections wait for it', async (t) => {
  const house = await davy(t);
  for (let i = 0; i < 3; i++) {
    const [pid] = await eventually(() => children(house.pid).length === 1 && children(house.pid));
    process.kill(pid, 'SIGKILL');
    await eventually(() => !children(house.pid).includes(pid));
    // Not refused: the socket is the supervisor's, and the kernel keeps the connection.
    assert.equal((await request(house, 'GET', '/readyz')).status, 200);
  }
  const waits = [...house.log().matchAll(/a role died and is started again".* in_ms=(\d+)/g)].map((match) => Number(match[1]));
  assert.deepEqual(waits, [100, 200, 400]);
});

test('a role has no capabilities, no new privileges and a filter of system calls', async (t) => {
  const house = await davy(t);
  const [pid] = children(house.pid);
  const is = status(pid);
  assert.equal(Number.parseInt(is.CapEff, 16), 0);
  assert.equal(Number.parseInt(is.CapBnd, 16) === 0 || process.getuid() !== 0, true);
  assert.equal(is.NoNewPrivs, '1');
  assert.equal(is.Seccomp, '2');
});

test('a role that hangs is killed when its time to stop is over', async (t) => {
  const house = await davy(t);
  const [pid] = children(house.pid);
  process.kill(pid, 'SIGSTOP');
  assert.deepEqual(await house.stop(), { code: 0, signal: null });
  assert.ok(!existsSync(`/proc/${pid}`));
});

test('roles end with a supervisor that was killed, and the state can be used at once', async (t) => {
  const dir = await temporary(t);
  const first = await davy(t, { dir });
  const [pid] = children(first.pid);
  await first.stop('SIGKILL');
  await eventually(() => !existsSync(`/proc/${pid}`));
  const second = await davy(t, { dir });
  assert.equal((await request(second, 'GET', '/readyz')).status, 200);
});

test('roles that cannot be had are refused by their names', async (t) => {
  const dir = await temporary(t);
  const rows = [
    [['--roles=control,edge'], /role 'edge' is not in this build; built: control/],
    [['--roles=control,attic'], /there is no role 'attic'/],
    [['--role=edge'], /role 'edge' is not in this build/],
    [['--role=control'], /a role is started by 'davy serve'/],
  ];
  for (const [args, words] of rows) {
    const result = await run(binary, ['serve', '--data', dir, '--ports', 'auto', ...args]);
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, words);
  }
  const house = await davy(t, { args: ['--roles=control'] });
  assert.deepEqual(Object.keys(house.endpoints), ['kubernetes']);
});
