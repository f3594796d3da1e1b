/* rbac.c - subjects, and the bindings filed under them. */
#include "api/rbac.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct rbac_role { /* Also one that is not there, as long as bindings name it. */
    struct map_node node;
    struct arena arena;
    struct rbac_rules rules;
    bool exists;
    size_t n_bindings;
    uint64_t walk; /* The last walk that came by here. */
    str_t name;
    bool in_cluster;
    char key[];
};

struct subject { /* Somebody in one namespace, or in the cluster. */
    struct map_node node;
    struct list grants;
    char key[];
};

struct rbac_why { /* One subject of one binding. */
    struct list link;
    struct subject *subject;
    struct rbac_binding *binding;
    str_t kind, name; /* Of the subject, as a reason shows it. */
};

struct rbac_binding {
    struct map_node node;
    struct arena arena;
    struct rbac_role *role;
    str_t ns, name;
    struct rbac_why *grants;
    size_t n_grants;
    uint64_t walk; /* The last walk that came by here. */
    char key[];
};

enum { SEED_LEN = 8 };

struct rbac {
    struct map roles, bindings, subjects;
    struct buf scratch; /* The key that is looked for. */
    /* In front of every key: names are chosen by strangers, who shall not know our hashes. */
    char seed[SEED_LEN];
    uint64_t walk;
};

struct rbac *rbac_new(void)
{
    struct rbac *rbac = calloc(1, sizeof(*rbac));
    MUST(rbac != NULL);
    MUST(getrandom(rbac->seed, SEED_LEN, 0) == SEED_LEN);
    return rbac;
}

/* A namespace has no '/' in it. */
static str_t key_of(struct rbac *rbac, char kind, str_t ns, str_t name)
{
    rbac->scratch.len = 0;
    buf_add(&rbac->scratch, (str_t){rbac->seed, SEED_LEN});
    buf_add_char(&rbac->scratch, kind);
    buf_add(&rbac->scratch, ns);
    buf_add_char(&rbac->scratch, '/');
    buf_add(&rbac->scratch, name);
    return buf_str(&rbac->scratch);
}

/* The key's bytes go behind an item, which is then in the map. */
static void item_add(struct map *map, struct map_node *node, char *bytes, str_t key)
{
    memcpy(bytes, key.at, key.len);
    map_add(map, (str_t){bytes, key.len}, node);
}

static void *item_new(size_t size, str_t key)
{
    void *item = calloc(1, size + key.len);
    MUST(item != NULL);
    return item;
}

#define ITEM_FIND(type, map, wanted)                                                               \
    ({                                                                                             \
        struct map_node *node_ = map_find((map), (wanted));                                        \
        node_ == NULL ? NULL : CONTAINER_OF(node_, type, node);                                    \
    })

/* --- roles --- */

static struct rbac_role *role_find(const struct rbac *rbac, str_t ns, str_t name)
{
    /* The scratch is no part of what is known. */
    return ITEM_FIND(struct rbac_role, &rbac->roles, key_of((struct rbac *)rbac, 'r', ns, name));
}

static struct rbac_role *role_get(struct rbac *rbac, str_t ns, str_t name)
{
    struct rbac_role *role = role_find(rbac, ns, name);
    if (role != NULL)
        return role;
    str_t key = key_of(rbac, 'r', ns, name);
    role = item_new(sizeof(*role), key);
    item_add(&rbac->roles, &role->node, role->key, key);
    role->in_cluster = ns.len == 0;
    role->name = (str_t){role->node.key.at + SEED_LEN + ns.len + 2, name.len};
    return role;
}

static void role_release(struct rbac *rbac, struct rbac_role *role)
{
    if (role->exists || role->n_bindings > 0)
        return;
    map_remove(&rbac->roles, &role->node);
    arena_done(&role->arena);
    free(role);
}

void rbac_set_role(struct rbac *rbac, str_t ns, str_t name, const struct json *json)
{
    struct rbac_role *role = role_get(rbac, ns, name);
    arena_done(&role->arena);
    role->arena = (struct arena){0};
    role->exists = true;
    /* The copy is what the rules point into. */
    const struct json *rules = json_get(json, STR("rules"));
    role->rules =
        rbac_rules_of(rules == NULL ? NULL : json_clone(rules, &role->arena), &role->arena);
}

void rbac_drop_role(struct rbac *rbac, str_t ns, str_t name)
{
    struct rbac_role *role = role_find(rbac, ns, name);
    if (role == NULL)
        return;
    role->exists = false;
    role->rules = (struct rbac_rules){0};
    arena_done(&role->arena);
    role->arena = (struct arena){0};
    role_release(rbac, role);
}

bool rbac_role_rules(const struct rbac *rbac, str_t ns, str_t name, struct rbac_rules *rules)
{
    const struct rbac_role *role = role_find(rbac, ns, name);
    if (role == NULL || !role->exists)
        return false;
    *rules = role->rules;
    return true;
}

/* --- bindings --- */

static void grant_file(struct rbac *rbac, struct rbac_why *grant, char kind, str_t who)
{
    str_t key = key_of(rbac, kind, grant->binding->ns, who);
    grant->subject = ITEM_FIND(struct subject, &rbac->subjects, key);
    if (grant->subject == NULL) {
        grant->subject = item_new(sizeof(*grant->subject), key);
        item_add(&rbac->subjects, &grant->subject->node, grant->subject->key, key);
        list_init(&grant->subject->grants);
    }
    list_add_before(&grant->subject->grants, &grant->link);
}

static void grant_unfile(struct rbac *rbac, struct rbac_why *grant)
{
    struct subject *subject = grant->subject;
    if (subject == NULL)
        return;
    list_remove(&grant->link);
    if (list_in(&subject->grants))
        return;
    map_remove(&rbac->subjects, &subject->node);
    free(subject);
}

static void grant_make(struct rbac *rbac, struct rbac_why *grant, const struct json *subject)
{
    struct rbac_binding *binding = grant->binding;
    struct arena *arena = &binding->arena;
    str_t name = json_get_text(subject, STR("name")), ns = json_get_text(subject, STR("namespace"));
    grant->kind = arena_str(arena, json_get_text(subject, STR("kind")));
    grant->name = arena_str(arena, name);
    if (str_eq(grant->kind, STR("User"))) {
        grant_file(rbac, grant, 'u', name);
    } else if (str_eq(grant->kind, STR("Group"))) {
        grant_file(rbac, grant, 'g', name);
    } else if (str_eq(grant->kind, STR("ServiceAccount"))) {
        ns = ns.len > 0 ? ns : binding->ns;
        if (ns.len == 0)
            return;
        grant->name = arena_printf(arena, STR_F "/" STR_F, STR_A(name), STR_A(ns));
        str_t user =
            arena_printf(arena, "system:serviceaccount:" STR_F ":" STR_F, STR_A(ns), STR_A(name));
        grant_file(rbac, grant, 'u', user);
    }
}

static void binding_free(struct rbac *rbac, struct rbac_binding *binding)
{
    for (size_t i = 0; i < binding->n_grants; i++)
        grant_unfile(rbac, &binding->grants[i]);
    binding->role->n_bindings--;
    role_release(rbac, binding->role);
    map_remove(&rbac->bindings, &binding->node);
    arena_done(&binding->arena);
    free(binding);
}

void rbac_drop_binding(struct rbac *rbac, str_t ns, str_t name)
{
    struct rbac_binding *binding =
        ITEM_FIND(struct rbac_binding, &rbac->bindings, key_of(rbac, 'b', ns, name));
    if (binding != NULL)
        binding_free(rbac, binding);
}

void rbac_set_binding(struct rbac *rbac, str_t ns, str_t name, const struct json *json)
{
    rbac_drop_binding(rbac, ns, name);
    str_t key = key_of(rbac, 'b', ns, name);
    struct rbac_binding *binding = item_new(sizeof(*binding), key);
    item_add(&rbac->bindings, &binding->node, binding->key, key);
    const struct json *ref = json_get(json, STR("roleRef"));
    const struct json *subjects = json_get(json, STR("subjects"));
    bool in_cluster = str_eq(json_get_text(ref, STR("kind")), STR("ClusterRole"));
    binding->ns = (str_t){binding->node.key.at + SEED_LEN + 1, ns.len};
    binding->name = (str_t){binding->node.key.at + SEED_LEN + ns.len + 2, name.len};
    binding->role = role_get(rbac, in_cluster ? STR("") : ns, json_get_text(ref, STR("name")));
    binding->role->n_bindings++;
    binding->grants = arena_array(&binding->arena, struct rbac_why, json_count(subjects));
    JSON_EACH(subjects, subject)
    {
        struct rbac_why *grant = &binding->grants[binding->n_grants++];
        grant->binding = binding;
        grant_make(rbac, grant, subject);
    }
}

void rbac_free(struct rbac *rbac)
{
    if (rbac == NULL)
        return;
    for (size_t i = 0; i < rbac->bindings.n_buckets; i++)
        while (rbac->bindings.buckets[i] != NULL)
            binding_free(rbac, CONTAINER_OF(rbac->bindings.buckets[i], struct rbac_binding, node));
    for (size_t i = 0; i < rbac->roles.n_buckets; i++)
        while (rbac->roles.buckets[i] != NULL) {
            struct rbac_role *role = CONTAINER_OF(rbac->roles.buckets[i], struct rbac_role, node);
            role->exists = false;
            role_release(rbac, role);
        }
    map_done(&rbac->roles);
    map_done(&rbac->bindings);
    map_done(&rbac->subjects);
    buf_done(&rbac->scratch);
    free(rbac);
}

/* --- questions --- */

struct walk {
    /* True: go no further. */
    bool (*visit)(void *self, struct rbac_why *grant);
    void *self;
};

static bool walk_subject(struct rbac *rbac, char kind, str_t ns, str_t name,
                         const struct walk *walk)
{
    struct subject *subject =
        ITEM_FIND(struct subject, &rbac->subjects, key_of(rbac, kind, ns, name));
    if (subject == NULL)
        return false;
    LIST_EACH(&subject->grants, link) {
        struct rbac_why *grant = CONTAINER_OF(link, struct rbac_why, link);
        if (grant->binding->walk == rbac->walk)
            continue;
        grant->binding->walk = rbac->walk;
        if (walk->visit(walk->self, grant))
            return true;
    }
    return false;
}

static bool walk_scope(struct rbac *rbac, const struct rbac_who *who, str_t ns,
                       const struct walk *walk)
{
    if (who->name.len > 0 && walk_subject(rbac, 'u', ns, who->name, walk))
        return true;
    for (size_t i = 0; i < who->n_groups; i++)
        if (walk_subject(rbac, 'g', ns, who->groups[i], walk))
            return true;
    return false;
}

/* Every binding that applies to them, once: of the cluster, then of the namespace. */
static void walk_all(struct rbac *rbac, const struct rbac_who *who, str_t ns,
                     const struct walk *walk)
{
    rbac->walk++;
    if (!walk_scope(rbac, who, STR(""), walk) && ns.len > 0)
        (void)walk_scope(rbac, who, ns, walk);
}

/* The rules of a grant, unless the walk has seen them by another. */
static struct rbac_rules rules_once(struct rbac_why *grant)
{
    struct rbac_role *role = grant->binding->role;
    bool seen = role->walk == grant->binding->walk;
    role->walk = grant->binding->walk;
    return seen ? (struct rbac_rules){0} : role->rules;
}

enum { GRANT_WORK = 16 }; /* A binding costs as much as so many comparisons. */

struct may {
    const struct rbac_ask *ask;
    const struct rbac_why *why;
    size_t work;
};

static bool may_visit(void *self, struct rbac_why *grant)
{
    struct may *may = self;
    struct rbac_rules rules = rules_once(grant);
    may->work += GRANT_WORK;
    for (size_t i = 0; i < rules.n; i++) {
        may->work += rules.at[i].size;
        if (may->work > RBAC_WORK_MAX)
            return true;
        if (!rbac_rule_allows(&rules.at[i], may->ask))
            continue;
        may->why = grant;
        return true;
    }
    return false;
}

bool rbac_may(struct rbac *rbac, const struct rbac_who *who, const struct rbac_ask *ask,
              const struct rbac_why **why)
{
    struct may may = {.ask = ask};
    struct walk walk = {may_visit, &may};
    walk_all(rbac, who, ask->path.len > 0 ? STR("") : ask->ns, &walk);
    if (why != NULL)
        *why = may.why;
    return may.why != NULL;
}

str_t rbac_reason(const struct rbac_why *why, struct arena *arena)
{
    const struct rbac_binding *binding = why->binding;
    AUTO(buf_done) struct buf out = {0};
    buf_printf(&out, "RBAC: allowed by %sRoleBinding \"" STR_F,
               binding->ns.len > 0 ? "" : "Cluster", STR_A(binding->name));
    if (binding->ns.len > 0)
        buf_printf(&out, "/" STR_F, STR_A(binding->ns));
    buf_printf(&out, "\" of %sRole \"" STR_F "\" to " STR_F " \"" STR_F "\"",
               binding->role->in_cluster ? "Cluster" : "", STR_A(binding->role->name),
               STR_A(why->kind), STR_A(why->name));
    return arena_str(arena, buf_str(&out));
}

struct missing {
    struct buf out;
    size_t n;
};

enum { MISSING_ROLES_MAX = 20 }; /* That one refusal names. */

static bool missing_visit(void *self, struct rbac_why *grant)
{
    struct missing *missing = self;
    const struct rbac_role *role = grant->binding->role;
    if (role->exists)
        return false;
    buf_printf(&missing->out, "%s%srole.rbac.authorization.k8s.io \"" STR_F "\" not found",
               missing->n > 0 ? ", " : "", role->in_cluster ? "cluster" : "", STR_A(role->name));
    return ++missing->n == MISSING_ROLES_MAX;
}

str_t rbac_missing(struct rbac *rbac, const struct rbac_who *who, str_t ns, struct arena *arena)
{
    struct missing missing = {0};
    struct walk walk = {missing_visit, &missing};
    walk_all(rbac, who, ns, &walk);
    str_t text = STR("");
    if (missing.n > 0)
        text = arena_printf(arena, "RBAC: %s" STR_F "%s", missing.n > 1 ? "[" : "",
                            STR_A(buf_str(&missing.out)), missing.n > 1 ? "]" : "");
    buf_done(&missing.out);
    return text;
}

struct each {
    void (*each)(void *self, const struct rbac_rule *rule);
    void *self;
    size_t work;
};

static bool each_visit(void *self, struct rbac_why *grant)
{
    struct each *each = self;
    struct rbac_rules rules = rules_once(grant);
    for (size_t i = 0; i < rules.n; i++) {
        each->work += rules.at[i].size;
        if (each->work > RBAC_WORK_MAX)
            return true;
        each->each(each->self, &rules.at[i]);
    }
    return false;
}

bool rbac_each_rule(struct rbac *rbac, const struct rbac_who *who, str_t ns,
                    void (*each)(void *self, const struct rbac_rule *rule), void *self)
{
    struct each to = {each, self, 0};
    struct walk walk = {each_visit, &to};
    walk_all(rbac, who, ns, &walk);
    return to.work <= RBAC_WORK_MAX;
}
