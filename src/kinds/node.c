/* node.c - Node: a machine that runs pods. */
#include "base/map.h"
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

#define ROLE_LABEL "node-role.kubernetes.io/"

static void check_unique_taints(const struct json *taints, struct field_errors *errors)
{
    AUTO(map_done) struct map seen = {0};
    long i = 0;
    JSON_EACH(taints, taint)
    {
        str_t key = json_get_text(taint, STR("key")), effect = json_get_text(taint, STR("effect"));
        str_t both = arena_printf(errors->arena, STR_F ":" STR_F, STR_A(key), STR_A(effect));
        const struct place *at = ITEM(IN(NULL, "spec"), "taints", i++);
        if (map_find(&seen, both) == NULL)
            map_add(&seen, both, arena_new(errors->arena, struct map_node));
        else
            rule_error(errors, FIELD_DUPLICATE, at,
                       "Duplicate value: \"" STR_F
                       "\": taints must be unique by key and effect pair",
                       STR_A(both));
    }
}

static void check_pod_cidrs(const struct json *spec, struct field_errors *errors)
{
    long i = 0;
    str_t one = json_get_text(spec, STR("podCIDR"));
    const struct json *all = json_get(spec, STR("podCIDRs"));
    if (one.len > 0 && json_count(all) == 0)
        rule_cidr(one, ITEM(IN(NULL, "spec"), "podCIDRs", 0), errors);
    JSON_EACH(all, cidr)
    rule_cidr(json_text(cidr, STR("")), ITEM(IN(NULL, "spec"), "podCIDRs", i++), errors);
}

static void node_check(const struct json *object, const struct json *old,
                       struct field_errors *errors)
{
    long i = 0;
    const struct json *spec = json_get(object, STR("spec"));
    JSON_EACH(json_get(spec, STR("taints")), taint)
    {
        const struct place *at = ITEM(IN(NULL, "spec"), "taints", i++);
        str_t key = json_get_text(taint, STR("key"));
        if (key.len > 0)
            check_key(key, place_text(IN(at, "key"), errors->arena), errors);
        check_label_value(json_get_text(taint, STR("value")),
                          place_text(IN(at, "value"), errors->arena), errors);
    }
    check_unique_taints(json_get(spec, STR("taints")), errors);
    check_pod_cidrs(spec, errors);
    const struct json *id = json_at(old, "spec.providerID");
    if (id != NULL && id->text.len > 0 && !json_eq(id, json_get(spec, STR("providerID"))))
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(NULL, "spec"), "providerID"),
                   "Forbidden: node updates may not change providerID except from \"\" to valid");
}

static str_t column_status(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const char *ready = "Unknown";
    JSON_EACH(json_at(object, "status.conditions"), condition)
    if (str_eq(json_get_text(condition, STR("type")), STR("Ready")))
        ready = str_eq(json_get_text(condition, STR("status")), STR("True")) ? "Ready" : "NotReady";
    bool closed = json_is_true(json_at(object, "spec.unschedulable"));
    return arena_printf(arena, "%s%s", ready, closed ? ",SchedulingDisabled" : "");
}

static str_t column_roles(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    AUTO(buf_done) struct buf out = {0};
    str_t prefix = STR(ROLE_LABEL);
    JSON_EACH(json_at(object, "metadata.labels"), label)
    if (str_starts(label->key, prefix) && label->key.len > prefix.len)
        buf_printf(&out, "%s" STR_F, out.len > 0 ? "," : "", (int)(label->key.len - prefix.len),
                   label->key.at + prefix.len);
    return out.len > 0 ? arena_str(arena, buf_str(&out)) : STR("<none>");
}

static str_t address_of(const struct json *object, const char *type)
{
    JSON_EACH(json_at(object, "status.addresses"), address)
    if (str_eq(json_get_text(address, STR("type")), str_from_z(type)))
        return json_get_text(address, STR("address"));
    return STR("<none>");
}

static str_t column_internal(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return address_of(object, "InternalIP");
}

static str_t column_external(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    return address_of(object, "ExternalIP");
}

PATH_COLUMN(column_version, "status.nodeInfo.kubeletVersion", "")
PATH_COLUMN(column_image, "status.nodeInfo.osImage", "<unknown>")
PATH_COLUMN(column_kernel, "status.nodeInfo.kernelVersion", "<unknown>")
PATH_COLUMN(column_runtime, "status.nodeInfo.containerRuntimeVersion", "<unknown>")

/* clang-format off */
static const struct column node_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "", "Whether it takes pods.", 0, column_status},
    {"Roles", "string", "", "What it is for.", 0, column_roles},
    COLUMN_AGE,
    {"Version", "string", "", "Version of its node role.", 0, column_version},
    {"Internal-IP", "string", "", "Its address.", 1, column_internal},
    {"External-IP", "string", "", "Its address outside.", 1, column_external},
    {"OS-Image", "string", "", "Its operating system.", 1, column_image},
    {"Kernel-Version", "string", "", "Its kernel.", 1, column_kernel},
    {"Container-Runtime", "string", "", "What runs its containers.", 1, column_runtime},
    {0},
};

static const struct field_selector node_selectors[] = {{"spec.unschedulable", NULL}, {0}};

const struct kind kind_node = {
    .group = "", .version = "v1", .name = "Node", .plural = "nodes", .singular = "node",
    .shortcuts = (const char *const[]){"no", NULL}, .has_status = true, .schema = &node_schema,
    .check = node_check, .columns = node_columns, .selectors = node_selectors,
};
/* clang-format on */
