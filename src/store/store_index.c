/* store_index.c - a treap: insertion and removal by splitting and merging. */
#include "store/store_index.h"

#include <stdlib.h>

int key_cmp(const struct object *object, str_t resource, str_t ns, str_t name)
{
    int order = str_cmp(object->resource, resource);
    if (order == 0)
        order = str_cmp(object->ns, ns);
    return order == 0 ? str_cmp(object->name, name) : order;
}

static uint64_t mix(uint64_t hash, str_t text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

static uint64_t priority_of(const struct object *object)
{
    uint64_t z = mix(mix(mix(0xcbf29ce484222325u, object->resource), object->ns), object->name);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static struct index_node *find(const struct store_index *index, str_t resource, str_t ns,
                               str_t name)
{
    struct index_node *node = index->root;
    while (node != NULL) {
        int order = key_cmp(node->object, resource, ns, name);
        if (order == 0)
            return node;
        node = order > 0 ? node->left : node->right;
    }
    return NULL;
}

const struct object *index_get(const struct store_index *index, str_t resource, str_t ns,
                               str_t name)
{
    struct index_node *node = find(index, resource, ns, name);
    return node == NULL ? NULL : node->object;
}

/* Everything before the key to *left, everything after it to *right. The key is in neither. */
static void split(struct index_node *node, const struct object *key, struct index_node **left,
                  struct index_node **right)
{
    while (node != NULL) {
        if (key_cmp(node->object, key->resource, key->ns, key->name) < 0) {
            *left = node;
            left = &node->right;
            node = node->right;
        } else {
            *right = node;
            right = &node->left;
            node = node->left;
        }
    }
    *left = *right = NULL;
}

static struct index_node *merge(struct index_node *left, struct index_node *right)
{
    struct index_node *root = NULL, **at = &root;
    while (left != NULL && right != NULL) {
        if (left->priority > right->priority) {
            *at = left;
            at = &left->right;
            left = left->right;
        } else {
            *at = right;
            at = &right->left;
            right = right->left;
        }
    }
    *at = left != NULL ? left : right;
    return root;
}

void index_put(struct store_index *index, const struct object *object)
{
    struct index_node *same = find(index, object->resource, object->ns, object->name);
    if (same != NULL) {
        const struct object *old = same->object;
        same->object = object_ref(object);
        object_unref(old);
        return;
    }
    struct index_node *node = calloc(1, sizeof(*node));
    MUST(node != NULL);
    node->object = object_ref(object);
    node->priority = priority_of(object);
    struct index_node **at = &index->root;
    while (*at != NULL && (*at)->priority >= node->priority)
        at = key_cmp((*at)->object, object->resource, object->ns, object->name) > 0 ? &(*at)->left
                                                                                    : &(*at)->right;
    split(*at, object, &node->left, &node->right);
    *at = node;
    index->n++;
}

void index_remove(struct store_index *index, str_t resource, str_t ns, str_t name)
{
    struct index_node **at = &index->root;
    int order;
    while (*at != NULL && (order = key_cmp((*at)->object, resource, ns, name)) != 0)
        at = order > 0 ? &(*at)->left : &(*at)->right;
    struct index_node *node = *at;
    MUST(node != NULL);
    *at = merge(node->left, node->right);
    object_unref(node->object);
    free(node);
    index->n--;
}

const struct object *index_from(const struct store_index *index, str_t resource, str_t ns,
                                str_t name, bool behind)
{
    const struct object *best = NULL;
    for (struct index_node *node = index->root; node != NULL;) {
        int order = key_cmp(node->object, resource, ns, name);
        if (order > 0 || (order == 0 && !behind)) {
            best = node->object;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

void index_done(struct store_index *index)
{
    while (index->root != NULL) {
        const struct object *object = index->root->object;
        index_remove(index, object->resource, object->ns, object->name);
    }
}
