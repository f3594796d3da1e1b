/* downward.c - paths are few and fixed, so they are a table. */
#include "node/downward.h"

#include "kube/quantity.h"

#include <string.h>

static const struct {
    const char *path, *at; /* NULL: known to the node, not to the pod. */
} fields[] = {
    {"metadata.name", "metadata.name"},
    {"metadata.namespace", "metadata.namespace"},
    {"metadata.uid", "metadata.uid"},
    {"spec.nodeName", "spec.nodeName"},
    {"spec.serviceAccountName", "spec.serviceAccountName"},
    {"status.podIP", NULL},
    {"status.podIPs", NULL},
    {"status.hostIP", NULL},
    {"status.hostIPs", NULL},
};

static str_t lines_of(const struct json *map, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(map, pair)
    {
        if (out.len > 0)
            buf_add_char(&out, '\n');
        buf_add(&out, pair->key);
        buf_add_char(&out, '=');
        json_write_string(json_text(pair, STR("")), &out);
    }
    return arena_str(arena, buf_str(&out));
}

/* "metadata.labels['app']": the part in quotes. */
static bool subscript(str_t path, str_t of, str_t *key)
{
    if (!str_starts(path, of) || path.len < of.len + 4)
        return false;
    str_t rest = {path.at + of.len, path.len - of.len};
    if (memcmp(rest.at, "['", 2) != 0 || memcmp(rest.at + rest.len - 2, "']", 2) != 0)
        return false;
    *key = (str_t){rest.at + 2, rest.len - 4};
    return true;
}

int downward_field(const struct downward *from, str_t path, struct arena *arena, str_t *value,
                   struct err *err)
{
    const struct json *labels = json_at(from->pod, "metadata.labels");
    const struct json *annotations = json_at(from->pod, "metadata.annotations");
    str_t key;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (!str_eq(path, str_from_z(fields[i].path)))
            continue;
        if (fields[i].at != NULL)
            *value = json_text(json_at(from->pod, fields[i].at), STR(""));
        else
            *value = str_starts(path, STR("status.pod")) ? from->pod_ip : from->host_ip;
        return 0;
    }
    if (subscript(path, STR("metadata.labels"), &key))
        *value = json_get_text(labels, key);
    else if (subscript(path, STR("metadata.annotations"), &key))
        *value = json_get_text(annotations, key);
    else if (str_eq(path, STR("metadata.labels")))
        *value = lines_of(labels, arena);
    else if (str_eq(path, STR("metadata.annotations")))
        *value = lines_of(annotations, arena);
    else
        return err_set(err, ERR_INVALID, "unsupported fieldPath: " STR_F, STR_A(path));
    return 0;
}

static const struct json *find(const struct json *containers, str_t name)
{
    JSON_EACH(containers, container)
    if (str_eq(json_get_text(container, STR("name")), name))
        return container;
    return NULL;
}

const struct json *pod_container(const struct json *pod, str_t name)
{
    const struct json *spec = json_get(pod, STR("spec"));
    const struct json *found = find(json_get(spec, STR("containers")), name);
    return found != NULL ? found : find(json_get(spec, STR("initContainers")), name);
}

/* What is not limited has all that the node has. */
static bool amount(const struct downward *from, const struct json *container, str_t resource,
                   quantity_t *out)
{
    str_t side, name;
    if (!str_cut(resource, '.', &side, &name))
        return false;
    const struct json *resources = json_get(container, STR("resources"));
    str_t text = json_get_text(json_get(resources, side), name);
    if (text.len == 0 && str_eq(side, STR("requests")))
        text = json_get_text(json_get(resources, STR("limits")), name);
    if (text.len > 0)
        return quantity_parse(text, out);
    bool limits = str_eq(side, STR("limits"));
    *out = quantity_of(0);
    if (limits && str_eq(name, STR("cpu")))
        out->nano = (__int128)from->cpu_millis * 1000000;
    else if (limits && str_eq(name, STR("memory")))
        *out = quantity_of(from->memory_bytes);
    return true;
}

int downward_resource(const struct downward *from, const struct json *ref,
                      const struct json *container, struct arena *arena, str_t *value,
                      struct err *err)
{
    str_t name = json_get_text(ref, STR("containerName"));
    str_t resource = json_get_text(ref, STR("resource"));
    str_t divisor_text = json_get_text(ref, STR("divisor"));
    quantity_t q, divisor = quantity_of(1);
    if (name.len > 0 && (container = pod_container(from->pod, name)) == NULL)
        return err_set(err, ERR_INVALID, "container " STR_F " not found", STR_A(name));
    if (!amount(from, container, resource, &q))
        return err_set(err, ERR_INVALID, "unsupported container resource : " STR_F,
                       STR_A(resource));
    if (divisor_text.len > 0 && (!quantity_parse(divisor_text, &divisor) || divisor.nano < 0))
        return err_set(err, ERR_INVALID, "divisor " STR_F " is no quantity", STR_A(divisor_text));
    if (divisor.nano == 0)
        divisor = quantity_of(1);
    __int128 whole = (q.nano + divisor.nano - 1) / divisor.nano; /* Rounded up. */
    *value = arena_printf(arena, "%lld", (long long)whole);
    return 0;
}
