/* wire_control.c - the control role: store, API server and controllers on one loop. */
#include "api/api.h"
#include "base/file.h"
#include "control/runner.h"
#include "controllers/controllers.h"
#include "http/server.h"
#include "kinds/kinds.h"
#include "net/signals.h"
#include "net/stream.h"
#include "supervise/confine.h"
#include "supervise/home.h"
#include "supervise/logs.h"
#include "supervise/roles.h"
#include "supervise/settings.h"

#include <signal.h>
#include <unistd.h>

enum { READY_POLL_MS = 1, RENEW_MS = 3600 * 1000, TOLD_BYTES_MAX = 1 << 20 };

struct control {
    struct home home;
    struct loop *loop;
    struct store *store;
    struct api *api;
    struct http_server *server, *node_server;
    int draining; /* Servers. */
    struct runner *runner;
    struct signals signals;
    struct timer ready, renew;
    bool stopping;
};

static int make_tls(const struct home *home, struct tls_config **out, struct err *err)
{
    struct tls_settings settings = {.server = true, .alpn = "h2,http/1.1"};
    int r = home_read(home, "pki/server.crt", &settings.certificate_pem, err);
    if (r == 0)
        r = home_read(home, "pki/server.key", &settings.key_pem, err);
    if (r == 0)
        r = home_read(home, "pki/ca.crt", &settings.client_ca_pem, err);
    return r < 0 ? r : tls_config_new(&settings, out, err);
}

/* Certificates are renewed while we run; connections that are open keep theirs. */
static void renew_due(struct timer *timer)
{
    struct control *control = CONTAINER_OF(timer, struct control, renew);
    AUTO(arena_done) struct arena arena = {0};
    struct home home = {control->home.dir, &arena};
    struct tls_config *tls = NULL;
    struct err err;
    bool changed = false;
    int r = home_certificates(&home, loop_wall_ms(control->loop), &changed, &err);
    if (r == 0 && changed)
        r = make_tls(&home, &tls, &err);
    if (tls != NULL)
        http_server_set_tls(control->server, tls);
    if (r == 0 && changed)
        r = home_renew_kubeconfig(&home, &err);
    if (r < 0)
        log_error(&stderr_log, "renew certificates", F_STR("error", str_from_z(err.text)));
    timer_set(control->loop, &control->renew, RENEW_MS, renew_due);
}

static void ready_check(struct timer *timer)
{
    struct control *control = CONTAINER_OF(timer, struct control, ready);
    if (!api_is_ready(control->api)) {
        timer_set(control->loop, timer, READY_POLL_MS, ready_check);
        return;
    }
    ssize_t n = write(FD_READY, "r", 1);
    (void)n; /* Without a supervisor nobody waits for it. */
    close(FD_READY);
}

static void drained(void *self)
{
    struct control *control = self;
    if (--control->draining == 0)
        loop_stop(control->loop);
}

static void on_signal(struct signals *signals, int number)
{
    struct control *control = CONTAINER_OF(signals, struct control, signals);
    (void)number;
    if (control->stopping)
        return;
    control->stopping = true;
    if (control->node_server == NULL) { /* Not open yet. */
        loop_stop(control->loop);
        return;
    }
    api_drain(control->api);
    control->draining = 2;
    http_server_drain(control->server, DRAIN_MS, drained, control);
    http_server_drain(control->node_server, DRAIN_MS, drained, control);
}

static int open_doors(struct control *control, struct err *err)
{
    struct http_handler handler = api_handler(control->api);
    struct http_handler node_handler = api_node_handler(control->api);
    struct tls_config *tls;
    int r = http_server_new(control->loop, &handler, NULL, &control->server, err);
    if (r == 0)
        r = make_tls(&control->home, &tls, err);
    if (r == 0)
        r = http_server_listen(control->server, FD_DOORS + DOOR_KUBERNETES, tls, err);
    if (r == 0)
        r = http_server_listen(control->server, FD_LOCAL, NULL, err);
    if (r == 0)
        r = http_server_new(control->loop, &node_handler, NULL, &control->node_server, err);
    if (r == 0)
        r = http_server_listen(control->node_server, FD_API, NULL, err);
    return r;
}

/* Files that the command line named: they are read before we are less than we were. */
struct told {
    str_t tokens, audit_policy;
};

static int read_told(const struct role_settings *settings, struct told *told, struct err *err)
{
    int r = 0;
    *told = (struct told){0};
    if (settings->token_file != NULL)
        r = file_read(settings->arena, settings->token_file, TOLD_BYTES_MAX, &told->tokens, err);
    if (r == 0 && settings->audit_policy != NULL)
        r = file_read(settings->arena, settings->audit_policy, TOLD_BYTES_MAX, &told->audit_policy,
                      err);
    if (r == 0 && settings->audit_policy != NULL && told->audit_policy.len == 0)
        r = err_set(err, ERR_INVALID, "audit policy: '%s' is empty", settings->audit_policy);
    return r;
}

static int start(struct control *control, const char *node_name, const struct told *told,
                 struct err *err)
{
    struct store_settings store = {.dir = str_from_z(home_path(&control->home, "store")),
                                   .secret = kind_is_secret};
    int r = loop_new(system_clock(), &control->loop, err);
    if (r == 0) /* Before there are threads, which inherit what is blocked. */
        r = signals_watch(control->loop, &control->signals, (const int[]){SIGTERM, SIGINT, 0},
                          on_signal, err);
    if (r == 0)
        r = store_open(control->loop, &store, &control->store, err);
    if (r < 0)
        return r;
    struct api_settings api = {.loop = control->loop,
                               .store = control->store,
                               .log = &stderr_log,
                               .owner_uid = getuid(),
                               .node_socket = home_path(&control->home, "run/node.sock"),
                               .node_name = str_from_z(node_name),
                               .token_file = told->tokens,
                               .audit_policy = told->audit_policy,
                               .audit_dir = str_from_z(home_path(&control->home, "audit"))};
    r = home_read(&control->home, "pki/ca.crt", &api.ca_pem, err);
    if (r == 0)
        r = home_read(&control->home, "pki/sa.key", &api.token_key_pem, err);
    if (r == 0)
        r = api_new(&api, &control->api, err);
    if (r == 0)
        r = open_doors(control, err);
    if (r == 0)
        r = api_bootstrap(control->api, err);
    if (r < 0)
        return r;
    struct runner_settings runner = {.loop = control->loop,
                                     .store = control->store,
                                     .writer = api_writer(control->api),
                                     .log = &stderr_log,
                                     .kinds = api_kinds(control->api),
                                     .controllers = controllers_all,
                                     .ca_pem = api.ca_pem};
    r = runner_new(&runner, &control->runner, err);
    timer_set(control->loop, &control->ready, 0, ready_check);
    timer_set(control->loop, &control->renew, RENEW_MS, renew_due);
    return r;
}

int control_run(const struct role_settings *settings)
{
    struct control control = {.home = {settings->dir, settings->arena}};
    struct err err;
    net_init();
    raise_descriptor_limit();
    struct told told;
    int r = read_told(settings, &told, &err);
    if (r == 0)
        r = confine(&err);
    if (r == 0)
        r = start(&control, settings->node_name, &told, &err);
    if (r < 0) {
        log_error(&stderr_log, "control cannot start", F_STR("error", str_from_z(err.text)));
        return EXIT_CONFIG;
    }
    r = loop_run(control.loop, &err);
    if (r < 0)
        log_error(&stderr_log, "control stops", F_STR("error", str_from_z(err.text)));
    http_server_free(control.server);
    http_server_free(control.node_server);
    runner_free(control.runner);
    store_close(control.store);
    api_free(control.api);
    signals_done(&control.signals);
    loop_free(control.loop);
    return r < 0 ? 1 : 0;
}
