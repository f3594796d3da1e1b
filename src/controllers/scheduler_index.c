/* scheduler_index.c - sums by node, changed by what each pod takes as it comes and goes. */
#include "controllers/scheduler_index.h"

#include "controllers/pods.h"
#include "kinds/usage.h"

#include <stdlib.h>
#include <string.h>

struct space {
    struct map_node by_name;
    struct arena arena;
    const struct json *labels;
    char text[];
};

static void *named(size_t size, str_t name, str_t *text)
{
    char *it = calloc(1, size + name.len + 1);
    MUST(it != NULL);
    if (name.len > 0)
        memcpy(it + size, name.at, name.len);
    *text = (str_t){it + size, name.len};
    return it;
}

void sched_index_init(struct sched_index *index)
{
    *index = (struct sched_index){0};
    list_init(&index->all_nodes);
    list_init(&index->with_anti);
}

/* --- pods --- */

static void add_amounts(const struct json *pod, const struct json *containers, struct arena *arena,
                        struct sched_pod *out, size_t max)
{
    JSON_EACH(containers, container)
    JSON_EACH(json_at(container, "resources.requests"), request)
    {
        bool known = false;
        for (size_t i = 0; i < out->n_amounts && !known; i++)
            known = str_eq(out->amounts[i].name, request->key);
        if (known || out->n_amounts == max)
            continue;
        out->amounts[out->n_amounts++] = (struct sched_amount){
            arena_str(arena, request->key), usage_of_pod(pod, "requests", request->key).nano};
    }
}

static void read_amounts(const struct json *pod, struct arena *arena, struct sched_pod *out)
{
    enum { RESOURCES_MAX = 64 };
    const struct json *spec = json_get(pod, STR("spec"));
    struct sched_amount amounts[RESOURCES_MAX];
    out->n_amounts = 0;
    out->amounts = amounts;
    struct json *overhead = json_object(arena), *wrapped = json_object(arena);
    const struct json *given = json_get(spec, STR("overhead"));
    if (given != NULL) { /* A resource may be in the overhead only. */
        json_add(overhead, STR("requests"), json_clone(given, arena));
        json_add(wrapped, STR(""), json_add(json_object(arena), STR("resources"), overhead));
    }
    add_amounts(pod, json_get(spec, STR("containers")), arena, out, RESOURCES_MAX);
    add_amounts(pod, json_get(spec, STR("initContainers")), arena, out, RESOURCES_MAX);
    add_amounts(pod, wrapped, arena, out, RESOURCES_MAX);
    out->amounts = arena_array(arena, struct sched_amount, out->n_amounts + 1);
    memcpy(out->amounts, amounts, out->n_amounts * sizeof(*amounts));
}

enum { PORTS_MAX = 256 }; /* More of one pod are not looked at: each is compared with each. */

static void add_ports(const struct json *containers, bool sidecars, struct arena *arena,
                      struct sched_pod *out)
{
    JSON_EACH(containers, container)
    {
        if (sidecars && !str_eq(json_get_text(container, STR("restartPolicy")), STR("Always")))
            continue;
        const struct json *ports = json_get(container, STR("ports"));
        struct sched_port *more =
            arena_array(arena, struct sched_port, out->n_ports + json_count(ports) + 1);
        if (out->n_ports > 0)
            memcpy(more, out->ports, out->n_ports * sizeof(*more));
        out->ports = more;
        JSON_EACH(ports, port)
        {
            int64_t number = json_number(port, "hostPort", 0);
            if (number <= 0 || out->n_ports >= PORTS_MAX)
                continue;
            str_t ip = json_get_text(port, STR("hostIP"));
            out->ports[out->n_ports++] = (struct sched_port){
                arena_str(arena, ip.len > 0 ? ip : STR("0.0.0.0")),
                arena_str(arena, json_text(json_get(port, STR("protocol")), STR("TCP"))), number};
        }
    }
}

void sched_pod_read(const struct json *tree, struct arena *arena, struct sched_pod *pod)
{
    const struct json *meta = json_get(tree, STR("metadata")), *spec = json_get(tree, STR("spec"));
    const struct json *labels = json_get(meta, STR("labels"));
    const struct json *anti =
        json_at(spec, "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    str_t since = json_text(json_at(tree, "status.startTime"), STR(""));
    *pod = (struct sched_pod){.priority = json_number(spec, "priority", 0)};
    pod->ns = arena_str(arena, json_get_text(meta, STR("namespace")));
    pod->name = arena_str(arena, json_get_text(meta, STR("name")));
    pod->key = arena_printf(arena, STR_F "/" STR_F, STR_A(pod->ns), STR_A(pod->name));
    pod->uid = arena_str(arena, json_get_text(meta, STR("uid")));
    pod->since =
        arena_str(arena, since.len > 0 ? since : json_get_text(meta, STR("creationTimestamp")));
    pod->ending = json_get(meta, STR("deletionTimestamp")) != NULL;
    pod->labels = labels == NULL ? NULL : json_clone(labels, arena);
    pod->anti = json_count(anti) == 0 ? NULL : json_clone(anti, arena);
    read_amounts(tree, arena, pod);
    add_ports(json_get(spec, STR("containers")), false, arena, pod);
    add_ports(json_get(spec, STR("initContainers")), true, arena, pod);
}

struct sched_pod *sched_pod_find(const struct sched_index *index, str_t key)
{
    struct map_node *node = map_find(&index->pods, key);
    return node == NULL ? NULL : CONTAINER_OF(node, struct sched_pod, by_key);
}

struct sched_room *sched_node_room(const struct sched_node *node, str_t resource)
{
    for (size_t i = 0; i < node->n_rooms; i++)
        if (str_eq(node->rooms[i].can.name, resource))
            return &node->rooms[i];
    return NULL;
}

static void count(struct sched_node *node, const struct sched_pod *pod, int times)
{
    node->n_pods += times;
    for (size_t i = 0; i < pod->n_amounts; i++) {
        struct sched_room *room = sched_node_room(node, pod->amounts[i].name);
        if (room != NULL)
            room->used_nano += times * pod->amounts[i].nano;
    }
}

void sched_pod_lift(struct sched_pod *pod)
{
    if (pod->stand >= SCHED_ASSUMED)
        count(pod->node, pod, -1);
    list_remove(&pod->on_node);
}

void sched_pod_land(struct sched_pod *pod)
{
    bool takes = pod->stand >= SCHED_ASSUMED;
    if (takes)
        count(pod->node, pod, 1);
    list_add_before(takes ? &pod->node->pods : &pod->node->nominated, &pod->on_node);
}

/* --- nodes --- */

static struct sched_node *node_get(struct sched_index *index, str_t name)
{
    struct map_node *found = map_find(&index->nodes, name);
    if (found != NULL)
        return CONTAINER_OF(found, struct sched_node, by_name);
    str_t text;
    struct sched_node *node = named(sizeof(*node), name, &text);
    node->name = text;
    list_init(&node->pods);
    list_init(&node->nominated);
    map_add(&index->nodes, text, &node->by_name);
    list_add_before(&index->all_nodes, &node->link);
    return node;
}

static void node_free(struct sched_index *index, struct sched_node *node)
{
    map_remove(&index->nodes, &node->by_name);
    list_remove(&node->link);
    arena_done(&node->arena);
    free(node);
}

static struct json *facts_of(const struct json *node, struct arena *arena)
{
    static const char *const paths[] = {"metadata.labels", "spec.taints", "spec.unschedulable",
                                        "status.allocatable"};
    struct json *facts = json_object(arena);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const struct json *part = json_at(node, paths[i]);
        if (part != NULL)
            json_add(facts, str_from_z(strrchr(paths[i], '.') + 1), json_clone(part, arena));
    }
    return facts;
}

static void read_rooms(struct sched_node *node, const struct json *allocatable)
{
    quantity_t value;
    node->rooms = arena_array(&node->arena, struct sched_room, json_count(allocatable) + 1);
    node->n_rooms = 0;
    node->pods_max = 0;
    node->n_pods = 0;
    JSON_EACH(allocatable, each)
    {
        bool number = each->type == JSON_STRING || each->type == JSON_NUMBER;
        if (!number || !quantity_parse(each->text, &value))
            continue;
        if (str_eq(each->key, STR("pods")))
            node->pods_max = (int64_t)(value.nano / 1000000000);
        else
            node->rooms[node->n_rooms++] = (struct sched_room){{each->key, value.nano}, 0};
    }
    LIST_EACH(&node->pods, link)
        count(node, CONTAINER_OF(link, struct sched_pod, on_node), 1);
}

bool sched_node_set(struct sched_index *index, str_t name, const struct json *tree)
{
    struct sched_node *node = node_get(index, name);
    struct arena arena = {0};
    struct json *facts = facts_of(tree, &arena);
    if (node->there && json_eq(node->facts, facts)) {
        arena_done(&arena);
        return false;
    }
    arena_done(&node->arena);
    node->arena = arena;
    node->facts = facts;
    node->labels = json_get(facts, STR("labels"));
    node->taints = json_get(facts, STR("taints"));
    node->unschedulable = json_is_true(json_get(facts, STR("unschedulable")));
    index->n_nodes += !node->there;
    node->there = true;
    read_rooms(node, json_get(facts, STR("allocatable")));
    return true;
}

bool sched_node_gone(struct sched_index *index, str_t name)
{
    struct map_node *found = map_find(&index->nodes, name);
    if (found == NULL)
        return false;
    struct sched_node *node = CONTAINER_OF(found, struct sched_node, by_name);
    index->n_nodes -= node->there;
    node->there = false;
    if (node->pods.next == &node->pods && node->nominated.next == &node->nominated)
        node_free(index, node);
    return true;
}

void sched_pod_set(struct sched_index *index, const struct json *tree, str_t node,
                   enum sched_stand stand)
{
    struct sched_pod *pod = calloc(1, sizeof(*pod));
    struct arena arena = {0};
    MUST(pod != NULL);
    sched_pod_read(tree, &arena, pod);
    pod->arena = arena;
    struct sched_pod *was = sched_pod_find(index, pod->key);
    if (was != NULL)
        sched_pod_drop(index, was);
    pod->node = node_get(index, node);
    pod->stand = stand;
    map_add(&index->pods, pod->key, &pod->by_key);
    if (pod->anti != NULL && stand >= SCHED_ASSUMED)
        list_add_before(&index->with_anti, &pod->with_anti);
    sched_pod_land(pod);
}

void sched_pod_drop(struct sched_index *index, struct sched_pod *pod)
{
    struct sched_node *node = pod->node;
    sched_pod_lift(pod);
    list_remove(&pod->with_anti);
    map_remove(&index->pods, &pod->by_key);
    arena_done(&pod->arena);
    free(pod);
    if (!node->there && node->pods.next == &node->pods && node->nominated.next == &node->nominated)
        node_free(index, node);
}

/* --- namespaces --- */

static void space_free(struct sched_index *index, struct space *space)
{
    map_remove(&index->spaces, &space->by_name);
    arena_done(&space->arena);
    free(space);
}

bool sched_space_set(struct sched_index *index, str_t name, const struct json *labels)
{
    struct map_node *found = map_find(&index->spaces, name);
    struct space *space = found == NULL ? NULL : CONTAINER_OF(found, struct space, by_name);
    if (space != NULL && labels != NULL && json_eq(space->labels, labels))
        return false;
    if (space != NULL)
        space_free(index, space);
    if (labels == NULL)
        return space != NULL;
    str_t text;
    space = named(sizeof(*space), name, &text);
    space->labels = json_clone(labels, &space->arena);
    map_add(&index->spaces, text, &space->by_name);
    return true;
}

const struct json *sched_space_labels(const struct sched_index *index, str_t name)
{
    struct map_node *found = map_find(&index->spaces, name);
    return found == NULL ? NULL : CONTAINER_OF(found, struct space, by_name)->labels;
}

void sched_index_done(struct sched_index *index)
{
    for (size_t i = 0; i < index->pods.n_buckets; i++)
        while (index->pods.buckets[i] != NULL)
            sched_pod_drop(index, CONTAINER_OF(index->pods.buckets[i], struct sched_pod, by_key));
    LIST_EACH(&index->all_nodes, link)
        node_free(index, CONTAINER_OF(link, struct sched_node, link));
    for (size_t i = 0; i < index->spaces.n_buckets; i++)
        while (index->spaces.buckets[i] != NULL)
            space_free(index, CONTAINER_OF(index->spaces.buckets[i], struct space, by_name));
    map_done(&index->pods);
    map_done(&index->nodes);
    map_done(&index->spaces);
}
