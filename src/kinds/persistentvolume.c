/* persistentvolume.c - PersistentVolume, PersistentVolumeClaim and StorageClass. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"
#include "kube/quantity.h"

#define DEFAULT_CLASS "storageclass.kubernetes.io/is-default-class"

static void check_modes(const struct json *spec, const struct place *at,
                        struct field_errors *errors)
{
    static const char *const modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                        "ReadWriteOncePod"};
    long i = 0;
    if (json_count(json_get(spec, STR("accessModes"))) == 0)
        rule_error(errors, FIELD_REQUIRED, IN(at, "accessModes"),
                   "Required value: at least 1 access mode is required");
    bool alone = false;
    JSON_EACH(json_get(spec, STR("accessModes")), mode)
    {
        bool known = false;
        alone = alone || str_eq(json_text(mode, STR("")), STR("ReadWriteOncePod"));
        for (size_t m = 0; m < ARRAY_LEN(modes); m++)
            known = known || str_eq(json_text(mode, STR("")), str_from_z(modes[m]));
        if (!known)
            rule_error(errors, FIELD_NOT_SUPPORTED, ITEM(at, "accessModes", i),
                       "Unsupported value: \"" STR_F
                       "\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", "
                       "\"ReadWriteOnce\", \"ReadWriteOncePod\"",
                       STR_A(json_text(mode, STR(""))));
        i++;
    }
    if (alone && i > 1)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "accessModes"),
                   "Forbidden: may not use ReadWriteOncePod with other access modes");
}

/* An amount of something that must be there: "spec.capacity[storage]". */
static void check_amount(const struct json *amount, const struct place *at,
                         struct field_errors *errors)
{
    quantity_t value;
    if (!quantity_parse(json_text(amount, STR("")), &value) || value.nano > 0)
        return;
    field_error(
        errors, FIELD_INVALID,
        arena_printf(errors->arena, STR_F "[storage]", STR_A(place_text(at, errors->arena))),
        "Invalid value: \"" STR_F "\": must be greater than %s", STR_A(amount->text),
        value.nano < 0 ? "or equal to 0" : "zero");
}

static void check_class(const struct json *spec, const struct place *at,
                        struct field_errors *errors)
{
    str_t name = json_get_text(spec, STR("storageClassName"));
    if (name.len > 0)
        rule_name(NAME_SUBDOMAIN, name, true, IN(at, "storageClassName"), errors);
}

/* "RWO,ROX" */
static str_t modes_column(const struct json *modes, struct arena *arena)
{
    static const struct {
        const char *name, *letters;
    } rows[] = {{"ReadWriteOnce", "RWO"},
                {"ReadOnlyMany", "ROX"},
                {"ReadWriteMany", "RWX"},
                {"ReadWriteOncePod", "RWOP"}};
    AUTO(buf_done) struct buf out = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        JSON_EACH(modes, mode)
    if (str_eq(json_text(mode, STR("")), str_from_z(rows[i].name))) {
        buf_printf(&out, "%s%s", out.len > 0 ? "," : "", rows[i].letters);
        break;
    }
    return arena_str(arena, buf_str(&out));
}

static str_t column_modes(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return modes_column(json_at(object, "spec.accessModes"), arena);
}

/* --- PersistentVolume --- */

static bool is_source(str_t key)
{
    static const char *const others[] = {
        "capacity",     "accessModes",      "claimRef",   "persistentVolumeReclaimPolicy",
        "mountOptions", "storageClassName", "volumeMode", "volumeAttributesClassName",
        "nodeAffinity"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (str_eq(key, str_from_z(others[i])))
            return false;
    return true;
}

static void pv_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_object(arena), STR("phase"), json_string(arena, STR("Pending"))));
}

static void pv_check(const struct json *object, const struct json *old, struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct place *at = IN(NULL, "spec");
    size_t sources = 0;
    check_modes(spec, at, errors);
    const struct json *capacity = json_at(spec, "capacity.storage");
    if (capacity == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(at, "capacity"), "Required value");
    else
        check_amount(capacity, IN(at, "capacity"), errors);
    check_class(spec, at, errors);
    if (json_get(spec, STR("local")) != NULL && json_get(spec, STR("nodeAffinity")) == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(IN(NULL, "metadata"), "annotations"),
                   "Required value: Local volume requires node affinity");
    if (str_eq(json_text(json_at(spec, "hostPath.path"), STR("")), STR("/")) &&
        str_eq(json_get_text(spec, STR("persistentVolumeReclaimPolicy")), STR("Recycle")))
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "persistentVolumeReclaimPolicy"),
                   "Forbidden: may not be 'recycle' for a hostPath mount of '/'");
    JSON_EACH(spec, member)
    sources += is_source(member->key);
    if (sources == 0)
        rule_error(errors, FIELD_REQUIRED, at, "Required value: must specify a volume type");
    else if (sources > 1)
        rule_error(errors, FIELD_FORBIDDEN, at,
                   "Forbidden: may not specify more than 1 volume type");
    if (old == NULL)
        return;
    JSON_EACH(json_get(old, STR("spec")), was)
    if (is_source(was->key) && !json_eq(was, json_get(spec, was->key)))
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "persistentvolumesource"),
                   "Forbidden: spec.persistentvolumesource is immutable after creation");
}

static str_t column_claim(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *claim = json_at(object, "spec.claimRef");
    if (claim == NULL)
        return STR("");
    return arena_printf(arena, STR_F "/" STR_F, STR_A(json_get_text(claim, STR("namespace"))),
                        STR_A(json_get_text(claim, STR("name"))));
}

PATH_COLUMN(column_pv_capacity, "spec.capacity.storage", "")
PATH_COLUMN(column_policy, "spec.persistentVolumeReclaimPolicy", "")
PATH_COLUMN(column_phase, "status.phase", "")
PATH_COLUMN(column_class, "spec.storageClassName", "")
PATH_COLUMN(column_attributes, "spec.volumeAttributesClassName", "<unset>")
PATH_COLUMN(column_reason, "status.reason", "")
PATH_COLUMN(column_mode, "spec.volumeMode", "<unset>")

/* --- PersistentVolumeClaim --- */

static void pvc_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    if (old == NULL)
        json_set(object, STR("status"),
                 json_add(json_object(arena), STR("phase"), json_string(arena, STR("Pending"))));
}

/* What has been asked for may be asked for more; a failed growth may be taken back. */
static void check_growth(const struct json *object, const struct json *old,
                         struct field_errors *errors)
{
    quantity_t now, was, has = {0};
    const struct place *at = IN(IN(IN(IN(NULL, "spec"), "resources"), "requests"), "storage");
    if (!quantity_parse(path_text(object, "spec.resources.requests.storage", ""), &now) ||
        !quantity_parse(path_text(old, "spec.resources.requests.storage", ""), &was))
        return;
    (void)quantity_parse(path_text(old, "status.capacity.storage", ""), &has);
    if (quantity_cmp(now, was) < 0 && quantity_cmp(now, has) <= 0)
        rule_error(errors, FIELD_FORBIDDEN, at,
                   "Forbidden: field can not be less than status.capacity");
}

static void pvc_check(const struct json *object, const struct json *old,
                      struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct place *at = IN(NULL, "spec");
    check_modes(spec, at, errors);
    const struct json *storage = json_at(spec, "resources.requests.storage");
    if (storage == NULL)
        field_error(errors, FIELD_REQUIRED, STR("spec.resources[storage]"), "Required value");
    else
        check_amount(storage, IN(at, "resources"), errors);
    check_class(spec, at, errors);
    rule_label_selector(json_get(spec, STR("selector")), IN(at, "selector"), errors);
    if (old == NULL)
        return;
    check_growth(object, old, errors);
    struct json *allowed = json_clone(json_get(old, STR("spec")), errors->arena);
    static const char *const free_fields[] = {"resources", "volumeAttributesClassName"};
    bool bound = json_get_text(allowed, STR("volumeName")).len > 0;
    bool grows = str_eq(path_text(object, "status.phase", ""), STR("Bound"));
    for (size_t i = grows ? 0 : 1; i < ARRAY_LEN(free_fields); i++)
        if (json_get(spec, str_from_z(free_fields[i])) != NULL)
            json_set(allowed, str_from_z(free_fields[i]),
                     json_clone(json_get(spec, str_from_z(free_fields[i])), errors->arena));
    const struct json *volume = json_get(spec, STR("volumeName"));
    const struct json *class = json_get(spec, STR("storageClassName"));
    if (!bound && volume != NULL)
        json_set(allowed, STR("volumeName"), json_clone(volume, errors->arena));
    if (class != NULL && json_get(allowed, STR("storageClassName")) == NULL)
        json_set(allowed, STR("storageClassName"), json_clone(class, errors->arena));
    if (!json_eq(allowed, spec))
        rule_error(errors, FIELD_FORBIDDEN, at,
                   "Forbidden: spec is immutable after creation except resources.requests and "
                   "volumeAttributesClassName for bound claims");
}

PATH_COLUMN(column_pvc_capacity, "status.capacity.storage", "")
PATH_COLUMN(column_volume, "spec.volumeName", "")

static str_t column_pvc_modes(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return modes_column(json_at(object, "status.accessModes"), arena);
}

static str_t column_pvc_phase(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    (void)arena;
    if (json_at(object, "metadata.deletionTimestamp") != NULL)
        return STR("Terminating");
    return path_text(object, "status.phase", "");
}

/* --- StorageClass --- */

/* Volumes that are there were made with what it said; volumeBindingMode is in the table. */
static void class_check(const struct json *object, const struct json *old,
                        struct field_errors *errors)
{
    static const char *const fixed[] = {"parameters", "provisioner", "reclaimPolicy"};
    for (size_t i = 0; i < ARRAY_LEN(fixed) && old != NULL; i++)
        if (!json_eq(json_get(object, str_from_z(fixed[i])), json_get(old, str_from_z(fixed[i]))))
            rule_error(errors, FIELD_FORBIDDEN, IN(NULL, fixed[i]),
                       "Forbidden: updates to %s are forbidden.", fixed[i]);
}

static str_t column_class_name(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    const struct json *notes = json_at(object, "metadata.annotations");
    bool chosen = str_eq(json_get_text(notes, STR(DEFAULT_CLASS)), STR("true"));
    return arena_printf(arena, STR_F "%s",
                        STR_A(json_text(json_at(object, "metadata.name"), STR(""))),
                        chosen ? " (default)" : "");
}

PATH_COLUMN(column_provisioner, "provisioner", "")
PATH_COLUMN(column_reclaim, "reclaimPolicy", "")
PATH_COLUMN(column_binding, "volumeBindingMode", "")
PATH_COLUMN(column_expansion, "allowVolumeExpansion", "false")

/* clang-format off */
static const struct column pv_columns[] = {
    COLUMN_NAME,
    {"Capacity", "string", "", "How much it holds.", 0, column_pv_capacity},
    {"Access Modes", "string", "", "How it may be mounted.", 0, column_modes},
    {"Reclaim Policy", "string", "", "What becomes of it when released.", 0, column_policy},
    {"Status", "string", "", "Where it is in its life.", 0, column_phase},
    {"Claim", "string", "", "Claim it is bound to.", 0, column_claim},
    {"StorageClass", "string", "", "Its class.", 0, column_class},
    {"VolumeAttributesClass", "string", "", "Its attributes.", 0, column_attributes},
    {"Reason", "string", "", "Why it is in this state.", 0, column_reason},
    COLUMN_AGE,
    {"VolumeMode", "string", "", "Filesystem or Block.", 1, column_mode},
    {0},
};

const struct kind kind_persistentvolume = {
    .group = "", .version = "v1", .name = "PersistentVolume", .plural = "persistentvolumes",
    .singular = "persistentvolume", .shortcuts = (const char *const[]){"pv", NULL},
    .has_status = true, .schema = &persistent_volume_schema, .prepare = pv_prepare,
    .check = pv_check, .columns = pv_columns,
};

static const struct column pvc_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "", "Where it is in its life.", 0, column_pvc_phase},
    {"Volume", "string", "", "Volume it is bound to.", 0, column_volume},
    {"Capacity", "string", "", "How much it got.", 0, column_pvc_capacity},
    {"Access Modes", "string", "", "How it may be mounted.", 0, column_pvc_modes},
    {"StorageClass", "string", "", "Its class.", 0, column_class},
    {"VolumeAttributesClass", "string", "", "Its attributes.", 0, column_attributes},
    COLUMN_AGE,
    {"VolumeMode", "string", "", "Filesystem or Block.", 1, column_mode},
    {0},
};

const struct kind kind_persistentvolumeclaim = {
    .group = "", .version = "v1", .name = "PersistentVolumeClaim",
    .plural = "persistentvolumeclaims", .singular = "persistentvolumeclaim",
    .shortcuts = (const char *const[]){"pvc", NULL}, .namespaced = true, .has_status = true,
    .schema = &persistent_volume_claim_schema, .prepare = pvc_prepare, .check = pvc_check,
    .columns = pvc_columns,
};

static const struct column class_columns[] = {
    {"Name", "string", "name", "Name; the default class says so.", 0, column_class_name},
    {"Provisioner", "string", "", "Who makes the volumes.", 0, column_provisioner},
    {"ReclaimPolicy", "string", "", "What becomes of released volumes.", 0, column_reclaim},
    {"VolumeBindingMode", "string", "", "When volumes are made.", 0, column_binding},
    {"AllowVolumeExpansion", "string", "", "Whether claims may grow.", 0, column_expansion},
    COLUMN_AGE, {0},
};

const struct kind kind_storageclass = {
    .group = "storage.k8s.io", .version = "v1", .name = "StorageClass",
    .plural = "storageclasses", .singular = "storageclass",
    .shortcuts = (const char *const[]){"sc", NULL}, .schema = &storage_class_schema,
    .check = class_check, .columns = class_columns,
};
/* clang-format on */
