/* kinds.c - the list, and finding a kind in it. */
#include "kinds/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_LEN_MAX = 512 };

/* clang-format off */
static const struct kind *const built_in[] = {
    &kind_analysisrun,
    &kind_analysistemplate,
    &kind_binding,
    &kind_clusteranalysistemplate,
    &kind_clusterrole,
    &kind_clusterrolebinding,
    &kind_configmap,
    &kind_controllerrevision,
    &kind_crd,
    &kind_cronjob,
    &kind_daemonset,
    &kind_deployment,
    &kind_endpoints,
    &kind_endpointslice,
    &kind_event,
    &kind_event_v1,
    &kind_experiment,
    &kind_hpa,
    &kind_hpa_v1,
    &kind_ingress,
    &kind_ingressclass,
    &kind_job,
    &kind_lease,
    &kind_limitrange,
    &kind_localsubjectaccessreview,
    &kind_namespace,
    &kind_networkpolicy,
    &kind_node,
    &kind_nodemetrics,
    &kind_persistentvolume,
    &kind_persistentvolumeclaim,
    &kind_pod,
    &kind_podmetrics,
    &kind_poddisruptionbudget,
    &kind_podtemplate,
    &kind_priorityclass,
    &kind_replicaset,
    &kind_replicationcontroller,
    &kind_resourcequota,
    &kind_role,
    &kind_rolebinding,
    &kind_rollout,
    &kind_runtimeclass,
    &kind_secret,
    &kind_selfsubjectaccessreview,
    &kind_selfsubjectreview,
    &kind_selfsubjectrulesreview,
    &kind_service,
    &kind_serviceaccount,
    &kind_statefulset,
    &kind_storageclass,
    &kind_subjectaccessreview,
    &kind_tokenreview,
    NULL,
};
/* clang-format on */

struct entry {
    struct map_node node;
    const struct kind *kind;
    char key[];
};

/* "" when it is too long to be any kind's. */
static str_t key_of(str_t group, str_t version, str_t plural, char key[KEY_LEN_MAX])
{
    size_t len = group.len + version.len + plural.len + 2;
    if (len > KEY_LEN_MAX)
        return STR("");
    char *at = key;
    const str_t parts[] = {group, version, plural};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (i > 0)
            *at++ = '/';
        if (parts[i].len > 0)
            memcpy(at, parts[i].at, parts[i].len);
        at += parts[i].len;
    }
    return (str_t){key, len};
}

static struct entry *entry_of(const struct kinds *kinds, str_t group, str_t version, str_t plural)
{
    char bytes[KEY_LEN_MAX];
    struct map_node *node = map_find(&kinds->by_plural, key_of(group, version, plural, bytes));
    return node == NULL ? NULL : CONTAINER_OF(node, struct entry, node);
}

static struct entry *entry_like(const struct kinds *kinds, const struct kind *kind)
{
    return entry_of(kinds, str_from_z(kind->group), str_from_z(kind->version),
                    str_from_z(kind->plural));
}

struct kinds *kinds_new(void)
{
    struct kinds *kinds = calloc(1, sizeof(*kinds));
    MUST(kinds != NULL);
    for (const struct kind *const *kind = built_in; *kind != NULL; kind++)
        kinds_add(kinds, *kind);
    return kinds;
}

static void entry_free(struct kinds *kinds, struct entry *entry)
{
    map_remove(&kinds->by_plural, &entry->node);
    free(entry);
}

void kinds_free(struct kinds *kinds)
{
    if (kinds == NULL)
        return;
    for (size_t i = 0; i < kinds->n; i++)
        entry_free(kinds, entry_like(kinds, kinds->at[i]));
    map_done(&kinds->by_plural);
    free(kinds->at);
    free(kinds);
}

void kinds_add(struct kinds *kinds, const struct kind *kind)
{
    struct entry *entry = entry_like(kinds, kind);
    if (entry != NULL) {
        for (size_t i = 0; i < kinds->n; i++)
            if (kinds->at[i] == entry->kind)
                kinds->at[i] = kind;
        entry->kind = kind;
        return;
    }
    if (kinds->n + 2 > kinds->cap) {
        kinds->cap = kinds->cap == 0 ? 64 : kinds->cap * 2;
        kinds->at = reallocarray(kinds->at, kinds->cap, sizeof(const struct kind *));
        MUST(kinds->at != NULL);
    }
    kinds->at[kinds->n++] = kind;
    kinds->at[kinds->n] = NULL;
    char bytes[KEY_LEN_MAX];
    str_t key =
        key_of(str_from_z(kind->group), str_from_z(kind->version), str_from_z(kind->plural), bytes);
    MUST(key.len > 0);
    entry = malloc(sizeof(*entry) + key.len);
    MUST(entry != NULL);
    entry->kind = kind;
    memcpy(entry->key, key.at, key.len);
    map_add(&kinds->by_plural, (str_t){entry->key, key.len}, &entry->node);
}

void kinds_remove(struct kinds *kinds, const struct kind *kind)
{
    for (size_t i = 0; i < kinds->n; i++) {
        if (kinds->at[i] != kind)
            continue;
        entry_free(kinds, entry_like(kinds, kind));
        memmove(&kinds->at[i], &kinds->at[i + 1], (kinds->n - i) * sizeof(const struct kind *));
        kinds->n--;
        return;
    }
}

const struct kind *kind_by_plural(const struct kinds *kinds, str_t group, str_t version,
                                  str_t plural)
{
    const struct entry *entry = entry_of(kinds, group, version, plural);
    return entry == NULL ? NULL : entry->kind;
}

const struct kind *kind_by_name(const struct kinds *kinds, str_t group, str_t version, str_t name)
{
    for (const struct kind *const *kind = kinds->at; *kind != NULL; kind++)
        if (str_eq(group, str_from_z((*kind)->group)) &&
            str_eq(version, str_from_z((*kind)->version)) &&
            str_eq(name, str_from_z((*kind)->name)))
            return *kind;
    return NULL;
}

const struct kind *kind_by_resource(const struct kinds *kinds, str_t resource)
{
    str_t plural, group;
    str_cut(resource, '.', &plural, &group);
    for (const struct kind *const *kind = kinds->at; *kind != NULL; kind++)
        if ((*kind)->stored_as == NULL && str_eq(plural, str_from_z((*kind)->plural)) &&
            str_eq(group, str_from_z((*kind)->group)))
            return *kind;
    return NULL;
}

bool kind_is_secret(str_t resource)
{
    for (const struct kind *const *kind = built_in; *kind != NULL; kind++) {
        str_t plural, group;
        str_cut(resource, '.', &plural, &group);
        if ((*kind)->secret && str_eq(plural, str_from_z((*kind)->plural)) &&
            str_eq(group, str_from_z((*kind)->group)))
            return true;
    }
    return false;
}
