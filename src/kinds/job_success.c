/* job_success.c - rules of a Job's successPolicy: when some of its indexes are enough. */
#include "kinds/columns.h"
#include "kinds/job.h"

enum { RULES_MAX = 20, INDEXES_BYTES_MAX = 64 * 1024 };

static bool to_index(str_t text, int64_t completions, int64_t *out, struct arena *arena,
                     str_t *fault)
{
    if (!str_to_i64(text, out))
        *fault = arena_printf(arena, "cannot convert string to integer for index: \"" STR_F "\"",
                              STR_A(text));
    else if (*out >= completions)
        *fault = arena_printf(arena, "too large index: \"" STR_F "\"", STR_A(text));
    return fault->len == 0;
}

static str_t out_of_order(int64_t previous, int64_t current, struct arena *arena)
{
    return arena_printf(arena, "non-increasing order, previous: %lld, current: %lld",
                        (long long)previous, (long long)current);
}

/* "0,2-4": how many that are, or what is wrong with it; "" when nothing is. */
static str_t count_indexes(str_t text, int64_t completions, int64_t *total, struct arena *arena)
{
    str_t part, first, last, more, fault = STR("");
    int64_t before = -1, x, y;
    *total = 0;
    while (text.len > 0) {
        bool goes_on = str_cut(text, ',', &part, &text);
        bool range = str_cut(part, '-', &first, &last);
        if (range && str_cut(last, '-', &last, &more))
            return arena_printf(arena,
                                "the fragment \"" STR_F "\" violates the requirement that an "
                                "index interval can have at most two parts separated by '-'",
                                STR_A(part));
        if (!to_index(first, completions, &x, arena, &fault))
            return fault;
        y = x;
        if (range && !to_index(last, completions, &y, arena, &fault))
            return fault;
        if (range && x >= y)
            return out_of_order(x, y, arena);
        if (before >= x)
            return out_of_order(before, x, arena);
        if (goes_on && text.len == 0)
            return STR("cannot convert string to integer for index: \"\"");
        *total += y - x + 1;
        before = y;
    }
    return fault;
}

static void check_count(int64_t count, int64_t most, const char *what, const struct place *at,
                        struct field_errors *errors)
{
    if (count > most)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: %lld: must be less than or equal to %lld (the number of %s)",
                   (long long)count, (long long)most, what);
}

static void check_rule(const struct json *rule, int64_t completions, const struct place *at,
                       struct field_errors *errors)
{
    const struct json *indexes = json_get(rule, STR("succeededIndexes"));
    const struct json *count = json_get(rule, STR("succeededCount"));
    const struct place *here = IN(at, "succeededIndexes");
    str_t text = json_text(indexes, STR(""));
    int64_t total = 0, n = path_int(rule, "succeededCount", 0);
    if (indexes == NULL && count == NULL)
        rule_error(errors, FIELD_REQUIRED, at,
                   "Required value: at least one of succeededCount or succeededIndexes must be "
                   "specified");
    if (text.len > INDEXES_BYTES_MAX) {
        rule_error(errors, FIELD_TOO_LONG, here, "Too long: may not be more than %d bytes",
                   INDEXES_BYTES_MAX);
        return; /* Nor do we show it. */
    }
    str_t fault = count_indexes(text, completions, &total, errors->arena);
    if (fault.len > 0) {
        rule_error(errors, FIELD_INVALID, here,
                   "Invalid value: \"" STR_F "\": error parsing succeededIndexes: " STR_F,
                   STR_A(text), STR_A(fault));
        total = 0;
    }
    if (count == NULL)
        return;
    here = IN(at, "succeededCount");
    if (n < 0)
        rule_error(errors, FIELD_INVALID, here,
                   "Invalid value: %lld: must be greater than or equal to 0", (long long)n);
    check_count(n, completions, "specified completions", here, errors);
    if (indexes != NULL)
        check_count(n, total, "indexes in the specified succeededIndexes field", here, errors);
}

void job_success_policy_check(const struct json *spec, bool indexed, const struct place *at,
                              struct field_errors *errors)
{
    const struct json *rules = json_at(spec, "successPolicy.rules");
    const struct place *here = IN(at, "successPolicy");
    long i = 0;
    if (!indexed) {
        rule_error(errors, FIELD_INVALID, here,
                   "Invalid value: \"\": requires indexed completion mode");
        return;
    }
    if (json_count(rules) == 0)
        rule_error(errors, FIELD_REQUIRED, IN(here, "rules"),
                   "Required value: at least one rules must be specified when the successPolicy "
                   "is specified");
    if (json_count(rules) > RULES_MAX) {
        rule_error(errors, FIELD_TOO_MANY, IN(here, "rules"),
                   "Too many: %zu: must have at most %d items", json_count(rules), RULES_MAX);
        return;
    }
    JSON_EACH(rules, rule)
    check_rule(rule, path_int(spec, "completions", 0), ITEM(here, "rules", i++), errors);
}
