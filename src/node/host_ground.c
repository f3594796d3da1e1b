/*
 * host_ground.c - what a pod stands on: volumes, network, namespaces, its group. One step after the
 * other; each may find that it was done before.
 */
#include "kube/meta.h"
#include "node/host_priv.h"
#include "node/make.h"
#include "node/net_pod.h"
#include "runtime/share.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct grounding {
    struct host *host;
    struct step *step;
    struct ground *out;
    struct arena arena;
    const struct json *pod;
    str_t uid, dir;
    struct volume_work volumes;
    struct net_pod_call net;
    struct job job;
    struct runtime_call pause;
    struct container_spec spec;
    int r;
    struct err err;
    const char *reason;
};

static void end(struct grounding *g, int r, const struct err *err, const char *reason)
{
    struct step *step = g->step;
    step->r = r;
    step->reason = reason;
    if (r < 0)
        step->err = *err;
    volume_work_done(&g->volumes);
    net_pod_call_done(&g->net);
    arena_done(&g->arena);
    free(g);
    step->done(step);
}

static bool spec_is(const struct json *pod, const char *field)
{
    return json_is_true(json_get(json_get(pod, STR("spec")), str_from_z(field)));
}

/* --- last: a process that holds the pid namespace --- */

static void hold_started(struct runtime_call *call)
{
    struct grounding *g = CONTAINER_OF(call, struct grounding, pause);
    struct place *place = place_get(g->host, g->uid);
    if (call->r < 0) {
        (void)err_wrap(&call->err, "failed to create pod sandbox");
        end(g, call->r, &call->err, "FailedCreatePodSandBox");
        return;
    }
    (void)snprintf(g->out->pid, sizeof(g->out->pid), "/proc/%d/ns/pid", place->pause_pid);
    end(g, 0, NULL, NULL);
}

static void hold_created(struct runtime_call *call)
{
    struct grounding *g = CONTAINER_OF(call, struct grounding, pause);
    struct place *place = place_get(g->host, g->uid);
    if (call->r < 0) {
        hold_started(call);
        return;
    }
    (void)snprintf(place->pause, sizeof(place->pause), STR_F, STR_A(g->spec.id));
    place->pause_pid = call->pid;
    runtime_start(g->host->settings.runtime, call, g->spec.id, hold_started);
}

static void hold_make(struct grounding *g)
{
    struct err err;
    g->spec = (struct container_spec){
        .id = arena_printf(&g->arena, "pause-" STR_F, STR_A(uid_new(&g->arena))),
        .label = arena_printf(&g->arena, PAUSE_LABEL STR_F, STR_A(g->uid)),
        .group = arena_printf(&g->arena, "pods/" STR_F "/pause", STR_A(g->uid)),
        .seccomp = SECCOMP_DEFAULT,
    };
    if (g->out->net[0] != '\0')
        g->spec.namespaces[NS_NET] = (struct container_namespace){NS_PATH, str_from_z(g->out->net)};
    int r = share_pause(g->host->settings.runtime, &g->spec, &g->arena, &err);
    if (r < 0) {
        end(g, r, &err, "FailedCreatePodSandBox");
        return;
    }
    runtime_create(g->host->settings.runtime, &g->pause, &g->spec, hold_created);
}

static void hold_removed(struct runtime_call *call)
{
    hold_make(CONTAINER_OF(call, struct grounding, pause));
}

static void hold(struct grounding *g)
{
    struct place *place = place_get(g->host, g->uid);
    if (!spec_is(g->pod, "shareProcessNamespace")) {
        end(g, 0, NULL, NULL);
    } else if (place->pause_pid > 0) {
        (void)snprintf(g->out->pid, sizeof(g->out->pid), "/proc/%d/ns/pid", place->pause_pid);
        end(g, 0, NULL, NULL);
    } else if (place->pause[0] != '\0') { /* It has ended; its containers did with it. */
        runtime_delete(g->host->settings.runtime, &g->pause, str_from_z(place->pause),
                       hold_removed);
    } else {
        hold_make(g);
    }
}

/* --- namespaces and the group, on the pool --- */

/* Those of the network are podnet's. */
static size_t sysctls_of(const struct json *pod, struct arena *arena, struct container_pair **out)
{
    const struct json *list = json_at(pod, "spec.securityContext.sysctls");
    size_t n = 0;
    *out = arena_array(arena, struct container_pair, json_count(list) + 1);
    JSON_EACH(list, item)
    {
        str_t name = json_get_text(item, STR("name"));
        if (!str_starts(name, STR("net")))
            (*out)[n++] = (struct container_pair){name, json_get_text(item, STR("value"))};
    }
    return n;
}

static void furnish(struct job *job)
{
    struct grounding *g = CONTAINER_OF(job, struct grounding, job);
    struct container_resources resources = make_pod_resources(g->pod);
    struct container_pair *sysctls;
    size_t n = sysctls_of(g->pod, &g->arena, &sysctls);
    const char *ns = arena_printf(&g->arena, STR_F "/ns", STR_A(g->dir)).at;
    g->reason = "FailedCreatePodSandBox";
    g->r = runtime_group_set(g->host->settings.runtime,
                             arena_printf(&g->arena, "pods/" STR_F, STR_A(g->uid)), &resources,
                             &g->err);
    if (g->r == 0 && !spec_is(g->pod, "hostIPC")) {
        g->r = share_pin(ns, str_from_z(g->out->hostname), sysctls, n, &g->err);
        g->r = g->r == ERR_EXISTS ? 0 : g->r;
        (void)snprintf(g->out->ipc, sizeof(g->out->ipc), "%s/ipc", ns);
    }
    if (g->r == 0)
        g->r = net_pod_files(g->host->settings.podnet, g->pod, g->out, g->dir.at, &g->err);
}

static void furnished(struct job *job)
{
    struct grounding *g = CONTAINER_OF(job, struct grounding, job);
    if (g->r < 0)
        end(g, g->r, &g->err, g->reason);
    else
        hold(g);
}

/* --- network --- */

static void networked(struct net_pod_call *call)
{
    struct grounding *g = CONTAINER_OF(call, struct grounding, net);
    if (call->r < 0) {
        (void)err_wrap(&call->err, "failed to setup network for sandbox");
        end(g, call->r, &call->err, "FailedCreatePodSandBox");
        return;
    }
    g->job = (struct job){.work = furnish, .done = furnished};
    pool_run(g->host->settings.pool, &g->job);
}

static void volumed(struct volume_work *work)
{
    struct grounding *g = CONTAINER_OF(work, struct grounding, volumes);
    struct place *place = place_get(g->host, g->uid);
    AUTO(buf_done) struct buf text = {0};
    if (work->r < 0) {
        end(g, work->r, &work->err, "FailedMount");
        return;
    }
    json_write(g->pod, &text);
    place_set_object(place, buf_str(&text));
    place_renew_at(place, work->renew_ms);
    net_pod_add(g->host->settings.podnet, g->host->settings.loop, &g->net, g->pod, g->out,
                networked);
}

/* --- first --- */

static int make_dirs(struct grounding *g, struct err *err)
{
    static const char *const names[] = {"", "/containers", "/rootfs"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *path = arena_printf(&g->arena, STR_F "%s", STR_A(g->dir), names[i]).at;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return err_errno(err, "make '%s'", path);
    }
    return 0;
}

/* As many bytes as Linux takes for a host's name. */
static void set_hostname(struct grounding *g)
{
    char own[HOST_NAME_MAX + 1] = {0};
    str_t name = json_text(json_at(g->pod, "spec.hostname"), STR(""));
    if (name.len == 0)
        name = json_text(json_at(g->pod, "metadata.name"), STR(""));
    if (spec_is(g->pod, "hostNetwork") && gethostname(own, sizeof(own) - 1) == 0)
        name = str_from_z(own);
    if (name.len > 63)
        name.len = 63;
    while (name.len > 0 && (name.at[name.len - 1] == '-' || name.at[name.len - 1] == '.'))
        name.len--;
    (void)snprintf(g->out->hostname, sizeof(g->out->hostname), STR_F, STR_A(name));
}

static void ground(void *self, struct step *step, const struct json *pod, struct ground *out)
{
    struct host *host = self;
    struct grounding *g = calloc(1, sizeof(*g));
    struct err err;
    MUST(g != NULL);
    *g = (struct grounding){.host = host, .step = step, .out = out};
    *out = (struct ground){0};
    g->pod = json_clone(pod, &g->arena);
    g->uid = json_text(json_at(g->pod, "metadata.uid"), STR(""));
    g->dir = pod_dir(host, g->uid, &g->arena);
    set_hostname(g);
    (void)place_get(host, g->uid);
    if (make_dirs(g, &err) < 0)
        log_error(host->settings.log, "pod's directory", F_STR("error", str_from_z(err.text)));
    volume_work_run(host, &g->volumes, g->pod, volumed);
}

/* --- mounts of a container --- */

static int mounts(void *self, const struct mounts_want *want, struct arena *arena,
                  struct mounts *out, struct err *err)
{
    static const struct {
        const char *file, *target;
    } files[] = {{"hosts", "/etc/hosts"},
                 {"resolv.conf", "/etc/resolv.conf"},
                 {"hostname", "/etc/hostname"}};
    const struct host *host = self;
    str_t dir = pod_dir(host, json_text(json_at(want->pod, "metadata.uid"), STR("")), arena);
    struct container_mount own[ARRAY_LEN(files)];
    size_t n_own = 0;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        str_t path = arena_printf(arena, STR_F "/%s", STR_A(dir), files[i].file);
        if (access(path.at, F_OK) == 0)
            own[n_own++] =
                (struct container_mount){.target = str_from_z(files[i].target), .source = path};
    }
    struct volume_mounts_input in = {.pod = want->pod,
                                     .container = want->container,
                                     .dir = dir.at,
                                     .env = want->env,
                                     .own = own,
                                     .n_own = n_own};
    return volume_mounts(&in, arena, &out->at, &out->n, err);
}

void host_ground_fill(struct host *host)
{
    host->ops.ground = ground;
    host->ops.mounts = mounts;
}
