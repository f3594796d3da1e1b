// What is refused of kinds other than Pod, and with which words: those of Kubernetes 1.32, row by row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { davy, kubectl } from './kit.js';

const object = (kind, apiVersion, name, rest) => JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest });
const pods = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
const workload = (kind, spec) => object(kind, 'apps/v1', 'w', { spec: { selector: { matchLabels: { a: 'b' } }, template: pods, ...spec } });
const service = (spec, name = 's') => object('Service', 'v1', name, { spec: { ports: [{ port: 80 }], ...spec } });
const never = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } };
const job = (spec, name = 'j') => object('Job', 'batch/v1', name, { spec: { template: never, ...spec } });
const rule = (rest) => job({ podFailurePolicy: { rules: [{ action: 'Ignore', ...rest }] } });
const enough = (...rules) => job({ completionMode: 'Indexed', completions: 5, successPolicy: { rules } });
const parsed = (text, fault) => [enough({ succeededIndexes: text }), `spec.successPolicy.rules[0].succeededIndexes: Invalid value: "${text}": error parsing succeededIndexes: ${fault}`];
const cron = (spec) => object('CronJob', 'batch/v1', 'c', { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: never } }, ...spec } });
const backend = { service: { name: 's', port: { number: 80 } } };
const ingress = (spec) => object('Ingress', 'networking.k8s.io/v1', 'i', { spec });
const path = (text, pathType = 'Prefix') => ingress({ rules: [{ http: { paths: [{ path: text, pathType, backend }] } }] });
const policy = (spec) => object('NetworkPolicy', 'networking.k8s.io/v1', 'n', { spec: { podSelector: {}, ...spec } });
const block = (ipBlock) => policy({ ingress: [{ from: [{ ipBlock }] }] });
const scaler = (spec) =>
  object('HorizontalPodAutoscaler', 'autoscaling/v2', 'h', { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, maxReplicas: 3, ...spec } });
const cpu = (target) => scaler({ metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }] });
const up = (rules) => scaler({ behavior: { scaleUp: rules } });
const budget = (spec) => object('PodDisruptionBudget', 'policy/v1', 'b', { spec: { selector: {}, ...spec } });
const endpoints = (ip) => object('Endpoints', 'v1', 'e', { subsets: [{ addresses: [{ ip }], ports: [{ port: 80 }] }] });
const slice = (address) => object('EndpointSlice', 'discovery.k8s.io/v1', 'e', { addressType: 'IPv4', endpoints: [{ addresses: [address] }] });
const docker = (value) => object('Secret', 'v1', 's', { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': value } });

const share = (text) => `intstr.IntOrString{Type:1, IntVal:0, StrVal:"${text}"}`;
const balancer = "Forbidden: may only be used when `type` is 'LoadBalancer'";
const loopback = 'Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)';

const rows = [
  [
    service({ ports: [{ name: 'a', port: 80 }, { name: 'b', port: 80 }] }),
    'spec.ports[1]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}',
  ],
  [
    service({ type: 'NodePort', ports: [{ name: 'a', port: 80, nodePort: 30001 }, { name: 'b', port: 81, nodePort: 30001 }] }),
    'spec.ports[1].nodePort: Duplicate value: 30001',
  ],
  [service({ externalIPs: ['127.0.0.1'] }), `spec.externalIPs[0]: ${loopback}`],
  [service({ externalIPs: ['0.0.0.0'] }), 'spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)'],
  [service({ externalIPs: ['fe80::1'] }), 'spec.externalIPs[0]: Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [service({ externalTrafficPolicy: 'Local' }), 'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
  [service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }), `spec.LoadBalancerSourceRanges: ${balancer}`],
  [
    service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['x'] }),
    'spec.LoadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [service({ loadBalancerClass: 'a/b' }), `spec.loadBalancerClass: ${balancer}`],
  [service({ allocateLoadBalancerNodePorts: true }), `spec.allocateLoadBalancerNodePorts: ${balancer}`],
  [service({ ipFamilies: ['X'] }), 'spec.ipFamilies[0]: Unsupported value: "X": supported values: "IPv4", "IPv6"'],
  [service({ healthCheckNodePort: 30000 }), "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"],
  [service({ ports: [{ port: 80, appProtocol: 'a b' }] }), /spec\.ports\[0\]\.appProtocol: Invalid value: "a b": name part must consist of alphanumeric characters/],
  [workload('Deployment', { strategy: { rollingUpdate: { maxUnavailable: '150%' } } }), `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: ${share('150%')}: must not be greater than 100%`],
  [workload('StatefulSet', { ordinals: { start: -1 } }), 'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0'],
  [
    workload('DaemonSet', { updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } }),
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:0, IntVal:1, StrVal:""}: may not be set when maxUnavailable is non-zero',
  ],
  [workload('DaemonSet', { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } }), 'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0'],
  [job({ completionMode: 'Indexed', parallelism: 2 }), 'spec.completions: Required value: when completion mode is Indexed'],
  [job({ successPolicy: { rules: [{ succeededCount: 1 }] } }), /^The Job "j" is invalid: spec.successPolicy: Invalid value: .*: requires indexed completion mode$/],
  [enough(), 'spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified'],
  [enough({}), 'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified'],
  [enough({ succeededCount: 6 }), 'spec.successPolicy.rules[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)'],
  [enough({ succeededCount: -1 }), 'spec.successPolicy.rules[0].succeededCount: Invalid value: -1: must be greater than or equal to 0'],
  [enough({ succeededCount: 4, succeededIndexes: '0,2-3' }), 'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of indexes in the specified succeededIndexes field)'],
  parsed('3-5', 'too large index: "5"'),
  parsed('a', 'cannot convert string to integer for index: "a"'),
  parsed('1,', 'cannot convert string to integer for index: ""'),
  parsed('3-2', 'non-increasing order, previous: 3, current: 2'),
  parsed('0-2,2', 'non-increasing order, previous: 2, current: 2'),
  parsed('0-1-2', "the fragment \"0-1-2\" violates the requirement that an index interval can have at most two parts separated by '-'"),
  [job({ backoffLimitPerIndex: 1 }), 'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
  [job({ completionMode: 'Indexed', completions: 2, maxFailedIndexes: 1 }), 'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified'],
  [
    job({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1, maxFailedIndexes: 3 }),
    'spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions',
  ],
  [rule({}), 'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required'],
  [
    rule({ action: 'X', onExitCodes: { operator: 'In', values: [1] } }),
    'spec.podFailurePolicy.rules[0].action: Unsupported value: "X": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
  ],
  [rule({ onExitCodes: { operator: 'In', values: [3, 1] } }), 'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []int32{3, 1}: must be ordered'],
  [rule({ onExitCodes: { operator: 'In', values: [0] } }), 'spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator'],
  [rule({ onExitCodes: { operator: 'In', values: [1, 1] } }), 'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Duplicate value: 1'],
  [
    rule({ onExitCodes: { containerName: 'z', operator: 'In', values: [1] } }),
    'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod template',
  ],
  [cron({ timeZone: '' }), 'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
  [cron({ timeZone: '../x' }), 'spec.timeZone: Invalid value: "../x": unknown time zone ../x'],
  [cron({ timeZone: 'local' }), 'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'],
  [ingress({ defaultBackend: backend, tls: [{ hosts: ['A_'] }] }), /spec\.tls\[0\]\.hosts\[0\]: Invalid value: "A_": a lowercase RFC 1123 subdomain must consist/],
  [ingress({ defaultBackend: backend, tls: [{ hosts: ['a.*.b'] }] }), /spec\.tls\[0\]\.hosts\[0\]: Invalid value: "a\.\*\.b": a wildcard DNS-1123 subdomain must start with '\*\.', /],
  [ingress({ defaultBackend: {} }), 'spec.defaultBackend: Invalid value: "": resource or service backend is required'],
  [ingress({ defaultBackend: { service: { name: 's' } } }), 'spec.defaultBackend: Required value: port name or number is required'],
  [path('/a//b'), 'spec.rules[0].http.paths[0].path: Invalid value: "/a//b": must not contain \'//\''],
  [path('/a/../b'), 'spec.rules[0].http.paths[0].path: Invalid value: "/a/../b": must not contain \'/../\''],
  [path('/a%2fb', 'Exact'), 'spec.rules[0].http.paths[0].path: Invalid value: "/a%2fb": must not contain \'%2f\''],
  [path('/a/..'), 'spec.rules[0].http.paths[0].path: Invalid value: "/a/..": cannot end with \'/..\''],
  [path('a', 'ImplementationSpecific'), 'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path'],
  [
    policy({ policyTypes: ['Ingress', 'Egress', 'Ingress'] }),
    'spec.policyTypes: Invalid value: []networking.PolicyType{"Ingress", "Egress", "Ingress"}: may not specify more than two policyTypes',
  ],
  [policy({ ingress: [{ ports: [{ port: 80, endPort: 10 }] }] }), 'spec.ingress[0].ports[0].endPort: Invalid value: 10: must be greater than or equal to `port`'],
  [policy({ egress: [{ ports: [{ port: 'a', endPort: 10 }] }] }), 'spec.egress[0].ports[0].endPort: Invalid value: 10: may not be specified when `port` is non-numeric'],
  [policy({ egress: [{ ports: [{ endPort: 10 }] }] }), 'spec.egress[0].ports[0].endPort: Invalid value: 10: may not be specified when `port` is not specified'],
  [block({ cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] }), 'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`'],
  [block({ cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] }), 'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`'],
  [scaler({ metrics: [{ type: 'Resource' }] }), 'spec.metrics[0].resource: Required value: must populate information for the given metric source'],
  [cpu({ type: 'Utilization' }), 'spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization'],
  [cpu({ type: 'Utilization', averageUtilization: 0 }), 'spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0'],
  [up({ policies: [{ type: 'Pods', value: 1, periodSeconds: 5000 }] }), 'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 5000: must be less than or equal to 1800'],
  [up({ stabilizationWindowSeconds: 3601 }), 'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600'],
  [budget({ minAvailable: '101%' }), `spec.minAvailable: Invalid value: ${share('101%')}: must not be greater than 100%`],
  [endpoints('127.0.0.1'), `subsets[0].addresses[0].ip: ${loopback}`],
  [slice('127.0.0.1'), `endpoints[0].addresses[0]: ${loopback}`],
  [docker('a'), /^The Secret "s" is invalid: data\[\.dockerconfigjson\]: Invalid value: "<secret contents redacted>": /],
  [docker('[]'), 'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}'],
];

// Taken as it is first, then what may not become of it.
const template = (spec) => ({ spec: { template: { ...never, spec: { ...never.spec, ...spec } } } });
const changes = [
  [object('PriorityClass', 'scheduling.k8s.io/v1', 'x', { value: 1 }), { value: 2 }, 'value: Forbidden: may not be changed in an update.'],
  [object('PriorityClass', 'scheduling.k8s.io/v1', 'y', { value: 1 }), { preemptionPolicy: 'Never' }, 'preemptionPolicy: Invalid value: "Never": field is immutable'],
  [object('StorageClass', 'storage.k8s.io/v1', 'x', { provisioner: 'a/b' }), { parameters: { a: 'b' } }, 'parameters: Forbidden: updates to parameters are forbidden.'],
  [object('StorageClass', 'storage.k8s.io/v1', 'y', { provisioner: 'a/b' }), { provisioner: 'c/d' }, 'provisioner: Forbidden: updates to provisioner are forbidden.'],
  [object('StorageClass', 'storage.k8s.io/v1', 'z', { provisioner: 'a/b' }), { reclaimPolicy: 'Retain' }, 'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.'],
  [
    object('StorageClass', 'storage.k8s.io/v1', 'v', { provisioner: 'a/b' }),
    { volumeBindingMode: 'WaitForFirstConsumer' },
    'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
  ],
  [
    workload('StatefulSet', {}),
    { spec: { revisionHistoryLimit: 3 } },
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ],
  [object('RuntimeClass', 'node.k8s.io/v1', 'x', { handler: 'a' }), { handler: 'b' }, 'handler: Invalid value: "b": field is immutable'],
  [object('IngressClass', 'networking.k8s.io/v1', 'x', { spec: { controller: 'a/b' } }), { spec: { controller: 'a/c' } }, 'spec.controller: Invalid value: "a/c": field is immutable'],
  [object('ConfigMap', 'v1', 'x', { immutable: true, data: { a: 'b' } }), { data: { a: 'c' } }, 'data: Forbidden: field is immutable when `immutable` is set'],
  [object('Secret', 'v1', 'x', { type: 'a/b' }), { type: 'a/c' }, 'type: Invalid value: "a/c": field is immutable'],
  [service({ type: 'LoadBalancer', loadBalancerClass: 'a/b' }, 'lb'), { spec: { loadBalancerClass: 'a/c' } }, 'spec.loadBalancerClass: Invalid value: "a/c": may not change once set'],
  [job({ suspend: true }, 'a'), { spec: { completions: 2 } }, 'spec.completions: Invalid value: 2: field is immutable'],
  [
    job({ suspend: true, completionMode: 'Indexed', completions: 2, parallelism: 2 }, 'b'),
    { spec: { completions: 3 } },
    'spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism',
  ],
  [
    job({ suspend: true, completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1 }, 'c'),
    { spec: { backoffLimitPerIndex: 2 } },
    'spec.backoffLimitPerIndex: Invalid value: 2: field is immutable',
  ],
  [job({ suspend: true }, 'd'), template({ hostNetwork: true }), /spec\.template: Invalid value: .*: field is immutable/],
];

// What Kubernetes takes, and looks much like the above.
const taken = [
  service({ ports: [{ name: 'a', port: 53, protocol: 'TCP' }, { name: 'b', port: 53, protocol: 'UDP', appProtocol: 'kubernetes.io/h2c' }] }, 't1'),
  service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', loadBalancerSourceRanges: [' 10.0.0.0/8 '] }, 't2'),
  service({ externalIPs: ['192.0.2.1'], externalTrafficPolicy: 'Local' }, 't3'),
  workload('Deployment', { strategy: { rollingUpdate: { maxUnavailable: '100%', maxSurge: '150%' } } }),
  workload('DaemonSet', { updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '10%' } } }),
  job({ suspend: true, completionMode: 'Indexed', completions: 3, backoffLimitPerIndex: 1, maxFailedIndexes: 2 }, 't4'),
  job({ suspend: true, podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] } }, 't5'),
  job({ suspend: true, completionMode: 'Indexed', completions: 5, successPolicy: { rules: [{ succeededIndexes: '0,2-4', succeededCount: 4 }] } }, 't6'),
  cron({ timeZone: 'UTC', suspend: true }),
  ingress({ defaultBackend: backend, tls: [{ hosts: ['*.example.com', 'a.example.com'], secretName: 's' }] }),
  policy({ ingress: [{ ports: [{ port: 80, endPort: 80 }], from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] }] }),
  budget({ maxUnavailable: '100%' }),
  cpu({ type: 'AverageValue', averageValue: '100m' }),
  docker('{"auths":{}}'),
];

test('what is refused of kinds other than Pod, in the words that kubectl’s users know', async (t) => {
  const house = await davy(t);
  for (const [input, words] of rows) {
    const said = (await kubectl.fails(house, 'create --validate=false -f -', { input })).trimEnd();
    const { kind, metadata } = JSON.parse(input);
    if (typeof words === 'string') assert.equal(said, `The ${kind} "${metadata.name}" is invalid: ${words}`, input);
    else assert.match(said, words, input);
  }
  for (const input of taken) await kubectl(house, 'create -f -', { input });
});

test('what may not change, and what may', async (t) => {
  const house = await davy(t);
  const patch = (kind, name, change) => ['patch', kind, name, '--type=merge', '-p', JSON.stringify(change)];
  for (const [input, change, words] of changes) {
    const { kind, metadata } = JSON.parse(input);
    await kubectl(house, 'create -f -', { input });
    const said = (await kubectl.fails(house, patch(kind, metadata.name, change))).trimEnd();
    if (typeof words === 'string') assert.equal(said, `The ${kind} "${metadata.name}" is invalid: ${words}`, input);
    else assert.match(said, words, input);
  }
  // A Job that waits may still be told where to run, and an Indexed one may grow with its pods.
  await kubectl(house, patch('Job', 'd', template({ nodeSelector: { a: 'b' }, tolerations: [{ key: 'a', operator: 'Exists' }] })));
  await kubectl(house, patch('Job', 'b', { spec: { completions: 3, parallelism: 3 } }));
  // A claim may ask for more once it is bound, and take that back as long as it has not got it.
  const size = (storage) => patch('PersistentVolumeClaim', 'grows', { spec: { resources: { requests: { storage } } } });
  await kubectl(house, 'create -f -', { input: object('PersistentVolumeClaim', 'v1', 'grows', { spec: { storageClassName: 'none', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }) });
  assert.match(await kubectl.fails(house, size('2Gi')), /spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims/);
  await kubectl(house, ['patch', 'pvc', 'grows', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"Bound","capacity":{"storage":"1Gi"}}}']);
  await kubectl(house, size('3Gi'));
  await kubectl(house, size('2Gi'));
  assert.equal((await kubectl.fails(house, size('1Gi'))).trimEnd(), 'The PersistentVolumeClaim "grows" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity');
  // A Service that becomes a plain one loses what only the others have.
  await kubectl(house, patch('Service', 'lb', { spec: { type: 'ClusterIP' } }));
  const { spec } = JSON.parse(await kubectl(house, 'get service lb -o json'));
  for (const gone of ['externalTrafficPolicy', 'allocateLoadBalancerNodePorts', 'loadBalancerClass']) assert.equal(spec[gone], undefined, gone);
});
