/* usage_test.c - what objects count as. */
#include "kinds/kinds.h"
#include "kinds/usage.h"
#include "testkit/test.h"

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

static str_t used(const struct usage *usage, const char *name, struct arena *arena)
{
    quantity_t value;
    return usage_get(usage, str_from_z(name), &value) ? quantity_text(value, arena) : STR("none");
}

TEST(a_pod_takes_what_its_containers_take_together_or_one_before_them)
{
    AUTO(arena_done) struct arena arena = {0};
    struct usage usage = {0};
    struct json *pod =
        parse("{\"spec\":{\"initContainers\":[{\"name\":\"i\",\"resources\":{\"requests\":{\"cpu\":"
              "\"2\",\"memory\":\"1Mi\"}}}],\"containers\":[{\"name\":\"a\",\"resources\":{"
              "\"requests\":{\"cpu\":\"500m\",\"memory\":\"64Mi\"},\"limits\":{\"cpu\":\"1\"}}},{"
              "\"name\":\"b\",\"resources\":{\"requests\":{\"cpu\":\"0.25\",\"memory\":\"64Mi\"}}}]"
              "}}",
              &arena);
    usage_add(&usage, &kind_pod, pod, 1);
    CHECK_STR(used(&usage, "pods", &arena), "1");
    CHECK_STR(used(&usage, "requests.cpu", &arena), "2");
    CHECK_STR(used(&usage, "requests.memory", &arena), "128Mi");
    CHECK_STR(used(&usage, "limits.cpu", &arena), "1");
    AUTO(buf_done) struct buf missing = {0};
    usage_missing(pod, parse("{\"limits.cpu\":\"9\",\"requests.cpu\":\"9\"}", &arena), &missing);
    CHECK_STR(buf_str(&missing), "limits.cpu for: b");
    json_set(pod, STR("status"), parse("{\"phase\":\"Succeeded\"}", &arena));
    usage_add(&usage, &kind_pod, pod, 1);
    CHECK_STR(used(&usage, "pods", &arena), "1");
    CHECK_STR(used(&usage, "count/pods", &arena), "2");
}

TEST(other_objects_count_by_kind_and_some_by_what_they_ask)
{
    AUTO(arena_done) struct arena arena = {0};
    struct usage usage = {0};
    usage_add(&usage, &kind_service,
              parse("{\"spec\":{\"type\":\"LoadBalancer\",\"ports\":[{},{}]}}", &arena), 1);
    usage_add(&usage, &kind_deployment, parse("{}", &arena), 1);
    usage_add(&usage, &kind_configmap, parse("{}", &arena), 1);
    usage_add(&usage, &kind_configmap, parse("{}", &arena), -1);
    usage_add(&usage, &kind_persistentvolumeclaim,
              parse("{\"spec\":{\"storageClassName\":\"fast\",\"resources\":{\"requests\":{"
                    "\"storage\":\"2Gi\"}}}}",
                    &arena),
              1);
    CHECK_STR(used(&usage, "services", &arena), "1");
    CHECK_STR(used(&usage, "services.nodeports", &arena), "2");
    CHECK_STR(used(&usage, "services.loadbalancers", &arena), "1");
    CHECK_STR(used(&usage, "count/deployments.apps", &arena), "1");
    CHECK_STR(used(&usage, "configmaps", &arena), "0");
    CHECK_STR(used(&usage, "requests.storage", &arena), "2Gi");
    CHECK_STR(used(&usage, "fast.storageclass.storage.k8s.io/persistentvolumeclaims", &arena), "1");
}

TEST(quotas_with_scopes_look_at_some_pods_only)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *all = parse("{\"spec\":{}}", &arena);
    struct json *best = parse("{\"spec\":{\"scopes\":[\"BestEffort\"]}}", &arena);
    struct json *high = parse("{\"spec\":{\"scopeSelector\":{\"matchExpressions\":[{\"scopeName\":"
                              "\"PriorityClass\",\"operator\":\"In\",\"values\":[\"high\"]}]}}}",
                              &arena);
    struct json *pod = parse("{\"spec\":{\"priorityClassName\":\"high\"},\"status\":{\"qosClass\":"
                             "\"Burstable\"}}",
                             &arena);
    CHECK(usage_in_scope(all, NULL) && usage_in_scope(all, pod));
    CHECK(!usage_in_scope(best, NULL) && !usage_in_scope(best, pod));
    CHECK(!usage_in_scope(high, NULL) && usage_in_scope(high, pod));
}
