/* scheduler_test.c - what fits where, in which words it does not, and who has to go. */
#include "controllers/scheduler_plan.h"
#include "controllers/scheduler_queue.h"
#include "testkit/test.h"

#include <string.h>

struct world {
    struct sched_index index;
    struct arena arena;
    struct sched_budget budget;
};

static struct json *parse(struct world *w, str_t text)
{
    struct json *json = NULL;
    struct err err;
    if (!CHECK(json_parse(text, &w->arena, &json, &err) == 0))
        MUST(false);
    return json;
}

static void node(struct world *w, const char *name, const char *labels, const char *spec)
{
    str_t text = arena_printf(&w->arena,
                              "{\"metadata\":{\"name\":\"%s\",\"labels\":%s},\"spec\":%s,"
                              "\"status\":{\"allocatable\":{\"cpu\":\"2\",\"memory\":\"4Gi\","
                              "\"pods\":\"5\"}}}",
                              name, labels, spec);
    CHECK(sched_node_set(&w->index, str_from_z(name), parse(w, text)));
    CHECK(!sched_node_set(&w->index, str_from_z(name), parse(w, text)));
}

static struct json *pod_json(struct world *w, const char *name, const char *labels,
                             const char *spec)
{
    return parse(w, arena_printf(&w->arena,
                                 "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\","
                                 "\"labels\":%s,\"creationTimestamp\":\"2026-01-0%zu\"},"
                                 "\"spec\":%s}",
                                 name, labels, strlen(name), spec));
}

static void run(struct world *w, const char *at, const char *name, const char *labels,
                const char *spec)
{
    sched_pod_set(&w->index, pod_json(w, name, labels, spec), str_from_z(at), SCHED_BOUND);
}

static size_t budgets_read(void *self, struct arena *arena, struct sched_budget **out)
{
    struct world *w = self;
    (void)arena;
    *out = &w->budget;
    return w->budget.selector != NULL;
}

static struct sched_plan plan_with(struct world *w, const char *labels, const char *spec,
                                   const char *refused)
{
    struct json *pod = pod_json(w, "new", labels, spec);
    struct sched_pod *facts = arena_new(&w->arena, struct sched_pod);
    sched_pod_read(pod, &w->arena, facts);
    struct sched_request request = {
        .pod = facts, .spec = json_get(pod, STR("spec")), .refused = refused, .arena = &w->arena};
    struct sched_budgets budgets = {w, budgets_read};
    struct sched_plan plan;
    sched_plan(&w->index, &request, &budgets, &plan);
    return plan;
}

static str_t why(struct world *w, const char *labels, const char *spec)
{
    struct sched_plan plan = plan_with(w, labels, spec, NULL);
    return plan.message.len > 0 ? plan.message : plan.node->name;
}

static void begin(struct world *w)
{
    *w = (struct world){0};
    sched_index_init(&w->index);
}

static void end(struct world *w)
{
    sched_index_done(&w->index);
    arena_done(&w->arena);
}

#define CPU(amount) "{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"" amount "\"}}}]}"
#define CPU_AT(priority, amount)                                                                   \
    "{\"priority\":" priority ",\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"" amount   \
    "\"}}}]}"
#define NO_VICTIMS                                                                                 \
    " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
#define NO_HELP " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."

TEST(pods_take_room_until_there_is_none)
{
    struct world w;
    begin(&w);
    CHECK_STR(why(&w, "{}", CPU("1")), "no nodes available to schedule pods");
    node(&w, "one", "{}", "{}");
    CHECK_STR(why(&w, "{}", CPU("2")), "one");
    CHECK_STR(why(&w, "{}", CPU("2001m")),
              "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS);
    run(&w, "one", "a", "{}", CPU("1500m"));
    CHECK_STR(why(&w, "{}", CPU("500m")), "one");
    CHECK_STR(why(&w, "{}", CPU("501m")),
              "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS);
    run(&w, "one", "a", "{}", CPU("100m")); /* It is another now; counted once. */
    CHECK_STR(why(&w, "{}", CPU("1900m")), "one");
    for (int i = 0; i < 4; i++)
        run(&w, "one", arena_printf(&w.arena, "p%d", i).at, "{}", CPU("100m"));
    CHECK_STR(why(&w, "{}", CPU("2")),
              "0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods." NO_VICTIMS);
    sched_pod_drop(&w.index, sched_pod_find(&w.index, STR("default/a")));
    CHECK_STR(why(&w, "{}", CPU("1600m")), "one");
    CHECK_STR(why(&w, "{}",
                  "{\"containers\":[{\"resources\":{\"requests\":{\"example.com/gpu\":\"1\"}}}]}"),
              "0/1 nodes are available: 1 Insufficient example.com/gpu." NO_VICTIMS);
    end(&w);
}

TEST(init_containers_sidecars_and_overhead_count_as_they_run)
{
    struct world w;
    begin(&w);
    node(&w, "one", "{}", "{}");
    static const struct {
        const char *spec;
        bool fits;
    } rows[] = {
        {"{\"overhead\":{\"cpu\":\"1\"},\"containers\":[{\"resources\":{\"requests\":{\"cpu\":"
         "\"1\"}}}]}",
         true},
        {"{\"overhead\":{\"cpu\":\"1001m\"},\"containers\":[{\"resources\":{\"requests\":{\"cpu\":"
         "\"1\"}}}]}",
         false},
        {"{\"overhead\":{\"cpu\":\"3\"},\"containers\":[{}]}", false},
        {"{\"initContainers\":[{\"resources\":{\"requests\":{\"cpu\":\"2\"}}}],\"containers\":[{"
         "\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}",
         true},
        {"{\"initContainers\":[{\"restartPolicy\":\"Always\",\"resources\":{\"requests\":{\"cpu\":"
         "\"1001m\"}}}],\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}",
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(str_eq(why(&w, "{}", rows[i].spec), STR("one")) == rows[i].fits);
    end(&w);
}

TEST(taints_labels_ports_and_closed_nodes_are_told_in_kubernetes_words)
{
    static const struct {
        const char *labels, *node, *spec, *says;
    } rows[] = {
        {"{}", "{\"taints\":[{\"key\":\"gpu\",\"value\":\"yes\",\"effect\":\"NoSchedule\"}]}",
         CPU("1"), "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}." NO_HELP},
        {"{}", "{\"taints\":[{\"key\":\"gpu\",\"value\":\"yes\",\"effect\":\"NoExecute\"}]}",
         "{\"tolerations\":[{\"key\":\"gpu\",\"value\":\"yes\",\"effect\":\"NoExecute\"}]}", "n"},
        {"{}", "{\"taints\":[{\"key\":\"gpu\",\"effect\":\"NoExecute\"}]}",
         "{\"tolerations\":[{\"operator\":\"Exists\"}]}", "n"},
        {"{}", "{\"taints\":[{\"key\":\"gpu\",\"effect\":\"PreferNoSchedule\"}]}", CPU("1"), "n"},
        {"{}", "{\"unschedulable\":true}", CPU("1"),
         "0/1 nodes are available: 1 node(s) were unschedulable." NO_HELP},
        {"{}", "{\"unschedulable\":true}",
         "{\"tolerations\":[{\"key\":\"node.kubernetes.io/unschedulable\",\"operator\":"
         "\"Exists\"}]}",
         "n"},
        {"{\"disk\":\"ssd\"}", "{}", "{\"nodeSelector\":{\"disk\":\"ssd\"}}", "n"},
        {"{\"disk\":\"ssd\"}", "{}", "{\"nodeSelector\":{\"disk\":\"hdd\"}}",
         "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." NO_HELP},
        {"{}", "{}", "{\"containers\":[{\"ports\":[{\"hostPort\":80}]}]}",
         "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod "
         "ports." NO_VICTIMS},
        {"{}", "{}", "{\"containers\":[{\"ports\":[{\"hostPort\":80,\"protocol\":\"UDP\"}]}]}",
         "n"},
        {"{}", "{}", "{\"containers\":[{\"ports\":[{\"hostPort\":81,\"hostIP\":\"10.0.0.2\"}]}]}",
         "n"},
        {"{}", "{}",
         "{\"topologySpreadConstraints\":[{\"maxSkew\":1,\"topologyKey\":\"zone\","
         "\"whenUnsatisfiable\":\"DoNotSchedule\",\"labelSelector\":{}}]}",
         "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints "
         "(missing required label)." NO_HELP},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        begin(&w);
        node(&w, "n", rows[i].labels, rows[i].node);
        run(&w, "n", "web", "{}",
            "{\"containers\":[{\"ports\":[{\"hostPort\":80},{\"hostPort\":81,\"hostIP\":"
            "\"10.0.0.1\"}]}]}");
        str_t says = why(&w, "{}", rows[i].spec);
        if (!CHECK(str_eq(says, str_from_z(rows[i].says))))
            CHECK_STR(says, "");
        end(&w);
    }
}

#define AFFINITY(kind, rule)                                                                       \
    "{\"affinity\":{\"" kind "\":{\"requiredDuringSchedulingIgnoredDuringExecution\":" rule "}}}"
#define TERM(app)                                                                                  \
    "[{\"topologyKey\":\"zone\",\"labelSelector\":{\"matchLabels\":{\"app\":\"" app "\"}}}]"
#define SELECT(key, op, value)                                                                     \
    "{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":\"" key "\",\"operator\":\"" op       \
    "\",\"values\":[\"" value "\"]}]}]}"

TEST(affinity_names_the_node_that_holds)
{
    static const struct {
        const char *labels, *spec, *says;
    } rows[] = {
        {"{}", AFFINITY("nodeAffinity", SELECT("zone", "In", "b")), "two"},
        {"{}", AFFINITY("nodeAffinity", SELECT("zone", "NotIn", "a")), "two"},
        {"{}", AFFINITY("nodeAffinity", SELECT("cores", "Gt", "8")), "two"},
        {"{}",
         "{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{"
         "\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":\"In\","
         "\"values\":[\"two\"]}]}]}}}}",
         "two"},
        {"{}", AFFINITY("podAffinity", TERM("db")), "two"},
        {"{\"app\":\"web\"}", AFFINITY("podAffinity", TERM("web")), "one"}, /* The first. */
        {"{}", AFFINITY("podAffinity", TERM("none")),
         "0/2 nodes are available: 2 node(s) didn't match pod affinity rules. preemption: 0/2 "
         "nodes are available: 2 Preemption is not helpful for scheduling."},
        {"{}", AFFINITY("podAntiAffinity", TERM("db")), "one"},
        {"{\"app\":\"noisy\"}", "{}", "one"}, /* The database keeps it away. */
        {"{}",
         "{\"affinity\":{\"nodeAffinity\":{\"preferredDuringSchedulingIgnoredDuringExecution\":[{"
         "\"weight\":5,\"preference\":{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":"
         "\"In\",\"values\":[\"b\"]}]}}]}}}",
         "two"},
        {"{\"app\":\"db\"}",
         "{\"topologySpreadConstraints\":[{\"maxSkew\":1,\"topologyKey\":\"zone\","
         "\"whenUnsatisfiable\":\"DoNotSchedule\",\"labelSelector\":{\"matchLabels\":{\"app\":"
         "\"db\"}}}]}",
         "one"},
    };
    struct world w;
    begin(&w);
    node(&w, "one", "{\"zone\":\"a\",\"cores\":\"4\"}", "{}");
    node(&w, "two", "{\"zone\":\"b\",\"cores\":\"16\"}", "{}");
    run(&w, "two", "db", "{\"app\":\"db\"}", AFFINITY("podAntiAffinity", TERM("noisy")));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        str_t says = why(&w, rows[i].labels, rows[i].spec);
        if (!CHECK(str_eq(says, str_from_z(rows[i].says))))
            CHECK_STR(says, "");
    }
    end(&w);
}

TEST(the_fewest_and_least_important_go)
{
    struct world w;
    begin(&w);
    node(&w, "one", "{}", "{}");
    run(&w, "one", "a", "{\"app\":\"a\"}", CPU_AT("1", "500m"));
    run(&w, "one", "bb", "{\"app\":\"b\"}", CPU_AT("2", "500m"));
    run(&w, "one", "ccc", "{\"app\":\"c\"}", CPU_AT("9", "1"));
    struct sched_plan plan = plan_with(&w, "{}", CPU_AT("5", "500m"), NULL);
    CHECK_STR(plan.message, "0/1 nodes are available: 1 Insufficient cpu.");
    CHECK(plan.n_victims == 1 && str_eq(plan.victims[0]->name, STR("a")));
    plan = plan_with(&w, "{}", CPU_AT("5", "1"), NULL);
    CHECK_INT((int64_t)plan.n_victims, 2);
    plan = plan_with(&w, "{}", CPU_AT("5", "1500m"), NULL);
    CHECK_STR(plan.message, "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes "
                            "are available: 1 Insufficient cpu.");
    w.budget = (struct sched_budget){STR("default"),
                                     parse(&w, STR("{\"matchLabels\":{\"app\":\"a\"}}")), 0};
    plan = plan_with(&w, "{}", CPU_AT("5", "500m"), NULL);
    CHECK(plan.n_victims == 1 && str_eq(plan.victims[0]->name, STR("bb")));
    plan = plan_with(&w, "{}",
                     "{\"preemptionPolicy\":\"Never\",\"priority\":5,\"containers\":[{"
                     "\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}",
                     NULL);
    CHECK_STR(plan.message, "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible "
                            "due to preemptionPolicy=Never.");
    CHECK_INT((int64_t)sched_node_room(
                  CONTAINER_OF(w.index.all_nodes.next, struct sched_node, link), STR("cpu"))
                  ->used_nano,
              2000000000); /* All is as it was. */
    end(&w);
}

TEST(room_that_is_being_made_is_not_for_others)
{
    struct world w;
    begin(&w);
    node(&w, "one", "{}", "{}");
    sched_pod_set(&w.index, pod_json(&w, "big", "{}", CPU_AT("5", "2")), STR("one"),
                  SCHED_NOMINATED);
    CHECK_STR(why(&w, "{}", CPU_AT("4", "100m")),
              "0/1 nodes are available: 1 Insufficient cpu." NO_VICTIMS);
    CHECK_STR(why(&w, "{}", CPU_AT("6", "100m")), "one");
    end(&w);
}

TEST(what_no_node_can_change_is_said_once)
{
    struct world w;
    begin(&w);
    node(&w, "one", "{}", "{}");
    CHECK_STR(
        plan_with(&w, "{}", CPU("1"), "pod has unbound immediate PersistentVolumeClaims").message,
        "0/1 nodes are available: pod has unbound immediate "
        "PersistentVolumeClaims." NO_HELP);
    end(&w);
}

TEST(the_queue_gives_the_most_important_first_and_waits_longer_each_time)
{
    struct sched_queue q;
    sched_queue_init(&q);
    sched_waiting_add(&q, STR("n/a"), 0);
    sched_waiting_add(&q, STR("n/b"), 7);
    sched_waiting_add(&q, STR("n/c"), 7);
    struct sched_waiting *b = sched_queue_take(&q, 0), *c = sched_queue_take(&q, 0);
    CHECK_STR(b->by_key.key, "n/b");
    CHECK_STR(c->by_key.key, "n/c");
    sched_waiting_stick(&q, b, SCHED_ROOM, 0);
    sched_waiting_retry(&q, c, 0);
    CHECK_STR(sched_queue_take(&q, 0)->by_key.key, "n/a");
    CHECK(sched_queue_take(&q, 0) == NULL);
    CHECK_INT(sched_queue_wait_ms(&q, 0), 1000);
    CHECK(sched_queue_take(&q, 1000) == c);
    sched_waiting_retry(&q, c, 1000);
    CHECK_INT(sched_queue_wait_ms(&q, 1000), 2000);
    sched_queue_changed(&q, SCHED_VOLUMES, 5000);
    sched_waiting_drop(&q, c);
    CHECK_INT(sched_queue_wait_ms(&q, 5000), -1);
    sched_queue_changed(&q, SCHED_ROOM, 5000);
    CHECK(sched_queue_take(&q, 5000) == b);
    sched_queue_done(&q);
}
