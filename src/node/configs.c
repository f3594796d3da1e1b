/* configs.c - one reflector for each object, and those who wait for its first list. */
#include "node/configs.h"

#include "base/map.h"
#include "codec/base64.h"
#include "control/reflector.h"
#include "kinds/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES_MAX = 4 << 20, UID_BYTES = 64 };

struct held {
    struct map_node node; /* "s/NS/NAME", "c/NS/NAME" */
    struct configs *configs;
    struct reflector *reflector;
    char (*uids)[UID_BYTES]; /* Pods that hold it. */
    size_t n_uids;
    size_t n_key;
    char key[];
};

struct waiting { /* For some that were not known yet. */
    struct list link;
    struct configs *configs;
    struct step *step;
    struct timer timer;
    struct post post;
    struct held **all;
    size_t n;
    bool over;
};

struct configs {
    struct configs_settings settings;
    struct map held;
    struct list waiting;
};

struct configs *configs_new(const struct configs_settings *settings)
{
    struct configs *configs = calloc(1, sizeof(*configs));
    MUST(configs != NULL);
    configs->settings = *settings;
    list_init(&configs->waiting);
    return configs;
}

static void held_free(struct held *held)
{
    map_remove(&held->configs->held, &held->node);
    reflector_free(held->reflector);
    free(held->uids);
    free(held);
}

static struct held *held_of(struct map_node *node)
{
    return CONTAINER_OF(node, struct held, node);
}

void configs_free(struct configs *configs)
{
    if (configs == NULL)
        return;
    for (size_t i = 0; i < configs->held.n_buckets; i++)
        for (struct map_node *node = configs->held.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            held_free(held_of(node));
        }
    map_done(&configs->held);
    free(configs);
}

/* --- who waits --- */

static void tell(struct post *post)
{
    struct waiting *waiting = CONTAINER_OF(post, struct waiting, post);
    struct step *step = waiting->step;
    timer_stop(&waiting->timer);
    list_remove(&waiting->link);
    free(waiting->all);
    free(waiting);
    step->done(step);
}

static void end(struct waiting *waiting)
{
    if (waiting->over)
        return;
    waiting->over = true;
    waiting->post.run = tell;
    loop_later(waiting->configs->settings.loop, &waiting->post);
}

static void late(struct timer *timer)
{
    struct waiting *waiting = CONTAINER_OF(timer, struct waiting, timer);
    waiting->step->r = err_set(&waiting->step->err, ERR_TIMEOUT,
                               "ConfigMaps and Secrets of the pod are not known: "
                               "the API does not answer");
    end(waiting);
}

static bool all_known(const struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->n; i++)
        if (!reflector_synced(waiting->all[i]->reflector))
            return false;
    return true;
}

static void see_waiting(struct configs *configs)
{
    LIST_EACH(&configs->waiting, item) {
        struct waiting *waiting = CONTAINER_OF(item, struct waiting, link);
        if (!waiting->over && all_known(waiting))
            end(waiting);
    }
}

/* --- what the API says --- */

static void tell_holders(const struct held *held)
{
    const struct configs_settings *settings = &held->configs->settings;
    if (settings->changed == NULL || !reflector_synced(held->reflector))
        return; /* The first time nobody has it yet. */
    for (size_t i = 0; i < held->n_uids; i++)
        settings->changed(settings->self, str_from_z(held->uids[i]));
}

static void set(void *self, const struct reflected *object, bool is_new)
{
    (void)object, (void)is_new;
    tell_holders(self);
}

static void gone(void *self, const struct reflected *object)
{
    (void)object;
    tell_holders(self);
}

static void synced(void *self)
{
    const struct held *held = self;
    see_waiting(held->configs);
}

/* --- holding --- */

static str_t key_of(bool secret, str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, "%c/" STR_F "/" STR_F, secret ? 's' : 'c', STR_A(ns), STR_A(name));
}

static struct held *held_new(struct configs *configs, const struct config_ref *ref, str_t ns,
                             str_t key, struct arena *arena)
{
    struct held *held = calloc(1, sizeof(*held) + key.len + 1);
    MUST(held != NULL);
    held->configs = configs;
    held->n_key = key.len;
    memcpy(held->key, key.at, key.len);
    map_add(&configs->held, (str_t){held->key, held->n_key}, &held->node);
    struct reflector_settings settings = {
        .remote = configs->settings.remote,
        .log = configs->settings.log,
        .kind = ref->secret ? &kind_secret : &kind_configmap,
        .ns = ns,
        .fields = arena_printf(arena, "metadata.name=" STR_F, STR_A(ref->name)),
        .bytes_max = CONFIG_BYTES_MAX,
        .self = held,
        .set = set,
        .gone = gone,
        .synced = synced,
    };
    held->reflector = reflector_new(&settings);
    return held;
}

static void add_holder(struct held *held, str_t uid)
{
    for (size_t i = 0; i < held->n_uids; i++)
        if (str_eq(str_from_z(held->uids[i]), uid))
            return;
    held->uids = reallocarray(held->uids, held->n_uids + 1, UID_BYTES);
    MUST(held->uids != NULL && uid.len < UID_BYTES);
    memcpy(held->uids[held->n_uids], uid.at, uid.len);
    held->uids[held->n_uids++][uid.len] = '\0';
}

void configs_hold(struct configs *configs, struct step *step, str_t uid, str_t ns,
                  const struct config_ref *refs, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    struct held **all = calloc(n + 1, sizeof(struct held *));
    MUST(waiting != NULL && all != NULL);
    *waiting = (struct waiting){.configs = configs, .step = step, .all = all, .n = n};
    for (size_t i = 0; i < n; i++) {
        str_t key = key_of(refs[i].secret, ns, refs[i].name, &arena);
        struct map_node *node = map_find(&configs->held, key);
        all[i] = node != NULL ? held_of(node) : held_new(configs, &refs[i], ns, key, &arena);
        add_holder(all[i], uid);
    }
    list_add_before(&configs->waiting, &waiting->link);
    if (all_known(waiting))
        end(waiting);
    else
        timer_set(configs->settings.loop, &waiting->timer, CONFIGS_WAIT_MS, late);
}

static void drop_holder(struct held *held, str_t uid)
{
    for (size_t i = 0; i < held->n_uids; i++)
        if (str_eq(str_from_z(held->uids[i]), uid)) {
            held->n_uids--;
            memmove(held->uids[i], held->uids[held->n_uids], UID_BYTES);
            break;
        }
    if (held->n_uids == 0)
        held_free(held);
}

void configs_release(struct configs *configs, str_t uid)
{
    for (size_t i = 0; i < configs->held.n_buckets; i++)
        for (struct map_node *node = configs->held.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            drop_holder(held_of(node), uid);
        }
}

/* --- looking --- */

struct json *configs_object(const struct configs *configs, bool secret, str_t ns, str_t name,
                            struct arena *arena)
{
    struct map_node *node = map_find(&configs->held, key_of(secret, ns, name, arena));
    struct reflected object;
    struct json *tree;
    struct err err;
    if (node == NULL || !reflector_get(held_of(node)->reflector, ns, name, &object) ||
        json_parse(arena_str(arena, object.text), arena, &tree, &err) < 0)
        return NULL;
    return tree;
}

struct json *configs_data(const struct configs *configs, bool secret, str_t ns, str_t name,
                          struct arena *arena)
{
    struct json *object = configs_object(configs, secret, ns, name, arena);
    struct json *data = json_object(arena);
    if (object == NULL)
        return NULL;
    JSON_EACH(json_get(object, STR("data")), entry)
    {
        str_t value = json_text(entry, STR(""));
        struct err err;
        if (secret && base64_decode(value, arena, &value, &err) < 0)
            continue; /* The API refuses such; one that is there all the same has no such key. */
        json_add(data, entry->key, json_string(arena, value));
    }
    return data;
}
