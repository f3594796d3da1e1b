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
