/*
 * slices_plan.c - EndpointSlices: first what is there keeps what it may, then holes are filled,
 * then what is left over is used again, made or removed.
 */
#include "controllers/endpoints_plan.h"
#include "controllers/pods.h"
#include "kinds/kinds.h"

#include <string.h>

enum { FAMILIES = 2 };
static const str_t families[FAMILIES] = {STR("IPv4"), STR("IPv6")};

struct slot { /* An endpoint that is wanted; found by "IPv4/uid". */
    struct map_node by_uid;
    struct group *group;
    struct json *endpoint;
    bool placed;
};

struct draft {              /* A slice, as it will be. */
    const struct json *was; /* NULL: it is new. */
    struct json *endpoints;
    const struct json *ports;
    size_t n, family;
    bool changes;
    struct draft *next; /* In its group, or of the spares. */
};

struct group { /* Endpoints of one family that serve the same ports. */
    struct map_node by_key;
    const struct port_class *class;
    size_t family, n, left;
    size_t from; /* All slots before it are placed. */
    struct slot *slots;
    struct draft *drafts, **end;
    struct group *next;
};

struct plan {
    const struct endpoints_view *view;
    struct arena *arena;
    struct map slots, groups;
    struct group *first, **end;
    struct draft **drafts; /* Those that stay. */
    size_t n, of_family[FAMILIES];
    struct draft *spares[FAMILIES], **spares_end[FAMILIES];
    const struct json **lost; /* Of a family that nobody knows. */
    size_t n_lost;
    unsigned place;
};

static str_t key_of(size_t family, str_t text, struct arena *arena)
{
    return arena_printf(arena, STR_F "/" STR_F, STR_A(families[family]), STR_A(text));
}

/* --- what is wanted --- */

static struct json *endpoint_of(const struct plan *plan, const struct json *brief, str_t ip)
{
    struct arena *arena = plan->arena;
    const struct json *service = plan->view->service;
    struct json *it = json_object(arena), *conditions = json_object(arena);
    bool serving = json_is_true(json_get(brief, STR("ready")));
    bool ending = json_is_true(json_get(brief, STR("ending")));
    bool all = json_is_true(json_at(service, "spec.publishNotReadyAddresses"));
    str_t host = brief_host(service, brief), node = json_get_text(brief, STR("node"));
    json_add(it, STR("addresses"), json_add(json_array(arena), STR(""), json_string(arena, ip)));
    json_add(conditions, STR("ready"), json_bool(arena, all || (serving && !ending)));
    json_add(conditions, STR("serving"), json_bool(arena, serving));
    json_add(conditions, STR("terminating"), json_bool(arena, ending));
    json_add(it, STR("conditions"), conditions);
    if (host.len > 0)
        json_add(it, STR("hostname"), json_string(arena, host));
    json_add(it, STR("targetRef"), brief_target(service, brief, arena));
    if (node.len > 0)
        json_add(it, STR("nodeName"), json_string(arena, node));
    return it;
}

static void add_slot(struct plan *plan, struct group *group, const struct json *brief)
{
    str_t ip = brief_address(brief, families[group->family]);
    str_t key = key_of(group->family, json_get_text(brief, STR("uid")), plan->arena);
    if (ip.len == 0 || map_find(&plan->slots, key) != NULL)
        return;
    struct slot *slot = &group->slots[group->n++];
    *slot = (struct slot){.group = group, .endpoint = endpoint_of(plan, brief, ip)};
    map_add(&plan->slots, key, &slot->by_uid);
}

static void add_group(struct plan *plan, const struct port_class *class, size_t family)
{
    struct group *group = arena_new(plan->arena, struct group);
    group->class = class;
    group->family = family;
    group->end = &group->drafts;
    group->slots = arena_array(plan->arena, struct slot, class->n + 1);
    for (const struct port_class_pod *pod = class->first; pod != NULL; pod = pod->next)
        add_slot(plan, group, pod->brief);
    group->left = group->n;
    if (group->n == 0)
        return;
    map_add(&plan->groups, key_of(family, class->text, plan->arena), &group->by_key);
    *plan->end = group;
    plan->end = &group->next;
}

static bool has_family(const struct json *service, size_t family)
{
    const struct json *list = json_at(service, "spec.ipFamilies");
    if (json_first(list) == NULL)
        return family == 0;
    JSON_EACH(list, each)
    if (str_eq(json_text(each, STR("")), families[family]))
        return true;
    return false;
}

/* --- what is there --- */

/* As ports_of() writes them, whatever a client made of the order of fields. */
static str_t ports_text(const struct json *slice, struct arena *arena)
{
    static const char *const fields[] = {"name", "protocol", "port", "appProtocol"};
    AUTO(buf_done) struct buf text = {0};
    struct json *ports = json_array(arena);
    JSON_EACH(json_get(slice, STR("ports")), port)
    {
        struct json *it = json_object(arena);
        for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
            const struct json *value = json_get(port, str_from_z(fields[i]));
            if (value != NULL)
                json_add(it, str_from_z(fields[i]), json_clone(value, arena));
        }
        json_add(ports, STR(""), it);
    }
    json_write(ports, &text);
    return arena_str(arena, buf_str(&text));
}

/* They are given out in the order they came in. */
static void to_spares(struct plan *plan, struct draft *draft)
{
    draft->next = NULL;
    *plan->spares_end[draft->family] = draft;
    plan->spares_end[draft->family] = &draft->next;
}

static void keep_endpoints(const struct plan *plan, struct group *group, struct draft *draft)
{
    JSON_EACH(json_get(draft->was, STR("endpoints")), endpoint)
    {
        str_t uid = json_text(json_at(endpoint, "targetRef.uid"), STR(""));
        struct map_node *node = map_find(&plan->slots, key_of(draft->family, uid, plan->arena));
        struct slot *slot = node == NULL ? NULL : CONTAINER_OF(node, struct slot, by_uid);
        if (slot == NULL || slot->group != group || slot->placed ||
            draft->n == SLICE_ENDPOINTS_MAX) {
            draft->changes = true;
            continue;
        }
        draft->changes = draft->changes || !json_eq(slot->endpoint, endpoint);
        slot->placed = true;
        group->left--;
        json_add(draft->endpoints, STR(""), slot->endpoint);
        draft->n++;
    }
}

static void see_slice(struct plan *plan, const struct json *slice)
{
    str_t type = json_get_text(slice, STR("addressType"));
    size_t family = 0;
    while (family < FAMILIES && !str_eq(type, families[family]))
        family++;
    if (family == FAMILIES) {
        plan->lost[plan->n_lost++] = slice;
        return;
    }
    struct draft *draft = arena_new(plan->arena, struct draft);
    *draft = (struct draft){.was = slice, .family = family, .endpoints = json_array(plan->arena)};
    str_t key = key_of(family, ports_text(slice, plan->arena), plan->arena);
    struct map_node *node = map_find(&plan->groups, key);
    if (node == NULL) {
        to_spares(plan, draft);
        return;
    }
    struct group *group = CONTAINER_OF(node, struct group, by_key);
    draft->ports = group->class->ports;
    keep_endpoints(plan, group, draft);
    *group->end = draft;
    group->end = &draft->next;
}

/* --- what becomes of it --- */

static void stays(struct plan *plan, struct draft *draft)
{
    plan->drafts[plan->n++] = draft;
    plan->of_family[draft->family]++;
}

static void fill(struct group *group, struct draft *draft)
{
    while (group->left > 0 && draft->n < SLICE_ENDPOINTS_MAX) {
        struct slot *slot = &group->slots[group->from++];
        if (slot->placed)
            continue;
        slot->placed = true;
        group->left--;
        json_add(draft->endpoints, STR(""), slot->endpoint);
        draft->n++;
        draft->changes = true;
    }
}

/* Slices that are written anyway come first; whatever is empty then is a spare. */
static void fill_holes(struct plan *plan, struct group *group)
{
    for (int changed = 1; changed >= 0; changed--)
        for (struct draft *draft = group->drafts; draft != NULL && group->left > 0;
             draft = draft->next)
            if (draft->changes || changed == 0)
                fill(group, draft);
    for (struct draft *draft = group->drafts, *next; draft != NULL; draft = next) {
        next = draft->next;
        if (draft->n > 0)
            stays(plan, draft);
        else
            to_spares(plan, draft);
    }
}

static struct draft *spare_or_new(struct plan *plan, size_t family, const struct json *ports)
{
    struct draft *draft = plan->spares[family];
    if (draft != NULL) {
        plan->spares[family] = draft->next;
        if (draft->next == NULL)
            plan->spares_end[family] = &plan->spares[family];
    } else {
        draft = arena_new(plan->arena, struct draft);
        draft->family = family;
    }
    draft->endpoints = json_array(plan->arena);
    draft->ports = ports;
    draft->n = 0;
    stays(plan, draft);
    return draft;
}

/* --- steps --- */

/* Five letters that follow from the Service and a number. */
static str_t name_of(struct plan *plan, size_t family)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    const struct json *meta = json_get(plan->view->service, STR("metadata"));
    for (;;) {
        str_t seed = arena_printf(plan->arena, STR_F "/" STR_F "/%u",
                                  STR_A(json_text(json_get(meta, STR("uid")), STR(""))),
                                  STR_A(families[family]), plan->place++);
        uint64_t hash = 14695981039346656037ULL;
        char tail[6] = {0};
        for (size_t i = 0; i < seed.len; i++) /* FNV-1a. */
            hash = (hash ^ (unsigned char)seed.at[i]) * 1099511628211ULL;
        hash ^= hash >> 32;
        for (size_t i = 0; i < sizeof(tail) - 1; i++, hash /= sizeof(letters) - 1)
            tail[i] = letters[hash % (sizeof(letters) - 1)];
        str_t service = json_text(json_get(meta, STR("name")), STR(""));
        str_t name = arena_printf(plan->arena, STR_F "-%s", STR_A(service), tail);
        if (!plan->view->taken(plan->view->self, name))
            return name;
    }
}

static struct json *labels_of(const struct json *service, struct arena *arena)
{
    struct json *labels = endpoints_labels(service, arena);
    json_set(labels, STR(SLICE_SERVICE),
             json_string(arena, json_text(json_at(service, "metadata.name"), STR(""))));
    json_set(labels, STR(SLICE_MANAGED_BY), json_string(arena, STR(SLICE_MANAGER)));
    return labels;
}

static void set_list(struct json *object, const char *name, const struct json *list,
                     struct arena *arena)
{
    str_t key = str_from_z(name);
    if (json_first(list) == NULL && json_first(json_get(object, key)) == NULL)
        return; /* None, however that is written. */
    json_set(object, key, list == NULL ? json_array(arena) : json_clone(list, arena));
}

static bool is_owned(const struct json *meta, const struct json *service)
{
    const struct json *by = controller_of(meta);
    return by != NULL && str_eq(json_get_text(by, STR("uid")),
                                json_text(json_at(service, "metadata.uid"), STR("")));
}

/* The slice as it should be; in *same whether it is so. */
static struct json *slice_of(struct plan *plan, const struct draft *draft, bool *same)
{
    struct arena *arena = plan->arena;
    const struct json *service = plan->view->service;
    struct json *slice = draft->was == NULL ? json_object(arena) : json_clone(draft->was, arena);
    struct json *meta = json_get(slice, STR("metadata"));
    if (meta == NULL) {
        meta = controlled_meta(service, &kind_service, name_of(plan, draft->family), arena);
        json_add(slice, STR("metadata"), meta);
        json_add(slice, STR("addressType"), json_string(arena, families[draft->family]));
    }
    if (!is_owned(meta, service)) {
        const struct json *made = controlled_meta(service, &kind_service, STR(""), arena);
        json_set(meta, STR("ownerReferences"),
                 json_clone(json_get(made, STR("ownerReferences")), arena));
    }
    json_set(meta, STR("labels"), labels_of(service, arena));
    set_list(slice, "endpoints", draft->endpoints, arena);
    set_list(slice, "ports", draft->ports, arena);
    *same = draft->was != NULL && json_eq(draft->was, slice);
    return slice;
}

static size_t steps_of(struct plan *plan, struct slice_step *steps)
{
    size_t n = 0;
    for (int made = 1; made >= 0; made--)
        for (size_t i = 0; i < plan->n; i++) {
            const struct draft *draft = plan->drafts[i];
            bool same;
            if ((draft->was == NULL) != (made == 1))
                continue;
            struct json *slice = slice_of(plan, draft, &same);
            if (!same)
                steps[n++] = (struct slice_step){made ? SLICE_CREATE : SLICE_UPDATE, slice};
        }
    for (size_t i = 0; i < FAMILIES; i++)
        for (const struct draft *draft = plan->spares[i]; draft != NULL; draft = draft->next)
            steps[n++] = (struct slice_step){SLICE_DELETE, json_clone(draft->was, plan->arena)};
    for (size_t i = 0; i < plan->n_lost; i++)
        steps[n++] = (struct slice_step){SLICE_DELETE, json_clone(plan->lost[i], plan->arena)};
    return n;
}

static void decide(struct plan *plan)
{
    for (struct group *group = plan->first; group != NULL; group = group->next)
        fill_holes(plan, group);
    for (struct group *group = plan->first; group != NULL; group = group->next)
        while (group->left > 0)
            fill(group, spare_or_new(plan, group->family, group->class->ports));
    for (size_t i = 0; i < FAMILIES; i++) /* An empty one says: it was looked, there is nobody. */
        if (plan->of_family[i] == 0 && has_family(plan->view->service, i))
            (void)spare_or_new(plan, i, NULL);
}

size_t slices_plan(const struct endpoints_view *view, struct slice_step **out, struct arena *arena)
{
    AUTO(port_classes_done) struct port_classes classes;
    struct plan plan = {.view = view, .arena = arena};
    size_t most = view->n_slices + view->n * FAMILIES + FAMILIES;
    plan.end = &plan.first;
    for (size_t i = 0; i < FAMILIES; i++)
        plan.spares_end[i] = &plan.spares[i];
    plan.drafts = arena_array(arena, struct draft *, most);
    plan.lost = arena_array(arena, const struct json *, view->n_slices + 1);
    *out = arena_array(arena, struct slice_step, most);
    port_classes_init(&classes, view, arena);
    for (size_t i = 0; i < FAMILIES; i++)
        for (size_t j = 0; j < classes.n && has_family(view->service, i); j++)
            add_group(&plan, classes.at[j], i);
    for (size_t i = 0; i < view->n_slices; i++)
        see_slice(&plan, view->slices[i]);
    decide(&plan);
    size_t n = steps_of(&plan, *out);
    map_done(&plan.slots);
    map_done(&plan.groups);
    return n;
}
