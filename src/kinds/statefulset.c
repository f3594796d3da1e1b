/* statefulset.c - StatefulSet: pods with names and volumes that stay. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/tables.h"

static void statefulset_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    struct json *spec = json_get(object, STR("spec"));
    struct json *strategy = json_get(spec, STR("updateStrategy"));
    struct json *pod = json_at(spec, "template.spec");
    if (str_eq(json_get_text(strategy, STR("type")), STR("RollingUpdate")))
        rule_default_int(rule_member(strategy, STR("rollingUpdate"), arena), "partition", 0, arena);
    if (pod != NULL)
        pod_spec_defaults(pod, arena);
    JSON_EACH(json_get(spec, STR("volumeClaimTemplates")), claim)
    {
        rule_default_text(claim, "apiVersion", "v1", arena);
        rule_default_text(claim, "kind", "PersistentVolumeClaim", arena);
        struct json *status = rule_member(claim, STR("status"), arena);
        rule_default_text(status, "phase", "Pending", arena);
    }
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_add(json_object(arena), STR("replicas"), json_int(arena, 0)),
                          STR("availableReplicas"), json_int(arena, 0)));
}

/* Everything but a handful of fields stays as it was made. */
static void check_update(const struct json *spec, const struct json *old,
                         struct field_errors *errors)
{
    static const char *const free_fields[] = {"replicas",
                                              "ordinals",
                                              "template",
                                              "updateStrategy",
                                              "persistentVolumeClaimRetentionPolicy",
                                              "minReadySeconds"};
    struct json *allowed = json_clone(old, errors->arena);
    for (size_t i = 0; i < ARRAY_LEN(free_fields); i++) {
        const struct json *is = json_get(spec, str_from_z(free_fields[i]));
        if (is != NULL)
            json_set(allowed, str_from_z(free_fields[i]), json_clone(is, errors->arena));
        else
            (void)json_remove(allowed, str_from_z(free_fields[i]));
    }
    if (!json_eq(allowed, spec))
        rule_error(errors, FIELD_FORBIDDEN, IN(NULL, "spec"),
                   "Forbidden: updates to statefulset spec for fields other than 'replicas', "
                   "'ordinals', 'template', 'updateStrategy', "
                   "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

/* "ordinals.start" is one name in Kubernetes; its text is that of two. */
static void check_numbers(const struct json *spec, const struct place *at,
                          struct field_errors *errors)
{
    int64_t start = path_int(spec, "ordinals.start", 0);
    const struct json *missing = json_at(spec, "updateStrategy.rollingUpdate.maxUnavailable");
    const struct place *here = IN(IN(IN(at, "updateStrategy"), "rollingUpdate"), "maxUnavailable");
    rule_count_or_percent(missing, here, errors);
    rule_at_most_all(missing, here, errors);
    if (start < 0)
        rule_error(errors, FIELD_INVALID, IN(at, "ordinals.start"),
                   "Invalid value: %lld: must be greater than or equal to 0", (long long)start);
}

static void statefulset_check(const struct json *object, const struct json *old,
                              struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct json *selector = json_get(spec, STR("selector"));
    const struct place *at = IN(NULL, "spec");
    rule_label_selector(selector, IN(at, "selector"), errors);
    if (selector != NULL && selector->first == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "selector"),
                   "Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
                   "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is "
                   "invalid for statefulset");
    check_numbers(spec, at, errors);
    /* Claims appear as volumes of the pods. */
    struct json *template = json_clone(json_get(spec, STR("template")), errors->arena);
    struct json *pod = json_get(template, STR("spec"));
    JSON_EACH(json_get(spec, STR("volumeClaimTemplates")), claim)
    {
        struct json *volumes = json_get(pod, STR("volumes"));
        if (pod == NULL)
            break;
        if (volumes == NULL) {
            volumes = json_array(errors->arena);
            json_add(pod, STR("volumes"), volumes);
        }
        str_t name = json_text(json_at(claim, "metadata.name"), STR(""));
        struct json *volume =
            json_add(json_object(errors->arena), STR("name"), json_string(errors->arena, name));
        json_add(volume, STR("emptyDir"), json_object(errors->arena));
        json_add(volumes, STR(""), volume);
    }
    pod_template_check(template, selector, IN(at, "template"), restart_always, errors);
    if (old != NULL)
        check_update(spec, json_get(old, STR("spec")), errors);
}

static str_t column_ready(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return arena_printf(arena, "%lld/%lld", (long long)path_int(object, "status.readyReplicas", 0),
                        (long long)path_int(object, "spec.replicas", 0));
}

/* clang-format off */
static const struct column statefulset_columns[] = {
    COLUMN_NAME,
    {"Ready", "string", "", "Pods that are ready, of all wanted.", 0, column_ready},
    COLUMN_AGE, COLUMN_CONTAINERS, COLUMN_IMAGES, {0},
};

const struct kind kind_statefulset = {
    .group = "apps", .version = "v1", .name = "StatefulSet", .plural = "statefulsets",
    .singular = "statefulset", .shortcuts = (const char *const[]){"sts", NULL},
    .categories = category_all, .namespaced = true, .has_status = true,
    .has_spec_generation = true, .schema = &stateful_set_schema, .prepare = statefulset_prepare,
    .check = statefulset_check, .columns = statefulset_columns, .scale = &scale_by_selector,
};
/* clang-format on */
