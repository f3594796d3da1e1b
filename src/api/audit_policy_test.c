/* audit_policy_test.c - which rule decides, and what is no policy. */
#include "api/audit_policy.h"
#include "testkit/test.h"

#include <string.h>

#define HEAD "apiVersion: audit.k8s.io/v1\nkind: Policy\n"

static const char policy_text[] = HEAD "omitStages: [RequestReceived]\n"
                                       "omitManagedFields: true\n"
                                       "rules:\n"
                                       "- level: None\n"
                                       "  users: [system:kube-proxy]\n"
                                       "  verbs: [watch]\n"
                                       "- level: None\n"
                                       "  userGroups: [system:authenticated]\n"
                                       "  nonResourceURLs: ['/api*', /version]\n"
                                       "- level: Request\n"
                                       "  namespaces: [kube-system]\n"
                                       "  resources: [{group: '', resources: [configmaps]}]\n"
                                       "  omitManagedFields: false\n"
                                       "- level: Metadata\n"
                                       "  resources:\n"
                                       "  - {group: '', resources: [pods/log, pods/status]}\n"
                                       "  - {group: apps, resources: ['*/scale']}\n"
                                       "  - {group: '', resources: [secrets], resourceNames: [s]}\n"
                                       "  - {group: batch}\n"
                                       "- level: RequestResponse\n"
                                       "  resources: [{group: '', resources: [pods]}]\n"
                                       "  omitStages: [ResponseStarted]\n";

TEST(the_first_rule_that_fits_decides)
{
    static const str_t groups[] = {STR("a"), STR("system:authenticated")};
    static const struct {
        struct audit_question question;
        enum audit_level level;
    } rows[] = {
        {{.user = STR("system:kube-proxy"),
          .verb = STR("watch"),
          .resource = true,
          .plural = STR("pods")},
         AUDIT_NONE},
        {{.user = STR("ann"), .verb = STR("watch"), .resource = true, .plural = STR("pods")},
         AUDIT_REQUEST_RESPONSE},
        {{.verb = STR("get"), .path = STR("/apis/x"), .groups = groups, .n_groups = 2}, AUDIT_NONE},
        {{.resource = true, .plural = STR("configmaps"), .ns = STR("kube-system")}, AUDIT_REQUEST},
        {{.resource = true, .plural = STR("configmaps"), .ns = STR("default")}, AUDIT_NONE},
        {{.resource = true, .plural = STR("pods"), .subresource = STR("log")}, AUDIT_METADATA},
        {{.resource = true, .plural = STR("pods"), .subresource = STR("exec")}, AUDIT_NONE},
        {{.resource = true,
          .group = STR("apps"),
          .plural = STR("deployments"),
          .subresource = STR("scale")},
         AUDIT_METADATA},
        {{.resource = true, .group = STR("apps"), .plural = STR("deployments")}, AUDIT_NONE},
        {{.resource = true, .plural = STR("secrets"), .name = STR("s")}, AUDIT_METADATA},
        {{.resource = true, .plural = STR("secrets"), .name = STR("t")}, AUDIT_NONE},
        {{.resource = true, .group = STR("batch"), .plural = STR("jobs")}, AUDIT_METADATA},
    };
    struct audit_policy *policy;
    struct err err;
    MUST(audit_policy_read(str_from_z(policy_text), &policy, &err) == 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_INT(audit_policy_decide(policy, &rows[i].question).level, rows[i].level);
    struct audit_verdict pods = audit_policy_decide(policy, &rows[1].question);
    CHECK(pods.omit_managed_fields && pods.omitted == (AUDIT_RECEIVED | AUDIT_STARTED));
    CHECK(!audit_policy_decide(policy, &rows[3].question).omit_managed_fields);
    audit_policy_free(policy);
}

TEST(what_is_no_policy_is_refused_by_its_rule)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"rules: [", "yaml"},
        {"[]", "not an object"},
        {"apiVersion: v1\nkind: Policy\nrules: [{level: None}]", "must be a Policy"},
        {HEAD, "no rules"},
        {HEAD "rules: [{level: none}]", "rules[0].level: 'none'"},
        {HEAD "rules: [{level: None}, {level: None, omitStages: [x]}]", "rules[1].omitStages"},
        {HEAD "rules: [{level: None, user: x}]", "unknown field 'rules[0].user'"},
        {HEAD "rules: [{level: None, nonResourceURLs: ['/a*b']}]", "'/a*b' must begin"},
        {HEAD "rules: [{level: None, nonResourceURLs: [/a], namespaces: [b]}]", "not both"},
        {HEAD "rules: [{level: None, resources: [{group: apps/v1}]}]", "may have no version"},
        {HEAD "rules: [{level: None, resources: [{resourceNames: [a]}]}]", "at least one"},
        {HEAD "rules: [{level: None, users: 3}]", "cannot unmarshal"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct audit_policy *policy;
        struct err err = {0};
        CHECK_INT(audit_policy_read(str_from_z(rows[i].text), &policy, &err), ERR_INVALID);
        CHECK(strstr(err.text, rows[i].words) != NULL);
    }
}
