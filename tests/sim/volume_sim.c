/*
 * volume_sim.c - hundreds of short lives of claims, volumes and pods, each from a seed.
 *
 * The store, the API's rules, the runner and the controllers are the real ones. The clock moves
 * only when told; commits fail, writers are refused and the controllers are killed by the dice.
 * Promises checked at every change: a volume that was promised to a claim is not given to another
 * while it is; who takes a volume has it; a claim that a pod uses stays. And at the end, when the
 * faults have stopped: who could have a volume has one, and every phase says what is.
 *
 *     volume_sim                 DAVY_SEED=4711 volume_sim
 */
#include "api/api.h"
#include "base/log.h"
#include "control/cache.h"
#include "control/runner.h"
#include "controllers/controllers.h"
#include "controllers/volume_plan.h"
#include "kinds/kinds.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIVES = 150, STEPS = 80, CLAIMS = 6, VOLUMES = 10, PODS = 4, FAULT_SIDES = 12, TEXT = 64 };

struct sim_claim {
    char uid[TEXT];
    bool ending, used_before; /* By a pod with a node, when it was deleted. */
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
    struct cache cache;
    struct sim_claim claims[CLAIMS];
    char promised[VOLUMES][TEXT]; /* To the claim of this uid. */
    bool made[VOLUMES];           /* Once: a name that comes again is another story. */
    int pods[PODS];               /* The claim that a pod with a node uses; -1: none. */
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

static void keep_text(char to[TEXT], str_t text)
{
    MUST(text.len < TEXT);
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
}

static bool has_user(const struct world *w, int claim)
{
    for (int i = 0; i < PODS; i++)
        if (w->pods[i] == claim)
            return true;
    return false;
}

/* --- what is always true --- */

static void volume_changed(struct world *w, int i, const struct json *volume)
{
    struct volume_facts facts = {.claim_uid = STR("")};
    AUTO(arena_done) struct arena arena = {0};
    if (volume != NULL)
        volume_facts_read(volume, &arena, &facts);
    str_t was = str_from_z(w->promised[i]);
    if (was.len > 0 && facts.claim_uid.len > 0 && !str_eq(was, facts.claim_uid))
        broke(w, "a volume does not go from hand to hand", facts.name);
    keep_text(w->promised[i], facts.claim_uid);
}

static void claim_changed(struct world *w, int i, const struct json *claim, bool gone)
{
    struct sim_claim *known = &w->claims[i];
    struct claim_facts facts;
    struct volume_facts volume;
    AUTO(arena_done) struct arena arena = {0};
    claim_facts_read(claim, &arena, &facts);
    if (gone) {
        if (known->used_before && has_user(w, i))
            broke(w, "a claim that a pod uses stays", facts.name);
        *known = (struct sim_claim){0};
        return;
    }
    keep_text(known->uid, facts.uid);
    if (facts.ending && !known->ending)
        known->used_before = has_user(w, i);
    known->ending = facts.ending;
    const struct json *its =
        cache_get(&w->cache, STR("persistentvolumes"), STR(""), facts.volume, &arena);
    if (!facts.bound || its == NULL)
        return;
    volume_facts_read(its, &arena, &volume);
    if (!str_eq(volume.claim_uid, facts.uid))
        broke(w, "who takes a volume has it", facts.name);
}

static void pod_changed(struct world *w, int i, const struct json *pod)
{
    const struct json *claim =
        json_at(json_first(json_at(pod, "spec.volumes")), "persistentVolumeClaim.claimName");
    bool has_node = json_text(json_at(pod, "spec.nodeName"), STR("")).len > 0;
    if (w->pods[i] >= 0 && pod == NULL)
        w->claims[w->pods[i]].used_before = false;
    w->pods[i] = has_node ? number_of(json_text(claim, STR(""))) : -1;
}

static void on_change(struct store_watch *watch, const struct store_event *event)
{
    struct world *w = CONTAINER_OF(watch, struct world, watch);
    const struct object *object = event->object;
    AUTO(arena_done) struct arena arena = {0};
    struct json *tree;
    struct err err;
    bool gone = event->verb == STORE_DELETE;
    int i = number_of(object->name);
    if (i < 0)
        return;
    MUST(json_parse(object->json, &arena, &tree, &err) == 0);
    if (str_eq(object->resource, STR("persistentvolumes")) && i < VOLUMES)
        volume_changed(w, i, gone ? NULL : tree);
    else if (str_eq(object->resource, STR("persistentvolumeclaims")))
        claim_changed(w, i, tree, gone);
    else if (str_eq(object->resource, STR("pods")))
        pod_changed(w, i, gone ? NULL : tree);
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

static void make(struct world *w, const struct kind *kind, str_t text)
{
    struct err err;
    (void)w->real.create(w->real.self, kind, parsed(w, text), &err);
}

static void make_class(struct world *w, const char *name, const char *mode)
{
    make(w, &kind_storageclass,
         arena_printf(&w->arena,
                      "{\"metadata\":{\"name\":\"%s\"},\"provisioner\":\"davy.dev/local\","
                      "\"volumeBindingMode\":\"%s\"}",
                      name, mode));
}

static void make_claim(struct world *w, uint32_t claim)
{
    static const char *const classes[] = {"", "", "now", "late"};
    make(w, &kind_persistentvolumeclaim,
         arena_printf(&w->arena,
                      "{\"metadata\":{\"name\":\"c%u\",\"namespace\":\"n0\"},\"spec\":{"
                      "\"accessModes\":[\"ReadWriteOnce\"],\"storageClassName\":\"%s\","
                      "\"resources\":{\"requests\":{\"storage\":\"%uGi\"}}}}",
                      claim, classes[dice_roll(&w->dice, 4)], 1 + dice_roll(&w->dice, 4)));
}

static void make_volume(struct world *w, uint32_t volume)
{
    static const char promise[] = "\"claimRef\":{\"namespace\":\"n0\",\"name\":\"c0\"},";
    if (w->made[volume])
        return;
    w->made[volume] = true;
    make(w, &kind_persistentvolume,
         arena_printf(&w->arena,
                      "{\"metadata\":{\"name\":\"v%u\"},\"spec\":{%s\"accessModes\":["
                      "\"ReadWriteOnce\"],\"capacity\":{\"storage\":\"%uGi\"},\"hostPath\":{"
                      "\"path\":\"/x\"}}}",
                      volume, dice_roll(&w->dice, 5) == 0 ? promise : "",
                      1 + dice_roll(&w->dice, 5)));
}

static void make_pod(struct world *w, uint32_t pod)
{
    make(w, &kind_pod,
         arena_printf(&w->arena,
                      "{\"metadata\":{\"name\":\"p%u\",\"namespace\":\"n0\"},\"spec\":{"
                      "\"terminationGracePeriodSeconds\":0,\"containers\":[{\"name\":\"a\","
                      "\"image\":\"a\"}],\"volumes\":[{\"name\":\"v\",\"persistentVolumeClaim\":{"
                      "\"claimName\":\"c%u\"}}]}}",
                      pod, dice_roll(&w->dice, CLAIMS)));
}

static void prepare(struct world *w)
{
    struct err err;
    struct arena *a = &w->arena;
    w->faults = false;
    w->cache = (struct cache){.store = w->store};
    for (int i = 0; i < PODS; i++)
        w->pods[i] = -1;
    make(w, &kind_namespace, STR("{\"metadata\":{\"name\":\"n0\"}}"));
    make_class(w, "now", "Immediate");
    make_class(w, "late", "WaitForFirstConsumer");
    turn(w, 20); /* The namespace gets its ServiceAccount. */
    make(w, &kind_node,
         STR("{\"metadata\":{\"name\":\"m0\",\"labels\":{\"kubernetes.io/hostname\":\"m0\"}}}"));
    struct json *node =
        parsed(w, arena_printf(a, "{\"metadata\":{\"name\":\"m0\"},\"status\":{\"allocatable\":{"
                                  "\"cpu\":\"4\",\"pods\":\"9\"}}}"));
    (void)w->real.update(w->real.self, &kind_node, "status", node, &err);
    turn(w, 20);
    w->faults = true;
}

static void drop(struct world *w, const struct kind *kind, const char *letter, uint32_t number)
{
    struct err err;
    str_t name = arena_printf(&w->arena, "%s%u", letter, number);
    (void)w->real.remove(w->real.self, kind, kind->namespaced ? STR("n0") : STR(""), name, &err);
}

static void step(struct world *w)
{
    uint32_t what = dice_roll(&w->dice, 16), claim = dice_roll(&w->dice, CLAIMS);
    if (what < 4) {
        make_claim(w, claim);
    } else if (what < 6) {
        drop(w, &kind_persistentvolumeclaim, "c", claim);
    } else if (what < 9) {
        make_volume(w, dice_roll(&w->dice, VOLUMES));
    } else if (what == 9) {
        drop(w, &kind_persistentvolume, "v", dice_roll(&w->dice, VOLUMES));
    } else if (what < 12) {
        make_pod(w, dice_roll(&w->dice, PODS));
    } else if (what == 12) {
        drop(w, &kind_pod, "p", dice_roll(&w->dice, PODS));
    } else if (what == 13) {
        runner_kill(w->runner);
        turn(w, 4); /* A process that ends takes its writes along, or they are on disk. */
        start_runner(w);
    } else {
        fake_clock_advance(&w->clock, dice_roll(&w->dice, 5000));
    }
    turn(w, (int)dice_roll(&w->dice, 6));
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

/* --- what is true at the end --- */

struct listed {
    struct world *w;
    void (*see)(struct world *w, const struct json *object);
};

static bool see_one(void *self, const struct object *object)
{
    struct listed *listed = self;
    listed->see(listed->w, parsed(listed->w, arena_str(&listed->w->arena, object->json)));
    return true;
}

static void each(struct world *w, const char *resource,
                 void (*see)(struct world *w, const struct json *object))
{
    struct err err;
    struct store_list list = {.resource = str_from_z(resource)};
    struct listed listed = {w, see};
    MUST(store_each(w->store, &list, see_one, &listed, &err) == 0);
}

static void see_volume(struct world *w, const struct json *volume)
{
    struct volume_facts facts;
    struct claim_facts claim = {.uid = STR("")};
    str_t ns, name;
    volume_facts_read(volume, &w->arena, &facts);
    (void)str_cut(facts.claim, '/', &ns, &name);
    const struct json *its =
        cache_get(&w->cache, STR("persistentvolumeclaims"), ns, name, &w->arena);
    if (its != NULL)
        claim_facts_read(its, &w->arena, &claim);
    const char *wanted = "Available";
    if (facts.claim_uid.len > 0)
        wanted = str_eq(facts.claim_uid, claim.uid) ? "Bound" : "Released";
    if (!str_eq(facts.phase, str_from_z(wanted)))
        broke(w, "a volume's phase is what is", facts.name);
    if (facts.ending && !str_eq(facts.phase, STR("Bound")) &&
        !str_starts(facts.name, STR("pvc-"))) /* Those go with the node's word. */
        broke(w, "what nobody has is gone when it is deleted", facts.name);
}

static struct claim_facts wish; /* Of see_spare(). */

static void see_spare(struct world *w, const struct json *volume)
{
    struct volume_facts facts;
    volume_facts_read(volume, &w->arena, &facts);
    if (!facts.ending && str_eq(facts.phase, STR("Available")) &&
        (facts.claim.len == 0 || volume_is_for(&facts, &wish)) &&
        volume_mismatch(&facts, &wish) == NULL)
        broke(w, "who could have a volume has one", wish.name);
}

static void see_claim(struct world *w, const struct json *claim)
{
    struct claim_facts facts;
    claim_facts_read(claim, &w->arena, &facts);
    str_t phase = json_text(json_at(claim, "status.phase"), STR(""));
    bool lost = facts.bound && cache_get(&w->cache, STR("persistentvolumes"), STR(""), facts.volume,
                                         &w->arena) == NULL;
    if (facts.ending && !has_user(w, number_of(facts.name)))
        broke(w, "what nobody uses is gone when it is deleted", facts.name);
    if (facts.bound && !str_eq(phase, lost ? STR("Lost") : STR("Bound")))
        broke(w, "a claim's phase is what is", facts.name);
    if (facts.bound || facts.ending)
        return;
    if (str_eq(facts.class, STR("now")))
        broke(w, "a volume is made for who wants one", facts.name);
    wish = facts;
    if (facts.class.len == 0)
        each(w, "persistentvolumes", see_spare);
}

/* Whose claim is there has a node: of class "late" it is made for it. */
static void see_pod(struct world *w, const struct json *pod)
{
    const struct json *name =
        json_at(json_first(json_at(pod, "spec.volumes")), "persistentVolumeClaim.claimName");
    const struct json *claim = cache_get(&w->cache, STR("persistentvolumeclaims"), STR("n0"),
                                         json_text(name, STR("")), &w->arena);
    if (claim != NULL && json_at(claim, "metadata.deletionTimestamp") == NULL &&
        str_eq(json_text(json_at(claim, "spec.storageClassName"), STR("")), STR("late")) &&
        json_text(json_at(pod, "spec.nodeName"), STR("")).len == 0)
        broke(w, "who waits for the first consumer is made when it comes",
              json_text(name, STR("")));
}

static bool life(uint64_t seed)
{
    struct world w;
    start(&w, seed);
    prepare(&w);
    for (int i = 0; i < STEPS; i++)
        step(&w);
    settle(&w);
    each(&w, "persistentvolumes", see_volume);
    each(&w, "persistentvolumeclaims", see_claim);
    each(&w, "pods", see_pod);
    bool ok = w.broken == 0;
    end(&w);
    return ok;
}

TEST(claims_and_volumes_find_each_other_whatever_fails_meanwhile)
{
    const char *one = getenv("DAVY_SEED");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + (one != NULL ? 1 : LIVES); seed++)
        if (!CHECK(life(seed)))
            printf("again with: DAVY_SEED=%llu volume_sim\n", (unsigned long long)seed);
}
