/* kinds_test.c - the rules of each kind, on rows. */
#include "kinds/kinds.h"
#include "kube/meta.h"
#include "testkit/test.h"

#include <string.h>

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

/* The first complaint about the object, or "". */
static str_t complaint(const struct kind *kind, const char *text, const char *old,
                       struct arena *arena)
{
    struct json *object = parse(text, arena), *before = old == NULL ? NULL : parse(old, arena);
    struct field_errors errors = {.arena = arena};
    if (kind->prepare != NULL)
        kind->prepare(object, before, arena);
    schema_set_defaults(kind->schema, object, arena);
    meta_check(kind, object, &errors);
    schema_check(kind->schema, object, &errors);
    if (before != NULL)
        schema_check_immutable(kind->schema, before, object, &errors);
    if (kind->check != NULL)
        kind->check(object, before, &errors);
    if (errors.n == 0)
        return STR("");
    return arena_printf(arena, STR_F ": " STR_F, STR_A(errors.at[0].path),
                        STR_A(errors.at[0].text));
}

TEST(kinds_say_what_is_wrong_with_an_object)
{
    static const struct {
        const struct kind *kind;
        const char *object, *old, *complaint;
    } rows[] = {
        {&kind_configmap, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}", NULL, ""},
        {&kind_configmap, "{\"metadata\":{\"name\":\"A\"}}", NULL,
         "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain"},
        {&kind_configmap, "{\"metadata\":{}}", NULL, "metadata.name: Required value"},
        {&kind_configmap, "{\"metadata\":{\"name\":\"a\",\"labels\":{\"bad key\":\"1\"}}}", NULL,
         "metadata.labels: Invalid value: \"bad key\": name part must consist"},
        {&kind_configmap, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"a/b\":\"v\"}}", NULL,
         "data[a/b]: Invalid value: \"a/b\": a valid config key"},
        {&kind_configmap,
         "{\"metadata\":{\"name\":\"a\"},\"immutable\":true,\"data\":{\"k\":\"2\"}}",
         "{\"metadata\":{\"name\":\"a\"},\"immutable\":true,\"data\":{\"k\":\"1\"}}",
         "data: Forbidden: field is immutable when `immutable` is set"},
        {&kind_secret, "{\"metadata\":{\"name\":\"a\"},\"stringData\":{\"k\":\"v\"}}", NULL, ""},
        {&kind_secret, "{\"metadata\":{\"name\":\"a\"},\"type\":\"kubernetes.io/tls\"}", NULL,
         "data[tls.crt]: Required value"},
        {&kind_secret, "{\"metadata\":{\"name\":\"a\"},\"type\":\"x\"}",
         "{\"metadata\":{\"name\":\"a\"},\"type\":\"Opaque\"}",
         "type: Invalid value: \"x\": field is immutable"},
        {&kind_namespace, "{\"metadata\":{\"name\":\"a.b\"}}", NULL,
         "metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 label"},
        {&kind_event,
         "{\"metadata\":{\"name\":\"a\",\"namespace\":\"x\"},\"involvedObject\":{\"namespace\":"
         "\"y\"}}",
         NULL, "involvedObject.namespace: Invalid value: \"y\": does not match event.namespace"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t got = complaint(rows[i].kind, rows[i].object, rows[i].old, &arena);
        bool ok = rows[i].complaint[0] == '\0' ? got.len == 0
                                               : str_starts(got, str_from_z(rows[i].complaint));
        if (!ok)
            test_check_str(got, str_from_z(rows[i].complaint), rows[i].object, __FILE__, __LINE__);
    }
}

TEST(a_secrets_plain_values_are_moved_to_data)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf out = {0};
    struct json *secret =
        parse("{\"data\":{\"a\":\"eA==\"},\"stringData\":{\"a\":\"foo\",\"b\":\"\"}}", &arena);
    kind_secret.prepare(secret, NULL, &arena);
    json_write(secret, &out);
    CHECK_STR(buf_str(&out), "{\"data\":{\"a\":\"Zm9v\",\"b\":\"\"}}");
    CHECK(kind_is_secret(STR("secrets")) && !kind_is_secret(STR("configmaps")) &&
          !kind_is_secret(STR("secrets.x")));
}

static const struct {
    const struct kind *kind;
    const char *object, *old, *complaint;
} rbac_rows[] = {
    {&kind_role,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"rules\":[{\"verbs\":[\"get\"],"
     "\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]}",
     NULL, ""},
    {&kind_role, "{\"metadata\":{\"name\":\"a/b\",\"namespace\":\"x\"}}", NULL,
     "metadata.name: Invalid value: \"a/b\": may not be"},
    {&kind_role,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"rules\":[{\"apiGroups\":[\"\"],"
     "\"resources\":[\"pods\"]}]}",
     NULL, "rules[0].verbs: Required value"},
    {&kind_role,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"rules\":[{\"verbs\":[\"get\"],"
     "\"resources\":[\"pods\"]}]}",
     NULL, "rules[0].apiGroups: Required value: resource rules must supply at least one api group"},
    {&kind_role,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"rules\":[{\"verbs\":[\"get\"],"
     "\"apiGroups\":[\"\"]}]}",
     NULL, "rules[0].resources: Required value: resource rules must supply at least one resource"},
    {&kind_role,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"rules\":[{\"verbs\":[\"get\"],"
     "\"nonResourceURLs\":[\"/x\"]}]}",
     NULL,
     "rules[0].nonResourceURLs: Invalid value: []string{\"/x\"}: namespaced rules cannot apply to "
     "non-resource URLs"},
    {&kind_clusterrole,
     "{\"metadata\":{\"name\":\"system:a\"},\"rules\":[{\"verbs\":[\"get\"],\"nonResourceURLs\":["
     "\"/x\"]}]}",
     NULL, ""},
    {&kind_clusterrole,
     "{\"metadata\":{\"name\":\"system:a\"},\"rules\":[{\"verbs\":[\"get\"],\"nonResourceURLs\":["
     "\"/x\",\"/y\"],\"resources\":[\"a\"]}]}",
     NULL,
     "rules[0].nonResourceURLs: Invalid value: []string{\"/x\", \"/y\"}: rules cannot apply to "
     "both regular resources and non-resource URLs"},
    {&kind_clusterrole, "{\"metadata\":{\"name\":\"system:a\"},\"aggregationRule\":{}}", NULL,
     "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector "
     "required"},
    {&kind_rolebinding,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"roleRef\":{\"kind\":\"Role\","
     "\"name\":\"r\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"u\"},{\"kind\":\"Group\","
     "\"name\":\"g\"},{\"kind\":\"ServiceAccount\",\"name\":\"s\"}]}",
     NULL, ""},
    {&kind_rolebinding,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"roleRef\":{\"kind\":\"Pod\","
     "\"name\":\"r\"},\"subjects\":[]}",
     NULL, "roleRef.kind: Unsupported value: \"Pod\": supported values: "},
    {&kind_clusterrolebinding,
     "{\"metadata\":{\"name\":\"system:a\"},\"roleRef\":{\"kind\":\"Role\",\"name\":\"r\"},"
     "\"subjects\":[]}",
     NULL, "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""},
    {&kind_rolebinding,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"roleRef\":{\"kind\":\"Role\","
     "\"name\":\"r\",\"apiGroup\":\"x\"},\"subjects\":[]}",
     NULL,
     "roleRef.apiGroup: Unsupported value: \"x\": supported values: \"rbac.authorization.k8s.io\""},
    {&kind_rolebinding,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"roleRef\":{\"kind\":\"Role\","
     "\"name\":\"r\"},\"subjects\":[{\"kind\":\"Pod\",\"name\":\"u\"}]}",
     NULL, "subjects[0].kind: Unsupported value: \"Pod\""},
    {&kind_rolebinding,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"roleRef\":{\"kind\":\"Role\","
     "\"name\":\"r\"},\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"s\",\"apiGroup\":\"x\"}"
     "]}",
     NULL, "subjects[0].apiGroup: Unsupported value: \"x\": supported values: \"\""},
    {&kind_clusterrolebinding,
     "{\"metadata\":{\"name\":\"system:a\"},\"roleRef\":{\"kind\":\"ClusterRole\",\"name\":\"r\"},"
     "\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"s\"}]}",
     NULL, "subjects[0].namespace: Required value"},
    {&kind_rolebinding,
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"roleRef\":{\"kind\":\"Role\","
     "\"name\":\"r\"},\"subjects\":[]}",
     "{\"metadata\":{\"name\":\"system:a\",\"namespace\":\"x\"},\"roleRef\":{\"kind\":\"Role\","
     "\"name\":\"q\",\"apiGroup\":\"rbac.authorization.k8s.io\"},\"subjects\":[]}",
     "roleRef: Invalid value: rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", Kind:\"Role\", "
     "Name:\"r\"}: cannot change roleRef"},
};

/* Roles, bindings and the questions about them, in Kubernetes' words. */
TEST(roles_and_bindings_say_what_is_wrong_with_them)
{
    for (size_t i = 0; i < ARRAY_LEN(rbac_rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t got = complaint(rbac_rows[i].kind, rbac_rows[i].object, rbac_rows[i].old, &arena);
        bool ok = rbac_rows[i].complaint[0] == '\0'
                      ? got.len == 0
                      : str_starts(got, str_from_z(rbac_rows[i].complaint));
        if (!ok)
            test_check_str(got, str_from_z(rbac_rows[i].complaint), rbac_rows[i].object, __FILE__,
                           __LINE__);
    }
}
