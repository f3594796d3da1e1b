// Who may do what, with the real kubectl: roles of every make, bindings, can-i, reconcile, --as, and
// a user with a certificate of their own who is kept to one namespace.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { davy, eventually, kubectl, kubectlRaw, request, run, writeFile } from './kit.js';

const rules = async (house, what, name) => (await kubectl.json(house, ['get', what, name])).rules;

test('roles and bindings with every generator flag', async (t) => {
  const house = await davy(t);

  await t.test('create role', async () => {
    await kubectl(house, 'create role reader --verb=get,list --verb=watch --resource=pods,pods/log --resource=deployments.apps');
    assert.deepEqual(await rules(house, 'role', 'reader'), [
      { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch'] },
    ]);
    await kubectl(house, 'create role one --verb=get --resource=configmaps --resource-name=a --resource-name=b');
    assert.deepEqual(await rules(house, 'role', 'one'), [
      { apiGroups: [''], resourceNames: ['a', 'b'], resources: ['configmaps'], verbs: ['get'] },
    ]);
    assert.match(await kubectl(house, 'get roles'), /^NAME +CREATED AT\none +\d{4}-\S+Z\nreader +\S+Z\n$/);
    assert.match(await kubectl(house, 'describe role reader'), /pods\/log +\[\] +\[\] +\[get list watch\]/);
    assert.match(await kubectl.fails(house, 'create role reader --verb=get --resource=pods'), /roles.rbac.authorization.k8s.io "reader" already exists/);
  });

  await t.test('create clusterrole', async () => {
    await kubectl(house, 'create clusterrole paths --verb=get --non-resource-url=/metrics,/logs/*');
    assert.deepEqual(await rules(house, 'clusterrole', 'paths'), [{ nonResourceURLs: ['/metrics', '/logs/*'], verbs: ['get'] }]);
    await kubectl(house, 'create clusterrole system:odd:name --verb=* --resource=nodes');
    await kubectl(house, 'create clusterrole sum --aggregation-rule=part=yes');
    await kubectl(house, 'create clusterrole part --verb=get --resource=secrets');
    await kubectl(house, 'label clusterrole part part=yes');
    await eventually(async () => (await rules(house, 'clusterrole', 'sum'))?.[0]?.resources[0] === 'secrets');
    await kubectl(house, 'delete clusterrole part');
    await eventually(async () => (await rules(house, 'clusterrole', 'sum')) === undefined);
  });

  await t.test('create rolebinding and clusterrolebinding', async () => {
    await kubectl(house, 'create rolebinding rb --role=reader --user=ann --user=bob --group=ops --serviceaccount=default:sa');
    assert.match(
      await kubectl(house, 'get rolebinding rb -o wide'),
      /^NAME +ROLE +AGE +USERS +GROUPS +SERVICEACCOUNTS\nrb +Role\/reader +\S+ +ann, bob +ops +default\/sa *\n$/,
    );
    await kubectl(house, 'create rolebinding lent --clusterrole=view --user=eve');
    await kubectl(house, 'create clusterrolebinding crb --clusterrole=system:odd:name --group=nodes --serviceaccount=a:b');
    assert.match(await kubectl(house, 'get clusterrolebinding crb'), /^NAME +ROLE +AGE\ncrb +ClusterRole\/system:odd:name +\S+\n$/);
    assert.match(await kubectl(house, 'set subject clusterrolebinding crb --user=zoe'), /updated/);
    assert.match(
      await kubectl.fails(house, ['patch', 'rolebinding', 'rb', '--type=merge', '-p', '{"roleRef":{"name":"one"}}']),
      /roleRef: Invalid value: rbac.RoleRef\{APIGroup:"rbac.authorization.k8s.io", Kind:"Role", Name:"one"\}: cannot change roleRef/,
    );
  });

  await t.test('what Kubernetes ships is there, and made of its parts', async () => {
    const names = (await kubectl(house, 'get clusterroles -o name -l kubernetes.io/bootstrapping=rbac-defaults')).split('\n');
    for (const name of ['cluster-admin', 'admin', 'edit', 'view', 'system:basic-user', 'system:discovery', 'system:public-info-viewer', 'system:monitoring', 'system:node', 'system:controller:job-controller'])
      assert.ok(names.includes(`clusterrole.rbac.authorization.k8s.io/${name}`), name);
    for (const [user, verb, what, answer] of [
      ['view', 'get', 'pods', 'yes'],
      ['view', 'get', 'secrets', 'no'],
      ['view', 'create', 'pods', 'no'],
      ['edit', 'create', 'deployments.apps', 'yes'],
      ['edit', 'get', 'pods', 'yes'],
      ['edit', 'create', 'rolebindings', 'no'],
      ['admin', 'create', 'rolebindings', 'yes'],
      ['admin', 'update', 'resourcequotas', 'no'],
    ]) {
      await kubectlRaw(house, `create rolebinding as-${user} --clusterrole=${user} --user=${user}`);
      await eventually(async () => (await kubectlRaw(house, `auth can-i ${verb} ${what} --as ${user}`)).stdout.trim() === answer);
    }
  });
});

test('can-i, whole lists, and roles that are brought in line', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create role reader --verb=get,list --resource=configmaps');
  await kubectl(house, 'create rolebinding reader --role=reader --user=ann --serviceaccount=default:sa');

  await t.test('auth can-i', async () => {
    const can = async (question) => (await kubectlRaw(house, `auth can-i ${question}`)).stdout.trim();
    assert.equal(await can('* *'), 'yes');
    assert.equal(await can('get configmaps --as ann'), 'yes');
    assert.equal(await can('get configmaps/x --as ann'), 'yes');
    assert.equal(await can('get configmaps -n kube-system --as ann'), 'no');
    assert.equal(await can('get configmaps --all-namespaces --as ann'), 'no');
    assert.equal(await can('get pods --subresource=log --as ann'), 'no');
    assert.equal(await can('delete configmaps --as ann'), 'no');
    assert.equal(await can('get configmaps --as system:serviceaccount:default:sa'), 'yes');
    assert.equal(await can('get configmaps --as system:serviceaccount:kube-system:sa'), 'no');
    assert.equal(await can('get /version --as ann'), 'yes');
    assert.equal(await can('get /metrics --as ann'), 'no');
    assert.match(await kubectl(house, 'auth can-i --list --as ann'), /configmaps +\[\] +\[\] +\[get list\]/);
  });

  await t.test('reviews say why', async () => {
    const review = async (user, verb, groups) =>
      (
        await request(house, 'POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
          body: { spec: { user, groups, resourceAttributes: { verb, resource: 'configmaps', namespace: 'default' } } },
        })
      ).json.status;
    assert.deepEqual(await review('ann', 'get'), {
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to User "ann"',
    });
    assert.deepEqual(await review('ann', 'delete'), { allowed: false });
    assert.deepEqual(await review('x', 'delete', ['system:masters']), { allowed: true });
    const bad = await request(house, 'POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { body: { spec: {} } });
    assert.equal(bad.status, 422);
    assert.match(bad.json.message, /spec.user: Invalid value: "": at least one of user or group must be specified/);
    const local = await request(house, 'POST', '/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews', {
      body: { spec: { user: 'ann', resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'default' } } },
    });
    assert.equal(local.json.status.allowed, true);
    assert.equal((await request(house, 'GET', '/apis/authorization.k8s.io/v1/subjectaccessreviews')).status, 405);
  });

  await t.test('auth reconcile', async () => {
    const file = path.join(house.dir, 'roles.yaml');
    await writeFile(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'reader', namespace: 'default' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
          { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'reader', namespace: 'default' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }] },
          { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'fresh' }, rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
        ],
      }),
    );
    assert.match(await kubectl(house, `auth reconcile -f ${file}`), /role.*reader reconciled/);
    assert.equal((await kubectl.json(house, 'get role reader')).rules.length, 2);
    assert.equal((await kubectl.json(house, 'get rolebinding reader')).subjects.length, 3);
    await kubectl(house, `auth reconcile --remove-extra-permissions --remove-extra-subjects -f ${file}`);
    assert.equal((await kubectl.json(house, 'get role reader')).rules.length, 1);
    assert.equal((await kubectl.json(house, 'get rolebinding reader')).subjects.length, 1);
    await kubectl(house, 'get clusterrole fresh');
  });
});

test('nobody gives away what they do not have', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create namespace team');
  await kubectl(house, 'create rolebinding lead -n team --clusterrole=admin --user=lead');
  await eventually(async () => (await kubectlRaw(house, 'auth can-i create roles -n team --as lead')).stdout.trim() === 'yes');
  const asLead = (command) => kubectlRaw(house, `-n team --as lead ${command}`);
  const refused = async (command, words) => {
    const result = await asLead(command);
    assert.notEqual(result.code, 0, command);
    assert.match(result.stderr, words);
  };

  assert.equal((await asLead('create role ok --verb=get --resource=configmaps')).code, 0);
  await refused(
    'create role more --verb=get,list --resource=nodes',
    /roles.rbac.authorization.k8s.io "more" is forbidden: user "lead" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["nodes"\], Verbs:\["get" "list"\]\}/,
  );
  await refused('create role star --verb=* --resource=configmaps', /not currently held:\n\{APIGroups:\[""\], Resources:\["configmaps"\], Verbs:\["\*"\]\}/);
  await refused('create role sub --verb=update --resource=pods/status', /Resources:\["pods\/status"\]/);
  await refused('create role esc --verb=escalate --resource=roles', /Verbs:\["escalate"\]/);
  await refused('create rolebinding up --clusterrole=cluster-admin --user=lead', /rolebindings.rbac.authorization.k8s.io "up" is forbidden: .*\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}/);
  await refused('create rolebinding none --clusterrole=nothing --user=lead', /clusterroles.rbac.authorization.k8s.io "nothing" not found/);
  await refused('create clusterrole c --verb=get --resource=pods', /cannot create resource "clusterroles" .* at the cluster scope/);
  assert.equal((await asLead('create rolebinding fine --clusterrole=view --user=guest')).code, 0);

  // A role that the leader may change does not let more in by a patch either.
  await refused(`patch role ok --type=merge -p {"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}`, /not currently held/);

  // An apply that makes something needs the verb create, too.
  await kubectl(house, 'create role patcher -n team --verb=get,patch --resource=configmaps');
  await kubectl(house, 'create rolebinding patcher -n team --role=patcher --user=patcher');
  await kubectl(house, 'create cm there -n team');
  const apply = (name) =>
    kubectlRaw(house, '-n team --as patcher apply --server-side --force-conflicts -f -', {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } }),
    });
  assert.equal((await apply('there')).code, 0);
  assert.match((await apply('new')).stderr, /configmaps "new" is forbidden: User "patcher" cannot create resource "configmaps" in API group "" in the namespace "team"/);

  // With the verbs bind and escalate it is allowed.
  await kubectl(house, 'create role binder -n team --verb=bind --resource=clusterroles --resource-name=cluster-admin');
  await kubectl(house, 'create rolebinding binder -n team --role=binder --user=lead');
  assert.equal((await asLead('create rolebinding up --clusterrole=cluster-admin --user=other')).code, 0);
  await kubectl(house, 'create clusterrole escalator --verb=escalate,create --resource=clusterroles');
  await kubectl(house, 'create clusterrolebinding escalator --clusterrole=escalator --user=lead');
  assert.equal((await asLead('create clusterrole c --verb=* --resource=*.*')).code, 0);
});

test('acting as somebody else', async (t) => {
  const house = await davy(t);
  const as = (headers, url = '/api/v1/namespaces/default/configmaps') => request(house, 'GET', url, { headers });
  const who = async (headers) => (await as(headers)).json.message;

  assert.match(await who({ 'Impersonate-User': 'ann' }), /^configmaps is forbidden: User "ann" cannot list resource "configmaps" in API group "" in the namespace "default"$/);
  assert.equal((await as({ 'Impersonate-User': 'ann', 'Impersonate-Group': 'system:masters' })).status, 200);
  assert.equal((await as({ 'Impersonate-Group': 'system:masters' })).status, 500);
  assert.equal((await as({ 'Impersonate-User': 'system:anonymous' }, '/version')).status, 200);
  assert.equal((await as({ 'Impersonate-User': 'system:anonymous' }, '/api')).status, 403);

  // Who has the verb for one name has it for no other, nor for groups, UIDs and extras.
  await kubectl(house, 'create clusterrole actor --verb=impersonate --resource=users --resource-name=ann');
  await kubectl(house, 'create clusterrolebinding actor --clusterrole=actor --user=ops');
  await kubectl(house, 'create rolebinding ann --clusterrole=view --user=ann');
  const { ops } = await certificate(house, 'ops');
  const asOps = (command) => kubectlRaw({ ...house, kubeconfig: ops }, command);
  assert.match((await asOps('get cm')).stderr, /User "ops" cannot list/);
  await eventually(async () => (await asOps('get cm --as ann')).code === 0);
  assert.match((await asOps('get cm --as bob')).stderr, /users "bob" is forbidden: User "ops" cannot impersonate resource "users" in API group "" at the cluster scope/);
  assert.match((await asOps('get cm --as ann --as-group system:masters')).stderr, /groups "system:masters" is forbidden: User "ops" cannot impersonate resource "groups"/);
  assert.match((await asOps('get cm --as ann --as-uid 7')).stderr, /uids.authentication.k8s.io "7" is forbidden: User "ops" cannot impersonate resource "uids" in API group "authentication.k8s.io"/);
  assert.match((await asOps('get cm --as system:serviceaccount:default:x')).stderr, /serviceaccounts "x" is forbidden: User "ops" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"/);
});

// A kubeconfig for a user with a certificate that the house's CA has signed: { name: path }.
async function certificate(house, name) {
  const file = (end) => path.join(house.dir, `${name}.${end}`);
  const openssl = async (...args) => {
    const result = await run('openssl', args);
    assert.equal(result.code, 0, result.stderr);
  };
  await openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${name}`);
  await openssl('x509', '-req', '-in', file('csr'), '-CA', path.join(house.dir, 'pki/ca.crt'), '-CAkey', path.join(house.dir, 'pki/ca.key'), '-CAcreateserial', '-CAserial', file('srl'), '-days', '1', '-out', file('crt'));
  const admin = await readFile(house.kubeconfig, 'utf8');
  const put = async (text, field, end) => text.replace(new RegExp(`(${field}: *"?)[A-Za-z0-9+/=]+`), `$1${(await readFile(file(end))).toString('base64')}`);
  await writeFile(file('kubeconfig'), await put(await put(admin, 'client-certificate-data', 'crt'), 'client-key-data', 'key'));
  return { [name]: file('kubeconfig') };
}

test('a user with a certificate is kept to one namespace', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create namespace shop');
  await kubectl(house, 'create rolebinding dev -n shop --clusterrole=edit --user=dev');
  const { dev } = await certificate(house, 'dev');
  const asDev = (command) => kubectlRaw({ ...house, kubeconfig: dev }, command);
  await eventually(async () => (await asDev('-n shop create configmap mine --from-literal=a=1')).code === 0);
  assert.equal((await asDev('-n shop get cm mine -o jsonpath={.data.a}')).stdout, '1');
  assert.equal((await asDev('get ns shop -o name')).stdout, 'namespace/shop\n');
  assert.match((await asDev('get ns default')).stderr, /namespaces "default" is forbidden: User "dev" cannot get resource "namespaces" in API group "" in the namespace "default"/);
  assert.match((await asDev('get ns')).stderr, /namespaces is forbidden: User "dev" cannot list resource "namespaces" in API group "" at the cluster scope/);
  assert.match((await asDev('get ns --field-selector metadata.name=shop')).stderr, /namespaces "shop" is forbidden: .* at the cluster scope/);
  assert.match((await asDev('get cm -A')).stderr, /cannot list resource "configmaps" in API group "" at the cluster scope/);
  assert.match((await asDev('get deploy -n default')).stderr, /deployments.apps is forbidden: User "dev" cannot list resource "deployments" in API group "apps" in the namespace "default"/);
  assert.match((await asDev('get --raw /metrics')).stderr, /forbidden: User "dev" cannot get path "\/metrics"/);
  assert.match((await asDev('get --raw /version')).stdout, /"major"/);

  // One name only, in a list of that one and in a watch.
  await kubectl(house, 'create role one -n default --verb=get,list,watch --resource=configmaps --resource-name=mine');
  await kubectl(house, 'create rolebinding one -n default --role=one --user=dev');
  await kubectl(house, 'create cm mine');
  assert.equal((await asDev('get cm -n default --field-selector metadata.name=mine -o name')).stdout, 'configmap/mine\n');
  assert.match((await asDev('get cm -n default --field-selector metadata.name=kube-root-ca.crt')).stderr, /configmaps "kube-root-ca.crt" is forbidden/);

  // A binding to a role that is gone says so.
  await kubectl(house, 'delete role one -n default');
  assert.match((await asDev('get cm mine -n default')).stderr, /in the namespace "default": RBAC: role.rbac.authorization.k8s.io "one" not found/);

  // Without any credentials there is little to see.
  assert.equal((await request(house, 'GET', '/readyz', { anonymous: true })).status, 200);
  assert.equal((await request(house, 'GET', '/version', { anonymous: true })).status, 200);
  const api = await request(house, 'GET', '/api', { anonymous: true });
  assert.equal(api.status, 403);
  assert.equal(api.json.message, 'forbidden: User "system:anonymous" cannot get path "/api"');
});

test('a restart gives back what was taken from the default roles, and keeps what was added', async (t) => {
  const house = await davy(t);
  await kubectl(house, ['patch', 'clusterrole', 'system:basic-user', '--type=merge', '-p', '{"rules":[{"apiGroups":["x"],"resources":["y"],"verbs":["z"]}]}']);
  await kubectl(house, ['patch', 'clusterrole', 'system:monitoring', '--type=merge', '-p', '{"metadata":{"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"false"}},"rules":[]}']);
  await kubectl(house, 'delete clusterrolebinding system:discovery');
  await kubectl(house, 'delete clusterrole system:node');
  await house.stop();
  const again = await davy(t, { dir: house.dir });
  await kubectl(again, 'get clusterrole system:node');
  await kubectl(again, 'get clusterrolebinding system:discovery');
  assert.deepEqual((await rules(again, 'clusterrole', 'system:basic-user')).map((rule) => rule.resources[0]), ['y', 'selfsubjectaccessreviews', 'selfsubjectreviews']);
  assert.equal(await rules(again, 'clusterrole', 'system:monitoring'), undefined);

  // Now all is as it should be: another start writes nothing.
  const version = async (house) => JSON.parse(await kubectl(house, 'get --raw /api/v1/nodes')).metadata.resourceVersion;
  const before = await version(again);
  await again.stop();
  assert.equal(await version(await davy(t, { dir: house.dir })), before);
});
