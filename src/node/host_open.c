/* host_open.c - the host's life. */
#include "node/host_open.h"

#include "control/reflector.h"
#include "kinds/kinds.h"
#include "node/host_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SERVICE_BYTES_MAX = 8 << 20 };

str_t pod_dir(const struct host *host, str_t uid, struct arena *arena)
{
    return arena_printf(arena, "%s/" STR_F, host->pods_dir, STR_A(uid));
}

static void changed(void *self, str_t uid)
{
    struct place *place = place_find(self, uid);
    if (place != NULL)
        place_refresh(place);
}

static int make_dir(const char *dir, const char *name, char **out, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    *out = strdup(arena_printf(&arena, "%s/%s", dir, name).at);
    MUST(*out != NULL);
    if (mkdir(*out, 0711) < 0 && errno != EEXIST)
        return err_errno(err, "make '%s'", *out);
    return 0;
}

static int make_dirs(struct host *host, struct err *err)
{
    const char *dir = host->settings.dir;
    if (make_dir(dir, "pods", &host->pods_dir, err) < 0 ||
        make_dir(dir, "logs", &host->logs_dir, err) < 0 ||
        make_dir(dir, VOLUME_STORE, &host->store, err) < 0 ||
        make_dir(dir, "seccomp", &host->seccomp_dir, err) < 0)
        return err->code;
    return 0;
}

static void fill(struct host *host)
{
    const struct host_settings *settings = &host->settings;
    host->ops = (struct pod_host){
        .self = host,
        .loop = settings->loop,
        .log = settings->log,
        .pods_dir = host->pods_dir,
        .logs_dir = host->logs_dir,
        .seccomp_dir = host->seccomp_dir,
        .memory_bytes = settings->memory_bytes,
        .cpu_millis = (int64_t)settings->cpus * 1000,
        .host_ip = settings->host_ip,
    };
    host_api_fill(host);
    host_configs_fill(host);
    host_runtime_fill(host);
    host_image_fill(host);
    host_ground_fill(host);
    host_clear_fill(host);
}

int host_open(const struct host_settings *settings, struct host **out, struct err *err)
{
    struct host *host = calloc(1, sizeof(*host));
    MUST(host != NULL);
    host->settings = *settings;
    if (make_dirs(host, err) < 0) {
        host_close(host);
        return err->code;
    }
    struct configs_settings configs = {.remote = settings->remote,
                                       .loop = settings->loop,
                                       .log = settings->log,
                                       .self = host,
                                       .changed = changed};
    struct reflector_settings services = {.remote = settings->remote,
                                          .log = settings->log,
                                          .kind = &kind_service,
                                          .bytes_max = SERVICE_BYTES_MAX};
    host->configs = configs_new(&configs);
    host->services = reflector_new(&services);
    host->lookup = volume_lookup_new(settings->remote, settings->loop);
    fill(host);
    *out = host;
    return 0;
}

void host_close(struct host *host)
{
    if (host == NULL)
        return;
    for (size_t i = 0; i < host->places.n_buckets; i++)
        for (struct map_node *node = host->places.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            place_free(CONTAINER_OF(node, struct place, node));
        }
    map_done(&host->places);
    if (host->lookup != NULL)
        volume_lookup_free(host->lookup);
    if (host->services != NULL)
        reflector_free(host->services);
    configs_free(host->configs);
    free(host->pods_dir);
    free(host->logs_dir);
    free(host->store);
    free(host->seccomp_dir);
    free(host);
}

const struct pod_host *host_ops(const struct host *host)
{
    return &host->ops;
}
