/* rbac_test.c - what rules allow, who has them, and what a role may be given away. */
#include "api/rbac.h"
#include "testkit/test.h"

#include <string.h>

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(arena_str(arena, str_from_z(text)), arena, &json, &err) == 0);
    return json;
}

/* Words are separated by ',', '.' is the core group, "-" is none. */
static str_t words_json(str_t words, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    str_t word;
    buf_add_char(&out, '[');
    while (words.len > 0 && !str_eq(words, STR("-"))) {
        str_cut(words, ',', &word, &words);
        buf_printf(&out, "%s\"" STR_F "\"", out.len > 1 ? "," : "",
                   STR_A((str_eq(word, STR(".")) ? (str_t){word.at, 0} : word)));
    }
    buf_add_char(&out, ']');
    return arena_str(arena, buf_str(&out));
}

/* "VERBS GROUPS RESOURCES NAMES" or "VERBS PATHS" to a rule's JSON. */
static str_t rule_text(str_t text, struct arena *arena)
{
    static const char *const four[] = {"verbs", "apiGroups", "resources", "resourceNames"};
    static const char *const two[] = {"verbs", "nonResourceURLs"};
    AUTO(buf_done) struct buf out = {0};
    str_t parts[4];
    size_t n = 0;
    while (text.len > 0 && n < 4)
        str_cut(text, ' ', &parts[n++], &text);
    for (size_t i = 0; i < n; i++) {
        str_t words = words_json(parts[i], arena);
        buf_printf(&out, "%s\"%s\":" STR_F, i == 0 ? "{" : ",", n == 2 ? two[i] : four[i],
                   STR_A(words));
    }
    buf_add_char(&out, '}');
    return arena_str(arena, buf_str(&out));
}

/* Rules separated by ';' to the JSON of a role. */
static struct json *role(const char *rules, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    str_t rest = str_from_z(rules), rule;
    buf_add(&out, STR("{\"rules\":["));
    while (rest.len > 0) {
        str_cut(rest, ';', &rule, &rest);
        str_t text = rule_text(rule, arena);
        buf_printf(&out, "%s" STR_F, out.at[out.len - 1] == '[' ? "" : ",", STR_A(text));
    }
    buf_add(&out, STR("]}"));
    buf_add_char(&out, '\0');
    return parse(out.at, arena);
}

static struct rbac_rules rules(const char *text, struct arena *arena)
{
    return rbac_rules_of(json_get(role(text, arena), STR("rules")), arena);
}

/* "VERB GROUP RESOURCE[/SUB] [NAME]" or "VERB /PATH" */
static struct rbac_ask ask(const char *text)
{
    str_t parts[4] = {{0}}, rest = str_from_z(text), sub;
    size_t n = 0;
    while (rest.len > 0 && n < 4)
        str_cut(rest, ' ', &parts[n++], &rest);
    if (n == 2)
        return (struct rbac_ask){.verb = parts[0], .path = parts[1]};
    str_cut(parts[2], '/', &parts[2], &sub);
    return (struct rbac_ask){.verb = parts[0],
                             .group = str_eq(parts[1], STR(".")) ? STR("") : parts[1],
                             .resource = parts[2],
                             .subresource = sub,
                             .name = parts[3]};
}

static const struct {
    const char *rule, *ask;
    bool allowed;
} allowed_rows[] = {
    {"get . pods -", "get . pods", true},
    {"get . pods -", "get . pods a", true},
    {"get . pods -", "list . pods", false},
    {"get . pods -", "get . podss", false},
    {"get . pods -", "get . pod", false},
    {"get . pods -", "get apps pods", false},
    {"get . pods -", "get . secrets", false},
    {"get . pods -", "GET . pods", false},
    {"get . pods -", "get /pods", false},
    {"get,list . pods,services -", "list . services", true},
    {"* . pods -", "deletecollection . pods", true},
    {"* . pods -", "impersonate . pods", true},
    {"* . pods -", "get . secrets", false},
    {"get * pods -", "get apps pods", true},
    {"get * deployments -", "get apps deployments", true},
    {"get apps deployments -", "get extensions deployments", false},
    {"get . * -", "get . secrets a", true},
    {"get . * -", "get . pods/log a", true},
    {"get . * -", "get apps deployments", false},
    /* Subresources are resources of their own. */
    {"get . pods -", "get . pods/log a", false},
    {"get . pods/log -", "get . pods/log a", true},
    {"get . pods/log -", "get . pods a", false},
    {"get . pods/log -", "get . pods/exec a", false},
    {"get . pods/log -", "get . pods/logs a", false},
    {"get . */log -", "get . pods/log a", true},
    {"get . */log -", "get . pods a", false},
    {"get . */log -", "get . log", false},
    {"get * */scale -", "get apps deployments/scale a", true},
    {"get * */scale -", "update apps deployments/scale a", false},
    {"get * */scale -", "get apps deployments a", false},
    {"get . pods/* -", "get . pods/log a", false}, /* No such pattern. */
    {"get . pods/* -", "get . pods a", false},
    {"get . po* -", "get . pods", false},
    {"get* . pods -", "get . pods", false},
    {"get a* pods -", "get apps pods", false},
    {"get . */* -", "get . pods/log a", false},
    /* Names. */
    {"get . pods a", "get . pods a", true},
    {"get . pods a", "get . pods b", false},
    {"get . pods a", "get . pods", false},
    {"list . pods a", "list . pods", false},
    {"list . pods a", "list . pods a", true},
    {"create . pods a", "create . pods", false}, /* A create has no name yet. */
    {"deletecollection . pods a", "deletecollection . pods", false},
    {"get . pods a,b", "get . pods b", true},
    {"get . pods *", "get . pods b", false}, /* No pattern either. */
    {"get . pods *", "get . pods *", true},
    {"* * * a", "get . secrets a", true},
    {"* * * a", "get . secrets b", false},
    /* Paths. */
    {"get /healthz", "get /healthz", true},
    {"get /healthz", "get /healthz/", false},
    {"get /healthz", "post /healthz", false},
    {"get /healthz", "get . healthz", false},
    {"get /healthz/*", "get /healthz/etcd", true},
    {"get /healthz/*", "get /healthz", false},
    {"get /healthz/*", "get /healthz/../metrics", true}, /* As a text; no path is walked. */
    {"get /healthz*", "get /healthzz", true},
    {"get /healthz**", "get /healthzz", true},
    {"get *", "get /metrics", true},
    {"* *", "post /x", true},
    {"get /*/x", "get /a/x", false}, /* A star is one only at the end. */
    {"get /*/x", "get /*/x", true},
    {"get /api", "get /apis", false},
    {"get /api/*", "get /apis/x", false},
    {"get /metrics", "get /Metrics", false},
    {"get /metrics", "get /metrics%2f", false},
    {"* * * -", "get /metrics", false}, /* All resources are no path. */
    {"* *", "get . pods", false},
};

TEST(a_rule_allows_what_it_says_and_nothing_else)
{
    for (size_t i = 0; i < ARRAY_LEN(allowed_rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct rbac_rules one = rules(allowed_rows[i].rule, &arena);
        struct rbac_ask question = ask(allowed_rows[i].ask);
        MUST(one.n == 1);
        if (rbac_rule_allows(&one.at[0], &question) != allowed_rows[i].allowed)
            test_check_str(str_from_z(allowed_rows[i].rule), str_from_z(allowed_rows[i].ask),
                           "allowed", __FILE__, __LINE__);
    }
}

TEST(somebody_can_give_away_only_what_they_hold)
{
    static const struct {
        const char *have, *want, *missing; /* "": nothing. */
    } rows[] = {
        {"get . pods -", "get . pods -", ""},
        {"get . pods -", "get . pods a", ""},
        {"get . pods -", "get . secrets -",
         "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}"},
        {"get . pods -", "get,list,watch . pods -",
         "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\" \"watch\"]}"},
        {"", "get,list apps deployments,replicasets -",
         "{APIGroups:[\"apps\"], Resources:[\"deployments\"], Verbs:[\"get\" \"list\"]}\n"
         "{APIGroups:[\"apps\"], Resources:[\"replicasets\"], Verbs:[\"get\" \"list\"]}"},
        {"get . pods a", "get . pods -",
         "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}"},
        {"get . pods a", "get . pods a,b",
         "{APIGroups:[\"\"], Resources:[\"pods\"], ResourceNames:[\"b\"], Verbs:[\"get\"]}"},
        /* Stars are held only by who holds the star. */
        {"get,list,watch,create,update,patch,delete,deletecollection . pods -", "* . pods -",
         "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"*\"]}"},
        {"* . pods -", "* . * -", "{APIGroups:[\"\"], Resources:[\"*\"], Verbs:[\"*\"]}"},
        {"* . * -", "* * * -", "{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}"},
        {"* * * -", "get . secrets a;list apps deployments/scale -", ""},
        {"* * * -", "get /metrics", "{NonResourceURLs:[\"/metrics\"], Verbs:[\"get\"]}"},
        {"* *", "get /metrics", ""},
        {"* *", "get . pods -", "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}"},
        {"* * * -;* *", "* * * -;* *", ""},
        {"* * * a;* *", "get . pods b",
         "{APIGroups:[\"\"], Resources:[\"pods\"], ResourceNames:[\"b\"], Verbs:[\"get\"]}"},
        /* Subresources. */
        {"get . pods -", "get . pods/log -",
         "{APIGroups:[\"\"], Resources:[\"pods/log\"], Verbs:[\"get\"]}"},
        {"get . */log -", "get . pods/log -", ""},
        {"get . pods/log -", "get . */log -",
         "{APIGroups:[\"\"], Resources:[\"*/log\"], Verbs:[\"get\"]}"},
        {"get . */log -", "get . pods -",
         "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}"},
        /* Paths. */
        {"get /a/*", "get /a/b,/a/b/*", ""},
        {"get /a/*", "get /a,/b",
         "{NonResourceURLs:[\"/a\"], Verbs:[\"get\"]}\n{NonResourceURLs:[\"/b\"], "
         "Verbs:[\"get\"]}"},
        {"get /a/b", "get /a/*", "{NonResourceURLs:[\"/a/*\"], Verbs:[\"get\"]}"},
        /* Rules of several roles together. */
        {"get . pods -;list . pods -", "get,list . pods -", ""},
        {"get . pods -;list . secrets -", "get,list . pods,secrets -",
         "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\"]}\n"
         "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t missing = STR("");
        bool covered =
            rbac_covers(rules(rows[i].have, &arena), rules(rows[i].want, &arena), &arena, &missing);
        CHECK(covered == (missing.len == 0));
        test_check_str(missing, str_from_z(rows[i].missing), rows[i].want, __FILE__, __LINE__);
    }
}

/* A rule of n verbs, resources and names is n^3 permissions. */
TEST(a_hostile_role_is_refused_before_it_takes_long)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf rule = {0};
    str_t missing = STR("");
    for (int part = 0; part < 3; part++) {
        for (int i = 0; i < 3000; i++)
            buf_printf(&rule, "%sx%d", i > 0 ? "," : "", i);
        buf_add(&rule, part == 0 ? STR(" . ") : STR(" "));
    }
    buf_add_char(&rule, '\0');
    struct rbac_rules want = rules(rule.at, &arena);
    CHECK(!rbac_covers(rules("get . pods -", &arena), want, &arena, &missing));
    const char *text = arena_printf(&arena, STR_F, STR_A(missing)).at;
    CHECK(strstr(text, "COVER_WORK_MAX") != NULL);
    CHECK(rbac_covers(rules("* * * -;* *", &arena), want, &arena, &missing));
}

/* --- bindings --- */

static void bind(struct rbac *rbac, const char *ns, const char *name, const char *kind,
                 const char *to, const char *subjects)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text =
        arena_printf(&arena, "{\"roleRef\":{\"kind\":\"%s\",\"name\":\"%s\"},\"subjects\":[%s]}",
                     kind, to, subjects);
    rbac_set_binding(rbac, str_from_z(ns), str_from_z(name), parse(text.at, &arena));
}

static void set_role(struct rbac *rbac, const char *ns, const char *name, const char *text)
{
    AUTO(arena_done) struct arena arena = {0};
    rbac_set_role(rbac, str_from_z(ns), str_from_z(name), role(text, &arena));
}

static bool may(struct rbac *rbac, const char *user, const char *group, const char *ns,
                const char *question)
{
    str_t groups[] = {str_from_z(group)};
    struct rbac_who who = {str_from_z(user), groups, groups[0].len > 0 ? 1 : 0};
    struct rbac_ask asked = ask(question);
    asked.ns = str_from_z(ns);
    return rbac_may(rbac, &who, &asked, NULL);
}

#define USER(name) "{\"kind\":\"User\",\"name\":\"" name "\"}"
#define GROUP(name) "{\"kind\":\"Group\",\"name\":\"" name "\"}"
#define ACCOUNT(name, ns)                                                                          \
    "{\"kind\":\"ServiceAccount\",\"name\":\"" name "\",\"namespace\":\"" ns "\"}"

TEST(bindings_give_roles_to_users_groups_and_accounts)
{
    struct rbac *rbac = rbac_new();
    set_role(rbac, "", "reader", "get . pods -");
    set_role(rbac, "a", "reader", "get . secrets -");
    bind(rbac, "", "all", "ClusterRole", "reader", USER("ann") "," GROUP("ops"));
    bind(rbac, "a", "own", "Role", "reader", USER("bob") "," ACCOUNT("sa", "x"));
    bind(rbac, "b", "lent", "ClusterRole", "reader",
         USER("eve") ",{\"kind\":\"ServiceAccount\","
                     "\"name\":\"here\"}");
    CHECK(may(rbac, "ann", "", "", "get . pods") && may(rbac, "ann", "", "z", "get . pods"));
    CHECK(may(rbac, "zoe", "ops", "z", "get . pods"));
    CHECK(!may(rbac, "ops", "ann", "z", "get . pods")); /* A user is no group. */
    CHECK(!may(rbac, "ann", "", "a", "get . secrets"));
    CHECK(may(rbac, "bob", "", "a", "get . secrets"));
    CHECK(!may(rbac, "bob", "", "b", "get . secrets") &&
          !may(rbac, "bob", "", "", "get . secrets"));
    CHECK(!may(rbac, "bob", "", "a", "get . pods"));
    CHECK(may(rbac, "system:serviceaccount:x:sa", "", "a", "get . secrets"));
    CHECK(!may(rbac, "system:serviceaccount:a:sa", "", "a", "get . secrets"));
    CHECK(may(rbac, "system:serviceaccount:b:here", "", "b", "get . pods"));
    CHECK(may(rbac, "eve", "", "b", "get . pods") && !may(rbac, "eve", "", "a", "get . pods"));
    CHECK(!may(rbac, "", "", "b", "get . pods"));
    rbac_free(rbac);
}

TEST(changes_of_roles_and_bindings_count_at_once)
{
    struct rbac *rbac = rbac_new();
    bind(rbac, "", "b", "ClusterRole", "later", USER("ann"));
    CHECK(!may(rbac, "ann", "", "", "get . pods"));
    set_role(rbac, "", "later", "get . pods -");
    CHECK(may(rbac, "ann", "", "", "get . pods"));
    set_role(rbac, "", "later", "get . nodes -");
    CHECK(!may(rbac, "ann", "", "", "get . pods") && may(rbac, "ann", "", "", "get . nodes"));
    bind(rbac, "", "b", "ClusterRole", "later", USER("bob") "," USER("bob"));
    CHECK(!may(rbac, "ann", "", "", "get . nodes") && may(rbac, "bob", "", "", "get . nodes"));
    rbac_drop_role(rbac, STR(""), STR("later"));
    CHECK(!may(rbac, "bob", "", "", "get . nodes"));
    set_role(rbac, "", "later", "get . nodes -");
    rbac_drop_binding(rbac, STR(""), STR("b"));
    CHECK(!may(rbac, "bob", "", "", "get . nodes"));
    rbac_drop_binding(rbac, STR(""), STR("b"));
    rbac_drop_role(rbac, STR(""), STR("none"));
    rbac_free(rbac);
}

TEST(reasons_are_kubernetes_words)
{
    AUTO(arena_done) struct arena arena = {0};
    struct rbac *rbac = rbac_new();
    struct rbac_who ann = {.name = STR("ann")},
                    account = {.name = STR("system:serviceaccount:x:sa")};
    struct rbac_ask question = ask("get . pods");
    const struct rbac_why *why;
    question.ns = STR("x");
    set_role(rbac, "", "reader", "get . pods -");
    bind(rbac, "", "all", "ClusterRole", "reader", USER("ann"));
    bind(rbac, "x", "own", "ClusterRole", "reader", ACCOUNT("sa", "x"));
    CHECK(rbac_may(rbac, &ann, &question, &why));
    CHECK_STR(rbac_reason(why, &arena),
              "RBAC: allowed by ClusterRoleBinding \"all\" of ClusterRole \"reader\" to User "
              "\"ann\"");
    CHECK(rbac_may(rbac, &account, &question, &why));
    CHECK_STR(rbac_reason(why, &arena), "RBAC: allowed by RoleBinding \"own/x\" of ClusterRole "
                                        "\"reader\" to ServiceAccount \"sa/x\"");
    CHECK_STR(rbac_missing(rbac, &ann, STR("x"), &arena), "");
    bind(rbac, "x", "gone", "Role", "gone", USER("ann"));
    CHECK_STR(rbac_missing(rbac, &ann, STR("x"), &arena),
              "RBAC: role.rbac.authorization.k8s.io \"gone\" not found");
    bind(rbac, "", "gone", "ClusterRole", "away", USER("ann"));
    CHECK_STR(rbac_missing(rbac, &ann, STR("x"), &arena),
              "RBAC: [clusterrole.rbac.authorization.k8s.io \"away\" not found, "
              "role.rbac.authorization.k8s.io \"gone\" not found]");
    rbac_free(rbac);
}

/* Everybody has roles that somebody has made as large as they could. */
TEST(a_question_takes_no_longer_than_its_limit)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf rule = {0};
    struct rbac *rbac = rbac_new();
    for (int i = 0; i < 30000; i++)
        buf_printf(&rule, "%sx%d", i > 0 ? "," : "get . ", i);
    buf_add(&rule, STR(" -"));
    buf_add_char(&rule, '\0');
    for (int i = 0; i < 40; i++) {
        const char *name = arena_printf(&arena, "r%d", i).at;
        set_role(rbac, "a", name, rule.at);
        bind(rbac, "a", name, "Role", name, GROUP("all"));
    }
    set_role(rbac, "a", "z", "get . pods -");
    bind(rbac, "a", "z", "Role", "z", GROUP("all"));
    CHECK(!may(rbac, "ann", "all", "a", "get . pods")); /* Not reached. */
    set_role(rbac, "", "z", "get . pods -");
    bind(rbac, "", "z", "ClusterRole", "z", USER("ann"));
    CHECK(may(rbac, "ann", "all", "a", "get . pods")); /* The cluster's come first. */
    rbac_free(rbac);
}
