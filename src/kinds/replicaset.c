/* replicaset.c - ReplicaSet and ReplicationController: a number of pods of one template. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/tables.h"

static void prepare(struct json *object, const struct json *old, struct arena *arena)
{
    struct json *pod = json_at(object, "spec.template.spec");
    if (pod != NULL)
        pod_spec_defaults(pod, arena);
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_object(arena), STR("replicas"), json_int(arena, 0)));
}

/* Its selector and labels are the template's unless they are given. */
static void rc_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    const struct json *labels = json_at(object, "spec.template.metadata.labels");
    struct json *spec = json_get(object, STR("spec")), *meta = json_get(object, STR("metadata"));
    if (labels != NULL && spec != NULL && json_get(spec, STR("selector")) == NULL)
        json_add(spec, STR("selector"), json_clone(labels, arena));
    if (labels != NULL && json_get(meta, STR("labels")) == NULL)
        json_add(meta, STR("labels"), json_clone(labels, arena));
    prepare(object, old, arena);
}

static void rs_check(const struct json *object, const struct json *old, struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *selector = json_get(spec, STR("selector"));
    const struct place *at = IN(NULL, "spec");
    rule_label_selector(selector, IN(at, "selector"), errors);
    if (selector != NULL && selector->first == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "selector"),
                   "Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
                   "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is "
                   "invalid for deployment");
    else
        pod_template_check(json_get(spec, STR("template")), selector, IN(at, "template"),
                           restart_always, errors);
}

static void rc_check(const struct json *object, const struct json *old, struct field_errors *errors)
{
    (void)old;
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *selector = json_get(spec, STR("selector"));
    const struct json *template = json_get(spec, STR("template"));
    const struct place *at = IN(NULL, "spec");
    if (json_count(selector) == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "selector"), "Required value");
    if (template == NULL)
        return;
    struct json *wanted = json_object(errors->arena);
    if (selector != NULL)
        json_add(wanted, STR("matchLabels"), json_clone(selector, errors->arena));
    pod_template_check(template, wanted, IN(at, "template"), restart_always, errors);
}

PATH_COLUMN(column_desired, "spec.replicas", "0")
PATH_COLUMN(column_current, "status.replicas", "0")
PATH_COLUMN(column_ready, "status.readyReplicas", "0")

/* clang-format off */
static const struct column replica_columns[] = {
    COLUMN_NAME,
    {"Desired", "integer", "", "Pods wanted.", 0, column_desired},
    {"Current", "integer", "", "Pods there are.", 0, column_current},
    {"Ready", "integer", "", "Pods that are ready.", 0, column_ready},
    COLUMN_AGE, COLUMN_CONTAINERS, COLUMN_IMAGES, COLUMN_SELECTOR, {0},
};

static const struct field_selector replica_selectors[] = {{"status.replicas", NULL}, {0}};

const struct kind kind_replicaset = {
    .group = "apps", .version = "v1", .name = "ReplicaSet", .plural = "replicasets",
    .singular = "replicaset", .shortcuts = (const char *const[]){"rs", NULL},
    .categories = category_all, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .schema = &replica_set_schema, .prepare = prepare,
    .check = rs_check, .columns = replica_columns, .selectors = replica_selectors,
    .scale = &scale_by_selector,
};

const struct kind kind_replicationcontroller = {
    .group = "", .version = "v1", .name = "ReplicationController",
    .plural = "replicationcontrollers", .singular = "replicationcontroller",
    .shortcuts = (const char *const[]){"rc", NULL}, .categories = category_all,
    .namespaced = true, .has_status = true, .has_spec_generation = true,
    .schema = &replication_controller_schema, .prepare = rc_prepare, .check = rc_check,
    .columns = replica_columns, .selectors = replica_selectors, .scale = &scale_by_selector,
};
/* clang-format on */
