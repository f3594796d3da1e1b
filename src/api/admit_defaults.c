/* admit_defaults.c - the class that is marked as default, where none is named. */
#include "api/admit.h"
#include "api/api_priv.h"

struct search {
    const char *annotation;
    str_t name; /* Of the newest that has it. */
    str_t created;
    struct arena *arena;
};

static bool each_class(void *self, const struct object *object)
{
    struct search *search = self;
    AUTO(arena_done) struct arena arena = {0};
    const struct json *meta = json_get(object_tree(object, &arena), STR("metadata"));
    const struct json *annotations = json_get(meta, STR("annotations"));
    str_t created = json_get_text(meta, STR("creationTimestamp"));
    if (!str_eq(json_get_text(annotations, str_from_z(search->annotation)), STR("true")))
        return true;
    if (search->name.len > 0 && str_cmp(created, search->created) < 0)
        return true;
    search->name = arena_str(search->arena, object->name);
    search->created = arena_str(search->arena, created);
    return true;
}

static str_t default_class(const struct call *call, str_t resource, const char *annotation)
{
    struct search search = {.annotation = annotation, .arena = call->arena};
    struct store_list range = {.resource = resource};
    struct err err;
    int r = store_each(call->api->store, &range, each_class, &search, &err);
    MUST(r == 0);
    return search.name;
}

int admit_storage_class(struct call *call, struct json *object, const struct json *old)
{
    struct json *spec = json_get(object, STR("spec"));
    (void)old;
    if (spec == NULL || json_get(spec, STR("storageClassName")) != NULL)
        return 0;
    str_t name = default_class(call, STR("storageclasses.storage.k8s.io"),
                               "storageclass.kubernetes.io/is-default-class");
    if (name.len > 0)
        json_set(spec, STR("storageClassName"), json_string(call->arena, name));
    return 0;
}

int admit_ingress_class(struct call *call, struct json *object, const struct json *old)
{
    struct json *spec = json_get(object, STR("spec"));
    const struct json *annotations = json_at(object, "metadata.annotations");
    (void)old;
    if (spec == NULL || json_get(spec, STR("ingressClassName")) != NULL ||
        json_get(annotations, STR("kubernetes.io/ingress.class")) != NULL)
        return 0;
    str_t name = default_class(call, STR("ingressclasses.networking.k8s.io"),
                               "ingressclass.kubernetes.io/is-default-class");
    if (name.len > 0)
        json_set(spec, STR("ingressClassName"), json_string(call->arena, name));
    return 0;
}
