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

static size_t size_of(const struct index_node *node)
{
    return node == NULL ? 0 : node->n;
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

static size_t count_before(const struct index_node *node, const struct object *key)
{
    size_t n = 0;
    while (node != NULL) {
        if (key_cmp(node->object, key->resource, key->ns, key->name) < 0) {
            n += size_of(node->left) + 1;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return n;
}

/*
 * Everything before the key to *left, everything after it to *right. The key is in neither. How
 * many go to each side is counted first, so that each node knows its size as it finds its place:
 * no recursion, however deep a hostile choice of names makes the tree.
 */
static void split(struct index_node *node, const struct object *key, struct index_node **left,
                  struct index_node **right)
{
    size_t n_left = count_before(node, key), n_right = size_of(node) - n_left;
    while (node != NULL) {
        if (key_cmp(node->object, key->resource, key->ns, key->name) < 0) {
            node->n = n_left;
            n_left -= size_of(node->left) + 1;
            *left = node;
            left = &node->right;
            node = node->right;
        } else {
            node->n = n_right;
            n_right -= size_of(node->right) + 1;
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
        size_t n = left->n + right->n;
        if (left->priority > right->priority) {
            *at = left;
            left->n = n;
            at = &left->right;
            left = left->right;
        } else {
            *at = right;
            right->n = n;
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
    while (*at != NULL && (*at)->priority >= node->priority) {
        (*at)->n++; /* It is new, so it will stand below. */
        at = key_cmp((*at)->object, object->resource, object->ns, object->name) > 0 ? &(*at)->left
                                                                                    : &(*at)->right;
    }
    node->n = size_of(*at) + 1;
    split(*at, object, &node->left, &node->right);
    *at = node;
}

void index_remove(struct store_index *index, str_t resource, str_t ns, str_t name)
{
    struct index_node **at = &index->root;
    int order;
    MUST(find(index, resource, ns, name) != NULL);
    while ((order = key_cmp((*at)->object, resource, ns, name)) != 0) {
        (*at)->n--;
        at = order > 0 ? &(*at)->left : &(*at)->right;
    }
    struct index_node *node = *at;
    *at = merge(node->left, node->right);
    object_unref(node->object);
    free(node);
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

static int range_cmp(const struct object *object, str_t resource, str_t ns)
{
    int order = str_cmp(object->resource, resource);
    return order != 0 || ns.len == 0 ? order : str_cmp(object->ns, ns);
}

/* Those before the range, or, with `through`, also those in it. */
static size_t rank(const struct store_index *index, str_t resource, str_t ns, bool through)
{
    size_t n = 0;
    for (const struct index_node *node = index->root; node != NULL;) {
        int order = range_cmp(node->object, resource, ns);
        if (order < 0 || (order == 0 && through)) {
            n += size_of(node->left) + 1;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return n;
}

size_t index_count(const struct store_index *index, str_t resource, str_t ns)
{
    if (resource.len == 0)
        return size_of(index->root);
    return rank(index, resource, ns, true) - rank(index, resource, ns, false);
}

void index_done(struct store_index *index)
{
    while (index->root != NULL) {
        const struct object *object = index->root->object;
        index_remove(index, object->resource, object->ns, object->name);
    }
}
