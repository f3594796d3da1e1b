/* json_index.c - an open-addressed table of an object's members, for objects that are not small. */
#include "base/json.h"

enum { LINEAR_MAX = 12 };

static size_t hash_of(str_t key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.at[i]) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

/* Where the key is, or would be. */
static struct json **slot_of(const struct json_index *index, str_t key)
{
    size_t slot = hash_of(key) & index->mask;
    while (index->slots[slot] != NULL && !str_eq(index->slots[slot]->key, key))
        slot = (slot + 1) & index->mask;
    return &index->slots[slot];
}

static void index_room(struct json_index *index, size_t n, struct arena *arena)
{
    size_t slots = 32;
    while (slots < n * 2)
        slots *= 2;
    index->slots = arena_array(arena, struct json *, slots);
    index->mask = slots - 1;
}

void json_index_init(struct json_index *index, const struct json *object, struct arena *arena)
{
    *index = (struct json_index){.object = object};
    size_t n = json_count(object);
    if (n <= LINEAR_MAX)
        return;
    index_room(index, n, arena);
    JSON_EACH(object, child)
    {
        struct json **slot = slot_of(index, child->key);
        if (*slot == NULL)
            *slot = child;
    }
}

struct json *json_index_get(const struct json_index *index, str_t key)
{
    return index->slots == NULL ? json_get(index->object, key) : *slot_of(index, key);
}

/* The first member with this key that is not `node` itself; remembers `node` if there is none. */
static struct json *same_before(struct json_index *index, struct json *node)
{
    if (index->slots != NULL) {
        struct json **slot = slot_of(index, node->key), *same = *slot;
        if (same == NULL)
            *slot = node;
        return same;
    }
    struct json *same = index->object->first;
    while (same != node && !str_eq(same->key, node->key))
        same = same->next;
    return same == node ? NULL : same;
}

size_t json_drop_duplicates(struct json *object, struct arena *arena)
{
    return json_drop_told(object, arena, NULL, NULL);
}

size_t json_drop_told(struct json *object, struct arena *arena, void (*tell)(void *self, str_t key),
                      void *self)
{
    struct json_index index = {.object = object};
    size_t n = json_count(object), dropped = 0;
    struct json *before = NULL;
    if (n > LINEAR_MAX)
        index_room(&index, n, arena);
    JSON_EACH(object, node)
    {
        struct json *same = same_before(&index, node);
        if (same == NULL) {
            before = node;
            continue;
        }
        if (tell != NULL)
            tell(self, node->key);
        struct json *next = same->next;
        *same = *node;
        same->next = next;
        MUST(before != NULL); /* `same` stands before. */
        before->next = node->next;
        if (object->last == node)
            object->last = before;
        dropped++;
    }
    return dropped;
}
