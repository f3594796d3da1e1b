/* wire_node.c - the node role: runs as root, and is the only one that does. */
#include "net/signals.h"
#include "net/stream.h"
#include "node/node.h"
#include "runtime/runtime.h"
#include "supervise/confine.h"
#include "supervise/home.h"
#include "supervise/logs.h"
#include "supervise/roles.h"
#include "supervise/settings.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct node_role {
    struct home home;
    struct loop *loop;
    struct node *node;
    struct signals signals;
};

static void on_signal(struct signals *signals, int number)
{
    (void)number;
    loop_stop(CONTAINER_OF(signals, struct node_role, signals)->loop);
}

static void ready(void *self)
{
    (void)self;
    ssize_t n = write(FD_READY, "r", 1);
    (void)n;
    close(FD_READY);
}

/* The supervisor gives it unless the port is another's. */
static int registry_fd(void)
{
    struct stat door;
    int fd = FD_DOORS + DOOR_REGISTRY;
    return fstat(fd, &door) == 0 && S_ISSOCK(door.st_mode) ? fd : -1;
}

static int start(struct node_role *role, const struct role_settings *settings, struct err *err)
{
    struct node_settings node = {.log = &stderr_log,
                                 .name = settings->node_name,
                                 .pod_cidr = settings->pod_cidr,
                                 .bridge = settings->bridge,
                                 .api_door = settings->api_door,
                                 .dir = settings->dir.at,
                                 .api_socket = home_path(&role->home, "run/api.sock"),
                                 .self = role,
                                 .local_fd = FD_LOCAL,
                                 .registry_fd = registry_fd(),
                                 .image_gc_percent = settings->image_gc_percent,
                                 .ready = ready};
    int r = runtime_enter(home_path(&role->home, NODE_RUNTIME_DIR), "", err);
    if (r == 0)
        r = node_find_shim(settings->arena, &node.shim, err);
    if (r == 0)
        r = loop_new(system_clock(), &role->loop, err);
    if (r == 0) /* Before there are threads, which inherit what is blocked. */
        r = signals_watch(role->loop, &role->signals, (const int[]){SIGTERM, SIGINT, 0}, on_signal,
                          err);
    /* Without its supervisor nobody could stop it, and the next one's would fight with it. */
    if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
        r = err_errno(err, "end with the supervisor");
    node.loop = role->loop;
    return r < 0 ? r : node_open(&node, &role->node, err);
}

int node_run(const struct role_settings *settings)
{
    struct node_role role = {.home = {settings->dir, settings->arena}};
    struct err err;
    net_init();
    raise_descriptor_limit();
    int r = start(&role, settings, &err);
    if (r < 0) {
        log_error(&stderr_log, "node cannot start", F_STR("error", str_from_z(err.text)));
        return EXIT_CONFIG;
    }
    r = loop_run(role.loop, &err);
    if (r < 0)
        log_error(&stderr_log, "node stops", F_STR("error", str_from_z(err.text)));
    node_close(role.node);
    signals_done(&role.signals);
    loop_free(role.loop);
    return r < 0 ? 1 : 0;
}
