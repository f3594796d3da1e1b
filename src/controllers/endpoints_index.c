/* endpoints_index.c - Services by the first pair of their selector, and members between the two. */
#include "controllers/endpoints_index.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct endpoints_label { /* "namespace/key=value" */
    struct map_node by_key;
    struct list services;
    char key[];
};

static void *new_named(size_t size, str_t name)
{
    char *it = calloc(1, size + name.len + 1);
    MUST(it != NULL);
    if (name.len > 0)
        memcpy(it + size, name.at, name.len);
    return it;
}

static str_t ns_of(str_t key)
{
    str_t ns, name;
    (void)str_cut(key, '/', &ns, &name);
    return ns;
}

/* --- leaving --- */

static void pod_free(struct endpoints_index *index, struct endpoints_pod *pod)
{
    map_remove(&index->pods, &pod->by_key);
    free(pod->brief);
    free(pod);
}

static void member_free(struct endpoints_member *member)
{
    list_remove(&member->in_service);
    list_remove(&member->in_pod);
    member->service->n_members--;
    free(member);
}

static void service_free(struct endpoints_index *index, struct endpoints_service *service)
{
    LIST_EACH(&service->members, link) {
        struct endpoints_member *member = CONTAINER_OF(link, struct endpoints_member, in_service);
        struct endpoints_pod *pod = member->pod;
        member_free(member);
        if (!list_in(&pod->members))
            pod_free(index, pod);
    }
    struct endpoints_label *label = service->label;
    list_remove(&service->in_label);
    list_remove(&service->unseen);
    if (!list_in(&label->services)) {
        map_remove(&index->labels, &label->by_key);
        free(label);
    }
    map_remove(&index->services, &service->by_key);
    free((char *)service->selector.at);
    free((char *)service->key.at);
    free(service->pairs);
    free(service);
}

void endpoints_index_done(struct endpoints_index *index)
{
    for (size_t i = 0; i < index->services.n_buckets; i++)
        while (index->services.buckets[i] != NULL)
            service_free(
                index, CONTAINER_OF(index->services.buckets[i], struct endpoints_service, by_key));
    map_done(&index->services);
    map_done(&index->labels);
    map_done(&index->pods);
}

/* --- Services --- */

static str_t kept(str_t text)
{
    return (str_t){new_named(0, text), text.len};
}

struct endpoints_service *endpoints_index_find(const struct endpoints_index *index, str_t key)
{
    struct map_node *node = map_find(&index->services, key);
    return node == NULL ? NULL : CONTAINER_OF(node, struct endpoints_service, by_key);
}

static str_t label_key(str_t ns, str_t key, str_t value, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F "=" STR_F, STR_A(ns), STR_A(key), STR_A(value));
}

static void enter_label(struct endpoints_index *index, struct endpoints_service *service)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t key =
        label_key(ns_of(service->key), service->pairs[0].key, service->pairs[0].value, &arena);
    struct map_node *node = map_find(&index->labels, key);
    struct endpoints_label *label;
    if (node != NULL) {
        label = CONTAINER_OF(node, struct endpoints_label, by_key);
    } else {
        label = new_named(sizeof(*label), key);
        list_init(&label->services);
        map_add(&index->labels, (str_t){label->key, key.len}, &label->by_key);
    }
    service->label = label;
    list_add_before(&label->services, &service->in_label);
}

/* The pairs are views of the selector's text, which stays with them. */
static void read_pairs(struct endpoints_service *service, const struct json *selector)
{
    service->pairs = calloc(json_count(selector), sizeof(*service->pairs));
    MUST(service->pairs != NULL);
    size_t room = 1;
    JSON_EACH(selector, pair)
    room += pair->key.len + json_text(pair, STR("")).len;
    char *at = malloc(room);
    MUST(at != NULL);
    service->selector.at = at;
    JSON_EACH(selector, pair)
    {
        struct endpoints_pair *it = &service->pairs[service->n_pairs++];
        str_t value = json_text(pair, STR(""));
        memcpy(at, pair->key.at, pair->key.len);
        it->key = (str_t){at, pair->key.len};
        at += pair->key.len;
        if (value.len > 0)
            memcpy(at, value.at, value.len);
        it->value = (str_t){at, value.len};
        at += value.len;
    }
    service->selector.len = (size_t)(at - service->selector.at);
}

static bool same_selector(const struct endpoints_service *service, const struct json *selector)
{
    size_t i = 0;
    JSON_EACH(selector, pair)
    {
        if (i == service->n_pairs || !str_eq(service->pairs[i].key, pair->key) ||
            !str_eq(service->pairs[i].value, json_text(pair, STR(""))))
            return false;
        i++;
    }
    return i == service->n_pairs;
}

void endpoints_index_service(struct endpoints_index *index, str_t key, const struct json *selector)
{
    struct endpoints_service *service = endpoints_index_find(index, key);
    if (service != NULL && same_selector(service, selector))
        return;
    if (service != NULL)
        service_free(index, service);
    if (json_count(selector) == 0)
        return;
    if (index->unseen.next == NULL)
        list_init(&index->unseen);
    service = calloc(1, sizeof(*service));
    MUST(service != NULL);
    service->key = kept(key);
    list_init(&service->members);
    read_pairs(service, selector);
    map_add(&index->services, service->key, &service->by_key);
    enter_label(index, service);
    list_add_before(&index->unseen, &service->unseen);
}

void endpoints_index_seen(struct endpoints_index *index, str_t ns)
{
    if (index->unseen.next == NULL)
        return;
    LIST_EACH(&index->unseen, link) {
        struct endpoints_service *service = CONTAINER_OF(link, struct endpoints_service, unseen);
        if (str_eq(ns_of(service->key), ns))
            list_remove(&service->unseen);
    }
}

/* --- Pods --- */

static bool fits(const struct endpoints_service *service, const struct json_index *labels)
{
    for (size_t i = 0; i < service->n_pairs; i++) {
        const struct json *value = json_index_get(labels, service->pairs[i].key);
        if (value == NULL || !str_eq(json_text(value, STR("")), service->pairs[i].value))
            return false;
    }
    return true;
}

static void tell(const struct endpoints_index *index, const struct endpoints_service *service)
{
    if (index->tell != NULL)
        index->tell(index->self, service->key);
}

static struct endpoints_pod *pod_find(const struct endpoints_index *index, str_t key)
{
    struct map_node *node = map_find(&index->pods, key);
    return node == NULL ? NULL : CONTAINER_OF(node, struct endpoints_pod, by_key);
}

static struct endpoints_pod *join(struct endpoints_index *index, struct endpoints_pod *pod,
                                  str_t key, struct endpoints_service *service)
{
    if (pod == NULL) {
        pod = new_named(sizeof(*pod), key);
        list_init(&pod->members);
        map_add(&index->pods, (str_t){pod->key, key.len}, &pod->by_key);
    }
    struct endpoints_member *member = calloc(1, sizeof(*member));
    MUST(member != NULL);
    member->service = service;
    member->pod = pod;
    list_add_before(&service->members, &member->in_service);
    list_add_before(&pod->members, &member->in_pod);
    service->n_members++;
    tell(index, service);
    return pod;
}

/* Those that still select it are marked with this visit. */
static void leave_others(struct endpoints_index *index, struct endpoints_pod *pod,
                         const struct json_index *labels)
{
    LIST_EACH(&pod->members, link) {
        struct endpoints_member *member = CONTAINER_OF(link, struct endpoints_member, in_pod);
        if (fits(member->service, labels)) {
            member->service->visit = index->visits;
            continue;
        }
        tell(index, member->service);
        member_free(member);
    }
}

struct endpoints_pod *endpoints_index_pod(struct endpoints_index *index, str_t key,
                                          const struct json *labels)
{
    struct endpoints_pod *pod = pod_find(index, key);
    if (index->services.n == 0 || (pod == NULL && labels == NULL))
        return NULL;
    AUTO(arena_done) struct arena arena = {0};
    struct json_index by_key;
    index->visits++;
    json_index_init(&by_key, labels, &arena);
    if (pod != NULL)
        leave_others(index, pod, &by_key);
    JSON_EACH(labels, pair)
    {
        struct map_node *node = map_find(
            &index->labels, label_key(ns_of(key), pair->key, json_text(pair, STR("")), &arena));
        if (node == NULL)
            continue;
        struct endpoints_label *label = CONTAINER_OF(node, struct endpoints_label, by_key);
        LIST_EACH(&label->services, link) {
            struct endpoints_service *service =
                CONTAINER_OF(link, struct endpoints_service, in_label);
            if (service->visit != index->visits && fits(service, &by_key))
                pod = join(index, pod, key, service);
        }
    }
    if (pod != NULL && !list_in(&pod->members)) {
        pod_free(index, pod);
        pod = NULL;
    }
    return pod;
}

void endpoints_pod_brief(struct endpoints_index *index, struct endpoints_pod *pod, str_t brief)
{
    if (pod->brief != NULL && str_eq(str_from_z(pod->brief), brief))
        return;
    free(pod->brief);
    pod->brief = new_named(0, brief);
    LIST_EACH(&pod->members, link)
        tell(index, CONTAINER_OF(link, struct endpoints_member, in_pod)->service);
}
