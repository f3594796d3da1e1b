/* volume_users.c - a pod's list is replaced as a whole: its volumes never change, its node once. */
#include "controllers/volume_users.h"

#include <stdlib.h>
#include <string.h>

struct user { /* A pod. */
    struct map_node by_key;
    struct arena arena;
    size_t n;
    struct used **claims;
};

struct used {
    struct map_node by_key;
    size_t n;
    char key[];
};

static str_t key_of(str_t ns, str_t name, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
}

static struct used *used_get(struct volume_users *users, str_t key)
{
    struct map_node *node = map_find(&users->claims, key);
    if (node != NULL)
        return CONTAINER_OF(node, struct used, by_key);
    struct used *used = calloc(1, sizeof(*used) + key.len + 1);
    MUST(used != NULL);
    memcpy(used->key, key.at, key.len);
    map_add(&users->claims, (str_t){used->key, key.len}, &used->by_key);
    return used;
}

static void user_drop(struct volume_users *users, struct user *user,
                      void (*freed)(void *self, str_t claim), void *self)
{
    map_remove(&users->pods, &user->by_key);
    for (size_t i = 0; i < user->n; i++) {
        struct used *used = user->claims[i];
        if (--used->n > 0)
            continue;
        map_remove(&users->claims, &used->by_key);
        if (freed != NULL)
            freed(self, used->by_key.key);
        free(used);
    }
    arena_done(&user->arena);
    free(user);
}

void volume_users_done(struct volume_users *users)
{
    for (size_t b = 0; b < users->pods.n_buckets; b++)
        while (users->pods.buckets[b] != NULL)
            user_drop(users, CONTAINER_OF(users->pods.buckets[b], struct user, by_key), NULL, NULL);
    map_done(&users->pods);
    map_done(&users->claims);
}

str_t pod_volume_claim(str_t pod_name, const struct json *volume, struct arena *arena, bool *own)
{
    *own = json_get(volume, STR("ephemeral")) != NULL;
    str_t name = json_get_text(volume, STR("name"));
    return *own ? arena_printf(arena, STR_F "-" STR_F, STR_A(pod_name), STR_A(name))
                : json_text(json_at(volume, "persistentVolumeClaim.claimName"), STR(""));
}

static struct user *user_new(struct volume_users *users, str_t ns, str_t name,
                             const struct json *pod)
{
    const struct json *volumes = json_at(pod, "spec.volumes");
    struct user *user = calloc(1, sizeof(*user));
    MUST(user != NULL);
    user->claims = arena_array(&user->arena, struct used *, json_count(volumes) + 1);
    JSON_EACH(volumes, volume)
    {
        bool own;
        str_t claim = pod_volume_claim(name, volume, &user->arena, &own);
        if (claim.len == 0)
            continue;
        struct used *used = used_get(users, key_of(ns, claim, &user->arena));
        used->n++;
        user->claims[user->n++] = used;
    }
    return user;
}

void volume_users_set(struct volume_users *users, str_t ns, str_t name, const struct json *pod,
                      void (*freed)(void *self, str_t claim), void *self)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t key = key_of(ns, name, &arena);
    struct map_node *was = map_find(&users->pods, key);
    struct user *user = NULL;
    if (json_text(json_at(pod, "spec.nodeName"), STR("")).len > 0)
        user = user_new(users, ns, name, pod); /* First, so that what stays is never free. */
    if (was != NULL)
        user_drop(users, CONTAINER_OF(was, struct user, by_key), freed, self);
    if (user == NULL)
        return;
    map_add(&users->pods, arena_str(&user->arena, key), &user->by_key);
    if (user->n == 0)
        user_drop(users, user, NULL, NULL);
}

bool volume_is_used(const struct volume_users *users, str_t claim)
{
    return map_find(&users->claims, claim) != NULL;
}
