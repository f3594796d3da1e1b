/* group.c - the groups of cgroup.h, for those outside. */
#include "runtime/runtime_priv.h"

int runtime_group_set(struct runtime *runtime, str_t group,
                      const struct container_resources *resources, struct err *err)
{
    return group_make(&runtime->cgroups, group, resources, err);
}

int runtime_group_remove(struct runtime *runtime, str_t group, struct err *err)
{
    return group_remove(&runtime->cgroups, group, err);
}

int runtime_group_stats(struct runtime *runtime, str_t group, struct group_stats *stats,
                        struct err *err)
{
    return group_stats(&runtime->cgroups, group, stats, err);
}

int runtime_group_list(struct runtime *runtime, str_t group, struct arena *arena,
                       struct texts *names, struct err *err)
{
    return group_list(&runtime->cgroups, group, arena, names, err);
}
