/* meta.c - ObjectMeta's table and its rules; names, times, identities. */
#include "kube/meta.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* clang-format off */
static const struct field owner_fields[] = {
    {"apiVersion", FIELD_STRING, 5, .required = true, .doc = "API version of the owner."},
    {"kind", FIELD_STRING, 1, .required = true, .doc = "Kind of the owner."},
    {"name", FIELD_STRING, 3, .required = true, .doc = "Name of the owner."},
    {"uid", FIELD_STRING, 4, .required = true, .doc = "UID of the owner."},
    {"controller", FIELD_BOOL, 6, .doc = "Whether this owner manages the object."},
    {"blockOwnerDeletion", FIELD_BOOL, 7,
     .doc = "Whether a foreground deletion of the owner waits."},
    {0},
};
static const struct schema owner_schema = {"meta.v1.OwnerReference", owner_fields,
                                           "An object that owns this one."};

static const struct field managed_fields[] = {
    {"manager", FIELD_STRING, 1, .doc = "Who set the fields."},
    {"operation", FIELD_STRING, 2, .doc = "Apply or Update."},
    {"apiVersion", FIELD_STRING, 3, .doc = "Version the fields are named in."},
    {"time", FIELD_TIME, 4, .doc = "When the set last changed."},
    {"fieldsType", FIELD_STRING, 6, .doc = "Format of fieldsV1."},
    {"fieldsV1", FIELD_RAW, 7, .doc = "The set of fields."},
    {"subresource", FIELD_STRING, 8, .doc = "Subresource the fields were set through."},
    {0},
};
static const struct schema managed_schema = {"meta.v1.ManagedFieldsEntry", managed_fields,
                                             "Fields one manager set."};

static const struct field meta_fields[] = {
    {"name", FIELD_STRING, 1, .immutable = true,
     .doc = "Name, unique among objects of this kind in the namespace."},
    {"generateName", FIELD_STRING, 2,
     .doc = "Prefix of a name the server completes when name is empty."},
    {"namespace", FIELD_STRING, 3, .immutable = true, .doc = "Namespace the name is unique in."},
    {"selfLink", FIELD_STRING, 4, .doc = "No longer used; not kept.", .no_effect = true},
    {"uid", FIELD_STRING, 5, .doc = "Identity of this object among all that ever had its name."},
    {"resourceVersion", FIELD_STRING, 6,
     .doc = "Version of the object; sent back with a change it guards against lost updates."},
    {"generation", FIELD_LONG, 7, .doc = "How often the wanted state has changed."},
    {"creationTimestamp", FIELD_TIME, 8, .doc = "When the object was made."},
    {"deletionTimestamp", FIELD_TIME, 9, .doc = "When the object is to be gone."},
    {"deletionGracePeriodSeconds", FIELD_LONG, 10,
     .doc = "Seconds the object had to end by itself."},
    {"labels", FIELD_MAP, 11, .item = FIELD_STRING, .doc = "Keys and values to select objects by."},
    {"annotations", FIELD_MAP, 12, .item = FIELD_STRING,
     .doc = "Keys and values for tools, not for selecting."},
    {"ownerReferences", FIELD_LIST, 13, .of = &owner_schema, .merge_key = "uid",
     .doc = "Objects this one belongs to."},
    {"finalizers", FIELD_LIST, 14, .item = FIELD_STRING,
     .doc = "Who must agree before the object is removed."},
    {"managedFields", FIELD_LIST, 17, .of = &managed_schema,
     .doc = "Which manager set which fields."},
    {0},
};
/* clang-format on */
const struct schema object_meta_schema = {"meta.v1.ObjectMeta", meta_fields,
                                          "What every object has."};

/* --- names --- */

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_dns_label(str_t name)
{
    if (name.len == 0 || name.len > LABEL_LEN_MAX || !alphanumeric(name.at[0]) ||
        !alphanumeric(name.at[name.len - 1]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!alphanumeric(name.at[i]) && name.at[i] != '-')
            return false;
    return true;
}

bool is_dns_subdomain(str_t name)
{
    if (name.len == 0 || name.len > NAME_LEN_MAX)
        return false;
    for (size_t from = 0, i = 0; i <= name.len; i++) {
        if (i < name.len && name.at[i] != '.') {
            if (!alphanumeric(name.at[i]) && name.at[i] != '-')
                return false;
            continue;
        }
        if (i == from || !alphanumeric(name.at[from]) || !alphanumeric(name.at[i - 1]))
            return false;
        from = i + 1;
    }
    return true;
}

static bool qualified_char(char c)
{
    return alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

static bool is_name_part(str_t text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!qualified_char(text.at[i]))
            return false;
    return text.len > 0 && strchr("-_.", text.at[0]) == NULL &&
           strchr("-_.", text.at[text.len - 1]) == NULL;
}

#define NAME_PART_RULE                                                                             \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define SUBDOMAIN_RULE                                                                             \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define LABEL_RULE                                                                                 \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "   \
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "     \
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

#define LABEL_1035_RULE                                                                            \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "   \
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "           \
    "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

static const struct {
    const char *text;
    size_t most;
} name_rules[] = {
    [NAME_SUBDOMAIN] = {SUBDOMAIN_RULE, NAME_LEN_MAX},
    [NAME_LABEL] = {LABEL_RULE, LABEL_LEN_MAX},
    [NAME_LABEL_1035] = {LABEL_1035_RULE, LABEL_LEN_MAX},
    [NAME_SEGMENT] = {"may not be '.' or '..' or contain '/' or '%'", SIZE_MAX},
};

static bool name_fits(enum name_rule rule, str_t name)
{
    switch (rule) {
    case NAME_SUBDOMAIN:
        return is_dns_subdomain(name);
    case NAME_LABEL:
        return is_dns_label(name);
    case NAME_LABEL_1035:
        return is_dns_label(name) && name.at[0] >= 'a';
    case NAME_SEGMENT:
        return !str_eq(name, STR(".")) && !str_eq(name, STR("..")) &&
               memchr(name.at, '/', name.len) == NULL && memchr(name.at, '%', name.len) == NULL;
    }
    return false;
}

void check_name(enum name_rule rule, str_t name, str_t path, struct field_errors *errors)
{
    if (name.len > name_rules[rule].most)
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"" STR_F "\": must be no more than %zu bytes", STR_A(name),
                    name_rules[rule].most);
    else if (!name_fits(rule, name))
        field_error(errors, FIELD_INVALID, path, "Invalid value: \"" STR_F "\": %s", STR_A(name),
                    name_rules[rule].text);
}

void check_key(str_t key, str_t path, struct field_errors *errors)
{
    str_t prefix, name;
    bool prefixed = str_cut(key, '/', &prefix, &name);
    if (!prefixed)
        name = key;
    if (prefixed && !is_dns_subdomain(prefix))
        field_error(errors, FIELD_INVALID, path, "Invalid value: \"" STR_F "\": prefix part %s",
                    STR_A(key), SUBDOMAIN_RULE);
    if (name.len > LABEL_LEN_MAX)
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"" STR_F "\": name part must be no more than 63 bytes",
                    STR_A(key));
    else if (name.len == 0)
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"" STR_F "\": name part must be non-empty", STR_A(key));
    else if (!is_name_part(name))
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"" STR_F "\": name part " NAME_PART_RULE, STR_A(key));
}

void check_label_value(str_t value, str_t path, struct field_errors *errors)
{
    if (value.len > LABEL_LEN_MAX)
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"" STR_F "\": must be no more than 63 bytes", STR_A(value));
    else if (value.len > 0 && !is_name_part(value))
        field_error(errors, FIELD_INVALID, path,
                    "Invalid value: \"" STR_F
                    "\": a valid label must be an empty string or consist "
                    "of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
                    "used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
                    STR_A(value));
}

void check_labels(const struct json *labels, str_t path, struct field_errors *errors)
{
    if (labels == NULL || labels->type != JSON_OBJECT)
        return;
    JSON_EACH(labels, label)
    {
        check_key(label->key, path, errors);
        check_label_value(json_text(label, STR("")), path, errors);
    }
}

static void check_annotations(const struct json *annotations, struct field_errors *errors)
{
    if (annotations == NULL || annotations->type != JSON_OBJECT)
        return;
    size_t bytes = 0;
    JSON_EACH(annotations, annotation)
    {
        check_key(annotation->key, STR("metadata.annotations"), errors);
        bytes += annotation->key.len + json_text(annotation, STR("")).len;
    }
    if (bytes > ANNOTATIONS_BYTES_MAX)
        field_error(errors, FIELD_TOO_LONG, STR("metadata.annotations"),
                    "Too long: may not be more than %d bytes", ANNOTATIONS_BYTES_MAX);
}

/*
 * Kinds of Kubernetes' own know three finalizers by short names; others have a domain and a path.
 * Custom kinds and what defines them take any qualified name.
 */
static void check_finalizers(const struct kind *kind, const struct json *finalizers,
                             struct field_errors *errors)
{
    static const str_t known[] = {STR("kubernetes"), STR("orphan"), STR("foregroundDeletion")};
    size_t i = 0;
    bool any = kind->custom != NULL || kind->as_given ||
               str_eq(str_from_z(kind->group), STR("apiextensions.k8s.io"));
    if (finalizers == NULL || finalizers->type != JSON_ARRAY)
        return;
    JSON_EACH(finalizers, finalizer)
    {
        str_t name = json_text(finalizer, STR(""));
        bool fine = any || memchr(name.at, '/', name.len) != NULL;
        for (size_t k = 0; k < ARRAY_LEN(known) && !fine; k++)
            fine = str_eq(name, known[k]);
        check_key(name, STR("metadata.finalizers"), errors);
        if (!fine)
            field_error(errors, FIELD_INVALID,
                        arena_printf(errors->arena, "metadata.finalizers[%zu]", i),
                        "Invalid value: \"" STR_F
                        "\": name is neither a standard finalizer name nor is it fully qualified",
                        STR_A(name));
        i++;
    }
}

/* One object may be controlled by one other, and by no Event, which ends by itself. */
static void check_owners(const struct json *owners, struct field_errors *errors)
{
    str_t controller = STR("");
    size_t i = 0;
    if (owners == NULL || owners->type != JSON_ARRAY)
        return;
    JSON_EACH(owners, owner)
    {
        str_t name = json_get_text(owner, STR("name")), kind = json_get_text(owner, STR("kind"));
        str_t at = arena_printf(errors->arena, "metadata.ownerReferences[%zu]", i++);
        if (str_eq(kind, STR("Event")) &&
            str_eq(json_get_text(owner, STR("apiVersion")), STR("v1")))
            field_error(errors, FIELD_INVALID, at,
                        "Invalid value: \"" STR_F
                        "\": /v1, Kind=Event is disallowed from being an owner",
                        STR_A(name));
        if (!json_is_true(json_get(owner, STR("controller"))))
            continue;
        if (controller.len > 0)
            field_error(
                errors, FIELD_INVALID, STR("metadata.ownerReferences"),
                "Invalid value: \"" STR_F
                "\": Only one reference can have Controller set to true. Found \"true\" "
                "in references for " STR_F " and " STR_F,
                STR_A(name), STR_A(controller),
                STR_A(arena_printf(errors->arena, STR_F "/" STR_F, STR_A(kind), STR_A(name))));
        else
            controller = arena_printf(errors->arena, STR_F "/" STR_F, STR_A(kind), STR_A(name));
    }
}

void meta_check(const struct kind *kind, const struct json *object, struct field_errors *errors)
{
    const struct json *meta = json_get(object, STR("metadata"));
    str_t name = json_get_text(meta, STR("name"));
    if (name.len == 0)
        field_error(errors, FIELD_REQUIRED, STR("metadata.name"),
                    "Required value: name or generateName is required");
    else
        check_name(kind->name_rule, name, STR("metadata.name"), errors);
    check_labels(json_get(meta, STR("labels")), STR("metadata.labels"), errors);
    check_annotations(json_get(meta, STR("annotations")), errors);
    check_finalizers(kind, json_get(meta, STR("finalizers")), errors);
    check_owners(json_get(meta, STR("ownerReferences")), errors);
}

/* --- age and identity --- */

/* Two units at most, and only where the larger one is small: 90s, 5m30s, 12m, 3h5m, 2d4h, 400d, 3y.
 */
str_t age_text(str_t since_time, msec_t now_wall_ms, struct arena *arena)
{
    msec_t since;
    if (!time_parse(since_time, &since))
        return STR("<unknown>");
    long long s = (now_wall_ms - since) / 1000;
    if (s < -1)
        return STR("<invalid>");
    s = s < 0 ? 0 : s;
    long long m = s / 60, h = m / 60, d = h / 24;
    if (s < 120)
        return arena_printf(arena, "%llds", s);
    if (m < 10)
        return s % 60 == 0 ? arena_printf(arena, "%lldm", m)
                           : arena_printf(arena, "%lldm%llds", m, s % 60);
    if (m < 180)
        return arena_printf(arena, "%lldm", m);
    if (h < 8)
        return m % 60 == 0 ? arena_printf(arena, "%lldh", h)
                           : arena_printf(arena, "%lldh%lldm", h, m % 60);
    if (h < 48)
        return arena_printf(arena, "%lldh", h);
    if (d < 8)
        return h % 24 == 0 ? arena_printf(arena, "%lldd", d)
                           : arena_printf(arena, "%lldd%lldh", d, h % 24);
    if (d < 730)
        return arena_printf(arena, "%lldd", d);
    if (d < 365LL * 8)
        return d % 365 == 0 ? arena_printf(arena, "%lldy", d / 365)
                            : arena_printf(arena, "%lldy%lldd", d / 365, d % 365);
    return arena_printf(arena, "%lldy", d / 365);
}

str_t uid_new(struct arena *arena)
{
    unsigned char b[16];
    MUST(getrandom(b, sizeof(b), 0) == (ssize_t)sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return arena_printf(
        arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}
