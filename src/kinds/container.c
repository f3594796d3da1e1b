/* container.c - a container's ports, environment, mounts, probes and resources. */
#include "kinds/container.h"

#include "kinds/security.h"
#include "kinds/volume.h"

#include <string.h>

/* --- defaults --- */

/* No tag, or "latest", may be another image tomorrow. */
static const char *pull_policy_of(str_t image)
{
    const char *slash = image.len == 0 ? NULL : memrchr(image.at, '/', image.len);
    str_t name =
        slash == NULL ? image : (str_t){slash + 1, (size_t)(image.at + image.len - slash - 1)};
    str_t plain, digest, tag, rest;
    if (str_cut(name, '@', &plain, &digest) && digest.len > 0)
        return "IfNotPresent";
    bool tagged = str_cut(plain, ':', &rest, &tag);
    return !tagged || str_eq(tag, STR("latest")) ? "Always" : "IfNotPresent";
}

void container_default_requests(struct json *container, struct arena *arena)
{
    struct json *resources = json_get(container, STR("resources"));
    const struct json *limits = json_get(resources, STR("limits"));
    if (limits == NULL || limits->type != JSON_OBJECT || limits->first == NULL)
        return;
    struct json *requests = rule_member(resources, STR("requests"), arena);
    JSON_EACH(limits, limit)
    if (json_get(requests, limit->key) == NULL)
        json_add(requests, limit->key, json_clone(limit, arena));
}

void container_defaults(struct json *container, struct arena *arena)
{
    rule_default_text(container, "imagePullPolicy",
                      pull_policy_of(json_get_text(container, STR("image"))), arena);
}

/* --- rules --- */

static void check_ports(const struct json *container, bool host, const struct place *at,
                        struct field_errors *errors)
{
    long i = 0;
    const struct json *ports = json_get(container, STR("ports"));
    JSON_EACH(ports, port)
    {
        const struct place *here = ITEM(at, "ports", i++);
        const struct json *number = json_get(port, STR("containerPort"));
        const struct json *outside = json_get(port, STR("hostPort"));
        str_t name = json_get_text(port, STR("name"));
        if (name.len > 0)
            rule_port_or_name(json_get(port, STR("name")), IN(here, "name"), errors);
        if (number == NULL)
            rule_error(errors, FIELD_REQUIRED, IN(here, "containerPort"), "Required value");
        if (host && outside != NULL && !json_eq(outside, number))
            rule_error(errors, FIELD_INVALID, IN(here, "containerPort"),
                       "Invalid value: " STR_F ": must match `hostPort` when `hostNetwork` is true",
                       STR_A(number != NULL ? number->text : STR("0")));
    }
    rule_unique(ports, "name", at, "ports", errors);
}

static void check_mounts(const struct json *container, const struct map *volumes,
                         const struct place *at, struct field_errors *errors)
{
    long i = 0;
    const struct json *mounts = json_get(container, STR("volumeMounts"));
    bool privileged = json_is_true(json_at(container, "securityContext.privileged"));
    JSON_EACH(mounts, mount)
    {
        const struct place *here = ITEM(at, "volumeMounts", i++);
        str_t name = json_get_text(mount, STR("name"));
        str_t sub = json_get_text(mount, STR("subPath"));
        if (name.len > 0 && map_find(volumes, name) == NULL)
            rule_error(errors, FIELD_NOT_FOUND, IN(here, "name"), "Not found: \"" STR_F "\"",
                       STR_A(name));
        str_t expression = json_get_text(mount, STR("subPathExpr"));
        /* Here Kubernetes names the list and not the mount. */
        rule_path_below(sub, IN(IN(at, "volumeMounts"), "subPath"), errors);
        if (sub.len > 0 && expression.len > 0)
            rule_error(errors, FIELD_INVALID, IN(here, "subPathExpr"),
                       "Invalid value: \"" STR_F
                       "\": subPathExpr and subPath are mutually exclusive",
                       STR_A(expression));
        rule_path_below(expression, IN(IN(at, "volumeMounts"), "subPathExpr"), errors);
        if (!privileged &&
            str_eq(json_get_text(mount, STR("mountPropagation")), STR("Bidirectional")))
            rule_error(errors, FIELD_FORBIDDEN, IN(IN(at, "volumeMounts"), "mountPropagation"),
                       "Forbidden: Bidirectional mount propagation is available only to "
                       "privileged containers");
    }
    AUTO(map_done) struct map seen = {0};
    i = 0;
    JSON_EACH(mounts, mount)
    {
        str_t path = json_get_text(mount, STR("mountPath"));
        long item = i++;
        if (map_find(&seen, path) != NULL)
            rule_error(errors, FIELD_INVALID, IN(ITEM(at, "volumeMounts", item), "mountPath"),
                       "Invalid value: \"" STR_F "\": must be unique", STR_A(path));
        else
            map_add(&seen, path, arena_new(errors->arena, struct map_node));
    }
}

static void add_name(struct map *names, str_t name, struct arena *arena)
{
    if (name.len > 0 && map_find(names, name) == NULL)
        map_add(names, name, arena_new(arena, struct map_node));
}

/* What a container has of its volumes as files, or as devices. */
struct used {
    struct map names, paths;
};

static void used_add(struct used *used, const struct json *list, str_t path, struct arena *arena)
{
    JSON_EACH(list, item)
    {
        add_name(&used->names, json_get_text(item, STR("name")), arena);
        add_name(&used->paths, json_get_text(item, path), arena);
    }
}

/* The same volume, or the same path, as both. */
static void check_apart(const struct json *item, const char *path_name, const struct used *others,
                        const char *list, const struct place *at, struct field_errors *errors)
{
    str_t name = json_get_text(item, STR("name"));
    str_t path = json_get_text(item, str_from_z(path_name));
    if (map_find(&others->names, name) != NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "name"),
                   "Invalid value: \"" STR_F "\": must not already exist in %s", STR_A(name), list);
    if (map_find(&others->paths, path) != NULL)
        rule_error(errors, FIELD_INVALID, IN(at, path_name),
                   "Invalid value: \"" STR_F "\": must not already exist as a path in %s",
                   STR_A(path), list);
}

static void check_device(const struct json *device, const struct container_rules *rules,
                         struct used *seen, const struct place *at, struct field_errors *errors)
{
    str_t name = json_get_text(device, STR("name"));
    str_t path = json_get_text(device, STR("devicePath"));
    if (map_find(&seen->names, name) != NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "name"),
                   "Invalid value: \"" STR_F "\": must be unique", STR_A(name));
    if (name.len > 0 && map_find(rules->volumes, name) == NULL)
        rule_error(errors, FIELD_NOT_FOUND, IN(at, "name"), "Not found: \"" STR_F "\"",
                   STR_A(name));
    else if (name.len > 0 && map_find(rules->claimed, name) == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "name"),
                   "Invalid value: \"" STR_F "\": can only use volume source type of "
                   "PersistentVolumeClaim or Ephemeral for block mode",
                   STR_A(name));
    if (map_find(&seen->paths, path) != NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "devicePath"),
                   "Invalid value: \"" STR_F "\": must be unique", STR_A(path));
    if (has_backstep(path))
        rule_error(errors, FIELD_INVALID, IN(at, "devicePath"),
                   "Invalid value: \"" STR_F "\": can not contain backsteps ('..')", STR_A(path));
    add_name(&seen->names, name, errors->arena);
    add_name(&seen->paths, path, errors->arena);
}

static void check_devices(const struct json *container, const struct container_rules *rules,
                          const struct place *at, struct field_errors *errors)
{
    const struct json *devices = json_get(container, STR("volumeDevices"));
    const struct json *mounts = json_get(container, STR("volumeMounts"));
    struct used of_mounts = {0}, of_devices = {0}, seen = {0};
    struct used *const all[] = {&of_mounts, &of_devices, &seen};
    long i = 0;
    if (devices == NULL)
        return;
    used_add(&of_mounts, mounts, STR("mountPath"), errors->arena);
    used_add(&of_devices, devices, STR("devicePath"), errors->arena);
    JSON_EACH(mounts, mount)
    check_apart(mount, "mountPath", &of_devices, "volumeDevices", ITEM(at, "volumeMounts", i++),
                errors);
    i = 0;
    JSON_EACH(devices, device)
    {
        const struct place *here = ITEM(at, "volumeDevices", i++);
        check_device(device, rules, &seen, here, errors);
        check_apart(device, "devicePath", &of_mounts, "volumeMounts", here, errors);
    }
    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        map_done(&all[k]->names);
        map_done(&all[k]->paths);
    }
}

static void check_headers(const struct json *headers, const struct place *at,
                          struct field_errors *errors)
{
    JSON_EACH(headers, header)
    {
        str_t name = json_get_text(header, STR("name"));
        bool fits = true;
        for (size_t i = 0; i < name.len; i++) {
            char c = name.at[i], lower = (char)(c | 0x20);
            fits = fits && ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-');
        }
        if (!fits)
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F
                       "\": a valid HTTP header must consist of alphanumeric characters or '-' "
                       "(e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
                       STR_A(name));
    }
}

static void check_handler(const struct json *handler, const struct place *at,
                          struct field_errors *errors)
{
    static const char *const ways[] = {"exec", "httpGet", "tcpSocket", "grpc", "sleep"};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const struct json *way = json_get(handler, str_from_z(ways[i]));
        if (way == NULL)
            continue;
        if (n++ > 0)
            rule_error(errors, FIELD_FORBIDDEN, IN(at, ways[i]),
                       "Forbidden: may not specify more than 1 handler type");
        const struct json *port = json_get(way, STR("port"));
        if (i == 1 || i == 2)
            rule_port_or_name(port, IN(IN(at, ways[i]), "port"), errors);
        if (i == 1)
            check_headers(json_get(way, STR("httpHeaders")), IN(IN(at, "httpGet"), "httpHeaders"),
                          errors);
        if (i == 0 && json_count(json_get(way, STR("command"))) == 0)
            rule_error(errors, FIELD_REQUIRED, IN(IN(at, "exec"), "command"), "Required value");
    }
    if (n == 0)
        rule_error(errors, FIELD_REQUIRED, at, "Required value: must specify a handler type");
}

static void check_hook(const struct json *container, const char *name, int64_t grace_s,
                       const struct place *at, struct field_errors *errors)
{
    const struct json *hook = json_get(json_get(container, STR("lifecycle")), str_from_z(name));
    const struct json *sleep = json_get(hook, STR("sleep"));
    const struct place *here = IN(IN(at, "lifecycle"), name);
    int64_t seconds = 0;
    if (hook == NULL)
        return;
    check_handler(hook, here, errors);
    (void)json_to_i64(json_get(sleep, STR("seconds")), &seconds);
    if (sleep != NULL && (seconds <= 0 || seconds > grace_s))
        rule_error(errors, FIELD_INVALID, IN(here, "sleep"),
                   "Invalid value: %lld: must be greater than 0 and less than "
                   "terminationGracePeriodSeconds (%lld). Enable "
                   "AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.",
                   (long long)seconds, (long long)grace_s);
}

static void check_probes(const struct json *container, bool may, const struct place *at,
                         struct field_errors *errors)
{
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        const struct json *probe = json_get(container, str_from_z(probes[i]));
        int64_t successes = 1;
        if (probe == NULL)
            continue;
        if (!may) {
            rule_error(errors, FIELD_FORBIDDEN, IN(at, probes[i]),
                       "Forbidden: may not be set for init containers without "
                       "restartPolicy=Always");
            continue;
        }
        check_handler(probe, IN(at, probes[i]), errors);
        (void)json_to_i64(json_get(probe, STR("successThreshold")), &successes);
        const struct json *grace = json_get(probe, STR("terminationGracePeriodSeconds"));
        if (i == 1 && grace != NULL)
            rule_error(errors, FIELD_INVALID,
                       IN(IN(at, probes[i]), "terminationGracePeriodSeconds"),
                       "Invalid value: " STR_F ": must not be set for readinessProbes",
                       STR_A(grace->text));
        if (i != 1 && successes != 1)
            rule_error(errors, FIELD_INVALID, IN(IN(at, probes[i]), "successThreshold"),
                       "Invalid value: %lld: must be 1", (long long)successes);
    }
}

static void check_security(const struct json *container, const struct place *at,
                           struct field_errors *errors)
{
    const struct json *context = json_get(container, STR("securityContext"));
    const struct json *escalation = json_get(context, STR("allowPrivilegeEscalation"));
    if (json_is_true(json_get(context, STR("privileged"))) && escalation != NULL &&
        !json_is_true(escalation))
        rule_error(errors, FIELD_INVALID, IN(at, "securityContext"),
                   "Invalid value: \"\": cannot set `allowPrivilegeEscalation` to false and "
                   "`privileged` to true");
    if (context != NULL)
        profiles_check(context, IN(at, "securityContext"), errors);
}

void container_check(const struct json *container, const struct container_rules *rules,
                     const struct place *at, struct field_errors *errors)
{
    str_t name = json_get_text(container, STR("name"));
    str_t image = json_get_text(container, STR("image"));
    bool sidecar = json_get(container, STR("restartPolicy")) != NULL;
    if (name.len > 0)
        rule_name(NAME_LABEL, name, true, IN(at, "name"), errors);
    if (image.len == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "image"), "Required value");
    else if (image.at[0] == ' ' || image.at[image.len - 1] == ' ')
        rule_error(errors, FIELD_INVALID, IN(at, "image"),
                   "Invalid value: \"" STR_F "\": must not have leading or trailing whitespace",
                   STR_A(image));
    if (sidecar && !rules->init)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "restartPolicy"),
                   "Forbidden: may not be set for non-init containers");
    check_ports(container, rules->host_network, at, errors);
    env_check(container, at, errors);
    check_mounts(container, rules->volumes, at, errors);
    check_devices(container, rules, at, errors);
    check_probes(container, !rules->init || sidecar, at, errors);
    if (rules->init && !sidecar && json_get(container, STR("lifecycle")) != NULL)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "lifecycle"),
                   "Forbidden: may not be set for init containers without restartPolicy=Always");
    check_hook(container, "postStart", rules->grace_s, at, errors);
    check_hook(container, "preStop", rules->grace_s, at, errors);
    check_security(container, at, errors);
    resources_check(json_get(container, STR("resources")), IN(at, "resources"), errors);
}
