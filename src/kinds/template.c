/* template.c - PodTemplate and ControllerRevision: states that are kept; Binding and Scale. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/pod_spec.h"
#include "kinds/tables.h"

static const char *const change_verbs[] = {"get", "patch", "update", NULL};
const struct scale_paths scale_by_selector = {
    {"scale", &kind_scale, change_verbs}, "spec.replicas", "status.replicas", "spec.selector"};

static void podtemplate_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    struct json *spec = json_at(object, "template.spec");
    if (spec != NULL)
        pod_spec_defaults(spec, arena);
}

static void podtemplate_check(const struct json *object, const struct json *old,
                              struct field_errors *errors)
{
    (void)old;
    pod_spec_check(json_at(object, "template.spec"), IN(IN(NULL, "template"), "spec"), errors);
}

static str_t column_pod_containers(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return containers_column(json_at(object, "template.spec"), arena);
}

static str_t column_pod_images(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return images_column(json_at(object, "template.spec"), arena);
}

static str_t column_labels(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return selector_column(json_at(object, "template.metadata.labels"), arena);
}

static str_t column_controller(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    JSON_EACH(json_at(object, "metadata.ownerReferences"), owner)
    if (json_is_true(json_get(owner, STR("controller")))) {
        str_t version = json_get_text(owner, STR("apiVersion")), group, rest;
        if (!str_cut(version, '/', &group, &rest))
            group = STR("");
        return arena_printf(arena, STR_F "%s" STR_F "/" STR_F,
                            STR_A(json_get_text(owner, STR("kind"))), group.len > 0 ? "." : "",
                            STR_A(group), STR_A(json_get_text(owner, STR("name"))));
    }
    return STR("<none>");
}

PATH_COLUMN(column_revision, "revision", "0")

/* clang-format off */
static const struct column podtemplate_columns[] = {
    COLUMN_NAME,
    {"Containers", "string", "", "Names of the containers.", 0, column_pod_containers},
    {"Images", "string", "", "Images of the containers.", 0, column_pod_images},
    {"Pod Labels", "string", "", "Labels of the pods.", 0, column_labels},
    {0},
};

const struct kind kind_podtemplate = {
    .group = "", .version = "v1", .name = "PodTemplate", .plural = "podtemplates",
    .singular = "podtemplate", .namespaced = true, .schema = &pod_template_schema,
    .prepare = podtemplate_prepare, .check = podtemplate_check, .columns = podtemplate_columns,
};

static const struct column revision_columns[] = {
    COLUMN_NAME,
    {"Controller", "string", "", "Whose state it is.", 0, column_controller},
    {"Revision", "string", "", "Its number.", 0, column_revision},
    COLUMN_AGE, {0},
};

const struct kind kind_controllerrevision = {
    .group = "apps", .version = "v1", .name = "ControllerRevision",
    .plural = "controllerrevisions", .singular = "controllerrevision", .namespaced = true,
    .schema = &controller_revision_schema, .columns = revision_columns,
};

const struct kind kind_binding = {
    .group = "", .version = "v1", .name = "Binding", .plural = "bindings",
    .singular = "binding", .namespaced = true, .only_create = true, .schema = &binding_schema,
};

static const struct column scale_columns[] = {COLUMN_NAME, COLUMN_AGE, {0}};

const struct kind kind_scale = {
    .group = "autoscaling", .version = "v1", .name = "Scale", .plural = "scales",
    .singular = "scale", .namespaced = true, .schema = &scale_schema, .columns = scale_columns,
};
/* clang-format on */
