/*
 * scheduler_sim.c - hundreds of short lives of nodes and the pods that want room on them.
 *
 * As namespace_sim.c: everything is real but the clock, and the dice refuse writers, lose commits
 * and kill the controllers. The promise at every change: a pod is only bound where there is room.
 * And at the end, when the faults have stopped: what fits somewhere is bound.
 *
 *     scheduler_sim                 DAVY_SEED=4711 scheduler_sim
 */
#include "api/api.h"
#include "base/log.h"
#include "control/runner.h"
#include "controllers/controllers.h"
#include "kinds/kinds.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIVES = 150, STEPS = 80, PODS = 8, NODES = 2, NODE_MILLIS = 2000, FAULT_SIDES = 12 };

struct sim_pod {
    bool there;
    int node; /* -1: none. */
    int64_t millis;
};

struct world {
    char dir[64];
    struct fake_clock clock;
    struct loop *loop;
    struct store *store;
    struct api *api;
    struct runner *runner;
    struct writer real;
    struct store_watch watch;
    struct dice dice;
    struct arena arena;
    struct sim_pod pods[PODS];
    bool nodes[NODES];
    bool faults;
    int broken; /* Promises. */
    struct log log;
};

static struct world *now; /* The store's fault hook has no other way to us. */

static void quiet(const struct log *log, str_t line)
{
    (void)log;
    (void)line;
}

static bool unlucky(void)
{
    return now->faults && dice_roll(&now->dice, FAULT_SIDES) == 0;
}

static int commit_fault(struct err *err)
{
    return unlucky() ? err_set(err, ERR_BUSY, "the disk is full, says the dice") : 0;
}

static void broke(struct world *w, const char *promise, str_t what)
{
    printf("broken: %s (" STR_F ")\n", promise, STR_A(what));
    w->broken++;
}

/* --- a writer that is refused now and then --- */

static int refused(struct err *err)
{
    return err_set(err, dice_roll(&now->dice, 2) == 0 ? ERR_CONFLICT : ERR_BUSY, "says the dice");
}

static int sim_create(void *self, const struct kind *kind, const struct json *object,
                      struct err *err)
{
    struct world *w = self;
    return unlucky() ? refused(err) : w->real.create(w->real.self, kind, object, err);
}

static int sim_update(void *self, const struct kind *kind, const char *subresource,
                      const struct json *object, struct err *err)
{
    struct world *w = self;
    return unlucky() ? refused(err) : w->real.update(w->real.self, kind, subresource, object, err);
}

static int sim_remove(void *self, const struct kind *kind, str_t ns, str_t name, struct err *err)
{
    struct world *w = self;
    return unlucky() ? refused(err) : w->real.remove(w->real.self, kind, ns, name, err);
}

static int sim_remove_if(void *self, const struct kind *kind, str_t ns, str_t name,
                         const struct removal *removal, struct err *err)
{
    struct world *w = self;
    return unlucky() ? refused(err) : w->real.remove_if(w->real.self, kind, ns, name, removal, err);
}

/* --- what is always true --- */

static int number_of(str_t name)
{
    return name.len == 2 && name.at[1] >= '0' && name.at[1] <= '9' ? name.at[1] - '0' : -1;
}

static int64_t used_on(const struct world *w, int node)
{
    int64_t sum = 0;
    for (int i = 0; i < PODS; i++)
        sum += w->pods[i].node == node ? w->pods[i].millis : 0;
    return sum;
}

static void pod_changed(struct world *w, const struct store_event *event)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *pod, *cpu;
    struct err err;
    int i = number_of(event->object->name);
    if (i < 0)
        return;
    struct sim_pod was = w->pods[i];
    w->pods[i] = (struct sim_pod){.node = -1};
    if (event->verb == STORE_DELETE)
        return;
    MUST(json_parse(event->object->json, &arena, &pod, &err) == 0);
    cpu = json_at(json_first(json_at(pod, "spec.containers")), "resources.requests.cpu");
    str_t text = json_text(cpu, STR("0m"));
    MUST(str_to_i64((str_t){text.at, text.len - 1}, &w->pods[i].millis));
    w->pods[i].there = true;
    w->pods[i].node = number_of(json_text(json_at(pod, "spec.nodeName"), STR("")));
    int node = w->pods[i].node;
    if (node >= 0 && was.node != node && used_on(w, node) > NODE_MILLIS)
        broke(w, "a pod is bound where there is room", event->object->name);
}

static void on_change(struct store_watch *watch, const struct store_event *event)
{
    struct world *w = CONTAINER_OF(watch, struct world, watch);
    if (str_eq(event->object->resource, STR("pods")))
        pod_changed(w, event);
    int node = number_of(event->object->name);
    if (str_eq(event->object->resource, STR("nodes")) && node >= 0)
        w->nodes[node] =
            event->verb != STORE_DELETE && strstr(event->object->json.at, "allocatable") != NULL;
}

/* --- a life --- */

static void start_runner(struct world *w)
{
    struct err err;
    struct runner_settings settings = {
        .loop = w->loop,
        .store = w->store,
        .log = &w->log,
        .kinds = api_kinds(w->api),
        .controllers = controllers_all,
        .ca_pem = STR("-----CA-----"),
        .writer = {w, sim_create, sim_update, sim_remove, sim_remove_if}};
    MUST(runner_new(&settings, &w->runner, &err) == 0);
}

static void turn(struct world *w, int times)
{
    struct err err;
    for (int i = 0; i < times; i++)
        MUST(loop_turn(w->loop, 0, &err) == 0);
}

static void start(struct world *w, uint64_t seed)
{
    struct err err;
    *w = (struct world){.dice = {seed}, .log = {.write = quiet, .least = LOG_ERROR}};
    now = w;
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(w->dir, sizeof(w->dir), "%s/davy-sim-XXXXXX", base);
    MUST(mkdtemp(w->dir) != NULL);
    fake_clock_init(&w->clock, 1700000000000);
    MUST(loop_new(&w->clock.clock, &w->loop, &err) == 0);
    struct store_settings store = {.dir = str_from_z(w->dir),
                                   .secret = kind_is_secret,
                                   .on_loop = true,
                                   .fault = commit_fault};
    MUST(store_open(w->loop, &store, &w->store, &err) == 0);
    struct api_settings api = {.loop = w->loop, .store = w->store, .log = &w->log};
    MUST(api_new(&api, &w->api, &err) == 0);
    w->real = api_writer(w->api);
    w->watch.event = on_change;
    MUST(store_watch(w->store, &w->watch, 0, &err) == 0);
    start_runner(w);
    w->faults = true;
}

static void end(struct world *w)
{
    static const char *const files[] = {"davy.db", "davy.db-wal", "davy.db-shm", "store.key",
                                        "lock"};
    char path[128];
    runner_free(w->runner);
    store_unwatch(&w->watch);
    store_close(w->store);
    api_free(w->api);
    loop_free(w->loop);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", w->dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(w->dir);
    arena_done(&w->arena);
}

static struct json *parsed(struct world *w, str_t text)
{
    struct json *json;
    struct err err;
    MUST(json_parse(text, &w->arena, &json, &err) == 0);
    return json;
}

static void make_node(struct world *w, int node)
{
    struct err err;
    struct arena *a = &w->arena;
    struct json *it = parsed(w, arena_printf(a, "{\"metadata\":{\"name\":\"m%d\"}}", node));
    (void)w->real.create(w->real.self, &kind_node, it, &err);
    it = parsed(w, arena_printf(a,
                                "{\"metadata\":{\"name\":\"m%d\"},\"status\":{\"allocatable\":{"
                                "\"cpu\":\"%dm\",\"pods\":\"9\"}}}",
                                node, NODE_MILLIS));
    (void)w->real.update(w->real.self, &kind_node, "status", it, &err);
}

static void make_pod(struct world *w, uint32_t pod)
{
    static const char *const classes[] = {"", "\"priorityClassName\":\"high\","};
    struct err err;
    unsigned millis = 100 * (1 + dice_roll(&w->dice, 12));
    str_t text = arena_printf(
        &w->arena,
        "{\"metadata\":{\"name\":\"p%u\",\"namespace\":\"n0\"},\"spec\":{%s"
        "\"terminationGracePeriodSeconds\":0,\"containers\":[{\"name\":\"a\",\"image\":\"a\","
        "\"resources\":{\"requests\":{\"cpu\":\"%um\"}}}]}}",
        pod, classes[dice_roll(&w->dice, 4) == 0], millis);
    (void)w->real.create(w->real.self, &kind_pod, parsed(w, text), &err);
}

static void prepare(struct world *w)
{
    struct err err;
    w->faults = false;
    for (int i = 0; i < PODS; i++)
        w->pods[i].node = -1;
    MUST(w->real.create(w->real.self, &kind_namespace,
                        parsed(w, STR("{\"metadata\":{\"name\":\"n0\"}}")), &err) == 0);
    MUST(w->real.create(w->real.self, &kind_priorityclass,
                        parsed(w, STR("{\"metadata\":{\"name\":\"high\"},\"value\":9}")),
                        &err) == 0);
    turn(w, 20); /* The namespace gets its ServiceAccount. */
    make_node(w, 0);
    w->faults = true;
}

static void step(struct world *w)
{
    struct err err;
    uint32_t what = dice_roll(&w->dice, 14), pod = dice_roll(&w->dice, PODS);
    int node = (int)dice_roll(&w->dice, NODES);
    if (what < 6) {
        make_pod(w, pod);
    } else if (what < 9) {
        (void)w->real.remove(w->real.self, &kind_pod, STR("n0"),
                             arena_printf(&w->arena, "p%u", pod), &err);
    } else if (what == 9) {
        make_node(w, node);
    } else if (what == 10) {
        (void)w->real.remove(w->real.self, &kind_node, STR(""),
                             arena_printf(&w->arena, "m%d", node), &err);
    } else if (what == 11) {
        runner_kill(w->runner);
        turn(w, 4); /* A process that ends takes its writes along, or they are on disk. */
        start_runner(w);
    } else {
        fake_clock_advance(&w->clock, dice_roll(&w->dice, 5000));
    }
    turn(w, (int)dice_roll(&w->dice, 4));
}

static void settle(struct world *w)
{
    w->faults = false;
    for (int round = 0; round < 40; round++) {
        turn(w, 20);
        fake_clock_advance(&w->clock, 30000);
    }
    turn(w, 20);
}

static bool fits_somewhere(const struct world *w, int64_t millis)
{
    for (int node = 0; node < NODES; node++)
        if (w->nodes[node] && used_on(w, node) + millis <= NODE_MILLIS)
            return true;
    return false;
}

static bool life(uint64_t seed)
{
    struct world w;
    start(&w, seed);
    prepare(&w);
    for (int i = 0; i < STEPS; i++)
        step(&w);
    settle(&w);
    for (int i = 0; i < PODS; i++)
        if (w.pods[i].there && w.pods[i].node < 0 && fits_somewhere(&w, w.pods[i].millis))
            broke(&w, "what fits is bound", arena_printf(&w.arena, "p%d", i));
    bool ok = w.broken == 0;
    end(&w);
    return ok;
}

TEST(pods_are_bound_where_there_is_room_whatever_fails_meanwhile)
{
    const char *one = getenv("DAVY_SEED");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + (one != NULL ? 1 : LIVES); seed++)
        if (!CHECK(life(seed)))
            printf("again with: DAVY_SEED=%llu scheduler_sim\n", (unsigned long long)seed);
}
