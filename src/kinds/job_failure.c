/* job_failure.c - rules of a Job's podFailurePolicy: what the end of a pod means for the Job. */
#include "base/map.h"
#include "kinds/job.h"

enum { RULES_MAX = 20, PATTERNS_MAX = 20, CODES_MAX = 255 };

/* Is the text one of a few words, which end with NULL? That there is one the table sees to. */
static void check_word(str_t text, const char *const *words, const struct place *at,
                       struct field_errors *errors)
{
    AUTO(buf_done) struct buf list = {0};
    if (text.len == 0)
        return;
    for (const char *const *word = words; *word != NULL; word++) {
        if (str_eq(text, str_from_z(*word)))
            return;
        buf_printf(&list, "%s\"%s\"", list.len > 0 ? ", " : "", *word);
    }
    rule_error(errors, FIELD_NOT_SUPPORTED, at,
               "Unsupported value: \"" STR_F "\": supported values: " STR_F, STR_A(text),
               STR_A(buf_str(&list)));
}

static void check_too_many(size_t n, size_t most, const struct place *at,
                           struct field_errors *errors)
{
    if (n > most)
        rule_error(errors, FIELD_TOO_MANY, at, "Too many: %zu: must have at most %zu items", n,
                   most);
}

static bool has_container(const struct json *pod, str_t name)
{
    static const char *const lists[] = {"containers", "initContainers"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_get(pod, str_from_z(lists[i])), container)
    if (str_eq(json_get_text(container, STR("name")), name))
        return true;
    return false;
}

/* "[]int32{3, 1}", as Go shows it. */
static str_t go_codes(const struct json *codes, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(codes, code)
    buf_printf(&out, "%s" STR_F, out.len > 0 ? ", " : "[]int32{", STR_A(code->text));
    buf_add_char(&out, '}');
    return arena_str(arena, buf_str(&out));
}

static void check_codes(const struct json *codes, bool in, const struct place *at,
                        struct field_errors *errors)
{
    AUTO(map_done) struct map seen = {0};
    const struct place *list = IN(at, "values");
    int64_t code, before = INT32_MIN;
    bool ordered = true;
    long i = 0;
    if (json_count(codes) == 0)
        rule_error(errors, FIELD_INVALID, list,
                   "Invalid value: []int32(nil): at least one value is required");
    check_too_many(json_count(codes), CODES_MAX, list, errors);
    JSON_EACH(codes, each)
    {
        const struct place *here = ITEM(at, "values", i++);
        if (!json_to_i64(each, &code))
            continue;
        if (in && code == 0)
            rule_error(errors, FIELD_INVALID, here,
                       "Invalid value: 0: must not be 0 for the In operator");
        if (map_find(&seen, each->text) != NULL)
            rule_error(errors, FIELD_DUPLICATE, here, "Duplicate value: %lld", (long long)code);
        else
            map_add(&seen, each->text, arena_new(errors->arena, struct map_node));
        ordered = ordered && before <= code;
        before = code;
    }
    if (!ordered)
        rule_error(errors, FIELD_INVALID, list, "Invalid value: " STR_F ": must be ordered",
                   STR_A(go_codes(codes, errors->arena)));
}

static void check_exit_codes(const struct json *wanted, const struct json *pod,
                             const struct place *at, struct field_errors *errors)
{
    static const char *const operators[] = {"In", "NotIn", NULL};
    str_t op = json_get_text(wanted, STR("operator"));
    const struct json *name = json_get(wanted, STR("containerName"));
    check_word(op, operators, IN(at, "operator"), errors);
    if (name != NULL && !has_container(pod, json_text(name, STR(""))))
        rule_error(errors, FIELD_INVALID, IN(at, "containerName"),
                   "Invalid value: \"" STR_F "\": must be one of the container or initContainer "
                   "names in the pod template",
                   STR_A(json_text(name, STR(""))));
    check_codes(json_get(wanted, STR("values")), str_eq(op, STR("In")), at, errors);
}

static void check_conditions(const struct json *patterns, const struct place *at,
                             struct field_errors *errors)
{
    static const char *const statuses[] = {"False", "True", "Unknown", NULL};
    long i = 0;
    check_too_many(json_count(patterns), PATTERNS_MAX, IN(at, "onPodConditions"), errors);
    JSON_EACH(patterns, pattern)
    {
        const struct place *here = ITEM(at, "onPodConditions", i++);
        str_t type = json_get_text(pattern, STR("type"));
        if (type.len > 0)
            check_key(type, place_text(IN(here, "type"), errors->arena), errors);
        check_word(json_get_text(pattern, STR("status")), statuses, IN(here, "status"), errors);
    }
}

static void check_rule(const struct json *rule, const struct json *spec, const struct place *at,
                       struct field_errors *errors)
{
    static const char *const actions[] = {"Count", "FailIndex", "FailJob", "Ignore", NULL};
    const struct json *codes = json_get(rule, STR("onExitCodes"));
    const struct json *conditions = json_get(rule, STR("onPodConditions"));
    str_t action = json_get_text(rule, STR("action"));
    check_word(action, actions, IN(at, "action"), errors);
    if (str_eq(action, STR("FailIndex")) && json_get(spec, STR("backoffLimitPerIndex")) == NULL)
        rule_error(errors, FIELD_INVALID, IN(at, "action"),
                   "Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set");
    if (codes != NULL)
        check_exit_codes(codes, json_at(spec, "template.spec"), IN(at, "onExitCodes"), errors);
    check_conditions(conditions, at, errors);
    bool by_conditions = json_count(conditions) > 0;
    if ((codes != NULL) == by_conditions)
        rule_error(errors, FIELD_INVALID, at, "Invalid value: %s",
                   by_conditions
                       ? "specifying both OnExitCodes and OnPodConditions is not supported"
                       : "specifying one of OnExitCodes and OnPodConditions is required");
}

void job_failure_policy_check(const struct json *spec, const struct place *at,
                              struct field_errors *errors)
{
    const struct json *rules = json_at(spec, "podFailurePolicy.rules");
    const struct place *here = IN(at, "podFailurePolicy");
    str_t replaced = json_get_text(spec, STR("podReplacementPolicy"));
    str_t restart = json_text(json_at(spec, "template.spec.restartPolicy"), STR(""));
    long i = 0;
    check_too_many(json_count(rules), RULES_MAX, IN(here, "rules"), errors);
    JSON_EACH(rules, rule)
    check_rule(rule, spec, ITEM(here, "rules", i++), errors);
    if (str_eq(replaced, STR("TerminatingOrFailed")))
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "podReplacementPolicy"),
                   "Unsupported value: \"TerminatingOrFailed\": supported values: \"Failed\"");
    if (str_eq(restart, STR("OnFailure")))
        rule_error(errors, FIELD_INVALID, IN(IN(IN(at, "template"), "spec"), "restartPolicy"),
                   "Invalid value: \"OnFailure\": only \"Never\" is supported when "
                   "podFailurePolicy is specified");
}
