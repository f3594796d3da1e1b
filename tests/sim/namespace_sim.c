/*
 * namespace_sim.c - hundreds of short lives of namespaces, each from a seed.
 *
 * The store, the API's rules, the runner and the controllers are the real ones. The clock moves
 * only when told; commits fail, writers are refused, the wall clock jumps and the controllers are
 * killed by the dice. Promises checked at every change: nothing new appears in a namespace that is
 * ending. And at the end, when the faults have stopped: what was deleted is gone with all it held,
 * what was not is whole, and every namespace has its CA.
 *
 *     namespace_sim                 DAVY_SEED=4711 namespace_sim
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

enum { LIVES = 150, STEPS = 80, SPACES = 4, OBJECTS = 5, FAULT_SIDES = 12 };

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
    bool ending[SPACES];
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

static int space_of(str_t name)
{
    return name.len == 2 && name.at[0] == 'n' ? name.at[1] - '0' : -1;
}

static void on_change(struct store_watch *watch, const struct store_event *event)
{
    struct world *w = CONTAINER_OF(watch, struct world, watch);
    const struct object *object = event->object;
    if (str_eq(object->resource, STR("namespaces"))) {
        int space = space_of(object->name);
        if (space >= 0)
            w->ending[space] = event->verb != STORE_DELETE &&
                               strstr(object->json.at, "\"deletionTimestamp\"") != NULL;
        if (event->verb == STORE_DELETE && space >= 0 &&
            store_count(w->store, STR("configmaps"), object->name) > 0)
            broke(w, "a namespace takes all it holds along", object->name);
        return;
    }
    int space = space_of(object->ns);
    if (space >= 0 && w->ending[space] && event->verb == STORE_CREATE)
        broke(w, "nothing new in a namespace that is ending", object->name);
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

static struct json *named(struct world *w, str_t ns, str_t name, bool held)
{
    struct arena *a = &w->arena;
    struct json *object = json_object(a), *meta = json_object(a);
    json_add(meta, STR("name"), json_string(a, name));
    if (ns.len > 0)
        json_add(meta, STR("namespace"), json_string(a, ns));
    if (held)
        json_add(meta, STR("finalizers"),
                 json_add(json_array(a), STR(""), json_string(a, STR("sim.test/hold"))));
    return json_add(object, STR("metadata"), meta);
}

static void let_go(struct world *w, str_t ns, str_t name)
{
    struct err err;
    const struct object *object = store_get(w->store, STR("configmaps"), ns, name);
    struct json *tree;
    if (object == NULL)
        return;
    MUST(json_parse(arena_str(&w->arena, object->json), &w->arena, &tree, &err) == 0);
    (void)json_remove(json_get(tree, STR("metadata")), STR("finalizers"));
    (void)w->real.update(w->real.self, &kind_configmap, "", tree, &err);
}

static void step(struct world *w)
{
    struct err err;
    struct arena *a = &w->arena;
    str_t ns = arena_printf(a, "n%u", dice_roll(&w->dice, SPACES));
    str_t name = arena_printf(a, "o%u", dice_roll(&w->dice, OBJECTS));
    uint32_t what = dice_roll(&w->dice, 13);
    if (what < 2) {
        (void)w->real.create(w->real.self, &kind_namespace, named(w, STR(""), ns, false), &err);
    } else if (what < 5) {
        (void)w->real.create(w->real.self, &kind_configmap, named(w, ns, name, what == 4), &err);
    } else if (what == 5) {
        (void)w->real.remove(w->real.self, &kind_namespace, STR(""), ns, &err);
    } else if (what == 6) {
        (void)w->real.remove(w->real.self, &kind_configmap, ns, name, &err);
    } else if (what == 7) {
        (void)w->real.remove(w->real.self, &kind_configmap, ns, STR("kube-root-ca.crt"), &err);
    } else if (what == 8) {
        let_go(w, ns, name);
    } else if (what == 9) {
        runner_kill(w->runner);
        start_runner(w);
    } else if (what == 10) { /* Somebody sets the wall clock: up to a day, either way. */
        w->clock.wall_ms += (msec_t)dice_roll(&w->dice, 2 * 86400) * 1000 - 86400 * 1000;
    } else {
        fake_clock_advance(&w->clock, dice_roll(&w->dice, 5000));
    }
    turn(w, (int)dice_roll(&w->dice, 4));
}

static void settle(struct world *w)
{
    w->faults = false;
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < SPACES; i++)
            for (int j = 0; j < OBJECTS; j++)
                if (round % 10 == 0)
                    let_go(w, arena_printf(&w->arena, "n%d", i), arena_printf(&w->arena, "o%d", j));
        turn(w, 20);
        fake_clock_advance(&w->clock, 30000);
    }
    turn(w, 20);
}

static bool life(uint64_t seed)
{
    struct world w;
    start(&w, seed);
    for (int i = 0; i < STEPS; i++)
        step(&w);
    settle(&w);
    for (int i = 0; i < SPACES; i++) {
        str_t ns = arena_printf(&w.arena, "n%d", i);
        const struct object *object = store_get(w.store, STR("namespaces"), STR(""), ns);
        const struct object *ca =
            store_get(w.store, STR("configmaps"), ns, STR("kube-root-ca.crt"));
        if (object == NULL && store_count(w.store, STR("configmaps"), ns) == 0)
            continue;
        if (object == NULL)
            broke(&w, "nothing is left without its namespace", ns);
        else if (w.ending[i])
            broke(&w, "what was deleted is gone at last", ns);
        else if (ca == NULL)
            broke(&w, "every namespace has its CA", ns);
    }
    if (!runner_idle(w.runner))
        broke(&w, "there is nothing more to do in the end", STR(""));
    bool ok = w.broken == 0;
    end(&w);
    return ok;
}

TEST(namespaces_end_with_all_they_hold_whatever_fails_meanwhile)
{
    const char *one = getenv("DAVY_SEED");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + (one != NULL ? 1 : LIVES); seed++)
        if (!CHECK(life(seed)))
            printf("again with: DAVY_SEED=%llu namespace_sim\n", (unsigned long long)seed);
}
