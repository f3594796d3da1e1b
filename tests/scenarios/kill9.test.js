// The control process is killed with SIGKILL again and again while 16 clients write. Every write that
// was answered is there afterwards with what it said, and no half of one that was not.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { test } from 'node:test';
import { credentials, davy, eventually, request } from './kit.js';

const ROUNDS = 6;

function controlPid(house) {
  for (const task of readdirSync(`/proc/${house.pid}/task`))
    for (const pid of readFileSync(`/proc/${house.pid}/task/${task}/children`, 'utf8').trim().split(' '))
      if (pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--role=control')) return Number(pid);
  return undefined;
}

test('kill -9 of the control process loses nothing acknowledged', async (t) => {
  const house = await davy(t);
  const { ca, cert, key } = await credentials(house);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 16, ca, cert, key });
  t.after(() => agent.destroy());
  const url = '/api/v1/namespaces/default/configmaps';
  const acknowledged = new Map(); // name -> value
  let writing = true;
  let unanswered = 0;

  async function writer(number) {
    for (let i = 0; writing; i++) {
      const name = `w${number}-${i}`;
      const value = `${name} `.repeat(1 + ((i * 37) % 200));
      try {
        const answer = await request(house, 'POST', url, { agent, body: { metadata: { name }, data: { value } } });
        if (answer.status === 201) acknowledged.set(name, value);
        else unanswered++;
      } catch {
        unanswered++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
  const writers = Array.from({ length: 16 }, (_, number) => writer(number));

  const seen = new Set();
  for (let round = 0; round < ROUNDS; round++) {
    const before = acknowledged.size;
    await eventually(() => acknowledged.size > before + 200);
    const pid = await eventually(() => {
      const found = controlPid(house);
      return found && !seen.has(found) && found;
    });
    seen.add(pid);
    process.kill(pid, 'SIGKILL');
  }
  const last = acknowledged.size;
  await eventually(() => acknowledged.size > last + 50);
  writing = false;
  await Promise.all(writers);

  const list = (await request(house, 'GET', url)).json.items;
  const there = new Map(list.map((item) => [item.metadata.name, item]));
  for (const [name, value] of acknowledged)
    assert.equal(there.get(name)?.data.value, value, `${name} was acknowledged`);
  const extra = list.filter((item) => /^w\d/.test(item.metadata.name) && !acknowledged.has(item.metadata.name));
  assert.ok(extra.length <= unanswered, 'only unanswered writes may be there besides');
  for (const item of extra) {
    const [, , i] = item.metadata.name.match(/^w(\d+)-(\d+)$/);
    assert.equal(item.data.value, `${item.metadata.name} `.repeat(1 + ((Number(i) * 37) % 200)), 'whole or not at all');
  }
  const versions = new Set(list.map((item) => item.metadata.resourceVersion));
  assert.equal(versions.size, list.length, 'no resourceVersion was given twice');
});
