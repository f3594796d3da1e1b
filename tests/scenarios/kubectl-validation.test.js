// What is refused, and with which words: those that kubectl showed of a Kubernetes 1.32, row by row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { davy, kubectl } from './kit.js';

const object = (kind, apiVersion, name, rest) => JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest });
const pod = (container, spec = {}) => object('Pod', 'v1', 'p', { spec: { containers: [{ name: 'c', image: 'x', ...container }], ...spec } });
const deployment = (name, spec, pods = {}, labels = { a: 'b' }) =>
  object('Deployment', 'apps/v1', name, {
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }], ...pods } }, ...spec },
  });
const service = (name, spec) => object('Service', 'v1', name, { spec });
const label = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const quota = (spec) => object('ResourceQuota', 'v1', 'q', { spec });
const range = (...limits) => object('LimitRange', 'v1', 'l', { spec: { limits } });
const claim = (spec) =>
  object('PersistentVolumeClaim', 'v1', 'v', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec } });
const volume = (spec) =>
  object('PersistentVolume', 'v1', 'v', { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' }, ...spec } });
const node = (spec) => object('Node', 'v1', 'n', { spec });
const map = (metadata) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', ...metadata } });
const owner = (name, more) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name, ...more });
const invalid = (what, ...faults) => `The ${what} is invalid: ${faults.length > 1 ? '\n' : ''}${faults.map((fault) => (faults.length > 1 ? `* ${fault}` : fault)).join('\n')}`;
const unreadable = (kind, why) => `Error from server (BadRequest): error when creating "STDIN": ${kind} in version "v1" cannot be handled as a ${kind}: ${why}`;

const rows = [
  [deployment('a', {}, {}, { a: 'c' }), invalid('Deployment "a"', 'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"a":"c"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable')],
  [pod({ resources: { limits: { memory: '1 GB' } } }), unreadable('Pod', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")],
  [pod({ resources: { limits: { memory: '1GM' } } }), unreadable('Pod', "unable to parse quantity's suffix")],
  [pod({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }), invalid('Pod "p"', 'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1')],
  [pod({ resources: { requests: { cpu: '-1' } } }), invalid('Pod "p"', 'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0')],
  [
    pod({ resources: { limits: { foo: '1' }, requests: { cpu: '1' } } }),
    /limits\[foo\]: Invalid value: "foo": must be a standard resource type or fully qualified\n\* .*limits\[foo\]: Invalid value: "foo": must be a standard resource for containers/,
  ],
  [pod({ resources: { requests: { 'example.com/gpu': '1' } } }), invalid('Pod "p"', 'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources')],
  [pod({ resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '2' } } }), invalid('Pod "p"', 'spec.containers[0].resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2')],
  [pod({ ports: [{ containerPort: 70000 }] }), invalid('Pod "p"', 'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive')],
  [pod({ livenessProbe: { httpGet: { port: 0 } } }), invalid('Pod "p"', 'spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive')],
  [object('Pod', 'v1', 'p', { spec: { containers: [] } }), invalid('Pod "p"', 'spec.containers: Required value')],
  [pod({ volumeMounts: [{ name: 'v', mountPath: '/x' }] }), invalid('Pod "p"', 'spec.containers[0].volumeMounts[0].name: Not found: "v"')],
  [
    pod({ imagePullPolicy: 'Foo' }, { restartPolicy: 'Bar' }),
    invalid('Pod "p"', 'spec.containers[0].imagePullPolicy: Unsupported value: "Foo": supported values: "Always", "IfNotPresent", "Never"', 'spec.restartPolicy: Unsupported value: "Bar": supported values: "Always", "OnFailure", "Never"'),
  ],
  [pod({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }] }), invalid('Pod "p"', 'spec.containers[0].env[0].valueFrom.secretKeyRef.key: Required value')],
  [service('Svc', {}), invalid('Service "Svc"', `metadata.name: Invalid value: "Svc": ${label}`, 'spec.ports: Required value')],
  [service('s', { ports: [{ port: 1 }, { port: 2 }] }), invalid('Service "s"', 'spec.ports[0].name: Required value', 'spec.ports[1].name: Required value')],
  [
    service('s', { clusterIP: '1.2.3.4', ports: [{ port: 1 }] }),
    invalid('Service "s"', 'spec.clusterIPs: Invalid value: []string{"1.2.3.4"}: failed to allocate IP 1.2.3.4: the provided IP (1.2.3.4) is not in the valid range. The range of valid IPs is 10.96.0.0/16'),
  ],
  [service('s', { type: 'NodePort', ports: [{ port: 1, nodePort: 80 }] }), invalid('Service "s"', 'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767')],
  [
    object('HorizontalPodAutoscaler', 'autoscaling/v2', 'h', { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }, minReplicas: 3, maxReplicas: 2 } }),
    invalid('HorizontalPodAutoscaler "h"', 'spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'),
  ],
  [object('Bar', 'foo/v1', 'h', {}), 'error: resource mapping not found for name: "h" namespace: "" from "STDIN": no matches for kind "Bar" in version "foo/v1"\nensure CRDs are installed first'],
  [deployment('z', { replicas: 'x' }), unreadable('Deployment', 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32')],
  [pod({ name: 5 }), unreadable('Pod', 'json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string')],
  [pod({ command: 'ls' }), unreadable('Pod', 'json: cannot unmarshal string into Go struct field Container.spec.containers.command of type []string')],
  [
    deployment('z', { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } }, progressDeadlineSeconds: 0 }, { restartPolicy: 'Never' }),
    invalid(
      'Deployment "z"',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: may not be 0 when `maxSurge` is 0',
      'spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds',
    ),
  ],
  [object('Secret', 'v1', 's', { data: { k: 'abc!' } }), unreadable('Secret', 'illegal base64 data at input byte 3')],
  [
    object('CronJob', 'batch/v1', 'z', { spec: { schedule: 'bad', jobTemplate: { spec: { template: { spec: { containers: [{ name: 'c', image: 'x' }] } } } } } }),
    invalid('CronJob "z"', 'spec.schedule: Invalid value: "bad": expected exactly 5 fields, found 1: [bad]', 'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'),
  ],
  [object('Event', 'v1', 'e', { involvedObject: { namespace: 'errs' }, firstTimestamp: 'yesterday' }), /parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"/],
  [quota({ hard: { pods: '-1' } }), invalid('ResourceQuota "q"', 'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0')],
  [quota({ hard: { pods: '500m' } }), invalid('ResourceQuota "q"', 'spec.hard[pods]: Invalid value: "500m": must be an integer')],
  [
    quota({ hard: { foo: '1' } }),
    invalid('ResourceQuota "q"', 'spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully qualified', 'spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota'),
  ],
  [quota({ hard: { pods: '1' }, scopes: ['X'] }), invalid('ResourceQuota "q"', 'spec.scopes: Invalid value: []core.ResourceQuotaScope{"X"}: unsupported scope')],
  [
    quota({ hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] }),
    invalid('ResourceQuota "q"', 'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort", "NotBestEffort"}: conflicting scopes'),
  ],
  [quota({ hard: { services: '1' }, scopes: ['BestEffort'] }), invalid('ResourceQuota "q"', 'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort"}: unsupported scope applied to resource')],
  [range({ type: 'Container' }, { type: 'Container' }), invalid('LimitRange "l"', 'spec.limits[1].type: Duplicate value: "Container"')],
  [range({ type: 'Pod', default: { cpu: '2' } }), invalid('LimitRange "l"', "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'")],
  [range({ type: 'Container', maxLimitRequestRatio: { cpu: '500m' } }), invalid('LimitRange "l"', 'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1')],
  [range({ type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }), invalid('LimitRange "l"', 'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1')],
  [claim({ accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] }), invalid('PersistentVolumeClaim "v"', 'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes')],
  [claim({ resources: { requests: { storage: '0' } } }), invalid('PersistentVolumeClaim "v"', 'spec.resources[storage]: Invalid value: "0": must be greater than zero')],
  [claim({ resources: {} }), invalid('PersistentVolumeClaim "v"', 'spec.resources[storage]: Required value')],
  [volume({ capacity: {} }), invalid('PersistentVolume "v"', 'spec.capacity: Required value')],
  [volume({ capacity: { storage: '-1' } }), invalid('PersistentVolume "v"', 'spec.capacity[storage]: Invalid value: "-1": must be greater than or equal to 0')],
  [
    volume({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
    invalid('PersistentVolume "v"', "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"),
  ],
  [volume({ hostPath: undefined, local: { path: '/x' } }), invalid('PersistentVolume "v"', 'metadata.annotations: Required value: Local volume requires node affinity')],
  [node({ podCIDR: 'x' }), invalid('Node "n"', 'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')],
  [
    node({ taints: [{ key: 'a', effect: 'NoSchedule' }, { key: 'a', effect: 'NoSchedule' }] }),
    invalid('Node "n"', 'spec.taints[1]: Duplicate value: "a:NoSchedule": taints must be unique by key and effect pair'),
  ],
  [map({ finalizers: ['abc'] }), invalid('ConfigMap "c"', 'metadata.finalizers[0]: Invalid value: "abc": name is neither a standard finalizer name nor is it fully qualified')],
  [
    map({ ownerReferences: [owner('a', { controller: true }), owner('b', { controller: true })] }),
    invalid('ConfigMap "c"', 'metadata.ownerReferences: Invalid value: "b": Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b'),
  ],
  [map({ ownerReferences: [owner('a', { kind: 'Event' })] }), invalid('ConfigMap "c"', 'metadata.ownerReferences[0]: Invalid value: "a": /v1, Kind=Event is disallowed from being an owner')],
];

test('what is refused, in the words that kubectl’s users know', async (t) => {
  const house = await davy(t);
  await kubectl(house, 'create namespace errs');
  await kubectl(house, '-n errs apply -f -', { input: deployment('a', {}) });
  const apply = (input) => kubectl.fails(house, '-n errs apply --validate=false -f -', { input });
  for (const [input, words] of rows) {
    const said = (await apply(input)).trimEnd();
    if (typeof words === 'string') assert.equal(said.replace(/ +$/gm, ''), words.replace(/ +$/gm, ''), input);
    else assert.match(said, words);
  }
  await kubectl(house, '-n errs apply -f -', { input: pod({}).replace('"p"', '"ok"') });
  assert.match(await apply(pod({ name: 'other' }).replace('"p"', '"ok"')), /The Pod "ok" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,`spec.initContainers\[\*\].image`/);
  await kubectl(house, '-n errs create quota q --hard=pods=1');
  const ok2 = pod({}).replace('"p"', '"ok2"');
  assert.equal((await apply(ok2)).trim(), 'Error from server (Forbidden): error when creating "STDIN": pods "ok2" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=1');

  const commands = [
    ['label pod ok bad%20key=1', /The Pod "ok" is invalid: metadata.labels: Invalid value: "bad key": name part must consist of alphanumeric characters/],
    ['get pods nosuch', /^Error from server \(NotFound\): pods "nosuch" not found$/],
    ['get foos', /^error: the server doesn't have a resource type "foos"$/],
    ['delete deploy nosuch', /^Error from server \(NotFound\): deployments.apps "nosuch" not found$/],
    ['set image deploy/a nope=1', /^error: unable to find container named "nope"$/],
    ['rollout undo deploy/a --to-revision=9', /^error: unable to find specified revision 9 in history$/],
    ['exec ok -- ls', /pod ok does not have a host assigned$/],
  ];
  for (const [command, words] of commands) {
    const said = await kubectl.fails(house, ['-n', 'errs', ...command.split(' ').map((word) => word.replace('%20', ' '))]);
    assert.match(said.trim(), words, command);
  }
});
