/* pods.c - pods by uid and by name; what the API says goes to them, what ends finds its way. */
#include "node/pods.h"

#include "node/pod.h"

#include <stdlib.h>
#include <string.h>

void image_got_done(struct image_got *got)
{
    free(got->name);
    free(got->id);
    free(got->key);
    free(got->config);
    *got = (struct image_got){0};
}

struct pods *pods_new(const struct pod_host *host)
{
    struct pods *pods = calloc(1, sizeof(*pods));
    MUST(pods != NULL);
    pods->host = *host;
    return pods;
}

static struct pod *pod_of(struct map_node *node)
{
    return CONTAINER_OF(node, struct pod, by_uid);
}

void pods_free(struct pods *pods)
{
    if (pods == NULL)
        return;
    for (size_t i = 0; i < pods->by_uid.n_buckets; i++)
        for (struct map_node *node = pods->by_uid.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            pod_free(pod_of(node));
        }
    pods_drop_found(pods);
    map_done(&pods->by_uid);
    map_done(&pods->by_name);
    map_done(&pods->ids);
    free(pods);
}

size_t pods_count(const struct pods *pods)
{
    return pods->by_uid.n;
}

bool pods_has(const struct pods *pods, str_t uid)
{
    return map_find(&pods->by_uid, uid) != NULL;
}

static char *copy(str_t text)
{
    char *at = malloc(text.len + 1);
    MUST(at != NULL);
    memcpy(at, text.at, text.len);
    at[text.len] = '\0';
    return at;
}

/* A new pod of the same name takes its place; the older one finds its end by its uid. */
static void name_it(struct pods *pods, struct pod *pod)
{
    struct map_node *there = map_find(&pods->by_name, str_from_z(pod->key));
    if (there != NULL)
        map_remove(&pods->by_name, there);
    map_add(&pods->by_name, str_from_z(pod->key), &pod->by_name);
}

static struct pod *pod_new(struct pods *pods, const struct json *object)
{
    struct pod *pod = calloc(1, sizeof(*pod));
    AUTO(arena_done) struct arena arena = {0};
    MUST(pod != NULL);
    str_t ns = json_text(json_at(object, "metadata.namespace"), STR(""));
    str_t name = json_text(json_at(object, "metadata.name"), STR(""));
    pod->pods = pods;
    pod->uid = copy(json_text(json_at(object, "metadata.uid"), STR("")));
    pod->ns = copy(ns);
    pod->name = copy(name);
    pod->key = copy(arena_printf(&arena, STR_F "/" STR_F, STR_A(ns), STR_A(name)));
    pod->start_ms = loop_wall_ms(pods->host.loop);
    map_add(&pods->by_uid, str_from_z(pod->uid), &pod->by_uid);
    name_it(pods, pod);
    return pod;
}

static void set_object(struct pod *pod, str_t object)
{
    char *text = copy(object);
    free(pod->object);
    pod->object = text;
    pod->n_object = object.len;
}

void pods_set(struct pods *pods, str_t object)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *tree;
    struct err err;
    if (json_parse(object, &arena, &tree, &err) < 0) {
        log_error(pods->host.log, "pod not readable", F_STR("error", str_from_z(err.text)));
        return;
    }
    struct map_node *node =
        map_find(&pods->by_uid, json_text(json_at(tree, "metadata.uid"), STR("")));
    struct pod *pod = node != NULL ? pod_of(node) : pod_new(pods, tree);
    set_object(pod, object);
    pod_find_containers(pod, tree);
    if (node == NULL)
        pod_adopt(pod, tree);
    pod_sync(pod);
}

void pods_gone(struct pods *pods, str_t ns, str_t name, str_t uid)
{
    struct map_node *node = map_find(&pods->by_uid, uid);
    (void)ns, (void)name;
    if (node == NULL)
        return;
    pod_of(node)->gone = true;
    pod_sync(pod_of(node));
}

void pods_exited(struct pods *pods, str_t id, const struct container_exit *exit)
{
    for (size_t b = 0; b < pods->by_uid.n_buckets; b++)
        for (struct map_node *node = pods->by_uid.buckets[b]; node != NULL; node = node->next) {
            struct pod *pod = pod_of(node);
            for (size_t i = 0; i < pod->n; i++)
                if (str_eq(id, str_from_z(pod->facts[i].id))) {
                    container_exited(pod->containers[i], exit);
                    return;
                }
        }
}

int pods_find(struct pods *pods, str_t ns, str_t name, str_t container, struct pod_place *out,
              struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t key = arena_printf(&arena, STR_F "/" STR_F, STR_A(ns), STR_A(name));
    struct map_node *node = map_find(&pods->by_name, key);
    if (node == NULL)
        return err_set(err, ERR_NOT_FOUND, "pod \"" STR_F "\" is not on this node", STR_A(key));
    struct pod *pod = CONTAINER_OF(node, struct pod, by_name);
    for (size_t i = 0; i < pod->n; i++) {
        const struct container_facts *facts = &pod->facts[i];
        bool is = container.len > 0 ? str_eq(container, str_from_z(facts->name))
                                    : facts->kind == UNIT_MAIN;
        if (!is)
            continue;
        *out = (struct pod_place){.restarts = facts->restarts,
                                  .running = pod->units[i].state == UNIT_RUNNING ||
                                             pod->units[i].state == UNIT_STOPPING,
                                  .has_previous = facts->has_last,
                                  .ground = &pod->ground,
                                  .uid = str_from_z(pod->uid)};
        memcpy(out->id, facts->id, sizeof(out->id));
        memcpy(out->previous, facts->last.id, sizeof(out->previous));
        return 0;
    }
    return err_set(err, ERR_NOT_FOUND, "container " STR_F " is not valid for pod %s",
                   STR_A(container), pod->name);
}

static void each_running(const struct pod *pod,
                         void (*each)(void *self, const struct pod_running *running), void *self)
{
    struct pod_running running = {.uid = pod->uid, .ns = pod->ns, .name = pod->name};
    for (size_t i = 0; i < pod->n; i++) {
        running.container = pod->facts[i].name;
        if (pod->units[i].state == UNIT_RUNNING || pod->units[i].state == UNIT_STOPPING)
            each(self, &running);
    }
}

void pods_each_running(const struct pods *pods,
                       void (*each)(void *self, const struct pod_running *running), void *self)
{
    for (size_t b = 0; b < pods->by_uid.n_buckets; b++)
        for (struct map_node *node = pods->by_uid.buckets[b]; node != NULL; node = node->next)
            each_running(pod_of(node), each, self);
}
