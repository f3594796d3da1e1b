/* node_status_test.c - kubelet's words for what a machine is and how it is. */
#include "base/time.h"
#include "node/node_status.h"
#include "testkit/test.h"

#define GIB (1024ULL * 1024 * 1024)

static const struct machine machine = {
    .architecture = STR("amd64"),
    .kernel = STR("6.1.0"),
    .os_image = STR("Debian"),
    .machine_id = STR("m"),
    .boot_id = STR("b"),
    .system_uuid = STR("u"),
    .cpus = 2,
    .memory_bytes = 8 * GIB,
    .disk_bytes = 100 * GIB,
    .hugepages = {{2048, 512}, {1048576, 0}},
    .n_hugepages = 2,
};

static const struct machine_now calm = {
    .memory_free = 4 * GIB,
    .disk_free = 50 * GIB,
    .inodes_free = 900,
    .inodes = 1000,
    .tasks = 90,
    .tasks_max = 32768,
    .address = "192.0.2.2",
};

static struct node_facts facts_of(const struct pressures *pressures, msec_t ms)
{
    return (struct node_facts){.name = "n1",
                               .machine = &machine,
                               .now = &calm,
                               .pressures = pressures,
                               .runtime = "crun://1.8.1",
                               .mono_ms = ms,
                               .wall_ms = 1700000000000 + ms};
}

static str_t at(const struct json *tree, const char *path)
{
    return json_text(json_at(tree, path), STR(""));
}

static const struct json *condition(const struct json *status, const char *type)
{
    JSON_EACH(json_get(status, STR("conditions")), each)
    if (str_eq(json_get_text(each, STR("type")), str_from_z(type)))
        return each;
    return NULL;
}

static bool is(const struct json *status, const char *type, const char *value, const char *reason)
{
    const struct json *it = condition(status, type);
    return str_eq(at(it, "status"), str_from_z(value)) &&
           str_eq(at(it, "reason"), str_from_z(reason));
}

TEST(a_machine_is_told_as_kubelet_tells_it)
{
    AUTO(arena_done) struct arena arena = {0};
    struct pressures none = {0};
    struct node_facts facts = facts_of(&none, 0);
    const struct json *status = node_status(&facts, NULL, &arena);
    CHECK_STR(at(status, "capacity.cpu"), "2");
    CHECK_STR(at(status, "capacity.memory"), "8Gi");
    CHECK_STR(at(status, "capacity.pods"), "110");
    CHECK_STR(at(status, "capacity.ephemeral-storage"), "100Gi");
    CHECK_STR(at(status, "capacity.hugepages-2Mi"), "1Gi");
    CHECK_STR(at(status, "capacity.hugepages-1Gi"), "0");
    /* Without 1 GiB of huge pages and 100 MiB that are kept. */
    CHECK_STR(at(status, "allocatable.memory"), "7068Mi");
    CHECK_STR(at(status, "allocatable.ephemeral-storage"), "96636764160");
    CHECK_STR(at(json_get(status, STR("addresses"))->first, "address"), "192.0.2.2");
    CHECK_STR(at(json_get(status, STR("addresses"))->last, "address"), "n1");
    CHECK_STR(at(status, "nodeInfo.containerRuntimeVersion"), "crun://1.8.1");
    CHECK(is(status, "MemoryPressure", "False", "KubeletHasSufficientMemory"));
    CHECK(is(status, "DiskPressure", "False", "KubeletHasNoDiskPressure"));
    CHECK(is(status, "PIDPressure", "False", "KubeletHasSufficientPID"));
    CHECK(is(status, "Ready", "True", "KubeletReady"));
    const struct json *node = node_object(&facts, &arena);
    CHECK_STR(json_get_text(json_at(node, "metadata.labels"), STR("kubernetes.io/hostname")), "n1");
    CHECK(node_labels_missing(&facts, node, &arena) == NULL);
    CHECK_INT(json_count(node_labels_missing(&facts, NULL, &arena)), 5);
}

TEST(pressure_begins_at_kubelets_thresholds_and_lasts_for_five_minutes)
{
    static const struct {
        struct machine_now now;
        const char *type, *reason;
    } rows[] = {
        {{.memory_free = (100 << 20) - 1, .disk_free = 11 * GIB, .inodes_free = 50, .inodes = 1000},
         "MemoryPressure",
         "KubeletHasInsufficientMemory"},
        {{.memory_free = GIB, .disk_free = 10 * GIB - 1, .inodes_free = 50, .inodes = 1000},
         "DiskPressure",
         "KubeletHasDiskPressure"},
        {{.memory_free = GIB, .disk_free = 11 * GIB, .inodes_free = 49, .inodes = 1000},
         "DiskPressure",
         "KubeletHasDiskPressure"},
        {{.memory_free = GIB, .disk_free = 11 * GIB, .tasks = 951, .tasks_max = 1000},
         "PIDPressure",
         "KubeletHasInsufficientPID"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct pressures pressures = {0};
        pressures_see(&pressures, &machine, &rows[i].now, 1000);
        pressures_see(&pressures, &machine, &calm, 2000);
        struct node_facts facts = facts_of(&pressures, 1000 + PRESSURE_CALM_MS - 1);
        const struct json *status = node_status(&facts, NULL, &arena);
        CHECK(is(status, rows[i].type, "True", rows[i].reason));
        CHECK(is(status, "Ready", "True", "KubeletReady"));
        facts = facts_of(&pressures, 1000 + PRESSURE_CALM_MS);
        CHECK_STR(at(condition(node_status(&facts, NULL, &arena), rows[i].type), "status"),
                  "False");
    }
}

TEST(a_status_changes_when_more_than_heartbeats_differ)
{
    AUTO(arena_done) struct arena arena = {0};
    struct pressures none = {0};
    struct node_facts facts = facts_of(&none, 0);
    const struct json *before = node_status(&facts, NULL, &arena);
    facts = facts_of(&none, 60000);
    const struct json *later = node_status(&facts, before, &arena);
    CHECK(!node_status_changed(before, later));
    CHECK_STR(at(condition(later, "Ready"), "lastTransitionTime"), "2023-11-14T22:13:20Z");
    CHECK_STR(at(condition(later, "Ready"), "lastHeartbeatTime"), "2023-11-14T22:14:20Z");
    facts.not_ready = "container runtime is down";
    const struct json *down = node_status(&facts, before, &arena);
    CHECK(node_status_changed(before, down));
    CHECK(is(down, "Ready", "False", "KubeletNotReady"));
    CHECK_STR(at(condition(down, "Ready"), "message"), "container runtime is down");
    CHECK_STR(at(condition(down, "Ready"), "lastTransitionTime"), "2023-11-14T22:14:20Z");
    str_t reasons[8];
    CHECK_INT(node_status_news(before, down, reasons, 8), 1);
    CHECK_STR(reasons[0], "KubeletNotReady");
    CHECK_INT(node_status_news(NULL, down, reasons, 8), 4);
    CHECK(node_status_changed(NULL, down));
}
