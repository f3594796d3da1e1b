/* lease.c - Lease, PriorityClass and RuntimeClass. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

enum { USER_PRIORITY_MAX = 1000000000 };

PATH_COLUMN(column_holder, "spec.holderIdentity", "")
PATH_COLUMN(column_value, "value", "0")
PATH_COLUMN(column_default, "globalDefault", "false")
PATH_COLUMN(column_preemption, "preemptionPolicy", "PreemptLowerPriority")
PATH_COLUMN(column_handler, "handler", "")

static void priority_check(const struct json *object, const struct json *old,
                           struct field_errors *errors)
{
    str_t name = json_text(json_at(object, "metadata.name"), STR(""));
    int64_t value = path_int(object, "value", 0);
    bool system = str_starts(name, STR("system-"));
    bool known =
        str_eq(name, STR("system-cluster-critical")) || str_eq(name, STR("system-node-critical"));
    if (system && !known)
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(NULL, "metadata"), "name"),
                   "Forbidden: priority class names with 'system-' prefix are reserved for system "
                   "use only. error: " STR_F " is not a known system priority class",
                   STR_A(name));
    if (!system && value > USER_PRIORITY_MAX)
        rule_error(errors, FIELD_FORBIDDEN, IN(NULL, "value"),
                   "Forbidden: maximum allowed value of a user defined priority is %d",
                   USER_PRIORITY_MAX);
    if (old != NULL && value != path_int(old, "value", 0))
        rule_error(errors, FIELD_FORBIDDEN, IN(NULL, "value"),
                   "Forbidden: may not be changed in an update.");
}

static void runtime_check(const struct json *object, const struct json *old,
                          struct field_errors *errors)
{
    (void)old;
    rule_name(NAME_LABEL, json_get_text(object, STR("handler")), false, IN(NULL, "handler"),
              errors);
}

/* clang-format off */
static const struct column lease_columns[] = {
    COLUMN_NAME,
    {"Holder", "string", "", "Who holds it.", 0, column_holder},
    COLUMN_AGE, {0},
};

const struct kind kind_lease = {
    .group = "coordination.k8s.io", .version = "v1", .name = "Lease", .plural = "leases",
    .singular = "lease", .namespaced = true, .schema = &lease_schema, .columns = lease_columns,
};

static const struct column priority_columns[] = {
    COLUMN_NAME,
    {"Value", "integer", "", "The priority.", 0, column_value},
    {"Global-Default", "boolean", "", "Used for pods that name none.", 0, column_default},
    COLUMN_AGE,
    {"PreemptionPolicy", "string", "", "May push others out.", 0, column_preemption},
    {0},
};

const struct kind kind_priorityclass = {
    .group = "scheduling.k8s.io", .version = "v1", .name = "PriorityClass",
    .plural = "priorityclasses", .singular = "priorityclass",
    .shortcuts = (const char *const[]){"pc", NULL}, .schema = &priority_class_schema,
    .check = priority_check, .columns = priority_columns,
};

static const struct column runtime_columns[] = {
    COLUMN_NAME,
    {"Handler", "string", "", "How its pods are run.", 0, column_handler},
    COLUMN_AGE, {0},
};

const struct kind kind_runtimeclass = {
    .group = "node.k8s.io", .version = "v1", .name = "RuntimeClass", .plural = "runtimeclasses",
    .singular = "runtimeclass", .schema = &runtime_class_schema, .check = runtime_check,
    .columns = runtime_columns,
};
/* clang-format on */
