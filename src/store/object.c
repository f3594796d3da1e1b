/* object.c - one block of memory per version. */
#include "store/object.h"

#include <stdlib.h>
#include <string.h>

static str_t put(char **at, str_t text)
{
    str_t copy = {*at, text.len};
    if (text.len > 0)
        memcpy(*at, text.at, text.len);
    *at += text.len;
    *(*at)++ = '\0';
    return copy;
}

struct object *object_new(str_t resource, str_t ns, str_t name, uint64_t rv, str_t json)
{
    struct object *object =
        malloc(sizeof(*object) + resource.len + ns.len + name.len + json.len + 4);
    MUST(object != NULL);
    char *at = (char *)(object + 1);
    *object = (struct object){.rv = rv, .refs = 1};
    object->resource = put(&at, resource);
    object->ns = put(&at, ns);
    object->name = put(&at, name);
    object->json = put(&at, json);
    return object;
}

struct object *object_ref(const struct object *object)
{
    struct object *shared = (struct object *)object;
    shared->refs++;
    return shared;
}

void object_unref(const struct object *object)
{
    struct object *shared = (struct object *)object;
    if (shared == NULL || --shared->refs > 0)
        return;
    free(shared);
}
