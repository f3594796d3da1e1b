/* kinds.c - the list, and finding a kind in it. */
#include "kinds/kinds.h"

const struct kind *const kinds_all[] = {
    &kind_configmap, &kind_event, &kind_namespace, &kind_secret, NULL,
};

static bool of_group(const struct kind *kind, str_t group, str_t version)
{
    return str_eq(group, str_from_z(kind->group)) && str_eq(version, str_from_z(kind->version));
}

const struct kind *kind_by_plural(str_t group, str_t version, str_t plural)
{
    for (const struct kind *const *kind = kinds_all; *kind != NULL; kind++)
        if (of_group(*kind, group, version) && str_eq(plural, str_from_z((*kind)->plural)))
            return *kind;
    return NULL;
}

const struct kind *kind_by_name(str_t group, str_t version, str_t name)
{
    for (const struct kind *const *kind = kinds_all; *kind != NULL; kind++)
        if (of_group(*kind, group, version) && str_eq(name, str_from_z((*kind)->name)))
            return *kind;
    return NULL;
}

bool kind_is_secret(str_t resource)
{
    for (const struct kind *const *kind = kinds_all; *kind != NULL; kind++) {
        str_t plural, group;
        str_cut(resource, '.', &plural, &group);
        if ((*kind)->secret && str_eq(plural, str_from_z((*kind)->plural)) &&
            str_eq(group, str_from_z((*kind)->group)))
            return true;
    }
    return false;
}
