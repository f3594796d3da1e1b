/* env_test.c - environments from every source, and what is said when one is missing. */
#include "node/env.h"
#include "testkit/test.h"

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

static const char pod_text[] =
    "{\"metadata\":{\"name\":\"web-1\",\"namespace\":\"shop\",\"uid\":\"u\","
    "\"labels\":{\"app\":\"web\",\"b\":\"c\\\"d\"}},\"spec\":{\"nodeName\":\"n1\",\"containers\":["
    "{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":\"1500m\",\"memory\":\"64Mi\"}}},"
    "{\"name\":\"b\"}]}}";

static str_t get(const struct variables *vars, const char *name)
{
    const str_t *value = variables_get(vars, str_from_z(name));
    return value == NULL ? STR("<none>") : *value;
}

TEST(expand_names_dollars_and_what_is_not_there)
{
    AUTO(arena_done) struct arena arena = {0};
    struct variables vars = {0};
    variables_set(&vars, STR("A"), STR("1"), &arena);
    variables_set(&vars, STR("B"), STR("$(A)"), &arena);
    CHECK_STR(expand(STR("x$(A)y$(B)"), &vars, &arena), "x1y$(A)");
    CHECK_STR(expand(STR("$$(A) $(C) $A $(A $"), &vars, &arena), "$(A) $(C) $A $(A $");
    CHECK_STR(expand(STR("$$$(A)$()"), &vars, &arena), "$1$()");
}

TEST(variables_many_and_the_last_counts)
{
    AUTO(arena_done) struct arena arena = {0};
    struct variables vars = {0};
    for (int i = 0; i < 1000; i++)
        variables_set(&vars, arena_printf(&arena, "V%d", i % 500), arena_printf(&arena, "%d", i),
                      &arena);
    CHECK_INT(vars.n, 500);
    CHECK_STR(get(&vars, "V7"), "507");
    CHECK_STR(get(&vars, "V500"), "<none>");
}

TEST(downward_fields)
{
    AUTO(arena_done) struct arena arena = {0};
    struct downward from = {.pod = parse(pod_text, &arena),
                            .pod_ip = STR("10.1.0.2"),
                            .cpu_millis = 4000,
                            .memory_bytes = 1024};
    struct err err;
    str_t value;
    CHECK_INT(downward_field(&from, STR("metadata.labels['app']"), &arena, &value, &err), 0);
    CHECK_STR(value, "web");
    CHECK_INT(downward_field(&from, STR("metadata.labels"), &arena, &value, &err), 0);
    CHECK_STR(value, "app=\"web\"\nb=\"c\\\"d\"");
    CHECK_INT(downward_field(&from, STR("status.podIP"), &arena, &value, &err), 0);
    CHECK_STR(value, "10.1.0.2");
    CHECK_INT(downward_field(&from, STR("metadata.foo"), &arena, &value, &err), ERR_INVALID);
}

TEST(downward_resources_are_rounded_up)
{
    AUTO(arena_done) struct arena arena = {0};
    struct downward from = {
        .pod = parse(pod_text, &arena), .cpu_millis = 4000, .memory_bytes = 1024};
    struct err err;
    str_t value = {0};
    const struct json *own = pod_container(from.pod, STR("b"));
    const struct json *ref = parse("{\"containerName\":\"a\",\"resource\":\"limits.cpu\"}", &arena);
    CHECK_INT(downward_resource(&from, ref, own, &arena, &value, &err), 0);
    CHECK_STR(value, "2");
    ref = parse("{\"containerName\":\"a\",\"resource\":\"limits.cpu\",\"divisor\":\"1m\"}", &arena);
    CHECK_INT(downward_resource(&from, ref, own, &arena, &value, &err), 0);
    CHECK_STR(value, "1500");
    ref = parse("{\"resource\":\"limits.memory\"}", &arena);
    CHECK_INT(downward_resource(&from, ref, own, &arena, &value, &err), 0);
    CHECK_STR(value, "1024");
    ref = parse("{\"resource\":\"requests.cpu\"}", &arena);
    CHECK_INT(downward_resource(&from, ref, own, &arena, &value, &err), 0);
    CHECK_STR(value, "0");
    ref = parse("{\"resource\":\"requests.cpu\",\"containerName\":\"z\"}", &arena);
    CHECK_INT(downward_resource(&from, ref, own, &arena, &value, &err), ERR_INVALID);
}

static const struct json *data_of(void *self, bool secret, str_t name)
{
    const struct json *all = self;
    return json_get(json_get(all, secret ? STR("secrets") : STR("maps")), name);
}

TEST(env_of_all_sources_in_their_order)
{
    AUTO(arena_done) struct arena arena = {0};
    struct env_sources from = {
        .pod = {.pod = parse(pod_text, &arena)},
        .container = parse(
            "{\"envFrom\":[{\"prefix\":\"P_\",\"configMapRef\":{\"name\":\"m\"}}],\"env\":["
            "{\"name\":\"PATH\",\"value\":\"/own:$(P_K)\"},"
            "{\"name\":\"KEY\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}},"
            "{\"name\":\"HOST\",\"value\":\"$(DB_SERVICE_HOST)\"},{\"name\":\"NAME\",\"valueFrom\":"
            "{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}},{\"name\":\"MAYBE\",\"valueFrom\":"
            "{\"configMapKeyRef\":{\"name\":\"z\",\"key\":\"k\",\"optional\":true}}}]}",
            &arena),
        .data = data_of,
        .self =
            parse("{\"maps\":{\"m\":{\"K\":\"v\"}},\"secrets\":{\"s\":{\"k\":\"top\"}}}", &arena),
    };
    variables_set(&from.image, STR("PATH"), STR("/bin"), &arena);
    variables_set(&from.image, STR("LANG"), STR("C"), &arena);
    service_variables(parse("{\"metadata\":{\"name\":\"db\"},\"spec\":{\"clusterIP\":\"10.9.0.1\","
                            "\"ports\":[{\"name\":\"pg-x\",\"port\":5432,\"protocol\":\"TCP\"}]}}",
                            &arena),
                      &arena, &from.services);
    struct variables env = {0};
    struct err err;
    CHECK_INT(env_make(&from, &arena, &env, &err), 0);
    CHECK_STR(get(&env, "PATH"), "/own:v");
    CHECK_STR(get(&env, "LANG"), "C");
    CHECK_STR(get(&env, "KEY"), "top");
    CHECK_STR(get(&env, "HOST"), "10.9.0.1");
    CHECK_STR(get(&env, "NAME"), "web-1");
    CHECK_STR(get(&env, "MAYBE"), "<none>");
    CHECK_STR(get(&env, "DB_PORT_5432_TCP"), "tcp://10.9.0.1:5432");
    CHECK_STR(get(&env, "DB_SERVICE_PORT_PG_X"), "5432");
}

TEST(env_says_what_is_missing)
{
    AUTO(arena_done) struct arena arena = {0};
    struct env_sources from = {.pod = {.pod = parse(pod_text, &arena)},
                               .data = data_of,
                               .self = parse("{\"maps\":{\"m\":{}}}", &arena)};
    struct variables env = {0};
    struct err err;
    from.container = parse("{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"name\":"
                           "\"s\",\"key\":\"k\"}}}]}",
                           &arena);
    CHECK_INT(env_make(&from, &arena, &env, &err), ERR_NOT_FOUND);
    CHECK_STR(str_from_z(err.text), "secret \"s\" not found");
    from.container = parse("{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":"
                           "\"m\",\"key\":\"k\"}}}]}",
                           &arena);
    CHECK_INT(env_make(&from, &arena, &env, &err), ERR_NOT_FOUND);
    CHECK_STR(str_from_z(err.text), "couldn't find key k in ConfigMap shop/m");
    from.container = parse("{\"envFrom\":[{\"configMapRef\":{\"name\":\"q\"}}]}", &arena);
    CHECK_INT(env_make(&from, &arena, &env, &err), ERR_NOT_FOUND);
    CHECK_STR(str_from_z(err.text), "configmap \"q\" not found");
}
