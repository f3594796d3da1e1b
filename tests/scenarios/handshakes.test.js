// What arrives at the TLS door and is no handshake, or one with a certificate that is none.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { credentials, davy, request, temporary } from './kit.js';

const url = '/api/v1/namespaces/default/configmaps';

// All that comes back for these bytes until the other side closes.
function say(house, bytes) {
  const { hostname, port } = new URL(house.endpoints.kubernetes);
  return new Promise((resolve) => {
    const socket = net.connect({ host: hostname, port, allowHalfOpen: true });
    const heard = [];
    socket.on('data', (part) => heard.push(part));
    socket.on('error', () => {}); // A reset is an end, too.
    socket.on('close', () => resolve(Buffer.concat(heard)));
    socket.on('end', () => socket.end());
    socket.end(bytes);
  });
}

// Asks with this client certificate; what was heard, or why there was nothing.
async function ask(house, cert, key) {
  const { ca } = await credentials(house);
  const { hostname, port } = new URL(house.endpoints.kubernetes);
  return new Promise((resolve) => {
    const socket = tls.connect({ host: hostname, port, ca, cert, key });
    let heard = '';
    socket.on('data', (part) => (heard += part));
    socket.on('error', (error) => resolve(`refused: ${error.message}`));
    socket.on('close', () => resolve(heard || 'refused: closed'));
    socket.write(`GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  });
}

const der = (pem) => Buffer.from(pem.toString().replace(/-----[^-]+-----|\s/g, ''), 'base64');
const pem = (bytes) => `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

test('what is no handshake is ended without an answer of the API', async (t) => {
  const house = await davy(t);
  const hello = Buffer.from('16030100c8010000c40303', 'hex');
  const rows = [
    Buffer.from('GET /api HTTP/1.1\r\nHost: a\r\n\r\n'),
    Buffer.concat([hello, randomBytes(20)]), // The rest never comes.
    Buffer.concat([hello, randomBytes(195)]),
    Buffer.concat([Buffer.from('160301ffff', 'hex'), randomBytes(70000)]),
    Buffer.from('8080010301', 'hex'), // SSL 2.
    Buffer.alloc(4096),
    ...Array.from({ length: 50 }, (_, i) => randomBytes(1 + i * 40)),
  ];
  for (const bytes of rows) {
    const heard = await say(house, bytes);
    assert.doesNotMatch(heard.toString('latin1'), /HTTP\/1/);
    assert.ok(heard.length < 8192, 'an alert at most, or the beginning of a handshake');
  }
  assert.equal((await request(house, 'GET', '/readyz')).status, 200);
});

test('certificates with a broken signature, a changed name or no time left do not get in', async (t) => {
  const house = await davy(t);
  const dir = await temporary(t);
  const { cert, key } = await credentials(house);
  assert.match(await ask(house, cert, key), /^HTTP\/1\.1 200 /);

  const signature = der(cert);
  signature[signature.length - 5] ^= 1;
  assert.match(await ask(house, pem(signature), key), /^refused: /);

  const renamed = der(cert);
  const at = renamed.indexOf('admin');
  assert.ok(at > 0);
  renamed.write('boss!', at);
  assert.match(await ask(house, pem(renamed), key), /^refused: /);

  const file = (name) => path.join(dir, name);
  writeFileSync(file('key'), key);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore' });
  openssl('req', '-new', '-key', file('key'), '-subj', '/O=system:masters/CN=admin', '-out', file('csr'));
  openssl('x509', '-req', '-in', file('csr'), '-CA', path.join(house.dir, 'pki/ca.crt'),
    '-CAkey', path.join(house.dir, 'pki/ca.key'), '-set_serial', '7', '-days', '-1', '-out', file('late'));
  assert.match(await ask(house, readFileSync(file('late')), key), /^refused: /);
  assert.equal((await request(house, 'GET', '/readyz')).status, 200);
});
