/* pod_spec_test.c - rules of a PodSpec, on rows. */
#include "kinds/pod_spec.h"
#include "kinds/volume.h"
#include "testkit/test.h"

static str_t complaint(const char *text, struct arena *arena)
{
    struct json *spec;
    struct err err;
    struct field_errors errors = {.arena = arena};
    MUST(json_parse(str_from_z(text), arena, &spec, &err) == 0);
    pod_spec_check(spec, IN(NULL, "spec"), &errors);
    if (errors.n == 0)
        return STR("");
    return arena_printf(arena, STR_F ": " STR_F, STR_A(errors.at[0].path),
                        STR_A(errors.at[0].text));
}

TEST(only_a_whole_element_is_a_backstep)
{
    CHECK(has_backstep(STR("..")) && has_backstep(STR("a/..")) && has_backstep(STR("../a")));
    CHECK(!has_backstep(STR("")) && !has_backstep(STR("a..b/..c")) && !has_backstep(STR("/a/")));
}

TEST(a_pod_spec_says_what_is_wrong_with_it)
{
    static const struct {
        const char *spec, *complaint;
    } rows[] = {
        {"{}", ""},
        {"{\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"a\",\"items\":[{\"path\":\"..\"}]"
         "}}]}",
         "spec.volumes[0].configMap.items[0].path: Invalid value: \"..\": must not contain '..'"},
        {"{\"volumes\":[{\"name\":\"v\",\"nfs\":{\"server\":\"s\",\"path\":\"a\"}}]}",
         "spec.volumes[0].nfs.path: Invalid value: \"a\": must be an absolute path"},
        {"{\"volumes\":[{\"name\":\"v\",\"downwardAPI\":{\"items\":[{\"path\":\"a\",\"fieldRef\":{"
         "\"fieldPath\":\"metadata.labels['a b']\"}}]}}]}",
         "spec.volumes[0].downwardAPI.fieldRef: Invalid value: \"a b\": name part must consist of"},
        {"{\"securityContext\":{\"sysctls\":[{\"name\":\"net..a\"}]}}",
         "spec.securityContext.sysctls[0].name: Invalid value: \"net..a\": must have at most 253"},
        {"{\"securityContext\":{\"sysctls\":[{\"name\":\"net/a-b.c_d\"}]}}", ""},
        {"{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{"
         "\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":["
         "\"b\"]}]}]}}}}",
         "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
         "nodeSelectorTerms[0].matchFields[0].key: Invalid value: \"a\": not a valid field "
         "selector "
         "key"},
        {"{\"overhead\":{\"cpu\":\"-1\"}}",
         "spec.overhead.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"},
        {"{\"dnsConfig\":{\"options\":[{\"value\":\"a\"}]}}",
         "spec.dnsConfig.options[0]: Required value: must not be empty"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        str_t got = complaint(rows[i].spec, &arena);
        str_t wanted = str_from_z(rows[i].complaint);
        if (wanted.len == 0 ? got.len > 0 : !str_starts(got, wanted))
            test_check_str(got, wanted, rows[i].spec, __FILE__, __LINE__);
    }
}
