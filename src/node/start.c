/*
 * start.c - a container's way from its image to its first process: one step after the other, each
 * with the reason that Kubernetes gives when it fails.
 */
#include "kube/meta.h"
#include "node/env.h"
#include "node/make.h"
#include "node/pod.h"
#include "node/prober.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOOK_MS_MAX = 24 * 3600 * 1000 }; /* Kubernetes has no limit for it. */

static struct unit *unit_of(const struct container *c)
{
    return &c->pod->units[c->at];
}

static struct container_facts *facts_of(const struct container *c)
{
    return &c->pod->facts[c->at];
}

static const struct pod_host *host_of(const struct container *c)
{
    return &c->pod->pods->host;
}

static void set_text(char **to, const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    MUST(text == NULL || copy != NULL);
    free(*to);
    *to = copy;
}

/* --- how it fails --- */

static void failed(struct container *c, const char *reason, const struct err *err)
{
    struct unit *unit = unit_of(c);
    msec_t now_ms = pod_now(c->pod);
    c->doing = DOING_NOTHING;
    c->image_failed = str_starts(str_from_z(reason), STR("ErrImage")) ||
                      str_eq(str_from_z(reason), STR("InvalidImageName"));
    unit->state = UNIT_NEVER;
    unit->failed = true;
    backoff_next(&unit->backoff, now_ms, now_ms);
    unit->ended_ms = now_ms;
    facts_of(c)->waiting = reason;
    set_text(&facts_of(c)->why, err->text);
    arena_reset(&c->arena);
    pod_sync(c->pod);
}

/* The pod is to end: what is not begun yet is not begun any more. */
static bool given_up(struct container *c)
{
    struct err err;
    if (!c->pod->leaving)
        return false;
    (void)err_set(&err, ERR_GONE, "the pod is being deleted");
    failed(c, "ContainerCreating", &err);
    return true;
}

/* --- cleaning: what the last run left --- */

static void clean_end(struct container *c)
{
    void (*then)(struct container *) = c->then;
    c->doing = DOING_NOTHING;
    c->then = NULL;
    if (then != NULL)
        then(c);
    else
        pod_sync(c->pod);
}

static void rootfs_gone(struct step *step)
{
    struct container *c = CONTAINER_OF(step, struct container, step);
    if (step->r < 0)
        log_error(host_of(c)->log, "file system of a container not removed",
                  F_STR("path", str_from_z(c->rootfs)), F_STR("error", str_from_z(step->err.text)));
    set_text(&c->rootfs, NULL);
    clean_end(c);
}

static void removed(struct runtime_call *call)
{
    struct container *c = CONTAINER_OF(call, struct container, call);
    const struct pod_host *host = host_of(c);
    if (call->r < 0)
        log_error(host->log, "container not removed", F_STR("id", str_from_z(facts_of(c)->id)),
                  F_STR("error", str_from_z(call->err.text)));
    c->kept = false;
    if (c->rootfs == NULL) {
        clean_end(c);
        return;
    }
    c->step = (struct step){.done = rootfs_gone};
    host->rootfs_gone(host->self, &c->step, str_from_z(c->rootfs));
}

void container_clean(struct container *c, void (*then)(struct container *c))
{
    const struct pod_host *host = host_of(c);
    c->doing = DOING_CLEANING;
    c->then = then;
    if (c->kept) {
        host->remove(host->self, &c->call, str_from_z(facts_of(c)->id), removed);
    } else if (c->rootfs != NULL) {
        c->step = (struct step){.done = rootfs_gone};
        host->rootfs_gone(host->self, &c->step, str_from_z(c->rootfs));
    } else {
        clean_end(c);
    }
}

/* --- the last steps: created, started, told --- */

static void runs(struct container *c)
{
    struct unit *unit = unit_of(c);
    struct container_facts *facts = facts_of(c);
    c->doing = DOING_NOTHING;
    arena_reset(&c->arena);
    facts->waiting = NULL;
    set_text(&facts->why, NULL);
    if (unit->state == UNIT_STARTING)
        unit->state = UNIT_RUNNING;
    pod_sync(c->pod);
}

static void post_start_failed(struct container *c, const char *why)
{
    container_event(c, true, "FailedPostStartHook", "PostStartHook failed: %s", why);
    unit_of(c)->unhealthy = true;
    c->stop_reason = "FailedPostStartHook";
    runs(c);
}

static void post_started(void *self, bool fine, const char *words)
{
    struct container *c = self;
    c->hook = NULL;
    if (fine)
        runs(c);
    else
        post_start_failed(c, words);
}

static void started(struct runtime_call *call)
{
    struct container *c = CONTAINER_OF(call, struct container, call);
    AUTO(arena_done) struct arena arena = {0};
    const struct json *object = pod_tree(c->pod, &arena);
    const struct json *container = container_in(object, facts_of(c)->name);
    const struct json *hook = json_at(container, "lifecycle.postStart");
    struct unit *unit = unit_of(c);
    if (call->r < 0) {
        container_event(c, true, "Failed", "Error: %s", call->err.text);
        failed(c, "RunContainerError", &call->err);
        return;
    }
    if (unit->state == UNIT_STARTING) { /* It may have ended already. */
        facts_of(c)->started_ms = loop_wall_ms(host_of(c)->loop);
        unit->started = json_get(container, STR("startupProbe")) == NULL;
        facts_of(c)->ready = json_get(container, STR("readinessProbe")) == NULL && unit->started;
    }
    container_event(c, false, "Started", "Started container %s", facts_of(c)->name);
    if (unit->state == UNIT_STARTING)
        prober_begin(c, object, container);
    if (unit->state != UNIT_STARTING || hook == NULL) {
        runs(c);
        return;
    }
    c->doing = DOING_POST_START;
    container_hook(c, container, hook, HOOK_MS_MAX, post_started);
}

static void created(struct runtime_call *call)
{
    struct container *c = CONTAINER_OF(call, struct container, call);
    const struct pod_host *host = host_of(c);
    if (call->r < 0) {
        container_event(c, true, "Failed", "Error: %s", call->err.text);
        failed(c, "CreateContainerError", &call->err);
        return;
    }
    c->kept = true;
    container_event(c, false, "Created", "Created container: %s", facts_of(c)->name);
    if (given_up(c))
        return;
    c->doing = DOING_START;
    host->start(host->self, &c->call, str_from_z(facts_of(c)->id), started);
}

/* --- what it is to be --- */

struct lookup {
    const struct pod_host *host;
    str_t ns;
    struct arena *arena;
    struct variables *services;
};

static const struct json *data_of(void *self, bool secret, str_t name)
{
    struct lookup *in = self;
    return in->host->config(in->host->self, secret, in->ns, name, in->arena);
}

static void add_service(void *to, const struct json *service)
{
    struct lookup *in = to;
    service_variables(service, in->arena, in->services);
}

static void add_image_env(const struct json *config, struct arena *arena, struct variables *out)
{
    JSON_EACH(json_get(config, STR("Env")), item)
    {
        str_t name, value;
        if (str_cut(json_text(item, STR("")), '=', &name, &value))
            variables_set(out, name, value, arena);
    }
}

static int make_env(struct container *c, const struct json *object, const struct json *container,
                    const struct json *config, struct variables *env, struct err *err)
{
    const struct pod_host *host = host_of(c);
    struct env_sources from = {
        .pod = {.pod = object,
                .pod_ip =
                    str_from_z(c->pod->ground.ip[0] != '\0' ? c->pod->ground.ip : host->host_ip),
                .host_ip = str_from_z(host->host_ip),
                .cpu_millis = host->cpu_millis,
                .memory_bytes = (int64_t)host->memory_bytes},
        .container = container,
        .data = data_of};
    struct lookup in = {host, str_from_z(c->pod->ns), &c->arena, &from.services};
    const struct json *links = json_at(object, "spec.enableServiceLinks");
    from.self = &in;
    add_image_env(config, &c->arena, &from.image);
    if (links == NULL || json_is_true(links))
        host->each_service(host->self, in.ns, add_service, &in, &c->arena);
    return env_make(&from, &c->arena, env, err);
}

/* The container's own file for what it says of its end, and where its log goes. */
static int make_files(struct container *c, str_t *message, str_t *log, struct err *err)
{
    const struct pod_host *host = host_of(c);
    const struct pod *pod = c->pod;
    struct container_facts *facts = facts_of(c);
    struct arena *arena = &c->arena;
    str_t dir = arena_printf(arena, "%s/%s_%s_%s", host->logs_dir, pod->ns, pod->name, pod->uid);
    str_t logs = arena_printf(arena, STR_F "/%s", STR_A(dir), facts->name);
    str_t own = arena_printf(arena, "%s/%s/containers", host->pods_dir, pod->uid);
    str_t dirs[] = {dir, logs, own};
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        if (mkdir(dirs[i].at, 0755) < 0 && access(dirs[i].at, F_OK) < 0)
            return err_errno(err, "make directory '" STR_F "'", STR_A(dirs[i]));
    *log = arena_printf(arena, STR_F "/%lld.log", STR_A(logs), (long long)facts->restarts);
    *message = arena_printf(arena, STR_F "/%s.message", STR_A(own), facts->name);
    int fd = open(message->at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return err_errno(err, "make '" STR_F "'", STR_A(*message));
    int r = fchmod(fd, 0666) < 0 ? err_errno(err, "open '" STR_F "' to all", STR_A(*message)) : 0;
    close(fd);
    return r;
}

static void add_message_mount(struct container *c, const struct json *container, str_t file,
                              struct mounts *mounts)
{
    struct container_mount *at = arena_array(&c->arena, struct container_mount, mounts->n + 1);
    if (mounts->n > 0)
        memcpy(at, mounts->at, mounts->n * sizeof(*at));
    at[mounts->n++] = (struct container_mount){
        .target = json_text(json_get(container, STR("terminationMessagePath")),
                            STR("/dev/termination-log")),
        .source = file};
    mounts->at = at;
}

/* Hex of 128 random bits: what the user sees, and short enough for a path. */
static int new_id(char out[CONTAINER_ID_MAX + 1], struct arena *arena)
{
    str_t uid = uid_new(arena);
    size_t n = 0;
    for (size_t i = 0; i < uid.len; i++)
        if (uid.at[i] != '-')
            out[n++] = uid.at[i];
    out[n] = '\0';
    return 0;
}

static int specify(struct container *c, struct err *err)
{
    const struct pod_host *host = host_of(c);
    struct container_facts *facts = facts_of(c);
    struct arena *arena = &c->arena;
    const struct json *object = pod_tree(c->pod, arena);
    const struct json *container = container_in(object, facts->name);
    struct variables *env = arena_new(arena, struct variables);
    struct mounts_want want = {object, container, env};
    struct mounts mounts;
    struct json *config;
    str_t message, log;
    if (json_parse(str_from_z(c->image.config), arena, &config, err) < 0 ||
        make_env(c, object, container, config, env, err) < 0 ||
        host->mounts(host->self, &want, arena, &mounts, err) < 0 ||
        make_files(c, &message, &log, err) < 0)
        return err->code;
    add_message_mount(c, container, message, &mounts);
    (void)new_id(facts->id, arena);
    struct make_input in = {
        .pod = object,
        .container = container,
        .image = config,
        .id = str_from_z(facts->id),
        .label =
            arena_printf(arena, "%s/%s/%lld", c->pod->uid, facts->name, (long long)facts->restarts),
        .group = arena_printf(arena, "pods/%s/%s", c->pod->uid, facts->name),
        .log = log,
        .rootfs = str_from_z(c->rootfs),
        .env = env,
        .mounts = mounts.at,
        .n_mounts = mounts.n,
        .hostname = str_from_z(c->pod->ground.hostname),
        .net = str_from_z(c->pod->ground.net),
        .ipc = str_from_z(c->pod->ground.ipc),
        .pid = str_from_z(c->pod->ground.pid),
        .memory_bytes = host->memory_bytes,
        .seccomp_dir = str_from_z(host->seccomp_dir),
    };
    str_t stop = json_get_text(config, STR("StopSignal"));
    (void)snprintf(c->stop_signal, sizeof(c->stop_signal), STR_F, STR_A(stop));
    return make_container(&in, arena, &c->spec, err);
}

static void mounted(struct step *step)
{
    struct container *c = CONTAINER_OF(step, struct container, step);
    const struct pod_host *host = host_of(c);
    struct err err;
    if (step->r == 0 && given_up(c))
        return;
    if (step->r < 0) {
        set_text(&c->rootfs, NULL);
        container_event(c, true, "Failed", "Error: %s", step->err.text);
        failed(c, "CreateContainerError", &step->err);
        return;
    }
    if (specify(c, &err) < 0) {
        facts_of(c)->id[0] = '\0';
        container_event(c, true, "Failed", "Error: %s", err.text);
        failed(c, "CreateContainerConfigError", &err);
        return;
    }
    c->doing = DOING_CREATE;
    host->create(host->self, &c->call, &c->spec, created);
}

static void mount_root(struct container *c)
{
    const struct pod_host *host = host_of(c);
    AUTO(arena_done) struct arena arena = {0};
    str_t path =
        arena_printf(&arena, "%s/%s/rootfs/%s", host->pods_dir, c->pod->uid, facts_of(c)->name);
    set_text(&c->rootfs, path.at);
    c->doing = DOING_ROOTFS;
    c->step = (struct step){.done = mounted};
    host->rootfs(host->self, &c->step, str_from_z(c->image.key), str_from_z(c->rootfs));
}

/* --- ConfigMaps and Secrets --- */

static void configs_known(struct step *step)
{
    struct container *c = CONTAINER_OF(step, struct container, step);
    if (step->r < 0) {
        container_event(c, true, "Failed", "Error: %s", step->err.text);
        failed(c, "CreateContainerConfigError", &step->err);
        return;
    }
    if (!given_up(c))
        container_clean(c, mount_root);
}

static void add_ref(struct config_ref *refs, size_t *n, const struct json *ref, bool secret)
{
    if (ref != NULL)
        refs[(*n)++] = (struct config_ref){secret, json_get_text(ref, STR("name"))};
}

static void get_configs(struct container *c)
{
    const struct pod_host *host = host_of(c);
    const struct json *object = pod_tree(c->pod, &c->arena);
    const struct json *container = container_in(object, facts_of(c)->name);
    const struct json *env = json_get(container, STR("env"));
    const struct json *all = json_get(container, STR("envFrom"));
    struct config_ref *refs =
        arena_array(&c->arena, struct config_ref, 2 * (json_count(env) + json_count(all)) + 1);
    size_t n = 0;
    JSON_EACH(env, item)
    {
        const struct json *from = json_get(item, STR("valueFrom"));
        add_ref(refs, &n, json_get(from, STR("configMapKeyRef")), false);
        add_ref(refs, &n, json_get(from, STR("secretKeyRef")), true);
    }
    JSON_EACH(all, item)
    {
        add_ref(refs, &n, json_get(item, STR("configMapRef")), false);
        add_ref(refs, &n, json_get(item, STR("secretRef")), true);
    }
    c->doing = DOING_CONFIG;
    c->step = (struct step){.done = configs_known};
    host->configs(host->self, &c->step, str_from_z(c->pod->uid), str_from_z(c->pod->ns), refs, n);
}

/* --- image --- */

static void say_pulling(struct image_got *got)
{
    struct container *c = CONTAINER_OF(got, struct container, image);
    AUTO(arena_done) struct arena arena = {0};
    const struct json *container = container_in(pod_tree(c->pod, &arena), facts_of(c)->name);
    container_event(c, false, "Pulling", "Pulling image \"" STR_F "\"",
                    STR_A(json_get_text(container, STR("image"))));
}

static void say_pulled(struct container *c, const char *image)
{
    const struct image_got *got = &c->image;
    if (got->pulled)
        container_event(c, false, "Pulled",
                        "Successfully pulled image \"%s\" in %lldms (%lldms including waiting). "
                        "Image size: %llu bytes.",
                        image, (long long)got->took_ms, (long long)got->took_ms,
                        (unsigned long long)got->bytes);
    else
        container_event(c, false, "Pulled", "Container image \"%s\" already present on machine",
                        image);
}

static void image_there(struct step *step)
{
    struct container *c = CONTAINER_OF(step, struct container, step);
    struct container_facts *facts = facts_of(c);
    AUTO(arena_done) struct arena arena = {0};
    const struct json *container = container_in(pod_tree(c->pod, &arena), facts->name);
    str_t image = arena_printf(&arena, STR_F, STR_A(json_get_text(container, STR("image"))));
    if (step->r < 0) {
        const char *reason = step->reason != NULL ? step->reason : "ErrImagePull";
        container_event(c, true, "Failed", "Failed to pull image \"%s\": %s", image.at,
                        step->err.text);
        container_event(c, true, "Failed", "Error: %s", reason);
        failed(c, reason, &step->err);
        return;
    }
    if (given_up(c))
        return;
    say_pulled(c, image.at);
    set_text(&facts->image, c->image.name);
    set_text(&facts->image_id, c->image.id);
    get_configs(c);
}

static void get_image(struct container *c, const struct json *object, const struct json *container)
{
    const struct pod_host *host = host_of(c);
    struct image_want want = {.uid = str_from_z(c->pod->uid),
                              .ns = str_from_z(c->pod->ns),
                              .ref = json_get_text(container, STR("image")),
                              .policy = json_get_text(container, STR("imagePullPolicy")),
                              .secrets = json_at(object, "spec.imagePullSecrets")};
    image_got_done(&c->image);
    c->image.pulling = say_pulling;
    c->doing = DOING_IMAGE;
    c->step = (struct step){.done = image_there};
    host->image(host->self, &c->step, &want, &c->image);
}

void container_start(struct container *c, const struct json *object)
{
    struct unit *unit = unit_of(c);
    struct container_facts *facts = facts_of(c);
    const struct json *container = container_in(object, facts->name);
    if (unit->state == UNIT_EXITED) {
        run_done(&facts->last);
        facts->last = facts->ended;
        facts->ended = (struct run){0};
        facts->has_last = true;
        facts->restarts++;
        backoff_next(&unit->backoff, unit->ended_ms, pod_now(c->pod));
        unit->ran = true;
    }
    unit->state = UNIT_STARTING;
    unit->failed = unit->unhealthy = unit->started = false;
    facts->ready = false;
    c->kill_ms = 0;
    c->term_sent = c->kill_sent = false;
    c->grace_ms = -1;
    c->stop_reason = NULL;
    arena_reset(&c->arena);
    get_image(c, object, container);
}
