// Pods that really run: made, looked at, restarted, ended, and found again after Davy was killed.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { busyboxImage, saveImage, busyboxLayer } from './images.js';
import { binary, davy, eventually, kubectl, kubectlRaw, nodeArgs, run, temporary } from './kit.js';

const root = process.getuid() === 0 ? {} : { skip: 'it needs root' };
const own = { imagePullPolicy: 'IfNotPresent', image: 'busybox:1' };

async function crew(t) {
  const house = await davy(t, { args: nodeArgs() });
  const file = busyboxImage(house.dir, ['busybox:1']);
  const imported = await run(binary, ['image', 'import', file, '--data', house.dir]);
  assert.equal(imported.stdout, 'imported docker.io/library/busybox:1\n', imported.stderr);
  return house;
}

const pod = (name, spec = {}, container = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', ...own, ...container }], ...spec },
});
const apply = (house, ...objects) =>
  kubectl(house, 'apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
const get = (house, name) => kubectl.json(house, `get pod ${name}`);
const phase = (house, name, wanted) =>
  eventually(async () => {
    const { status } = await get(house, name);
    return status.phase === wanted && status;
  });
const waiting = (house, name, reason) =>
  eventually(async () => {
    const { status } = await get(house, name);
    return status.containerStatuses?.[0].state.waiting?.reason === reason && status;
  });
// kubectl exec, split at blanks; `sh` runs a script.
const exec = (house, name, ...command) => kubectlRaw(house, ['exec', name, '--', ...command]);
const sh = async (house, name, script) => (await exec(house, name, 'sh', '-c', script)).stdout;

// { control: PID, node: PID } of those that run now.
function roles(house) {
  const pids = readFileSync(`/proc/${house.pid}/task/${house.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return Object.fromEntries(
    pids.map((pid) => [readFileSync(`/proc/${pid}/cmdline`, 'utf8').match(/--role=(\w+)/)?.[1], Number(pid)]),
  );
}

test('pods', root, async (t) => {
  const house = await crew(t);

  await t.test('one runs, is told who it is, and leaves nothing behind', async () => {
    await apply(house, pod('first', {}, { command: ['sh', '-c', 'echo hello; echo oops >&2; exec sleep 1000'] }));
    const status = await phase(house, 'first', 'Running');
    assert.deepEqual(
      status.conditions.map((c) => `${c.type}=${c.status}`).sort(),
      ['ContainersReady=True', 'Initialized=True', 'PodReadyToStartContainers=True', 'PodScheduled=True', 'Ready=True'],
    );
    assert.equal(status.qosClass, 'BestEffort');
    assert.notEqual(status.hostIP, status.podIP);
    assert.match(await sh(house, 'first', 'cat /etc/hosts'), new RegExp(`\n${status.podIP}\tfirst\n$`));
    assert.match(await sh(house, 'first', 'cat /etc/resolv.conf'), /^search default.svc.cluster.local svc.cluster.local cluster.local/);
    assert.equal(await sh(house, 'first', 'hostname'), 'first\n');
    const [container] = status.containerStatuses;
    assert.equal(container.image, 'docker.io/library/busybox:1');
    assert.match(container.imageID, /^sha256:[0-9a-f]{64}$/);
    assert.match(container.containerID, /^davy:\/\/[0-9a-f]{32}$/);
    assert.equal(container.started, true);
    assert.equal(await kubectl(house, 'logs first'), 'hello\noops\n');
    assert.equal(await sh(house, 'first', 'cat /var/run/secrets/kubernetes.io/serviceaccount/namespace'), 'default');
    assert.equal((await exec(house, 'first', 'sh', '-c', 'exit 7')).code, 7);
    const { metadata } = await get(house, 'first');
    const events = (await kubectl.json(house, 'get events')).items.filter((e) => e.involvedObject.uid === metadata.uid);
    assert.deepEqual(
      events.map((e) => e.reason).filter((reason) => reason !== 'Scheduled'),
      ['Pulled', 'Created', 'Started'],
    );
    await kubectl(house, 'delete pod first');
    for (const dir of ['pods', 'logs', 'runtime'])
      await eventually(() => readdirSync(path.join(house.dir, dir)).filter((name) => !name.startsWith('.')).length === 0);
  });

  await t.test('what is asked of a container it is', async () => {
    await kubectl(house, 'create configmap settings --from-literal=color=red --from-literal=size=9');
    await kubectl(house, 'create secret generic keys --from-literal=password=s3cret');
    const made = pod(
      'asked',
      {
        hostname: 'other',
        securityContext: { runAsUser: 1001, runAsGroup: 1001, fsGroup: 2002, supplementalGroups: [3003] },
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'work', emptyDir: {} },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'me', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
      {
        command: ['sh', '-c', "echo '$(COLOR) $(UNKNOWN) $$(COLOR)'; exec sleep 1000"],
        env: [
          { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
          { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
        ],
        envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }],
        resources: { requests: { cpu: '100m', memory: '16Mi' }, limits: { cpu: '500m', memory: '32Mi' } },
        securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'settings', mountPath: '/settings' },
          { name: 'work', mountPath: '/work' },
          { name: 'memory', mountPath: '/memory' },
          { name: 'me', mountPath: '/me' },
          { name: 'settings', mountPath: '/one/size', subPath: 'size', readOnly: true },
        ],
      },
    );
    await apply(house, made);
    assert.equal((await phase(house, 'asked', 'Running')).qosClass, 'Burstable');
    assert.equal(await kubectl(house, 'logs asked'), 'red $(UNKNOWN) $(COLOR)\n');
    assert.equal(await sh(house, 'asked', 'echo $PASSWORD $POD $LIMIT $S_size'), 's3cret asked 33554432 9\n');
    assert.equal(await sh(house, 'asked', 'id -u; id -g; id -G'), '1001\n1001\n1001 2002 3003\n');
    assert.equal(await sh(house, 'asked', 'grep -c . /proc/1/status >/dev/null; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/1/status'), 'CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n');
    assert.match((await exec(house, 'asked', 'touch', '/x')).stderr, /Read-only file system/);
    assert.equal(await sh(house, 'asked', 'touch /work/x && stat -c %g /work/x && stat -c %a /work'), '2002\n2777\n');
    assert.match((await exec(house, 'asked', 'dd', 'if=/dev/zero', 'of=/memory/x', 'bs=1M', 'count=2')).stderr, /No space left/);
    assert.equal(await sh(house, 'asked', 'cat /settings/color /one/size /me/labels'), 'red9app="asked"');

    // What is mounted follows the object, all of it at once.
    await kubectl(house, ['patch', 'configmap', 'settings', '-p', JSON.stringify({ data: { color: 'blue', size: '10' } })]);
    await eventually(async () => (await sh(house, 'asked', 'cat /settings/color /settings/size')) === 'blue10');
    await kubectl(house, 'label pod asked more=yes');
    await eventually(async () => (await sh(house, 'asked', 'cat /me/labels')).includes('more="yes"'));
    await kubectl(house, 'delete pod asked');
  });

  await t.test('one that fails is started again, later each time', async () => {
    await apply(house, pod('fails', {}, { command: ['sh', '-c', 'echo run; echo because > /dev/termination-log; exit 3'] }));
    const status = await waiting(house, 'fails', 'CrashLoopBackOff');
    const [container] = status.containerStatuses;
    assert.ok(container.restartCount >= 1);
    assert.equal(container.lastState.terminated.exitCode, 3);
    assert.equal(container.lastState.terminated.message, 'because\n');
    assert.match(container.state.waiting.message, /^back-off 10s restarting failed container=c pod=fails_default\(/);
    assert.equal(await kubectl(house, 'logs fails --previous'), 'run\n');
    await kubectl(house, 'delete pod fails');
  });

  await t.test('one that uses too much memory is killed and says so', async () => {
    await apply(
      house,
      pod('greedy', { restartPolicy: 'Never' }, { command: ['sh', '-c', 'yes | tr \\\\n x | head -c 200m | sort >/dev/null'], resources: { limits: { memory: '16Mi' } } }),
    );
    const status = await phase(house, 'greedy', 'Failed');
    assert.equal(status.containerStatuses[0].state.terminated.reason, 'OOMKilled');
    await kubectl(house, 'delete pod greedy');
  });

  await t.test('images that are not there, names that are none', async () => {
    await apply(
      house,
      pod('never', {}, { image: 'nothere:1', imagePullPolicy: 'Never' }),
      pod('wrong', {}, { image: 'Wrong/Name:1' }),
      pod('config', {}, { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'later', key: 'a' } } }] }),
      pod('program', {}, { command: ['/no/such/program'] }),
    );
    const never = await waiting(house, 'never', 'ErrImageNeverPull');
    assert.equal(never.containerStatuses[0].state.waiting.message, 'Container image "nothere:1" is not present with pull policy of Never');
    await waiting(house, 'wrong', 'InvalidImageName');
    const config = await waiting(house, 'config', 'CreateContainerConfigError');
    assert.equal(config.containerStatuses[0].state.waiting.message, 'secret "later" not found');
    await kubectl(house, 'create secret generic later --from-literal=a=1');
    await phase(house, 'config', 'Running');
    await eventually(async () => {
      const [container] = (await get(house, 'program')).status.containerStatuses;
      return [container.state.waiting, container.lastState.terminated].some((s) => /\/no\/such\/program/.test(s?.message ?? ''));
    });
    await kubectl(house, 'delete pod never wrong config program');
  });

  await t.test('init containers come first, sidecars stay, probes decide', async () => {
    await apply(
      house,
      pod(
        'order',
        {
          volumes: [{ name: 'w', emptyDir: {} }],
          initContainers: [
            { name: 'one', ...own, command: ['sh', '-c', 'echo one >> /w/log'], volumeMounts: [{ name: 'w', mountPath: '/w' }] },
            { name: 'side', ...own, restartPolicy: 'Always', command: ['sh', '-c', 'echo side >> /w/log; exec sleep 1000'], volumeMounts: [{ name: 'w', mountPath: '/w' }], startupProbe: { exec: { command: ['test', '-s', '/w/log'] }, periodSeconds: 1 } },
            { name: 'two', ...own, command: ['sh', '-c', 'echo two >> /w/log'], volumeMounts: [{ name: 'w', mountPath: '/w' }] },
          ],
        },
        {
          command: ['sh', '-c', 'echo main >> /w/log; exec sleep 1000'],
          volumeMounts: [{ name: 'w', mountPath: '/w' }],
          readinessProbe: { exec: { command: ['test', '-e', '/w/ready'] }, periodSeconds: 1 },
          livenessProbe: { exec: { command: ['test', '!', '-e', '/w/ill'] }, periodSeconds: 1, failureThreshold: 1 },
        },
      ),
    );
    await phase(house, 'order', 'Running');
    await eventually(async () => (await sh(house, 'order', 'cat /w/log')) === 'one\nside\ntwo\nmain\n');
    const ready = async () => (await get(house, 'order')).status.conditions.find((c) => c.type === 'Ready').status;
    assert.equal(await ready(), 'False');
    await exec(house, 'order', 'touch', '/w/ready');
    await eventually(async () => (await ready()) === 'True');
    await exec(house, 'order', 'touch', '/w/ill');
    await eventually(async () => (await get(house, 'order')).status.containerStatuses[0].restartCount === 1);
    await kubectl(house, 'delete pod order');
  });

  await t.test('containers outlive every role, and are found again, once each', async () => {
    await apply(house, pod('stays', {}, { command: ['sh', '-c', 'echo begun; exec sleep 1000'] }));
    const before = (await phase(house, 'stays', 'Running')).containerStatuses[0].containerID;
    for (const role of ['node', 'control', 'node']) {
      process.kill(roles(house)[role], 'SIGKILL');
      await eventually(async () => (await kubectlRaw(house, 'exec stays -- echo here')).stdout === 'here\n');
    }
    assert.equal((await run(binary, ['upgrade', '--data', house.dir])).code, 0);
    await eventually(async () => (await kubectlRaw(house, 'exec stays -- echo here')).stdout === 'here\n');
    const { status } = await get(house, 'stays');
    assert.equal(status.containerStatuses[0].containerID, before);
    assert.equal(status.containerStatuses[0].restartCount, 0);
    assert.equal(await kubectl(house, 'logs stays'), 'begun\n');

    // What ends while nobody looks is seen afterwards.
    process.kill(roles(house).node, 'SIGKILL');
    await eventually(async () => (await kubectlRaw(house, 'exec stays -- kill 1')).code === 0);
    await kubectl(house, 'delete pod stays');
    for (const dir of ['pods', 'logs'])
      await eventually(() => readdirSync(path.join(house.dir, dir)).length === 0);
  });

  await t.test('a pod without an image of its own process namespace shares one', async () => {
    await apply(
      house,
      pod('shared', {
        shareProcessNamespace: true,
        containers: [
          { name: 'a', ...own, command: ['sleep', '1111'] },
          { name: 'b', ...own, command: ['sleep', '2222'] },
        ],
      }),
    );
    await phase(house, 'shared', 'Running');
    await eventually(async () => {
      const { stdout } = await kubectlRaw(house, ['exec', 'shared', '-c', 'b', '--', 'ps']);
      return stdout.includes('sleep 1111') && stdout.includes('sleep 2222');
    });
    await kubectl(house, 'delete pod shared');
  });
});

test('images: import, list, tag, save, remove, prune', root, async (t) => {
  const house = await crew(t);
  const image = (...args) => run(binary, ['image', ...args, '--data', house.dir]);
  const scratch = await temporary(t);
  const two = saveImage(path.join(scratch, 'two.tar'), ['two:1', 'localhost:5000/two:latest'], [busyboxLayer(), busyboxLayer([['extra', { text: 'x' }]])]);
  assert.equal((await image('import', two)).stdout, 'imported docker.io/library/two:1\nimported localhost:5000/two:latest\n');
  const listed = (await image('ls')).stdout.trim().split('\n').map((line) => line.split(/ +/)[0]);
  assert.deepEqual(listed, ['IMAGE', 'docker.io/library/busybox:1', 'docker.io/library/two:1', 'localhost:5000/two:latest']);
  assert.equal((await image('tag', 'two:1', 'mine/two:2')).code, 0);
  assert.equal((await image('save', 'mine/two:2', '-o', path.join(scratch, 'saved.tar'))).code, 0);
  for (const name of ['two:1', 'mine/two:2', 'localhost:5000/two']) assert.equal((await image('rm', name)).code, 0);
  assert.match((await image('rm', 'two:1')).stderr, /no image has the name docker.io\/library\/two:1/);
  assert.match((await image('prune')).stdout, /^freed \d/);
  assert.equal((await image('import', path.join(scratch, 'saved.tar'))).stdout, 'imported docker.io/mine/two:2\n');

  // What a container stands on stays, whatever its image is called.
  await apply(house, pod('stands', {}, { image: 'mine/two:2' }));
  await phase(house, 'stands', 'Running');
  await image('rm', 'mine/two:2');
  await image('prune');
  assert.equal(await sh(house, 'stands', 'cat /extra'), 'x');
  await kubectl(house, 'delete pod stands');
  assert.match((await image('prune')).stdout, /^freed [1-9]/);
  assert.ok(existsSync(path.join(house.dir, 'images')));
  assert.match((await image('import', '/dev/null')).stderr, /davy: /);
});

test('an image that was pushed here is pulled by a pod, with what a Secret says', root, async (t) => {
  const house = await crew(t);
  const url = await eventually(() => house.endpoints.registry);
  const registry = `localhost:${new URL(url).port}`;
  const image = (...args) => run(binary, ['image', ...args, '--data', house.dir]);
  const name = `${registry}/team/busybox:1`;
  assert.equal((await image('tag', 'busybox:1', name)).code, 0);
  await kubectl(house, ['create', 'secret', 'docker-registry', 'pull', `--docker-server=${registry}`, '--docker-username=u', '--docker-password=p']);
  await apply(house, pod('pulls', { imagePullSecrets: [{ name: 'pull' }] }, { image: name, imagePullPolicy: 'Always' }));
  const status = await phase(house, 'pulls', 'Running');
  assert.equal(status.containerStatuses[0].image, name);
  const events = (await kubectl.json(house, 'get events')).items.filter((e) => e.involvedObject.name === 'pulls').map((e) => e.reason);
  assert.deepEqual(events.filter((reason) => reason !== 'Scheduled'), ['Pulling', 'Pulled', 'Created', 'Started']);

  await apply(house, pod('misses', {}, { image: `${registry}/no/such:1` }));
  const missing = await waiting(house, 'misses', 'ErrImagePull');
  assert.match(missing.containerStatuses[0].state.waiting.message, /^failed to pull and unpack image "localhost:\d+\/no\/such:1": failed to resolve reference .*: not found$/);
  const late = await waiting(house, 'misses', 'ImagePullBackOff');
  assert.match(late.containerStatuses[0].state.waiting.message, /^Back-off pulling image "localhost/);
  await kubectl(house, 'delete pod pulls misses');
});
