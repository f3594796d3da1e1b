/* keep.c - one allocation an object, and one for its text. */
#include "control/keep.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static struct kept *kept_of(struct map_node *node)
{
    return CONTAINER_OF(node, struct kept, node);
}

struct reflected kept_view(const struct kept *kept)
{
    return (struct reflected){
        .ns = {kept->key, kept->n_ns},
        .name = {kept->key + kept->n_ns + 1, kept->n_key - kept->n_ns - 1},
        .uid = str_from_z(kept->key + kept->n_key),
        .rv = str_from_z(kept->rv),
        .text = {kept->text, kept->n_text},
    };
}

struct kept *keep_find(const struct keep *keep, str_t ns, str_t name)
{
    AUTO(buf_done) struct buf key = {0};
    buf_printf(&key, STR_F "/" STR_F, STR_A(ns), STR_A(name));
    struct map_node *node = map_find(&keep->map, buf_str(&key));
    return node == NULL ? NULL : kept_of(node);
}

static void drop_text(struct keep *keep, struct kept *kept)
{
    keep->bytes -= kept->n_text;
    free(kept->text);
    kept->text = NULL;
    kept->n_text = 0;
}

void keep_update(struct keep *keep, struct kept *kept, const struct reflected *object)
{
    drop_text(keep, kept);
    MUST(object->rv.len < KEEP_RV_BYTES);
    memcpy(kept->rv, object->rv.at, object->rv.len);
    kept->rv[object->rv.len] = '\0';
    if (object->text.len == 0 || keep->bytes + object->text.len > keep->bytes_max)
        return;
    kept->text = malloc(object->text.len);
    MUST(kept->text != NULL);
    memcpy(kept->text, object->text.at, object->text.len);
    kept->n_text = object->text.len;
    keep->bytes += object->text.len;
}

struct kept *keep_add(struct keep *keep, const struct reflected *object)
{
    size_t n_key = object->ns.len + 1 + object->name.len;
    struct kept *kept = calloc(1, sizeof(*kept) + n_key + object->uid.len + 1);
    MUST(kept != NULL);
    if (object->ns.len > 0)
        memcpy(kept->key, object->ns.at, object->ns.len);
    kept->key[object->ns.len] = '/';
    memcpy(kept->key + object->ns.len + 1, object->name.at, object->name.len);
    if (object->uid.len > 0)
        memcpy(kept->key + n_key, object->uid.at, object->uid.len);
    kept->n_ns = object->ns.len;
    kept->n_key = n_key;
    map_add(&keep->map, (str_t){kept->key, n_key}, &kept->node);
    keep_update(keep, kept, object);
    return kept;
}

void keep_remove(struct keep *keep, struct kept *kept)
{
    map_remove(&keep->map, &kept->node);
}

void keep_free(struct keep *keep, struct kept *kept)
{
    drop_text(keep, kept);
    free(kept);
}

void keep_each(const struct keep *keep, void (*each)(void *self, struct kept *kept), void *self)
{
    for (size_t i = 0; i < keep->map.n_buckets; i++)
        for (struct map_node *node = keep->map.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            each(self, kept_of(node));
        }
}

void keep_done(struct keep *keep)
{
    for (size_t i = 0; i < keep->map.n_buckets; i++)
        for (struct map_node *node = keep->map.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            keep_free(keep, kept_of(node));
        }
    map_done(&keep->map);
}
