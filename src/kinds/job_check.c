/* job_check.c - rules of Job: how it counts its pods, and what of it may change. */
#include "kinds/columns.h"
#include "kinds/job.h"
#include "kinds/pod_spec.h"

enum {
    INDEXED_MAX = 100000,      /* Pods, or failed indexes, of an Indexed Job. */
    MANY_COMPLETIONS = 100000, /* Beyond it backoff limits of indexes cost more ... */
    LIMIT_OF_MANY = 10000,     /* ... so this much is the most. */
};

static bool is_indexed(const struct json *spec)
{
    return str_eq(json_get_text(spec, STR("completionMode")), STR("Indexed"));
}

static void check_limit(const struct json *spec, const char *name, int64_t most, const char *when,
                        const struct place *at, struct field_errors *errors)
{
    int64_t value = path_int(spec, name, 0);
    if (value > most)
        rule_error(errors, FIELD_INVALID, IN(at, name),
                   "Invalid value: %lld: must be less than or equal to %lld%s", (long long)value,
                   (long long)most, when);
}

static void check_indexed(const struct json *spec, const struct place *at,
                          struct field_errors *errors)
{
    const struct json *completions = json_get(spec, STR("completions"));
    int64_t wanted = path_int(spec, "completions", 0);
    int64_t failed = path_int(spec, "maxFailedIndexes", 0);
    if (completions == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(at, "completions"),
                   "Required value: when completion mode is Indexed");
    check_limit(spec, "parallelism", INDEXED_MAX, " when completion mode is Indexed", at, errors);
    if (completions != NULL && failed > wanted)
        rule_error(errors, FIELD_INVALID, IN(at, "maxFailedIndexes"),
                   "Invalid value: %lld: must be less than or equal to completions",
                   (long long)failed);
    check_limit(spec, "maxFailedIndexes", INDEXED_MAX, "", at, errors);
    if (wanted <= MANY_COMPLETIONS || json_get(spec, STR("backoffLimitPerIndex")) == NULL)
        return;
    static const char when[] =
        " when completions are above 100000 and used with backoff limit per index";
    if (json_get(spec, STR("maxFailedIndexes")) == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(at, "maxFailedIndexes"),
                   "Required value: must be specified when completions is above %d",
                   MANY_COMPLETIONS);
    check_limit(spec, "parallelism", LIMIT_OF_MANY, when, at, errors);
    check_limit(spec, "maxFailedIndexes", LIMIT_OF_MANY, when, at, errors);
}

static void check_without_indexes(const struct json *spec, const struct place *at,
                                  struct field_errors *errors)
{
    static const char *const of_indexes[] = {"backoffLimitPerIndex", "maxFailedIndexes"};
    for (size_t i = 0; i < ARRAY_LEN(of_indexes); i++)
        if (json_get(spec, str_from_z(of_indexes[i])) != NULL)
            rule_error(errors, FIELD_INVALID, IN(at, of_indexes[i]),
                       "Invalid value: %lld: requires indexed completion mode",
                       (long long)path_int(spec, of_indexes[i], 0));
}

void job_spec_check(const struct json *spec, const struct place *at, struct field_errors *errors)
{
    if (json_get(spec, STR("maxFailedIndexes")) != NULL &&
        json_get(spec, STR("backoffLimitPerIndex")) == NULL)
        rule_error(errors, FIELD_REQUIRED, IN(at, "backoffLimitPerIndex"),
                   "Required value: when maxFailedIndexes is specified");
    if (is_indexed(spec))
        check_indexed(spec, at, errors);
    else
        check_without_indexes(spec, at, errors);
    if (json_get(spec, STR("podFailurePolicy")) != NULL)
        job_failure_policy_check(spec, at, errors);
    if (json_get(spec, STR("successPolicy")) != NULL)
        job_success_policy_check(spec, is_indexed(spec), at, errors);
    pod_template_check(json_get(spec, STR("template")), json_get(spec, STR("selector")),
                       IN(at, "template"), restart_never_ever, errors);
}

/* --- updates --- */

static void check_completions(const struct json *spec, const struct json *was,
                              const struct place *at, struct field_errors *errors)
{
    const struct json *before = json_get(was, STR("completions"));
    const struct json *now = json_get(spec, STR("completions"));
    if (!is_indexed(spec))
        rule_unchanged(before, now, IN(at, "completions"), errors);
    else if (now != NULL && !json_eq(before, now) &&
             !json_eq(now, json_get(spec, STR("parallelism"))))
        rule_error(errors, FIELD_INVALID, IN(at, "completions"),
                   "Invalid value: %lld: can only be modified in tandem with spec.parallelism",
                   (long long)path_int(spec, "completions", 0));
}

static void take(struct json *to, const struct json *from, const char *name, struct arena *arena)
{
    const struct json *given = json_get(from, str_from_z(name));
    if (given != NULL)
        json_set(to, str_from_z(name), json_clone(given, arena));
    else
        (void)json_remove(to, str_from_z(name));
}

/* The template as it was, but with where its pods go as in `now`: queues set that late. */
static struct json *with_placement(const struct json *was, const struct json *now,
                                   struct arena *arena)
{
    static const char *const of_pods[] = {"nodeSelector", "tolerations", "schedulingGates"};
    static const char *const of_meta[] = {"labels", "annotations"};
    struct json *out = json_clone(was, arena);
    struct json *spec = rule_member(out, STR("spec"), arena);
    struct json *meta = rule_member(out, STR("metadata"), arena);
    const struct json *now_spec = json_get(now, STR("spec"));
    for (size_t i = 0; i < ARRAY_LEN(of_pods); i++)
        take(spec, now_spec, of_pods[i], arena);
    for (size_t i = 0; i < ARRAY_LEN(of_meta); i++)
        take(meta, json_get(now, STR("metadata")), of_meta[i], arena);
    struct json *affinity = rule_member(spec, STR("affinity"), arena);
    take(affinity, json_get(now_spec, STR("affinity")), "nodeAffinity", arena);
    if (affinity->first == NULL && json_get(now_spec, STR("affinity")) == NULL)
        (void)json_remove(spec, STR("affinity"));
    if (meta->first == NULL && json_get(now, STR("metadata")) == NULL)
        (void)json_remove(out, STR("metadata"));
    return out;
}

void job_check(const struct json *object, const struct json *old, struct field_errors *errors)
{
    const struct json *spec = json_get(object, STR("spec"));
    const struct place *at = IN(NULL, "spec");
    job_spec_check(spec, at, errors);
    if (old == NULL)
        return;
    const struct json *was = json_get(old, STR("spec"));
    const struct json *before = json_get(was, STR("template"));
    const struct json *now = json_get(spec, STR("template"));
    check_completions(spec, was, at, errors);
    bool waits =
        json_is_true(json_get(was, STR("suspend"))) && json_at(old, "status.startTime") == NULL;
    if (waits && before != NULL && now != NULL)
        before = with_placement(before, now, errors->arena);
    rule_unchanged(before, now, IN(at, "template"), errors);
}
