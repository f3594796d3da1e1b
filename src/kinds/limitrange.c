/* limitrange.c - LimitRange: how much one pod, container or claim of a namespace may ask for. */
#include "kinds/columns.h"
#include "kinds/container.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kinds/tables.h"
#include "kube/quantity.h"

#include <string.h>

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

/* --- rules --- */

static void check_type(str_t type, const struct place *at, struct field_errors *errors)
{
    static const str_t known[] = {STR("Pod"), STR("Container"), STR("PersistentVolumeClaim")};
    size_t before = errors->n;
    if (memchr(type.at, '/', type.len) != NULL) {
        check_key(type, place_text(at, errors->arena), errors);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(type, known[i]))
            return;
    check_key(type, place_text(at, errors->arena), errors);
    if (errors->n == before)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"" STR_F "\": must be a standard limit type or fully qualified",
                   STR_A(type));
}

/* Of one resource, the two amounts in order: `low` must not be above `high`. */
static const struct {
    const char *low, *high, *at, *low_word, *high_word;
} orders[] = {
    {"min", "max", "min", "min", "max"},
    {"min", "defaultRequest", "defaultRequest", "min", "default request"},
    {"defaultRequest", "max", "defaultRequest", "default request", "max"},
    {"defaultRequest", "default", "defaultRequest", "default request", "default limit"},
    {"min", "default", "default", "min", "default"},
    {"default", "max", "default", "default", "max"},
};

static void check_orders(const struct json *item, const struct place *at,
                         struct field_errors *errors)
{
    for (size_t i = 0; i < ARRAY_LEN(orders); i++)
        JSON_EACH(json_get(item, str_from_z(orders[i].low)), low)
        {
            const struct json *high =
                json_get(json_get(item, str_from_z(orders[i].high)), low->key);
            quantity_t least, most;
            if (high == NULL || !quantity_parse(json_text(low, STR("")), &least) ||
                !quantity_parse(json_text(high, STR("")), &most) || quantity_cmp(least, most) <= 0)
                continue;
            const struct json *bad = json_get(json_get(item, str_from_z(orders[i].at)), low->key);
            str_t place = arena_printf(errors->arena, STR_F "[" STR_F "]",
                                       STR_A(place_text(IN(at, orders[i].at), errors->arena)),
                                       STR_A(low->key));
            field_error(errors, FIELD_INVALID, place,
                        "Invalid value: \"" STR_F "\": %s value " STR_F
                        " is greater than %s value " STR_F,
                        STR_A(bad->text), orders[i].low_word, STR_A(low->text), orders[i].high_word,
                        STR_A(high->text));
        }
}

static void check_ratios(const struct json *item, const struct place *at,
                         struct field_errors *errors)
{
    quantity_t ratio;
    JSON_EACH(json_get(item, STR("maxLimitRequestRatio")), each)
    if (quantity_parse(json_text(each, STR("")), &ratio) && quantity_cmp(ratio, quantity_of(1)) < 0)
        field_error(errors, FIELD_INVALID,
                    arena_printf(errors->arena, STR_F "[" STR_F "]",
                                 STR_A(place_text(IN(at, "maxLimitRequestRatio"), errors->arena)),
                                 STR_A(each->key)),
                    "Invalid value: \"" STR_F "\": ratio " STR_F " is less than 1",
                    STR_A(each->text), STR_A(each->text));
}

static void check_names(const struct json *item, bool containers, const struct place *at,
                        struct field_errors *errors)
{
    static const char *const lists[] = {"max", "min", "default", "defaultRequest",
                                        "maxLimitRequestRatio"};
    for (size_t i = 0; containers && i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_get(item, str_from_z(lists[i])), each)
    resource_name_check(each->key, IN(at, lists[i]), errors);
}

static void check_claims(const struct json *item, const struct place *at,
                         struct field_errors *errors)
{
    if (json_at(item, "min.storage") == NULL && json_at(item, "max.storage") == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(at, "limits"),
                   "Required value: either minimum or maximum storage value is required, but "
                   "neither was provided");
}

static void limitrange_check(const struct json *object, const struct json *old,
                             struct field_errors *errors)
{
    static const char *const not_of_pods[] = {"default", "defaultRequest"};
    (void)old;
    rule_unique(json_at(object, "spec.limits"), "type", IN(NULL, "spec"), "limits", errors);
    long i = 0;
    JSON_EACH(json_at(object, "spec.limits"), item)
    {
        const struct place *at = ITEM(IN(NULL, "spec"), "limits", i++);
        str_t type = json_get_text(item, STR("type"));
        bool pods = str_eq(type, STR("Pod"));
        check_type(type, IN(at, "type"), errors);
        check_names(item, pods || str_eq(type, STR("Container")), at, errors);
        for (size_t d = 0; pods && d < ARRAY_LEN(not_of_pods); d++)
            if (json_count(json_get(item, str_from_z(not_of_pods[d]))) > 0)
                rule_error(errors, FIELD_FORBIDDEN, IN(at, not_of_pods[d]),
                           "Forbidden: may not be specified when `type` is 'Pod'");
        if (str_eq(type, STR("PersistentVolumeClaim")))
            check_claims(item, at, errors);
        check_orders(item, at, errors);
        check_ratios(item, at, errors);
    }
}

/* clang-format off */
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
