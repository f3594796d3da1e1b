/* kind.c - how kinds are named. */
#include "kube/kind.h"

str_t kind_resource(const struct kind *kind, struct arena *arena)
{
    if (kind->group[0] == '\0')
        return str_from_z(kind->plural);
    return arena_printf(arena, "%s.%s", kind->plural, kind->group);
}

str_t kind_stored_resource(const struct kind *kind, struct arena *arena)
{
    return kind_resource(kind->stored_as != NULL ? kind->stored_as : kind, arena);
}

str_t kind_api_version(const struct kind *kind, struct arena *arena)
{
    if (kind->group[0] == '\0')
        return str_from_z(kind->version);
    return arena_printf(arena, "%s/%s", kind->group, kind->version);
}

static const char *const change_verbs[] = {"get", "patch", "update", NULL};
static const struct subresource status = {"status", NULL, change_verbs, false};

const struct subresource *kind_subresource_at(const struct kind *kind, size_t i)
{
    size_t n = 0;
    for (const struct subresource *sub = kind->subresources; sub != NULL && sub->name != NULL;
         sub++)
        if (n++ == i)
            return sub;
    if (kind->scale != NULL && n++ == i)
        return &kind->scale->subresource;
    if (kind->has_status && n++ == i)
        return &status;
    return NULL;
}

const struct subresource *kind_subresource(const struct kind *kind, str_t name)
{
    const struct subresource *sub;
    for (size_t i = 0; (sub = kind_subresource_at(kind, i)) != NULL; i++)
        if (str_eq(name, str_from_z(sub->name)))
            return sub;
    return NULL;
}
