// What a Pod may not be, and with which words: those of Kubernetes 1.32, row by row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { davy, kubectl } from './kit.js';

const pod = (container, spec = {}) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x', ...container }], ...spec } });
const of = (spec) => pod({}, spec);
const variable = (valueFrom) => pod({ env: [{ name: 'A', valueFrom }] });
const volume = (source) => of({ volumes: [{ name: 'v', ...source }] });
const mount = (more) => pod({ volumeMounts: [{ name: 'v', mountPath: '/a', ...more }] }, { volumes: [{ name: 'v', emptyDir: {} }] });
const nodes = (requirement) => of({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [requirement] }] } } } });
const term = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]';
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const named = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const spread = (more) => ({ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule', ...more });
const hook = (lifecycle, spec) => pod({ lifecycle }, spec);
const devices = (list, volumes, more) => pod({ volumeDevices: list, ...more }, { volumes });
const disk = { name: 'd', persistentVolumeClaim: { claimName: 'x' } };
const sysctl = (name, spec) => of({ securityContext: { sysctls: [{ name, value: '1' }] }, ...spec });
const near = (term) => of({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a', ...term }] } } });
const nearby = 'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]';
const port = { containerPort: 1, hostPort: 80 };

const rows = [
  [
    hook({ preStop: { sleep: { seconds: 31 } } }),
    'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be greater than 0 and less than terminationGracePeriodSeconds (30). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.',
  ],
  [hook({ postStart: { sleep: { seconds: 0 } } }, { terminationGracePeriodSeconds: 5 }), /postStart.sleep: Invalid value: 0: must be greater than 0 and less than terminationGracePeriodSeconds \(5\)/],
  [of({ initContainers: [{ name: 'i', image: 'x', lifecycle: { preStop: { sleep: { seconds: 1 } } } }] }), 'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always'],
  [sysctl('net.core.somaxconn', { hostNetwork: true }), 'spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when \'hostNetwork\' is true'],
  [sysctl('kernel/sem', { hostIPC: true }), 'spec.securityContext.sysctls[0].name: Invalid value: "kernel/sem": may not be specified when \'hostIPC\' is true'],
  [devices([{ name: 'e', devicePath: '/d' }], [disk]), 'spec.containers[0].volumeDevices[0].name: Not found: "e"'],
  [devices([{ name: 'e', devicePath: '/d' }], [{ name: 'e', emptyDir: {} }]), 'spec.containers[0].volumeDevices[0].name: Invalid value: "e": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'],
  [devices([{ name: 'd', devicePath: '/../d' }], [disk]), 'spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/../d": can not contain backsteps (\'..\')'],
  [devices([{ name: 'd', devicePath: '/d' }, { name: 'f', devicePath: '/d' }], [disk, { ...disk, name: 'f' }]), 'spec.containers[0].volumeDevices[1].devicePath: Invalid value: "/d": must be unique'],
  [
    devices([{ name: 'd', devicePath: '/d' }], [disk], { volumeMounts: [{ name: 'd', mountPath: '/m' }] }),
    /volumeMounts\[0\].name: Invalid value: "d": must not already exist in volumeDevices[^]*volumeDevices\[0\].name: Invalid value: "d": must not already exist in volumeMounts/,
  ],
  [of({ resourceClaims: [{ name: 'gpu', resourceClaimName: 'x' }] }), 'spec.resourceClaims: Forbidden: resource claims are not supported'],
  [pod({ resources: { claims: [{ name: 'gpu' }] } }), 'spec.containers[0].resources.claims: Forbidden: resource claims are not supported'],
  [near({ matchLabelKeys: ['a'] }), `${nearby}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`],
  [near({ labelSelector: {}, mismatchLabelKeys: ['a b'] }), `${nearby}.mismatchLabelKeys[0]: Invalid value: "a b": ${named}`],
  [near({ labelSelector: {}, matchLabelKeys: ['b', 'a'], mismatchLabelKeys: ['a'] }), `${nearby}.matchLabelKeys[1]: Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys`],
  [of({ topologySpreadConstraints: [spread({ matchLabelKeys: ['a'] })] }), 'spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set'],
  [
    of({ topologySpreadConstraints: [spread({ labelSelector: { matchLabels: { a: 'b' } }, matchLabelKeys: ['a'] })] }),
    'spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector',
  ],
  [of({ containers: [{ name: 'a', image: 'x', ports: [port] }, { name: 'b', image: 'x', ports: [port] }] }), 'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
  [variable({ fieldRef: { fieldPath: 'metadata.foo' } }), 'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.foo": error converting fieldPath: field label not supported: metadata.foo'],
  [variable({ fieldRef: { fieldPath: 'metadata.name[\'x\']' } }), /fieldPath: Invalid value: "metadata.name\['x'\]": error converting fieldPath: field label does not support subscript: metadata.name\['x'\]$/],
  [variable({ fieldRef: { fieldPath: 'metadata.labels' } }), /fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"$/],
  [variable({ fieldRef: {} }), 'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Required value'],
  [variable({ resourceFieldRef: { resource: 'limits.foo' } }), /resourceFieldRef.resource: Unsupported value: "limits.foo": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"$/],
  [variable({ resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } }), /resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource$/],
  [variable({ secretKeyRef: { name: 's', key: 'a/b' } }), /valueFrom.secretKeyRef.key: Invalid value: "a\/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' /],
  [pod({ envFrom: [{ prefix: '=', configMapRef: { name: 'x' } }] }), 'spec.containers[0].envFrom[0].prefix: Invalid value: "=": a valid environment variable name must consist only of printable ASCII characters other than \'=\''],
  [pod({ envFrom: [{ configMapRef: { name: 'X_' } }] }), `spec.containers[0].envFrom[0].configMapRef.name: Invalid value: "X_": ${subdomain}`],
  [pod({ envFrom: [{}] }), 'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
  [mount({ subPath: 'a', subPathExpr: 'b' }), 'spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive'],
  [mount({ subPath: 'a/../b' }), 'spec.containers[0].volumeMounts.subPath: Invalid value: "a/../b": must not contain \'..\''],
  [mount({ mountPropagation: 'Bidirectional' }), 'spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers'],
  [
    pod({ livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: 'x' }] } } }),
    'spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or \'-\' (e.g. \'X-Header-Name\', regex used for validation is \'[-A-Za-z0-9]+\')',
  ],
  [pod({ readinessProbe: { exec: { command: ['a'] }, terminationGracePeriodSeconds: 5 } }), 'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes'],
  [pod({ securityContext: { seccompProfile: { type: 'Localhost' } } }), 'spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost'],
  [of({ securityContext: { seccompProfile: { type: 'RuntimeDefault', localhostProfile: 'x' } } }), /^spec.securityContext.seccompProfile.localhostProfile: Invalid value: .*: can only be set when seccomp type is Localhost$/],
  [pod({ securityContext: { appArmorProfile: { type: 'Localhost' } } }), 'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost'],
  [of({ securityContext: { supplementalGroups: [1, -1] } }), 'spec.securityContext.supplementalGroups[1]: Invalid value: -1: must be between 0 and 2147483647, inclusive'],
  [of({ securityContext: { sysctls: [{ name: 'a b', value: '1' }] } }), 'spec.securityContext.sysctls[0].name: Invalid value: "a b": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'],
  [of({ securityContext: { sysctls: [{ name: 'kernel.shm', value: '1' }, { name: 'kernel.shm', value: '2' }] } }), 'spec.securityContext.sysctls[1].name: Duplicate value: "kernel.shm"'],
  [of({ shareProcessNamespace: true, hostPID: true }), 'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled'],
  [of({ os: { name: 'x' } }), 'spec.os: Unsupported value: "x": supported values: "linux", "windows"'],
  [of({ os: { name: 'windows' }, hostPID: true }), 'spec.hostPID: Forbidden: cannot be set for a windows pod'],
  [pod({ securityContext: { windowsOptions: { runAsUserName: 'x' } } }, { os: { name: 'linux' } }), 'spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod'],
  [of({ dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }), 'spec.dnsConfig.nameservers: Invalid value: []string{"1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"}: must not have more than 3 nameservers'],
  [of({ dnsConfig: { searches: ['a.', 'A b'] } }), `spec.dnsConfig.searches[1]: Invalid value: "A b": ${subdomain}`],
  [of({ hostAliases: [{ ip: '1.1.1.1', hostnames: ['A_'] }] }), `spec.hostAliases[0].hostnames[0]: Invalid value: "A_": ${subdomain}`],
  [nodes({ key: 'a', operator: 'X' }), `${term}.operator: Invalid value: "X": not a valid selector operator`],
  [nodes({ key: 'a', operator: 'In' }), `${term}.values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`],
  [nodes({ key: 'a', operator: 'Exists', values: ['1'] }), `${term}.values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`],
  [nodes({ key: 'a', operator: 'Gt', values: ['1', '2'] }), `${term}.values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`],
  [of({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a b' }] } } }), `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "a b": ${named}`],
  [of({ topologySpreadConstraints: [spread(), spread()] }), 'spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{a, DoNotSchedule}"'],
  [
    of({ topologySpreadConstraints: [spread({ whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 })] }),
    'spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
  ],
  [of({ readinessGates: [{ conditionType: 'a b' }] }), `spec.readinessGates[0].conditionType: Invalid value: "a b": ${named}`],
  [of({ schedulingGates: [{ name: 'a b' }] }), `spec.schedulingGates[0]: Invalid value: "a b": ${named}`],
  [of({ schedulingGates: [{ name: 'a' }], nodeName: 'x' }), 'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
  [volume({ hostPath: { path: '/x', type: 'X' } }), /volumes\[0\].hostPath.type: Unsupported value: "X": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"$/],
  [volume({ hostPath: { path: '/a/../b' } }), 'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\''],
  [volume({ emptyDir: { sizeLimit: '-1' } }), 'spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity'],
  [volume({ secret: { secretName: 'a', items: [{ key: 'a', path: '../x' }] } }), 'spec.volumes[0].secret.items[0].path: Invalid value: "../x": must not contain \'..\''],
  [volume({ configMap: { name: 'a', items: [{ key: 'a', path: '..x' }] } }), 'spec.volumes[0].configMap.items[0].path: Invalid value: "..x": must not start with \'..\''],
  [volume({ downwardAPI: { items: [{ path: 'a' }] } }), 'spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required'],
  [volume({ downwardAPI: { items: [{ path: '/a', fieldRef: { fieldPath: 'metadata.labels' } }] } }), 'spec.volumes[0].downwardAPI.path: Invalid value: "/a": must be a relative path'],
  [
    volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'spec.nodeName' } }] } }),
    'spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
  ],
  [volume({ downwardAPI: { items: [{ path: 'a', resourceFieldRef: { resource: 'limits.cpu' } }] } }), 'spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value'],
  [volume({ projected: { sources: [{ secret: { name: 'a' }, configMap: { name: 'b' } }] } }), 'spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source'],
  [
    volume({ projected: { sources: [{ secret: { name: 'a', items: [{ key: 'a', path: 'x' }] } }, { configMap: { name: 'b', items: [{ key: 'a', path: 'x' }] } }] } }),
    'spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths',
  ],
  [volume({ projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 5 } }] } }), 'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes'],
  [volume({ ephemeral: {} }), 'spec.volumes[0].ephemeral.volumeClaimTemplate: Required value'],
];

const everything = of({
  os: { name: 'linux' },
  dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a.b.'], options: [{ name: 'ndots', value: '2' }] },
  hostAliases: [{ ip: '1.1.1.1', hostnames: ['a.b'] }],
  schedulingGates: [{ name: 'example.com/a' }],
  readinessGates: [{ conditionType: 'example.com/Ready' }],
  topologySpreadConstraints: [spread({ minDomains: 2 }), spread({ whenUnsatisfiable: 'ScheduleAnyway' })],
  securityContext: { supplementalGroups: [7], sysctls: [{ name: 'net/ipv4.ip_forward', value: '1' }], seccompProfile: { type: 'Localhost', localhostProfile: 'a/b' } },
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] } }] } },
  containers: [
    {
      name: 'c',
      image: 'x',
      ports: [{ containerPort: 53, hostPort: 53 }, { containerPort: 53, hostPort: 53, protocol: 'UDP' }],
      env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['example.com/a']" } } }, { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } }],
      envFrom: [{ prefix: 'A_', secretRef: { name: 'x' } }],
      securityContext: { privileged: true, appArmorProfile: { type: 'RuntimeDefault' } },
      volumeMounts: [{ name: 'h', mountPath: '/h', mountPropagation: 'Bidirectional', subPath: 'a..b' }],
    },
  ],
  volumes: [
    { name: 'h', hostPath: { path: '/a..b', type: 'DirectoryOrCreate' } },
    { name: 'd', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }, { path: 'c', resourceFieldRef: { containerName: 'c', resource: 'limits.memory', divisor: '1Mi' } }] } },
    { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }, { secret: { name: 's', items: [{ key: 'k', path: 'a/b' }] } }] } },
    { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
  ],
});

test('what a Pod may not be, in Kubernetes’ words', async (t) => {
  const house = await davy(t);
  for (const [input, words] of rows) {
    const said = (await kubectl.fails(house, 'create --validate=false -f -', { input })).trim().replace(/^The Pod "p" is invalid: /, '');
    if (typeof words === 'string') assert.equal(said, words, input);
    else assert.match(said, words, input);
  }
  await kubectl(house, 'create -f -', { input: everything });
});

test('what may change in a Pod’s spec', async (t) => {
  const house = await davy(t);
  const tolerations = [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }];
  await kubectl(house, 'create -f -', { input: of({ tolerations, activeDeadlineSeconds: 9, schedulingGates: [{ name: 'a' }, { name: 'b' }] }) });
  const patch = (type, body) => ['patch', 'pod', 'p', `--type=${type}`, '-p', JSON.stringify(body)];
  const refused = [
    [[{ op: 'add', path: '/spec/containers/-', value: { name: 'd', image: 'x' } }], 'spec.containers: Forbidden: pod updates may not add or remove containers'],
    [[{ op: 'replace', path: '/spec/containers/0/image', value: ' x' }], 'spec.containers[0].image: Invalid value: " x": must not have leading or trailing whitespace'],
    [[{ op: 'replace', path: '/spec/activeDeadlineSeconds', value: 10 }], 'spec.activeDeadlineSeconds: Invalid value: 10: must be less than or equal to previous value'],
    [[{ op: 'remove', path: '/spec/activeDeadlineSeconds' }], 'spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value'],
    [[{ op: 'replace', path: '/spec/tolerations/0/key', value: 'b' }], 'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    [[{ op: 'replace', path: '/spec/schedulingGates/0/name', value: 'c' }], "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'c'"],
    [[{ op: 'replace', path: '/spec/terminationGracePeriodSeconds', value: 1 }], /^spec: Forbidden: pod updates may not change fields other than `spec.containers/],
  ];
  for (const [body, words] of refused) {
    const said = (await kubectl.fails(house, patch('json', body))).trim().replace(/^The Pod "p" is invalid: /, '');
    if (typeof words === 'string') assert.equal(said, words);
    else assert.match(said, words);
  }
  await kubectl(house, patch('merge', { spec: { activeDeadlineSeconds: 8, schedulingGates: [{ name: 'b' }] } }));
  const longer = { op: 'add', path: '/spec/tolerations/0/tolerationSeconds', value: 5 };
  await kubectl(house, patch('json', [longer, { op: 'add', path: '/spec/tolerations/-', value: { key: 'b', operator: 'Exists' } }]));
  await kubectl(house, ['set', 'image', 'pod/p', 'c=y']);
});
