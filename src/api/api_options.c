/* api_options.c - which queries of lists and watches go together, in Kubernetes' words. */
#include "api/api_priv.h"

/* What a refusal of a query names. */
static const struct kind list_options_kind = {.group = "meta.k8s.io", .name = "ListOptions"};

static void forbid(struct field_errors *errors, const char *path, const char *why)
{
    field_error(errors, FIELD_FORBIDDEN, str_from_z(path), "Forbidden: %s", why);
}

static void unsupported(struct field_errors *errors, str_t match, const char *values)
{
    field_error(errors, FIELD_NOT_SUPPORTED, STR("resourceVersionMatch"),
                "Unsupported value: \"" STR_F "\": supported values: %s", STR_A(match), values);
}

static void check_watch(const struct call *call, str_t match, struct field_errors *errors)
{
    bool sends = call_query(call, STR("sendInitialEvents")).len > 0;
    bool not_older = str_eq(match, STR("NotOlderThan"));
    if (sends && !not_older)
        forbid(errors, "resourceVersionMatch",
               "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (match.len == 0)
        return;
    if (!sends)
        forbid(errors, "resourceVersionMatch",
               "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (!not_older)
        unsupported(errors, match, "\"NotOlderThan\"");
    if (call_query(call, STR("continue")).len > 0)
        forbid(errors, "resourceVersionMatch",
               "resourceVersionMatch is forbidden when continue is provided");
}

static void check_list(const struct call *call, str_t match, struct field_errors *errors)
{
    str_t rv = call_query(call, STR("resourceVersion"));
    bool exact = str_eq(match, STR("Exact"));
    if (match.len > 0 && rv.len == 0)
        forbid(errors, "resourceVersionMatch",
               "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (match.len > 0 && call_query(call, STR("continue")).len > 0)
        forbid(errors, "resourceVersionMatch",
               "resourceVersionMatch is forbidden when continue is provided");
    if (match.len > 0 && !exact && !str_eq(match, STR("NotOlderThan")))
        unsupported(errors, match, "\"Exact\", \"NotOlderThan\", \"\"");
    if (exact && str_eq(rv, STR("0")))
        forbid(errors, "resourceVersionMatch",
               "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    if (call_query(call, STR("sendInitialEvents")).len > 0)
        forbid(errors, "sendInitialEvents", "sendInitialEvents is forbidden for list");
}

int list_query_check(struct call *call)
{
    struct field_errors errors = {.arena = call->arena};
    str_t match = call_query(call, STR("resourceVersionMatch"));
    if (call->verb == VERB_WATCH)
        check_watch(call, match, &errors);
    else
        check_list(call, match, &errors);
    if (errors.n == 0)
        return 0;
    call->kind = &list_options_kind;
    answer_invalid(call, STR(""), &errors);
    return -1;
}
