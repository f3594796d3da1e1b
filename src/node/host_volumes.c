/* host_volumes.c - ConfigMaps and Secrets are held, claims and tokens asked for, volumes made. */
#include "node/host_priv.h"

#include <string.h>

static void worked(struct job *job)
{
    struct volume_work *work = CONTAINER_OF(job, struct volume_work, job);
    work->done(work);
}

static void make(struct job *job)
{
    struct volume_work *work = CONTAINER_OF(job, struct volume_work, job);
    const struct host *host = work->host;
    struct volume_input in = {
        .pod = work->pod,
        .needs = &work->needs,
        .downward = {.pod = work->pod,
                     .pod_ip = json_text(json_at(work->pod, "status.podIP"), STR("")),
                     .host_ip = str_from_z(host->settings.host_ip),
                     .cpu_millis = (int64_t)host->settings.cpus * 1000,
                     .memory_bytes = (int64_t)host->settings.memory_bytes},
        .dir =
            pod_dir(host, json_text(json_at(work->pod, "metadata.uid"), STR("")), &work->arena).at,
        .store = host->store,
        .wall_ms = loop_wall_ms(host->settings.loop),
    };
    work->r = volumes_make(&in, &work->err);
}

static void asked(struct volume_ask *ask)
{
    struct volume_work *work = CONTAINER_OF(ask, struct volume_work, ask);
    work->renew_ms = ask->renew_ms;
    if (ask->r < 0) {
        work->r = ask->r;
        work->err = ask->err;
        work->done(work);
        return;
    }
    work->job = (struct job){.work = make, .done = worked};
    pool_run(work->host->settings.pool, &work->job);
}

static void held(struct step *step)
{
    struct volume_work *work = CONTAINER_OF(step, struct volume_work, step);
    struct host *host = work->host;
    if (step->r < 0) {
        work->r = step->r;
        work->err = step->err;
        work->done(work);
        return;
    }
    for (size_t i = 0; i < work->needs.n; i++) {
        struct volume_need *need = &work->needs.at[i];
        if (need->kind == NEED_CONFIG_MAP || need->kind == NEED_SECRET)
            need->object = configs_object(host->configs, need->kind == NEED_SECRET, work->ns,
                                          need->name, &work->arena);
    }
    work->ask = (struct volume_ask){
        .pod = work->pod, .needs = &work->needs, .arena = &work->arena, .done = asked};
    volume_ask_run(host->lookup, &work->ask);
}

void volume_work_run(struct host *host, struct volume_work *work, const struct json *pod,
                     void (*done)(struct volume_work *work))
{
    *work = (struct volume_work){.host = host, .done = done};
    work->pod = json_clone(pod, &work->arena);
    work->ns = json_text(json_at(work->pod, "metadata.namespace"), STR(""));
    volume_needs(work->pod, &work->arena, &work->needs);
    struct config_ref *refs = arena_array(&work->arena, struct config_ref, work->needs.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < work->needs.n; i++) {
        const struct volume_need *need = &work->needs.at[i];
        if (need->kind == NEED_CONFIG_MAP || need->kind == NEED_SECRET)
            refs[n++] = (struct config_ref){need->kind == NEED_SECRET, need->name};
    }
    work->step.done = held;
    configs_hold(host->configs, &work->step, json_text(json_at(work->pod, "metadata.uid"), STR("")),
                 work->ns, refs, n);
}

void volume_work_done(struct volume_work *work)
{
    arena_done(&work->arena);
}
