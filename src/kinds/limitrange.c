/* limitrange.c - LimitRange and ResourceQuota: what a namespace may use. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"

static const struct json *hard_of(const struct json *object)
{
    const struct json *hard = json_at(object, "status.hard");
    return hard != NULL ? hard : json_at(object, "spec.hard");
}

/* "cpu: 1/2, pods: 0/10"; limits apart from requests. */
static str_t quota_column(const struct json *object, bool limits, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    const struct json *used = json_at(object, "status.used");
    JSON_EACH(hard_of(object), resource)
    {
        if (str_starts(resource->key, STR("limits.")) != limits)
            continue;
        const struct json *is = json_get(used, resource->key);
        buf_printf(&out, "%s" STR_F ": " STR_F "/" STR_F, out.len > 0 ? ", " : "",
                   STR_A(resource->key), STR_A(is != NULL ? is->text : STR("0")),
                   STR_A(resource->text));
    }
    return arena_str(arena, buf_str(&out));
}

static str_t column_request(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return quota_column(object, false, arena);
}

static str_t column_limit(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return quota_column(object, true, arena);
}

/* A default limit is the maximum, a default request the default limit or the minimum. */
static void range_defaults(struct json *item, struct arena *arena)
{
    static const char *const from[][2] = {
        {"max", "default"}, {"default", "defaultRequest"}, {"min", "defaultRequest"}};
    if (!str_eq(json_get_text(item, STR("type")), STR("Container")))
        return;
    for (size_t i = 0; i < ARRAY_LEN(from); i++)
        JSON_EACH(json_get(item, str_from_z(from[i][0])), value)
        {
            struct json *to = rule_member(item, str_from_z(from[i][1]), arena);
            if (json_get(to, value->key) == NULL)
                json_add(to, value->key, json_clone(value, arena));
        }
}

static void limitrange_prepare(struct json *object, const struct json *old, struct arena *arena)
{
    (void)old;
    JSON_EACH(json_at(object, "spec.limits"), item)
    range_defaults(item, arena);
}

static void limitrange_check(const struct json *object, const struct json *old,
                             struct field_errors *errors)
{
    (void)old;
    rule_unique(json_at(object, "spec.limits"), "type", IN(NULL, "spec"), "limits", errors);
    long i = 0;
    JSON_EACH(json_at(object, "spec.limits"), item)
    {
        const struct place *at = ITEM(IN(NULL, "spec"), "limits", i++);
        if (str_eq(json_get_text(item, STR("type")), STR("Pod")) &&
            json_count(json_get(item, STR("default"))) > 0)
            rule_error(errors, FIELD_FORBIDDEN, IN(at, "default"),
                       "Forbidden: may not be specified when `type` is 'Pod'");
    }
}

static void quota_check(const struct json *object, const struct json *old,
                        struct field_errors *errors)
{
    if (old != NULL)
        rule_unchanged(json_at(old, "spec.scopes"), json_at(object, "spec.scopes"),
                       IN(IN(NULL, "spec"), "scopes"), errors);
}

/* clang-format off */
static const struct column quota_columns[] = {
    COLUMN_NAME, COLUMN_AGE,
    {"Request", "string", "", "Used and allowed.", 0, column_request},
    {"Limit", "string", "", "Used and allowed limits.", 0, column_limit},
    {0},
};

const struct kind kind_resourcequota = {
    .group = "", .version = "v1", .name = "ResourceQuota", .plural = "resourcequotas",
    .singular = "resourcequota", .shortcuts = (const char *const[]){"quota", NULL},
    .namespaced = true, .has_status = true, .schema = &resource_quota_schema,
    .check = quota_check, .columns = quota_columns,
};

static const struct column limitrange_columns[] = {
    COLUMN_NAME,
    {"Created At", "date", "", "When it was made.", 0, column_created}, {0},
};

const struct kind kind_limitrange = {
    .group = "", .version = "v1", .name = "LimitRange", .plural = "limitranges",
    .singular = "limitrange", .shortcuts = (const char *const[]){"limits", NULL},
    .namespaced = true, .schema = &limit_range_schema, .prepare = limitrange_prepare,
    .check = limitrange_check, .columns = limitrange_columns,
};
/* clang-format on */
