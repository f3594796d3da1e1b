// kit.js - what every scenario stands on: a private Davy, the real kubectl, patience with an end.
//
//     const house = await davy(t);            // Free ports, a temporary directory; gone after the test.
//     await kubectl(house, 'get namespaces'); // stdout; throws with stderr when kubectl fails.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = process.env.DAVY ?? path.join(root, 'build/davy');

// Runs a program to its end: { code, stdout, stderr }. `input` goes to its stdin.
export function run(program, args, { input, env, cwd } = {}) {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { env: { ...process.env, ...env }, cwd, maxBuffer: 64 << 20 },
      (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? 1) : 0, stdout, stderr, signal: error?.signal }),
    );
    if (input !== undefined) child.stdin.write(input);
    child.stdin.end();
  });
}

// Starts `davy serve` and resolves when it says that it is ready. Without a node, unless the test asks
// for one: many of these run at once, and what pods need of the machine takes its time.
async function start(dir, args = []) {
  if (!args.some((arg) => arg.startsWith('--roles'))) args = [...args, '--roles=control'];
  const child = spawn(binary, ['serve', '--data', dir, '--ports', 'auto', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  let line = '';
  const ready = await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      line += text;
      if (line.includes('\n')) resolve(JSON.parse(line));
    });
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      reject(new Error(`davy ended before it was ready (${code ?? signal}):\n${log}`)),
    );
  });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  return { child, ready, ended, log: () => log };
}

export const nodeArgs = (name = 'n1') => ['--roles=control,node', `--node-name=${name}`];

// A node has a bridge and addresses of its own here, so that those of several tests live side by side;
// who starts another one with the same directory goes on with them.
const networks = new Map();
const owned = new Set(); // Directories that we made.
const users = new Map(); // How many run with a directory: the last one takes away what a node has left.
function networkArgs(args, dir) {
  if (!args.some((arg) => arg.startsWith('--roles') && arg.includes('node'))) return [];
  if (!networks.has(dir)) {
    const own = (process.pid + 1000 * networks.size) % 16384;
    networks.set(dir, [`--bridge=davyt${own}`, `--pod-cidr=10.${128 + (own >> 8)}.${own % 256}.0/24`]);
  }
  return networks.get(dir);
}

export async function davy(t, { args = [], dir } = {}) {
  const own = dir === undefined;
  dir ??= await mkdtemp(path.join(os.tmpdir(), 'davy-scenario-'));
  const network = networkArgs(args, dir);
  const process_ = await start(dir, [...args, ...network]);
  const house = {
    dir,
    pid: process_.child.pid,
    ready: process_.ready,
    log: process_.log,
    kubeconfig: path.join(dir, 'run/admin.kubeconfig'),
    endpoints: JSON.parse(await readFile(path.join(dir, 'run/endpoints.json'), 'utf8')),
    ended: process_.ended,
    async stop(signal = 'SIGTERM') {
      if (process_.child.exitCode === null && process_.child.signalCode === null)
        process_.child.kill(signal);
      return process_.ended;
    },
  };
  users.set(dir, (users.get(dir) ?? 0) + 1);
  house.end = async () => {
    if (house.over) return;
    house.over = true;
    await house.stop();
    users.set(dir, users.get(dir) - 1);
    if (network.length === 0 || users.get(dir) > 0) return;
    const purged = await run(binary, ['purge', '--data', dir, ...network]);
    assert.equal(purged.code, 0, purged.stderr + house.log());
  };
  if (own) owned.add(dir);
  t.after(async () => {
    await house.end();
    if (users.get(dir) === 0 && owned.has(dir)) await rm(dir, { recursive: true, force: true });
  });
  return house;
}

export async function temporary(t) {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'davy-scenario-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const words = (command) => (Array.isArray(command) ? command : command.split(' ').filter(Boolean));

// A kubectl of its own HOME, so that discovery caches of other runs do not help.
export function kubectlRaw(house, command, options = {}) {
  return run('kubectl', ['--kubeconfig', house.kubeconfig, ...words(command)], {
    ...options,
    env: { HOME: house.dir, KUBECACHEDIR: path.join(house.dir, 'kubecache'), ...options.env },
  });
}

export async function kubectl(house, command, options = {}) {
  const result = await kubectlRaw(house, command, options);
  assert.equal(result.code, 0, `kubectl ${words(command).join(' ')}: ${result.stderr}${house.log()}`);
  return result.stdout;
}

kubectl.json = async (house, command, options) =>
  JSON.parse(await kubectl(house, [...words(command), '-o', 'json'], options));

kubectl.fails = async (house, command, options) => {
  const result = await kubectlRaw(house, command, options);
  assert.notEqual(result.code, 0, `kubectl ${words(command).join(' ')} should have failed: ${result.stdout}`);
  return result.stderr;
};

// A kubectl that goes on until it is told to stop (watches).
export function kubectlStart(t, house, command) {
  const child = spawn('kubectl', ['--kubeconfig', house.kubeconfig, ...words(command)], {
    env: { ...process.env, HOME: house.dir, KUBECACHEDIR: path.join(house.dir, 'kubecache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const it = { child, stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (it.stdout += text));
  child.stderr.on('data', (text) => (it.stderr += text));
  it.ended = new Promise((resolve) => child.on('exit', resolve));
  t.after(async () => {
    child.kill();
    await it.ended;
  });
  return it;
}

// Until `check` gives something true (or stops throwing). The end is far away: it is for a hang,
// not a measure of speed.
export async function eventually(check, { forMs = 60000, everyMs = 25 } = {}) {
  const until = Date.now() + forMs;
  for (;;) {
    let last;
    try {
      const value = await check();
      if (value) return value;
      last = new Error('it never became true: ' + check);
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) throw last;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

// The admin's credentials and address, for requests without kubectl.
export async function credentials(house) {
  const text = await readFile(house.kubeconfig, 'utf8');
  const field = (name) => Buffer.from(text.match(new RegExp(`${name}: *"?([A-Za-z0-9+/=]+)`))[1], 'base64');
  return {
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  };
}

// One HTTPS request as the admin: { status, headers, text, json }.
export async function request(house, method, url, { body, headers = {}, agent, anonymous } = {}) {
  const { cert, key, ca } = await credentials(house);
  const payload = body === undefined || Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const req = https.request(
      house.endpoints.kubernetes + url,
      {
        method,
        agent,
        ca,
        ...(anonymous ? {} : { cert, key }),
        headers: { ...(payload !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }), ...headers },
      },
      (res) => {
        const parts = [];
        res.on('data', (part) => parts.push(part));
        res.on('error', reject);
        res.on('end', () => {
          const text = Buffer.concat(parts).toString();
          resolve({ status: res.statusCode, headers: res.headers, text, get json() { return JSON.parse(text); } });
        });
      },
    );
    req.on('error', reject);
    req.end(payload);
  });
}

export { writeFile };
