/* owners.c - an entry an object, a group a controller. */
#include "control/owners.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

struct kept_resource {
    struct map_node node;
    char name[];
};

static str_t key_of(str_t resource, str_t ns, str_t last, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F "/" STR_F, STR_A(resource), STR_A(ns), STR_A(last));
}

/* "": nobody's. Nearly always the text alone tells. */
static str_t controller_uid(const struct object *object, struct arena *arena)
{
    static const char word[] = "\"controller\":true";
    struct json *meta;
    struct err err;
    if (memmem(object->json.at, object->json.len, word, sizeof(word) - 1) == NULL ||
        json_pick(object->json, STR("metadata"), arena, &meta, &err) < 0)
        return STR("");
    JSON_EACH(json_get(meta, STR("ownerReferences")), ref)
    if (json_is_true(json_get(ref, STR("controller"))))
        return json_get_text(ref, STR("uid"));
    return STR("");
}

static struct owned_group *group_get(struct owners *owners, str_t key)
{
    struct map_node *node = map_find(&owners->groups, key);
    if (node != NULL)
        return CONTAINER_OF(node, struct owned_group, by_key);
    struct owned_group *group = calloc(1, sizeof(*group) + key.len);
    MUST(group != NULL);
    memcpy(group->key, key.at, key.len);
    list_init(&group->entries);
    map_add(&owners->groups, (str_t){group->key, key.len}, &group->by_key);
    return group;
}

static void entry_leave(struct owners *owners, struct owned_entry *entry)
{
    struct owned_group *group = entry->group;
    list_remove(&entry->link);
    if (list_in(&group->entries))
        return;
    map_remove(&owners->groups, &group->by_key);
    free(group);
}

static void entry_free(struct owners *owners, struct owned_entry *entry)
{
    entry_leave(owners, entry);
    map_remove(&owners->objects, &entry->by_name);
    free(entry);
}

static struct owned_entry *entry_new(struct owners *owners, const struct object *object, str_t key)
{
    struct owned_entry *entry = calloc(1, sizeof(*entry) + key.len);
    MUST(entry != NULL);
    memcpy(entry->key, key.at, key.len);
    entry->resource = (str_t){entry->key, object->resource.len};
    entry->ns = (str_t){entry->key + object->resource.len + 1, object->ns.len};
    entry->name = (str_t){entry->ns.at + object->ns.len + 1, object->name.len};
    map_add(&owners->objects, (str_t){entry->key, key.len}, &entry->by_name);
    return entry;
}

static void put(struct owners *owners, const struct object *object)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t name = key_of(object->resource, object->ns, object->name, &arena);
    str_t uid = controller_uid(object, &arena);
    struct map_node *node = map_find(&owners->objects, name);
    struct owned_entry *entry =
        node == NULL ? NULL : CONTAINER_OF(node, struct owned_entry, by_name);
    struct owned_group *group =
        group_get(owners, key_of(object->resource, object->ns, uid, &arena));
    if (entry != NULL && entry->group == group)
        return;
    if (entry == NULL)
        entry = entry_new(owners, object, name);
    else
        entry_leave(owners, entry);
    entry->group = group;
    list_add_before(&group->entries, &entry->link);
}

void owners_change(struct owners *owners, const struct object *object, bool gone)
{
    if (map_find(&owners->resources, object->resource) == NULL)
        return;
    if (!gone) {
        put(owners, object);
        return;
    }
    AUTO(arena_done) struct arena arena = {0};
    struct map_node *node =
        map_find(&owners->objects, key_of(object->resource, object->ns, object->name, &arena));
    if (node != NULL)
        entry_free(owners, CONTAINER_OF(node, struct owned_entry, by_name));
}

static bool put_each(void *self, const struct object *object)
{
    put(self, object);
    return true;
}

static void keep(struct owners *owners, struct store *store, str_t resource)
{
    struct kept_resource *kept = calloc(1, sizeof(*kept) + resource.len);
    MUST(kept != NULL);
    memcpy(kept->name, resource.at, resource.len);
    map_add(&owners->resources, (str_t){kept->name, resource.len}, &kept->node);
    struct store_list range = {.resource = resource};
    struct err err;
    int r = store_each(store, &range, put_each, owners, &err);
    MUST(r == 0); /* The present is always there. */
}

const struct owned_group *owners_of(struct owners *owners, struct store *store, str_t resource,
                                    str_t ns, str_t uid)
{
    AUTO(arena_done) struct arena arena = {0};
    if (map_find(&owners->resources, resource) == NULL)
        keep(owners, store, resource);
    struct map_node *node = map_find(&owners->groups, key_of(resource, ns, uid, &arena));
    return node == NULL ? NULL : CONTAINER_OF(node, struct owned_group, by_key);
}

void owners_done(struct owners *owners)
{
    for (size_t i = 0; i < owners->objects.n_buckets; i++)
        while (owners->objects.buckets[i] != NULL)
            entry_free(owners,
                       CONTAINER_OF(owners->objects.buckets[i], struct owned_entry, by_name));
    for (size_t i = 0; i < owners->resources.n_buckets; i++)
        while (owners->resources.buckets[i] != NULL) {
            struct map_node *node = owners->resources.buckets[i];
            map_remove(&owners->resources, node);
            free(CONTAINER_OF(node, struct kept_resource, node));
        }
    map_done(&owners->objects);
    map_done(&owners->groups);
    map_done(&owners->resources);
}
