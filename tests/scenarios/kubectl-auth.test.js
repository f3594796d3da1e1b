// kubectl-auth.test.js - who asks: service accounts and their tokens, token files, bad tokens.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { credentials, davy, eventually, kubectl, kubectlRaw, run, temporary, binary } from './kit.js';

// As somebody who has nothing but a token: kubectl prefers a certificate, so there must be none.
async function withToken(house, token, command) {
  const { ca } = await credentials(house);
  const file = path.join(house.dir, 'ca-only.crt');
  await writeFile(file, ca);
  const server = (await kubectl(house, ['config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}'])).trim();
  const bare = { ...house, kubeconfig: '/dev/null' };
  return kubectlRaw(bare, ['--server', server, '--certificate-authority', file, '--token', token, ...command]);
}

test('a service account asks by its token, and no longer when it is gone', async (t) => {
  const house = await davy(t);
  await eventually(() => kubectl(house, 'get sa default -n default'));
  await kubectl(house, 'create sa robot');
  const token = (await kubectl(house, 'create token robot --duration 20m')).trim();
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  assert.equal(claims.sub, 'system:serviceaccount:default:robot');
  assert.equal(claims.exp - claims.iat, 1200);
  assert.equal(claims['kubernetes.io'].serviceaccount.name, 'robot');
  const who = await withToken(house, token, ['auth', 'whoami', '-o', 'json']);
  assert.equal(who.code, 0, who.stderr);
  const info = JSON.parse(who.stdout).status.userInfo;
  assert.equal(info.username, 'system:serviceaccount:default:robot');
  assert.deepEqual(info.groups.sort(), ['system:authenticated', 'system:serviceaccounts', 'system:serviceaccounts:default']);
  const pods = await withToken(house, token, ['get', 'pods']);
  assert.match(pods.stderr, /User "system:serviceaccount:default:robot" cannot list resource "pods"/);
  await kubectl(house, 'delete sa robot');
  const after = await withToken(house, token, ['get', 'pods']);
  assert.match(after.stderr, /You must be logged in to the server|Unauthorized/);
  assert.match(await kubectl.fails(house, 'create token robot'), /serviceaccounts "robot" not found/);
});

test('the default account comes back, and every namespace has one', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create ns team');
  const first = await eventually(() => kubectl.json(house, 'get sa default -n team'));
  await kubectl(house, 'delete sa default -n team');
  await eventually(async () => (await kubectl.json(house, 'get sa default -n team')).metadata.uid !== first.metadata.uid);
});

test('tokens stay good over a restart, and a token file names its own', async (t) => {
  const dir = await temporary(t);
  const file = path.join(dir, 'tokens.csv');
  await writeFile(file, 'sesame,alice,42,"dev,ops"\n');
  const data = path.join(dir, 'data');
  const house = await davy(t, { dir: data, args: ['--token-auth-file', file] });
  const token = (await eventually(() => kubectl(house, 'create token default'))).trim();
  const alice = await withToken(house, 'sesame', ['auth', 'whoami', '-o', 'json']);
  assert.deepEqual(JSON.parse(alice.stdout).status.userInfo, {
    groups: ['dev', 'ops', 'system:authenticated'],
    uid: '42',
    username: 'alice',
  });
  const nobody = await withToken(house, 'sesam', ['get', 'pods']);
  assert.match(nobody.stderr, /You must be logged in to the server|Unauthorized/);
  await house.stop();
  const again = await davy(t, { dir: data });
  assert.equal((await withToken(again, token, ['auth', 'whoami'])).code, 0);
  assert.notEqual((await withToken(again, 'sesame', ['auth', 'whoami'])).code, 0);
});

test('a Secret for a service account holds its token, and both end together', async (t) => {
  const house = await davy(t);
  const secret = (name, account) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name, annotations: account ? { 'kubernetes.io/service-account.name': account } : {} },
    });
  assert.match(
    await kubectl.fails(house, 'create -f -', { input: secret('early', 'ci') }),
    /secrets "early" is forbidden: there is no service account "ci"/,
  );
  assert.match(
    await kubectl.fails(house, 'create -f -', { input: secret('none') }),
    /metadata.annotations\[kubernetes.io\/service-account.name\]: Required value/,
  );
  await kubectl(house, 'create serviceaccount ci');
  await kubectl(house, 'apply -f -', { input: secret('ci-token', 'ci') });
  const { data, metadata } = await kubectl.json(house, 'get secret ci-token');
  const account = await kubectl.json(house, 'get serviceaccount ci');
  assert.equal(metadata.annotations['kubernetes.io/service-account.uid'], account.metadata.uid);
  assert.equal(Buffer.from(data.namespace, 'base64').toString(), 'default');
  assert.match(Buffer.from(data['ca.crt'], 'base64').toString(), /BEGIN CERTIFICATE/);
  const token = Buffer.from(data.token, 'base64').toString();
  const whoami = () => withToken(house, token, ['auth', 'whoami']);
  assert.match((await whoami()).stdout, /system:serviceaccount:default:ci/);
  assert.match(await kubectl(house, 'apply -f -', { input: secret('ci-token', 'ci') }), /unchanged/);
  assert.equal((await kubectl.json(house, 'get secret ci-token')).data.token, data.token, 'it stays the same');
  await kubectl(house, 'delete secret ci-token');
  assert.notEqual((await whoami()).code, 0);
  await kubectl(house, 'apply -f -', { input: secret('again', 'ci') });
  await kubectl(house, 'delete serviceaccount ci');
  await eventually(async () => (await kubectlRaw(house, 'get secret again')).code !== 0);
});

test('who changed what is written down, and editing it shows', async (t) => {
  const dir = await temporary(t);
  const data = path.join(dir, 'data');
  const house = await davy(t, { dir: data });
  await kubectl(house, 'create secret generic s --from-literal=k=hush');
  await kubectl(house, 'get secret s');
  await kubectlRaw(house, 'get secret s --as nobody');
  await house.stop();
  const file = path.join(data, 'audit/audit.log');
  const text = await readFile(file, 'utf8');
  const events = text.trim().split('\n').map((line) => JSON.parse(line)).filter((event) => event.kind === 'Event');
  const about = events.filter((event) => event.objectRef?.name === 's' || event.objectRef?.resource === 'secrets');
  assert.deepEqual(
    about.map((event) => [event.verb, event.responseStatus.code, event.user.username, event.impersonatedUser?.username]),
    [['create', 201, 'admin', undefined], ['get', 403, 'admin', 'nobody']],
  );
  assert.ok(!text.includes('aHVzaA') && !text.includes('hush'));
  const verify = () => run(binary, ['audit', 'verify', '--data', data]);
  assert.equal((await verify()).code, 0);
  await writeFile(file, text.replace('"admin"', '"eve"'));
  const broken = await verify();
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /the chain breaks at line \d+/);
});

test('a policy says what is written down, and how much', async (t) => {
  const dir = await temporary(t);
  const data = path.join(dir, 'data');
  const policy = path.join(dir, 'policy.yaml');
  await writeFile(
    policy,
    `apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
rules:
- level: None
  nonResourceURLs: ["/*"]
- level: RequestResponse
  omitStages: [RequestReceived]
  resources: [{group: "", resources: [configmaps]}]
  verbs: [create, patch, list]
- level: RequestResponse
  resources: [{group: "", resources: [secrets, serviceaccounts/token]}]
- level: Metadata
  resources: [{group: apps}]
  verbs: [watch]
`,
  );
  const house = await davy(t, { dir: data, args: ['--audit-policy-file', policy] });
  await kubectl(house, 'create configmap c --from-literal=k=seen');
  await kubectl(house, ['patch', 'configmap', 'c', '--type=merge', '-p', '{"data":{"k":"new"}}']);
  await kubectl(house, 'get configmap c');
  await kubectl(house, 'delete configmap c');
  await kubectl(house, 'create secret generic s --from-literal=k=hush');
  await kubectl(house, 'create token default');
  await kubectl(house, 'get deployments --watch-only --request-timeout=1s').catch(() => {});
  await house.stop();
  const text = await readFile(path.join(data, 'audit/audit.log'), 'utf8');
  const events = text.trim().split('\n').map((line) => JSON.parse(line)).filter((event) => event.kind === 'Event' && event.user.username === 'admin');
  const story = events.map((event) => `${event.verb} ${event.objectRef?.resource} ${event.level} ${event.stage}`);
  assert.deepEqual(story, [
    'create configmaps RequestResponse ResponseComplete',
    'patch configmaps RequestResponse ResponseComplete',
    'create secrets Metadata RequestReceived',
    'create secrets Metadata ResponseComplete',
    'create serviceaccounts Metadata RequestReceived',
    'create serviceaccounts Metadata ResponseComplete',
    'watch deployments Metadata RequestReceived',
    'watch deployments Metadata ResponseStarted',
    'watch deployments Metadata ResponseComplete',
  ]);
  const [create, patch, received, complete] = events;
  assert.equal(create.requestObject.data.k, 'seen', 'protobuf or JSON, it is readable');
  assert.equal(create.responseObject.data.k, 'seen');
  assert.equal(create.responseObject.metadata.managedFields, undefined);
  assert.deepEqual(create.sourceIPs, ['127.0.0.1']);
  assert.deepEqual(patch.requestObject, { data: { k: 'new' } });
  assert.equal(received.auditID, complete.auditID);
  assert.ok(!text.includes('aHVzaA') && !text.includes('eyJ'), 'no Secret and no token, whatever the policy says');
  assert.equal((await run(binary, ['audit', 'verify', '--data', data])).code, 0);
  await writeFile(policy, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Everything}]\n');
  const refused = await run(binary, ['serve', '--data', data, '--ports', 'auto', '--roles=control', '--audit-policy-file', policy]);
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /audit policy: rules\[0\].level: 'Everything' is not one of None, Metadata, Request, RequestResponse/);
});

test('a broken token file is an error at the start', async (t) => {
  const dir = await temporary(t);
  const file = path.join(dir, 'tokens.csv');
  await writeFile(file, 'a,b,c\nbroken\n');
  const result = await run(binary, ['serve', '--data', path.join(dir, 'data'), '--ports', 'auto', '--roles=control', '--token-auth-file', file]);
  assert.equal(result.code, 78);
  assert.match(result.stderr, /line 2 of the token file must have at least 3 columns/);
});
