/* node_plan_test.c - silence and taints, as Kubernetes has them. */
#include "controllers/node_plan.h"
#include "testkit/test.h"

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *tree;
    struct err err;
    int r = json_parse(str_from_z(text), arena, &tree, &err);
    MUST(r == 0);
    return tree;
}

/* "key:effect ..." of its taints, in order; those that say since when with '+'. */
static const char *taints_of(const struct json *node, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(json_at(node, "spec.taints"), taint)
    {
        str_t key = json_get_text(taint, STR("key")), effect = json_get_text(taint, STR("effect"));
        buf_printf(&out, "%s" STR_F ":" STR_F "%s", out.len > 0 ? " " : "", STR_A(key),
                   STR_A(effect), json_get(taint, STR("timeAdded")) != NULL ? "+" : "");
    }
    return arena_printf(arena, STR_F, STR_A(buf_str(&out))).at;
}

TEST(taints_follow_conditions_and_leave_those_of_people_alone)
{
    static const struct {
        const char *node, *taints;
        bool changed;
    } rows[] = {
        {"{}", "", false},
        {"{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}", "", false},
        {"{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}}",
         "node.kubernetes.io/not-ready:NoSchedule+ node.kubernetes.io/not-ready:NoExecute+", true},
        {"{\"spec\":{\"taints\":[{\"key\":\"mine\",\"effect\":\"NoSchedule\"},"
         "{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoSchedule\"},"
         "{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoExecute\"}]},"
         "\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\"}]}}",
         "mine:NoSchedule node.kubernetes.io/unreachable:NoSchedule+ "
         "node.kubernetes.io/unreachable:NoExecute+",
         true},
        {"{\"spec\":{\"unschedulable\":true,\"taints\":[{\"key\":"
         "\"node.kubernetes.io/unschedulable\",\"effect\":\"NoSchedule\"}]}}",
         "node.kubernetes.io/unschedulable:NoSchedule", false},
        {"{\"spec\":{\"taints\":[{\"key\":\"node.kubernetes.io/unschedulable\",\"effect\":"
         "\"NoSchedule\"}]}}",
         "", true},
        /* Somebody's own use of the key, with another effect. */
        {"{\"spec\":{\"taints\":[{\"key\":\"node.kubernetes.io/unschedulable\",\"effect\":"
         "\"NoExecute\"}]}}",
         "node.kubernetes.io/unschedulable:NoExecute", false},
        {"{\"status\":{\"conditions\":[{\"type\":\"MemoryPressure\",\"status\":\"True\"},"
         "{\"type\":\"DiskPressure\",\"status\":\"True\"},{\"type\":\"PIDPressure\",\"status\":"
         "\"True\"},{\"type\":\"NetworkUnavailable\",\"status\":\"True\"}]}}",
         "node.kubernetes.io/memory-pressure:NoSchedule+ "
         "node.kubernetes.io/disk-pressure:NoSchedule+ node.kubernetes.io/pid-pressure:NoSchedule+ "
         "node.kubernetes.io/network-unavailable:NoSchedule+",
         true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct json *node = parse(rows[i].node, &arena);
        CHECK(node_taint(node, 1700000000000, &arena) == rows[i].changed);
        test_check_str(str_from_z(taints_of(node, &arena)), str_from_z(rows[i].taints),
                       rows[i].node, __FILE__, __LINE__);
        CHECK(!node_taint(node, 1700000000000, &arena));
    }
}

TEST(a_silent_node_is_unknown_in_all_that_kubelet_says)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *node =
        parse("{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":"
              "\"KubeletReady\",\"lastHeartbeatTime\":\"2023-01-01T00:00:00Z\"},"
              "{\"type\":\"NetworkUnavailable\",\"status\":\"False\"}]}}",
              &arena);
    CHECK(node_is_well(node));
    CHECK(node_lose(node, 1700000000000, &arena));
    CHECK(!node_is_well(node));
    const struct json *ready = json_at(node, "status.conditions")->first;
    CHECK_STR(json_get_text(ready, STR("status")), "Unknown");
    CHECK_STR(json_get_text(ready, STR("reason")), "NodeStatusUnknown");
    CHECK_STR(json_get_text(ready, STR("message")), "Kubelet stopped posting node status.");
    CHECK_STR(json_get_text(ready, STR("lastTransitionTime")), "2023-11-14T22:13:20Z");
    CHECK_STR(json_get_text(ready, STR("lastHeartbeatTime")), "2023-01-01T00:00:00Z");
    CHECK_STR(json_get_text(ready->next, STR("status")), "False");
    CHECK_STR(json_get_text(ready->next->next, STR("reason")), "NodeStatusNeverUpdated");
    CHECK_INT(json_count(json_at(node, "status.conditions")), 5);
    CHECK(!node_lose(node, 1700000001000, &arena));
}
