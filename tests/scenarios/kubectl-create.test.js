// Every generator of kubectl create, with run, expose and autoscale: what is made, what it looks like
// in `get`, and that `describe` finds what it wants to show.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { davy, kubectl, kubectlRaw, run, writeFile } from './kit.js';

test('kubectl create', async (t) => {
  const house = await davy(t);
  const k = (command, input) => kubectl(house, command, { input: input && (typeof input === 'string' ? input : JSON.stringify(input)) });
  const raw = (command, input) => kubectlRaw(house, command, { input });
  const get = (what) => kubectl.json(house, `get ${what} --show-managed-fields`);

  // Each: a dry run leaves nothing, then it is there, is printed, described and says who made it.
  async function make(what, name, flags, { table, describes = [/^Name: /], kind = what.split(' ')[0] } = {}) {
    const command = (...more) => ['create', ...what.split(' '), name, ...more, ...flags];
    for (const dry of ['client', 'server']) await k(command(`--dry-run=${dry}`));
    assert.match((await raw(`get ${kind} ${name}`)).stderr, /NotFound/);
    await k(command());
    const object = await get(`${kind} ${name}`);
    const fields = object.metadata.managedFields; // A ServiceAccount has nothing but its name.
    assert.ok(what === 'serviceaccount' || fields.some((f) => f.manager === 'kubectl-create'), JSON.stringify(fields));
    if (table) assert.match(await k(`get ${kind} ${name}`), table);
    const described = await k(`describe ${kind} ${name}`);
    for (const wanted of describes) assert.match(described, wanted);
    return object;
  }

  await t.test('configmap: literals, files, binary', async () => {
    const file = path.join(house.dir, 'file.txt');
    const binary = path.join(house.dir, 'bytes');
    await writeFile(file, 'hello\n');
    await writeFile(binary, Buffer.from([0, 159, 146, 150]));
    const { data, binaryData } = await make('configmap', 'all', ['--from-literal=a=1', `--from-file=${file}`, `--from-file=b=${binary}`], {
      table: /^NAME +DATA +AGE\nall +3 /,
      describes: [/a:\n----\n1\n/, /BinaryData\n====\nb: 4 bytes/],
    });
    assert.deepEqual([data, binaryData], [{ a: '1', 'file.txt': 'hello\n' }, { b: 'AJ+Slg==' }]);
  });

  await t.test('secret: generic, tls, docker-registry', async () => {
    const { type } = await make('secret generic', 'g', ['--from-literal=k=v', '--type=test-type'], { table: /g +test-type +1 /, describes: [/k: +1 bytes/] });
    assert.equal(type, 'test-type');
    const [key, crt] = ['tls.key', 'tls.crt'].map((f) => path.join(house.dir, f));
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x', '-keyout', key, '-out', crt]);
    assert.equal((await make('secret tls', 'tls', [`--key=${key}`, `--cert=${crt}`], { table: /tls +kubernetes.io\/tls +2 / })).type, 'kubernetes.io/tls');
    const docker = await make('secret docker-registry', 'd', ['--docker-username=u', '--docker-password=p', '--docker-email=e@x.y']);
    assert.equal(docker.type, 'kubernetes.io/dockerconfigjson');
    assert.equal(JSON.parse(Buffer.from(docker.data['.dockerconfigjson'], 'base64')).auths['https://index.docker.io/v1/'].auth, 'dTpw');
    const merged = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { k1: 'djE=', k2: '' }, stringData: { k2: 'v2' } };
    await k('create -f -', merged);
    const { data, stringData } = await get('secret s');
    assert.deepEqual([data, stringData], [{ k1: 'djE=', k2: 'djI=' }, undefined]);
  });

  await t.test('deployment, job, cronjob', async () => {
    const { spec } = await make('deployment', 'web', ['--image=nginx:1', '--image=perl', '--replicas=2', '--port=80'], {
      table: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/2 /,
      describes: [/Replicas: +2 desired/, /Pod Template:/, /NewReplicaSet: +web-/],
    });
    assert.deepEqual(spec.template.spec.containers.map((c) => c.name), ['nginx', 'perl']);
    assert.equal(spec.revisionHistoryLimit, 10);
    await make('job', 'once', ['--image=perl', '--', 'perl', '-e', '1'], { describes: [/Parallelism: +1/, /Completions: +1/] });
    const cron = await make('cronjob', 'tick', ['--image=perl', '--schedule=59 23 31 2 *', '--', 'perl'], {
      table: /^NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\ntick +59 23 31 2 \* +<none> +False +0 +<none> /,
      describes: [/Schedule: +59 23 31 2 \*/],
    });
    assert.equal(cron.spec.concurrencyPolicy, 'Allow');
    await k('create job now --from=cronjob/tick');
    const now = await get('job now');
    assert.deepEqual(now.spec.template.spec.containers[0].command, ['perl']);
    assert.equal(now.metadata.ownerReferences[0].name, 'tick');
    assert.match((await raw('create cronjob bad --image=i --schedule=nonsense')).stderr, /spec.schedule: Invalid value: "nonsense"/);
  });

  await t.test('service: clusterip, nodeport, loadbalancer, externalname', async () => {
    const described = [/^Name: /, /Type: +/, /Session Affinity: +None/, /Selector: +app=/];
    await make('service clusterip', 'c', ['--tcp=5678:8080'], { table: /c +ClusterIP +\d+\.\d+\.\d+\.\d+ +<none> +5678\/TCP /, describes: described });
    await make('service clusterip', 'h', ['--clusterip=None'], { table: /h +ClusterIP +None +<none> +<none> / });
    const { spec } = await make('service nodeport', 'n', ['--tcp=80', '--node-port=30080'], { table: /80:30080\/TCP/, describes: described });
    assert.equal(spec.externalTrafficPolicy, 'Cluster');
    await make('service loadbalancer', 'l', ['--tcp=80'], { table: /l +LoadBalancer +\S+ +<pending> +80:3\d+\/TCP/, describes: described });
    await make('service externalname', 'e', ['--external-name=bar.com'], { table: /e +ExternalName +<none> +bar.com +<none> / });
    const taken = await raw('create service nodeport n2 --tcp=80 --node-port=30080');
    assert.match(taken.stderr, /spec.ports\[0\].nodePort: Invalid value: 30080: provided port is already allocated/);
  });

  await t.test('ingress', async () => {
    const { spec } = await make('ingress', 'in', ['--class=nginx', '--rule=foo.com/path*=c:5678,tls=my-cert', '--default-backend=c:80'], {
      table: /^NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\nin +nginx +foo.com +80, 443 /,
      describes: [/Ingress Class: +nginx/, /foo.com/, /my-cert terminates foo.com/],
    });
    assert.equal(spec.rules[0].http.paths[0].pathType, 'Prefix');
  });

  await t.test('namespace, serviceaccount, token', async () => {
    await make('namespace', 'other', [], { table: /other +Active /, describes: [/Status: +Active/, /No resource quota/, /No LimitRange/] });
    await make('serviceaccount', 'sa', [], { describes: [/Tokens: +<none>/] });
    assert.equal((await k('create token sa --audience=a --duration=600s')).split('.').length, 3);
  });

  await t.test('role, rolebinding, clusterrole, clusterrolebinding', async () => {
    await make('role', 'r', ['--verb=get,list', '--resource=pods,deployments.apps'], { describes: [/deployments.apps +\[\] +\[\] +\[get list\]/] });
    await make('rolebinding', 'rb', ['--role=r', '--user=ann', '--serviceaccount=default:sa'], { describes: [/User +ann/, /ServiceAccount +sa +default/] });
    await make('clusterrole', 'cr', ['--verb=get', '--non-resource-url=/logs/*'], { describes: [/\[\/logs\/\*\] +\[\] +\[get\]/] });
    await make('clusterrolebinding', 'crb', ['--clusterrole=cr', '--group=g'], { describes: [/Group +g/] });
    assert.match((await raw('create role bad --verb=get --resource=invalid-resource')).stderr, /the server doesn't have a resource type "invalid-resource"/);
    assert.match((await raw('create role bad --verb=get --resource=deployments.nogroup')).stderr, /the server doesn't have a resource type "deployments" in group "nogroup"/);
    for (const binding of ['rolebinding rb', 'clusterrolebinding crb']) await k(`set subject ${binding} --user=foo --serviceaccount=a:b`);
    assert.deepEqual((await get('clusterrolebinding crb')).subjects.map((s) => s.name), ['g', 'foo', 'b']);
  });

  await t.test('quota, poddisruptionbudget, priorityclass', async () => {
    await k('create ns small');
    await k('create quota q --hard=pods=2,services=1 -n small');
    await k('create quota none -n small');
    assert.match(await k('describe quota q -n small'), /Resource +Used +Hard\n-+ +-+ +-+\npods +0 +2\nservices +0 +1\n/);
    assert.match(await k('describe ns small'), /Resource Quotas\n +Name: +none\n[^]*pods +0 +2/);
    assert.match(await k('get quota q -n small'), /pods: 0\/2, services: 0\/1/);
    assert.equal((await make('pdb', 'min', ['--selector=app=x', '--min-available=50%'], { describes: [/Min available: +50%/] })).spec.minAvailable, '50%');
    assert.equal((await make('pdb', 'max', ['--selector=app=x', '--max-unavailable=2'], { table: /max +N\/A +2 +0 / })).spec.maxUnavailable, 2);
    assert.notEqual((await raw('create pdb both --selector=a=b --min-available=1 --max-unavailable=1')).code, 0);
    await make('priorityclass', 'high', ['--value=1000', '--description=mine'], { table: /^NAME +VALUE +GLOBAL-DEFAULT +AGE.*\nhigh +1000 +false /, describes: [/Value: +1000/] });
  });

  await t.test('run and expose', async () => {
    await k('run p --image=nginx --port=80 --expose');
    const pod = await get('pod p');
    assert.ok(pod.metadata.managedFields.some((m) => m.manager === 'kubectl-run'));
    assert.match(await k('get pod p'), /^NAME +READY +STATUS +RESTARTS +AGE\np +0\/1 +Pending +0 /);
    for (const wanted of [/Name: +p/, /Node: +<none>/, /Status: +Pending/, /QoS Class: +BestEffort/, /Image: +nginx/, /kube-api-access-\w+/, /no nodes available to schedule pods/])
      assert.match(await k('describe pod p'), wanted);
    assert.doesNotMatch(await k('describe pod p --show-events=false'), /Events:/);
    assert.equal((await get('service p')).spec.ports[0].port, 80);
    await k(['expose', 'pod', 'p', '--port=1000', '--target-port=80', '--type=NodePort', '--name=e1', '--overrides={"metadata":{"annotations":{"zone":"work"}}}']);
    const exposed = await get('service e1');
    assert.deepEqual(exposed.metadata.annotations, { zone: 'work' });
    assert.equal(exposed.metadata.managedFields[0].manager, 'kubectl-expose');
    await k('expose deployment web --port=80');
    assert.deepEqual((await get('service web')).spec.selector, { app: 'web' });
    await k('expose service web --port=443 --name=web2');
    await k('create -f -', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
    assert.match((await raw('expose nodes n1')).stderr, /cannot expose/);
    assert.match((await raw(`expose pod p --port=1 --name=${'x'.repeat(64)}`)).stderr, /metadata.name: Invalid value/);
  });

  await t.test('autoscale', async () => {
    await k('autoscale deployment web --min=2 --max=3 --dry-run=server');
    await k('autoscale deployment web --min=2 --max=3 --cpu-percent=70');
    const { spec, metadata } = await get('hpa web');
    assert.deepEqual([spec.minReplicas, spec.maxReplicas, spec.metrics[0].resource.target.averageUtilization], [2, 3, 70]);
    assert.equal(metadata.managedFields[0].manager, 'kubectl-autoscale');
    assert.match(await k('get hpa'), /^NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\nweb +Deployment\/web +cpu: <unknown>\/70% +2 +3 +0 /);
    assert.match(await k('describe hpa web'), /resource cpu on pods[^\n]*<unknown> \/ 70%/);
    await k('delete hpa web');
    await k('autoscale deployment web --min=2 --max=3');
    assert.equal((await get('hpa web')).spec.metrics[0].resource.target.averageUtilization, 80);
    assert.notEqual((await raw('autoscale deployment web')).code, 0);
  });

  await t.test('spec and status are there, be they empty', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const selector = { matchLabels: { a: 'b' } };
    for (const [apiVersion, kind, spec, status] of [
      ['apps/v1', 'Deployment', { selector, template }, {}],
      ['apps/v1', 'DaemonSet', { selector, template }, { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }],
      ['apps/v1', 'StatefulSet', { selector, template, serviceName: 'x' }, { replicas: 0, availableReplicas: 0 }],
      ['policy/v1', 'PodDisruptionBudget', { minAvailable: 1 }, { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }],
      ['v1', 'ResourceQuota', undefined, {}],
      ['networking.k8s.io/v1', 'NetworkPolicy', undefined, undefined],
    ]) {
      const made = JSON.parse(await k('create --dry-run=server -o json -f -', { apiVersion, kind, metadata: { name: 'parts' }, spec }));
      assert.deepEqual(made.status, status, kind);
      assert.ok(made.spec, kind);
    }
  });

  await t.test('--raw, --edit, errors', async () => {
    await k('create --raw /api/v1/namespaces/default/configmaps -f -', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'raw' } });
    const put = await k('replace --raw /api/v1/namespaces/default/configmaps/raw -f -', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'raw' }, data: { a: 'b' } });
    assert.match(put, /uid/);
    await k('delete --raw /api/v1/namespaces/default/configmaps/raw');
    assert.match((await raw('get cm raw')).stderr, /configmaps "raw" not found/);
    const pod = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
    const wrong = await raw('create --raw /api/v1/namespaces -f -', 'apiVersion: v1\nkind: Pod\n');
    assert.match(wrong.stderr, /the object provided is unrecognized \(must be of type Namespace\)/);
    const file = path.join(house.dir, 'pod.json');
    await writeFile(file, pod.replaceAll('"x"', '"mock"'));
    await kubectl(house, `create --edit -f ${file}`, { env: { EDITOR: 'sed -i s/mock/modified/' } });
    assert.equal((await get('pod modified')).kind, 'Pod');
    assert.match((await kubectlRaw(house, `create --edit -f ${file}`, { env: { EDITOR: 'cat' } })).stderr + '', /Edit cancelled/);
    assert.match((await raw('create configmap all')).stderr, /failed to create configmap: configmaps "all" already exists/);
  });

  await t.test('events of two kinds of API, and every kind can be listed', async () => {
    await k('create -f -', { apiVersion: 'v1', kind: 'Event', metadata: { name: 'ev' }, involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'p', namespace: 'default' }, reason: 'Because', message: 'of this', type: 'Warning' });
    assert.match(await k('events --for pod/p'), /LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n.*Warning +Because +Pod\/p +of this/);
    assert.match(await k('get events --field-selector reason=Because'), /pod\/p/);
    assert.match(await k('get events.events.k8s.io ev -o jsonpath={.note}'), /of this/);
    const all = (await k('api-resources --verbs=list -o name')).trim().split('\n');
    assert.ok(all.length > 30);
    const kinds = all.filter((kind) => !kind.endsWith('.metrics.k8s.io')); // A node tells them; there is none.
    await k(['get', kinds.join(','), '-o', 'name']);
    const printed = await k(['describe', ...['nodes', 'events', 'ns', 'sa', 'rs', 'endpoints', 'endpointslices', 'clusterroles'].join(',').split(' ')]);
    assert.match(printed, /cluster-admin/);
  });
});
