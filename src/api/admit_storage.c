/* admit_storage.c - storage that is in use stays, and the class that there is from the start. */
#include "api/admit.h"
#include "api/api_priv.h"
#include "kinds/rules.h"

int admit_protection(struct call *call, struct json *object, const struct json *old)
{
    str_t name = call->kind == &kind_persistentvolume ? STR("kubernetes.io/pv-protection")
                                                      : STR("kubernetes.io/pvc-protection");
    struct json *meta = rule_member(object, STR("metadata"), call->arena);
    struct json *list = json_get(meta, STR("finalizers"));
    (void)old;
    if (list == NULL || list->type != JSON_ARRAY)
        json_set(meta, STR("finalizers"), list = json_array(call->arena));
    JSON_EACH(list, each)
    if (str_eq(json_text(each, STR("")), name))
        return 0;
    json_add(list, STR(""), json_string(call->arena, name));
    return 0;
}

/*
 * Directories on the node, made where the first pod goes: for claims that name no class. Who wants
 * another default takes the note from this one.
 */
int storage_bootstrap(struct api *api, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *class = json_object(&arena), *meta = json_object(&arena);
    struct json *notes = json_object(&arena);
    struct writer writer = api_writer(api);
    static const struct {
        const char *name, *value;
    } fields[] = {{"provisioner", "davy.dev/local"},
                  {"reclaimPolicy", "Delete"},
                  {"volumeBindingMode", "WaitForFirstConsumer"}};
    json_add(notes, STR("storageclass.kubernetes.io/is-default-class"),
             json_string(&arena, STR("true")));
    json_add(meta, STR("name"), json_string(&arena, STR("local")));
    json_add(meta, STR("annotations"), notes);
    json_add(class, STR("metadata"), meta);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        json_add(class, str_from_z(fields[i].name),
                 json_string(&arena, str_from_z(fields[i].value)));
    json_add(class, STR("allowVolumeExpansion"), json_bool(&arena, true));
    int r = writer.create(writer.self, &kind_storageclass, class, err);
    return r == ERR_EXISTS ? 0 : r;
}
