/*
 * rbac.h - roles and bindings, compiled so that "may they?" takes a microsecond.
 *
 * A binding is filed under each of its subjects and its namespace; a question looks up the user
 * and their groups, once for the cluster and once for the namespace, and tries the rules found
 * there. Objects are compiled when they change, one at a time. A role that a binding names and that
 * is not there (yet) grants nothing.
 *
 * Knows no store and no requests: authz.c feeds it and asks it.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"

struct rbac;

struct rbac *rbac_new(void);
void rbac_free(struct rbac *rbac); /* NULL-safe. */

/* `ns` "": a ClusterRole or ClusterRoleBinding. The tree is not kept. */
void rbac_set_role(struct rbac *rbac, str_t ns, str_t name, const struct json *json);
void rbac_drop_role(struct rbac *rbac, str_t ns, str_t name);
void rbac_set_binding(struct rbac *rbac, str_t ns, str_t name, const struct json *json);
void rbac_drop_binding(struct rbac *rbac, str_t ns, str_t name);

struct rbac_words {
    const str_t *at;
    size_t n;
};

struct rbac_rule {
    struct rbac_words verbs, groups, resources, names, urls;
    size_t size; /* What looking at it once may cost, in comparisons. */
};

struct rbac_rules {
    const struct rbac_rule *at;
    size_t n;
};

/* Of a role's `rules`, in the arena; texts are views into the tree. */
struct rbac_rules rbac_rules_of(const struct json *list, struct arena *arena);
/* False: there is no such role. Valid until the role changes. */
bool rbac_role_rules(const struct rbac *rbac, str_t ns, str_t name, struct rbac_rules *rules);

struct rbac_who {
    str_t name;
    const str_t *groups;
    size_t n_groups;
};

struct rbac_ask {
    str_t verb;
    str_t group, resource, subresource, ns, name;
    str_t path; /* Instead of all these: a path that is no resource. */
};

/*
 * Comparisons of one question: about 5 ms. Who fills a namespace with roles that everybody has can
 * slow down questions about it, but not more than this; what was not reached is not granted.
 */
enum { RBAC_WORK_MAX = 1 << 20 };

struct rbac_why;
/* True, and why by which grant. */
bool rbac_may(struct rbac *rbac, const struct rbac_who *who, const struct rbac_ask *ask,
              const struct rbac_why **why);
/* `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to User "z"` */
str_t rbac_reason(const struct rbac_why *why, struct arena *arena);
/* What could not be looked at: `RBAC: clusterrole.rbac.authorization.k8s.io "x" not found`, or "".
 */
str_t rbac_missing(struct rbac *rbac, const struct rbac_who *who, str_t ns, struct arena *arena);
/*
 * All rules that apply to somebody in a namespace; each role once. False: there are more, but they
 * are larger than RBAC_WORK_MAX together.
 */
bool rbac_each_rule(struct rbac *rbac, const struct rbac_who *who, str_t ns,
                    void (*each)(void *self, const struct rbac_rule *rule), void *self);

/* --- rbac_rule.c: rules without bindings --- */
bool rbac_rule_allows(const struct rbac_rule *rule, const struct rbac_ask *ask);

enum {
    COVER_WORK_MAX = 1 << 22, /* Comparisons of one check: about 20 ms. */
    COVER_MISSING_MAX = 1000, /* Rules that a refusal lists. */
};
/*
 * Does who has `have` hold everything in `want`? If not, `missing` is what is not held, a rule a
 * line, as Kubernetes prints it. A role too large to be compared within COVER_WORK_MAX is refused:
 * *missing says so.
 */
bool rbac_covers(struct rbac_rules have, struct rbac_rules want, struct arena *arena,
                 str_t *missing);
/* As Kubernetes' CompactString(): {APIGroups:[""], Resources:["secrets"], Verbs:["get"]} */
str_t rbac_rule_text(const struct rbac_rule *rule, struct arena *arena);
