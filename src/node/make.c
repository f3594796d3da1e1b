/* make.c - command, environment, user, limits; make_security.c has what it may do. */
#include "node/make.h"

#include "kube/quantity.h"
#include "node/make_priv.h"

#include <string.h>

enum {
    SHARES_LEAST = 2, /* Of who asks for no processor. */
    PIDS_MAX = 1024,
    POD_PIDS_MAX = 4096,
};

static str_t text_of(const struct json *json)
{
    return json_text(json, STR(""));
}

/* --- amounts --- */

uint64_t make_amount(const struct json *container, const char *side, const char *name)
{
    quantity_t q;
    const struct json *list = json_get(json_get(container, STR("resources")), str_from_z(side));
    const struct json *item = json_get(list, str_from_z(name));
    if (item == NULL || !quantity_parse(text_of(item), &q) || q.nano <= 0)
        return 0;
    __int128 milli = (q.nano + 999999) / 1000000;
    return milli > INT64_MAX ? INT64_MAX : (uint64_t)milli;
}

static uint64_t requested(const struct json *container, const char *name)
{
    uint64_t asked = make_amount(container, "requests", name);
    return asked > 0 ? asked : make_amount(container, "limits", name);
}

static uint64_t shares_of(uint64_t cpu_millis)
{
    uint64_t shares = cpu_millis * 1024 / 1000;
    return shares < SHARES_LEAST ? SHARES_LEAST : shares > 262144 ? 262144 : shares;
}

static struct container_resources resources_of(const struct json *container)
{
    return (struct container_resources){
        .memory_bytes = make_amount(container, "limits", "memory") / 1000,
        .cpu_millis = make_amount(container, "limits", "cpu"),
        .cpu_shares = shares_of(requested(container, "cpu")),
        .pids = PIDS_MAX,
    };
}

/* Containers that run at the same time add up; an init container runs alone. */
struct pod_sum {
    uint64_t cpu, memory, asked;
    bool cpu_open, memory_open;
};

static void add_container(struct pod_sum *sum, const struct json *container)
{
    uint64_t cpu = make_amount(container, "limits", "cpu");
    uint64_t memory = make_amount(container, "limits", "memory") / 1000;
    sum->cpu += cpu;
    sum->memory += memory;
    sum->asked += requested(container, "cpu");
    sum->cpu_open |= cpu == 0;
    sum->memory_open |= memory == 0;
}

static bool is_sidecar(const struct json *container)
{
    return str_eq(json_get_text(container, STR("restartPolicy")), STR("Always"));
}

static void at_least(uint64_t *value, uint64_t other)
{
    if (*value < other)
        *value = other;
}

struct container_resources make_pod_resources(const struct json *pod)
{
    struct pod_sum all = {0};
    JSON_EACH(json_at(pod, "spec.containers"), container)
    add_container(&all, container);
    JSON_EACH(json_at(pod, "spec.initContainers"), container)
    if (is_sidecar(container))
        add_container(&all, container);
    JSON_EACH(json_at(pod, "spec.initContainers"), container)
    {
        struct pod_sum one = {0};
        if (is_sidecar(container))
            continue;
        add_container(&one, container);
        at_least(&all.cpu, one.cpu);
        at_least(&all.memory, one.memory);
        at_least(&all.asked, one.asked);
        all.cpu_open |= one.cpu_open;
        all.memory_open |= one.memory_open;
    }
    return (struct container_resources){.cpu_millis = all.cpu_open ? 0 : all.cpu,
                                        .memory_bytes = all.memory_open ? 0 : all.memory,
                                        .cpu_shares = shares_of(all.asked),
                                        .pids = POD_PIDS_MAX};
}

int make_oom_score(const struct json *pod, const struct json *container, uint64_t memory_bytes)
{
    str_t class = text_of(json_at(pod, "status.qosClass"));
    int64_t priority = 0;
    bool critical = json_to_i64(json_at(pod, "spec.priority"), &priority) && priority >= 2000000000;
    if (critical || str_eq(class, STR("Guaranteed")))
        return -997;
    if (str_eq(class, STR("BestEffort")) || memory_bytes == 0)
        return 1000;
    uint64_t asked = requested(container, "memory") / 1000;
    int64_t score = 1000 - (int64_t)((__int128)asked * 1000 / memory_bytes);
    return score < 3 ? 3 : score > 999 ? 999 : (int)score;
}

/* --- command --- */

static void add_texts(struct texts *out, const struct json *list, const struct variables *env,
                      struct arena *arena)
{
    str_t *at = arena_array(arena, str_t, out->n + json_count(list));
    if (out->n > 0)
        memcpy(at, out->at, out->n * sizeof(*at));
    JSON_EACH(list, item)
    at[out->n++] = env == NULL ? text_of(item) : expand(text_of(item), env, arena);
    out->at = at;
}

/* https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/ */
static struct texts command_of(const struct make_input *in, struct arena *arena)
{
    const struct json *command = json_get(in->container, STR("command"));
    const struct json *args = json_get(in->container, STR("args"));
    struct texts out = {0};
    if (json_first(command) != NULL)
        add_texts(&out, command, in->env, arena);
    else
        add_texts(&out, json_get(in->image, STR("Entrypoint")), NULL, arena);
    if (json_first(args) != NULL)
        add_texts(&out, args, in->env, arena);
    else if (json_first(command) == NULL)
        add_texts(&out, json_get(in->image, STR("Cmd")), NULL, arena);
    return out;
}

static void add_env(struct arena *arena, str_t *at, size_t *n, str_t name, str_t value)
{
    at[(*n)++] = arena_printf(arena, STR_F "=" STR_F, STR_A(name), STR_A(value));
}

/* What every program expects is there, if nobody said otherwise. */
static struct texts env_of(const struct make_input *in, str_t home, struct arena *arena)
{
    enum { OUR_OWN = 4 };
    str_t *at = arena_array(arena, str_t, in->env->n + OUR_OWN);
    size_t n = 0;
    if (variables_get(in->env, STR("PATH")) == NULL)
        add_env(arena, at, &n, STR("PATH"),
                STR("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    if (variables_get(in->env, STR("HOSTNAME")) == NULL)
        add_env(arena, at, &n, STR("HOSTNAME"), in->hostname);
    if (variables_get(in->env, STR("HOME")) == NULL)
        add_env(arena, at, &n, STR("HOME"), home.len > 0 ? home : STR("/"));
    if (json_is_true(json_get(in->container, STR("tty"))) &&
        variables_get(in->env, STR("TERM")) == NULL)
        add_env(arena, at, &n, STR("TERM"), STR("xterm"));
    for (size_t i = 0; i < in->env->n; i++)
        add_env(arena, at, &n, in->env->at[i].name, in->env->at[i].value);
    return (struct texts){at, n};
}

static str_t cwd_of(const struct make_input *in)
{
    str_t own = json_get_text(in->container, STR("workingDir"));
    return own.len > 0 ? own : json_get_text(in->image, STR("WorkingDir"));
}

int make_container(const struct make_input *in, struct arena *arena, struct container_spec *out,
                   struct err *err)
{
    str_t home = STR("");
    *out = (struct container_spec){
        .id = in->id,
        .label = in->label,
        .rootfs = in->rootfs,
        .args = command_of(in, arena),
        .cwd = cwd_of(in),
        .mounts = in->mounts,
        .n_mounts = in->n_mounts,
        .hostname = in->hostname,
        .group = in->group,
        .log = in->log,
        .resources = resources_of(in->container),
        .oom_score_adj = make_oom_score(in->pod, in->container, in->memory_bytes),
        .tty = json_is_true(json_get(in->container, STR("tty"))),
        .stdin_open = json_is_true(json_get(in->container, STR("stdin"))),
        .stdin_once = json_is_true(json_get(in->container, STR("stdinOnce"))),
    };
    if (out->args.n == 0)
        return err_set(err, ERR_INVALID,
                       "no command specified: neither the container nor its image has one");
    make_namespaces(in, arena, out);
    int r = make_user(in, arena, out, &home, err);
    if (r == 0)
        r = make_security(in, arena, out, err);
    if (r == 0)
        out->env = env_of(in, home, arena);
    return r;
}
