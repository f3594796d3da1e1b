/* resources.c - what a container asks for and may use: names, amounts, requests against limits. */
#include "kinds/container.h"
#include "kube/quantity.h"

#include <string.h>

#define HUGE_PAGES "hugepages-"

static bool is_huge_pages(str_t name)
{
    return str_starts(name, STR(HUGE_PAGES));
}

/* Kubernetes' own, as against those that others invent ("example.com/gpu"). */
static bool is_native(str_t name)
{
    return memchr(name.at, '/', name.len) == NULL ||
           memmem(name.at, name.len, "kubernetes.io/", strlen("kubernetes.io/")) != NULL;
}

static bool is_known(str_t name)
{
    static const str_t known[] = {STR("cpu"), STR("memory"), STR("ephemeral-storage")};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(name, known[i]))
            return true;
    return is_huge_pages(name);
}

static void fault(str_t list, str_t key, struct field_errors *errors, enum field_reason reason,
                  str_t text)
{
    field_error(errors, reason,
                arena_printf(errors->arena, STR_F "[" STR_F "]", STR_A(list), STR_A(key)), STR_F,
                STR_A(text));
}

static void check_resource_name(str_t name, str_t list, struct field_errors *errors)
{
    str_t quoted = arena_printf(errors->arena, "Invalid value: \"" STR_F "\": ", STR_A(name));
    size_t before = errors->n;
    check_key(name, arena_printf(errors->arena, STR_F "[" STR_F "]", STR_A(list), STR_A(name)),
              errors);
    if (errors->n > before || memchr(name.at, '/', name.len) != NULL || is_known(name))
        return;
    fault(list, name, errors, FIELD_INVALID,
          arena_printf(errors->arena, STR_F "must be a standard resource type or fully qualified",
                       STR_A(quoted)));
    fault(list, name, errors, FIELD_INVALID,
          arena_printf(errors->arena, STR_F "must be a standard resource for containers",
                       STR_A(quoted)));
}

static void check_amount(str_t name, quantity_t amount, str_t list, struct field_errors *errors)
{
    quantity_t one = quantity_of(1);
    str_t text = quantity_text(amount, errors->arena);
    if (quantity_cmp(amount, quantity_of(0)) < 0)
        fault(list, name, errors, FIELD_INVALID,
              arena_printf(errors->arena,
                           "Invalid value: \"" STR_F "\": must be greater than or equal to 0",
                           STR_A(text)));
    if (!is_native(name) && amount.nano % one.nano != 0)
        fault(list, name, errors, FIELD_INVALID,
              arena_printf(errors->arena, "Invalid value: " STR_F ": must be an integer",
                           STR_A(text)));
}

static void check_list(const struct json *amounts, str_t list, struct field_errors *errors)
{
    quantity_t amount;
    JSON_EACH(amounts, each)
    {
        check_resource_name(each->key, list, errors);
        if (quantity_parse(json_text(each, STR("")), &amount))
            check_amount(each->key, amount, list, errors);
    }
}

/* What cannot be given to more than can have it must be asked for as it is limited. */
static void check_request(const struct json *request, const struct json *limit,
                          const struct place *at, struct field_errors *errors)
{
    quantity_t asked, most;
    bool shared = is_native(request->key) && !is_huge_pages(request->key);
    if (limit == NULL) {
        if (!shared)
            rule_error(errors, FIELD_REQUIRED, IN(at, "limits"),
                       "Required value: Limit must be set for non overcommitable resources");
        return;
    }
    if (!quantity_parse(json_text(request, STR("")), &asked) ||
        !quantity_parse(json_text(limit, STR("")), &most))
        return;
    int order = quantity_cmp(asked, most);
    if (order == 0 || (shared && order < 0))
        return;
    rule_error(errors, FIELD_INVALID, IN(at, "requests"),
               "Invalid value: \"" STR_F "\": must be %s " STR_F " limit of " STR_F,
               STR_A(quantity_text(asked, errors->arena)),
               shared ? "less than or equal to" : "equal to", STR_A(request->key),
               STR_A(quantity_text(most, errors->arena)));
}

void resources_check(const struct json *resources, const struct place *at,
                     struct field_errors *errors)
{
    const struct json *limits = json_get(resources, STR("limits"));
    const struct json *requests = json_get(resources, STR("requests"));
    if (limits != NULL)
        check_list(limits, place_text(IN(at, "limits"), errors->arena), errors);
    if (requests == NULL)
        return;
    check_list(requests, place_text(IN(at, "requests"), errors->arena), errors);
    JSON_EACH(requests, request)
    check_request(request, json_get(limits, request->key), at, errors);
}

void resource_name_check(str_t name, const struct place *list, struct field_errors *errors)
{
    if (!is_known(name))
        check_resource_name(name, place_text(list, errors->arena), errors);
}
