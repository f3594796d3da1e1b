/* env.c - each source adds to one list of names; errors are for what the user named himself. */
#include "node/env.h"

#include <string.h>

static int missing(str_t name, bool secret, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "%s \"" STR_F "\" not found",
                   secret ? "secret" : "configmap", STR_A(name));
}

static int add_all(const struct env_sources *from, const struct json *source, struct arena *arena,
                   struct variables *out, struct err *err)
{
    const struct json *secret = json_get(source, STR("secretRef"));
    const struct json *ref = secret != NULL ? secret : json_get(source, STR("configMapRef"));
    str_t prefix = json_get_text(source, STR("prefix")), name = json_get_text(ref, STR("name"));
    const struct json *data = from->data(from->self, secret != NULL, name);
    if (data == NULL && !json_is_true(json_get(ref, STR("optional"))))
        return missing(name, secret != NULL, err);
    JSON_EACH(data, pair)
    {
        str_t key = prefix.len == 0
                        ? pair->key
                        : arena_printf(arena, STR_F STR_F, STR_A(prefix), STR_A(pair->key));
        if (memchr(key.at, '=', key.len) == NULL)
            variables_set(out, key, json_text(pair, STR("")), arena);
    }
    return 0;
}

/* One key. *there is false for what is optional and absent: then there is no variable either. */
static int by_key(const struct env_sources *from, const struct json *ref, bool secret, str_t *value,
                  bool *there, struct err *err)
{
    str_t name = json_get_text(ref, STR("name")), key = json_get_text(ref, STR("key"));
    str_t ns = json_text(json_at(from->pod.pod, "metadata.namespace"), STR(""));
    const struct json *data = from->data(from->self, secret, name);
    const struct json *found = json_get(data, key);
    *there = found != NULL;
    if (*there) {
        *value = json_text(found, STR(""));
        return 0;
    }
    if (json_is_true(json_get(ref, STR("optional"))))
        return 0;
    if (data == NULL)
        return missing(name, secret, err);
    return err_set(err, ERR_NOT_FOUND, "couldn't find key " STR_F " in %s " STR_F "/" STR_F,
                   STR_A(key), secret ? "Secret" : "ConfigMap", STR_A(ns), STR_A(name));
}

static int value_from(const struct env_sources *from, const struct json *source,
                      struct arena *arena, str_t *value, bool *there, struct err *err)
{
    const struct json *ref;
    *there = true;
    if ((ref = json_get(source, STR("fieldRef"))) != NULL)
        return downward_field(&from->pod, json_get_text(ref, STR("fieldPath")), arena, value, err);
    if ((ref = json_get(source, STR("resourceFieldRef"))) != NULL)
        return downward_resource(&from->pod, ref, from->container, arena, value, err);
    if ((ref = json_get(source, STR("configMapKeyRef"))) != NULL)
        return by_key(from, ref, false, value, there, err);
    if ((ref = json_get(source, STR("secretKeyRef"))) != NULL)
        return by_key(from, ref, true, value, there, err);
    return err_set(err, ERR_INVALID, "unsupported valueFrom");
}

static void add_vars(struct variables *out, const struct variables *more, struct arena *arena)
{
    for (size_t i = 0; i < more->n; i++)
        variables_set(out, more->at[i].name, more->at[i].value, arena);
}

/* References see only what Kubernetes lets them see: what the container itself was given. */
int env_make(const struct env_sources *from, struct arena *arena, struct variables *out,
             struct err *err)
{
    struct variables given = {.below = &from->services};
    JSON_EACH(json_get(from->container, STR("envFrom")), source)
    if (add_all(from, source, arena, &given, err) < 0)
        return err->code;
    JSON_EACH(json_get(from->container, STR("env")), item)
    {
        const struct json *source = json_get(item, STR("valueFrom"));
        str_t name = json_get_text(item, STR("name")), value;
        bool there = true;
        if (source == NULL)
            value = expand(json_get_text(item, STR("value")), &given, arena);
        else if (value_from(from, source, arena, &value, &there, err) < 0)
            return err->code;
        if (there)
            variables_set(&given, name, value, arena);
    }
    add_vars(out, &from->image, arena);
    add_vars(out, &from->services, arena);
    add_vars(out, &given, arena);
    return 0;
}

static char other_case(char c, char from, char to)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    static const char large[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (c < from || c > to)
        return c;
    if (from == 'a')
        return large[c - from];
    return small[c - from];
}

/* "my-svc" is MY_SVC in names of variables. */
static str_t shout(str_t name, struct arena *arena)
{
    char *at = arena_bytes(arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        at[i] = other_case(name.at[i], 'a', 'z');
        if (at[i] == '-' || at[i] == '.')
            at[i] = '_';
    }
    return (str_t){at, name.len};
}

static void add_port(str_t name, str_t ip, const struct json *port, bool first, struct arena *arena,
                     struct variables *out)
{
    int64_t number = 0;
    (void)json_to_i64(json_get(port, STR("port")), &number);
    str_t proto = json_text(json_get(port, STR("protocol")), STR("TCP"));
    char low[8] = {0};
    for (size_t i = 0; i < proto.len && i < sizeof(low) - 1; i++)
        low[i] = other_case(proto.at[i], 'A', 'Z');
    str_t url = arena_printf(arena, "%s://" STR_F ":%lld", low, STR_A(ip), (long long)number);
    str_t base = arena_printf(arena, STR_F "_PORT_%lld_" STR_F, STR_A(name), (long long)number,
                              STR_A(proto));
    if (first)
        variables_set(out, arena_printf(arena, STR_F "_PORT", STR_A(name)), url, arena);
    variables_set(out, base, url, arena);
    variables_set(out, arena_printf(arena, STR_F "_PROTO", STR_A(base)),
                  arena_str(arena, str_from_z(low)), arena);
    variables_set(out, arena_printf(arena, STR_F "_PORT", STR_A(base)),
                  arena_printf(arena, "%lld", (long long)number), arena);
    variables_set(out, arena_printf(arena, STR_F "_ADDR", STR_A(base)), ip, arena);
}

void service_variables(const struct json *service, struct arena *arena, struct variables *out)
{
    str_t ip = json_text(json_at(service, "spec.clusterIP"), STR(""));
    str_t name = shout(json_text(json_at(service, "metadata.name"), STR("")), arena);
    const struct json *ports = json_at(service, "spec.ports");
    if (ip.len == 0 || str_eq(ip, STR("None")) || json_first(ports) == NULL)
        return;
    variables_set(out, arena_printf(arena, STR_F "_SERVICE_HOST", STR_A(name)), ip, arena);
    bool first = true;
    JSON_EACH(ports, port)
    {
        int64_t number = 0;
        (void)json_to_i64(json_get(port, STR("port")), &number);
        str_t text = arena_printf(arena, "%lld", (long long)number);
        str_t label = shout(json_get_text(port, STR("name")), arena);
        if (first)
            variables_set(out, arena_printf(arena, STR_F "_SERVICE_PORT", STR_A(name)), text,
                          arena);
        if (label.len > 0)
            variables_set(
                out, arena_printf(arena, STR_F "_SERVICE_PORT_" STR_F, STR_A(name), STR_A(label)),
                text, arena);
        add_port(name, ip, port, first, arena, out);
        first = false;
    }
}
