/* managed.c - entries in and out, and who owns what after a plain write. */
#include "kube/managed.h"

#include "kube/managed_priv.h"

/* --- reading --- */

static str_t copy_text(const struct json *entry, const char *name, struct arena *arena)
{
    return arena_str(arena, json_get_text(entry, str_from_z(name)));
}

static int read_entry(const struct json *entry, struct arena *arena, struct manager *manager,
                      struct err *err)
{
    str_t operation = json_get_text(entry, STR("operation"));
    const struct json *set = json_get(entry, STR("fieldsV1"));
    if (entry->type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "an entry of managedFields is no object");
    if (!str_eq(operation, STR("Apply")) && !str_eq(operation, STR("Update")))
        return err_set(err, ERR_INVALID, "invalid managed fields entry operation: \"" STR_F "\"",
                       STR_A(operation));
    manager->name = copy_text(entry, "manager", arena);
    manager->api_version = copy_text(entry, "apiVersion", arena);
    manager->time = copy_text(entry, "time", arena);
    manager->subresource = copy_text(entry, "subresource", arena);
    manager->applies = str_eq(operation, STR("Apply"));
    if (set == NULL || set->type == JSON_NULL)
        set = json_object(arena);
    int r = fields_read(set, arena, &manager->set, err);
    manager->before = manager->set;
    return r;
}

int managed_read(const struct json *list, struct arena *arena, struct managed *out, struct err *err)
{
    *out = (struct managed){.arena = arena};
    struct manager **last = &out->first;
    if (list == NULL || list->type == JSON_NULL)
        return 0;
    if (list->type != JSON_ARRAY || json_count(list) > MANAGED_ENTRIES_MAX)
        return err_set(err, ERR_INVALID, "managedFields is no list of at most %d entries",
                       (int)MANAGED_ENTRIES_MAX);
    JSON_EACH(list, entry)
    {
        struct manager *manager = arena_new(arena, struct manager);
        int r = read_entry(entry, arena, manager, err);
        if (r < 0)
            return r;
        *last = manager;
        last = &manager->next;
    }
    return 0;
}

/* --- writing --- */

/* Appliers first, then by time, name, version, subresource: as Kubernetes orders them. */
static int order(const struct manager *a, const struct manager *b)
{
    if (a->applies != b->applies)
        return a->applies ? -1 : 1;
    const str_t pairs[][2] = {{a->time, b->time},
                              {a->name, b->name},
                              {a->api_version, b->api_version},
                              {a->subresource, b->subresource}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        int less = str_cmp(pairs[i][0], pairs[i][1]);
        if (less != 0)
            return less;
    }
    return 0;
}

/* A row of a handful: each is put in its place. */
static struct manager *sorted(struct manager *row)
{
    struct manager *out = NULL;
    while (row != NULL) {
        struct manager *one = row, **at = &out;
        row = row->next;
        while (*at != NULL && order(*at, one) <= 0)
            at = &(*at)->next;
        one->next = *at;
        *at = one;
    }
    return out;
}

static void add_text(struct json *to, const char *name, str_t text, struct arena *arena)
{
    if (text.len > 0)
        json_add(to, str_from_z(name), json_string(arena, text));
}

static struct json *entry_json(const struct manager *manager, struct arena *arena)
{
    struct json *entry = json_object(arena);
    add_text(entry, "manager", manager->name, arena);
    add_text(entry, "operation", manager->applies ? STR("Apply") : STR("Update"), arena);
    add_text(entry, "apiVersion", manager->api_version, arena);
    add_text(entry, "time", manager->time, arena);
    add_text(entry, "fieldsType", STR("FieldsV1"), arena);
    json_add(entry, STR("fieldsV1"), fields_json(manager->set, arena));
    add_text(entry, "subresource", manager->subresource, arena);
    return entry;
}

struct json *managed_json(const struct managed *managed)
{
    struct arena *arena = managed->arena;
    struct json *list = json_array(arena);
    for (const struct manager *manager = managed->first; manager != NULL; manager = manager->next)
        if (!fields_are_none(manager->set) || manager->applies)
            json_add(list, STR(""), entry_json(manager, arena));
    return list->first == NULL ? NULL : list;
}

/* --- who owns what --- */

struct manager *managed_find(struct managed *managed, const struct manager_who *who, bool applies)
{
    struct manager **at = &managed->first;
    for (; *at != NULL; at = &(*at)->next) {
        struct manager *manager = *at;
        if (manager->applies == applies && str_eq(manager->name, who->name) &&
            str_eq(manager->subresource, who->subresource) &&
            (applies || str_eq(manager->api_version, who->api_version)))
            return manager;
    }
    struct manager *made = arena_new(managed->arena, struct manager);
    made->name = who->name;
    made->api_version = who->api_version;
    made->subresource = who->subresource;
    made->applies = applies;
    made->set = made->before = arena_new(managed->arena, struct fields);
    *at = made;
    return made;
}

/* What nobody owns: it is the server's, or the object's name. */
struct fields *managed_strip(const struct fields *set, struct arena *arena)
{
    static const str_t of_meta[] = {
        STR("f:name"),
        STR("f:namespace"),
        STR("f:creationTimestamp"),
        STR("f:selfLink"),
        STR("f:uid"),
        STR("f:generation"),
        STR("f:clusterName"),
        STR("f:managedFields"),
        STR("f:resourceVersion"),
        STR("f:deletionTimestamp"),
        STR("f:deletionGracePeriodSeconds"),
    };
    struct fields *out =
        fields_cut(fields_cut(set, STR("f:apiVersion"), arena), STR("f:kind"), arena);
    const struct fields *meta = fields_step(out, STR("f:metadata"));
    if (meta == NULL)
        return out;
    struct fields *left = fields_cut(meta, STR(""), arena);
    for (size_t i = 0; i < ARRAY_LEN(of_meta); i++)
        left = fields_cut(left, of_meta[i], arena);
    left->member = false;
    out = fields_cut(out, STR("f:metadata"), arena);
    if (fields_are_none(left))
        return out;
    struct fields *only = arena_new(arena, struct fields);
    only->first = only->last = left;
    return fields_union(out, only, arena);
}

void managed_stamp(struct managed *managed, str_t now)
{
    for (struct manager *manager = managed->first; manager != NULL; manager = manager->next)
        if (!fields_eq(manager->set, manager->before))
            manager->time = now;
    managed->first = sorted(managed->first);
}

/* At most so many plain writers are told apart; the oldest become one. */
static void cap_updates(struct managed *managed)
{
    size_t n = 0;
    struct manager *oldest = NULL, *next = NULL;
    for (struct manager *manager = managed->first; manager != NULL; manager = manager->next) {
        if (manager->applies || fields_are_none(manager->set) || manager->subresource.len > 0)
            continue;
        n++;
        if (oldest == NULL || str_cmp(manager->time, oldest->time) < 0) {
            next = oldest;
            oldest = manager;
        } else if (next == NULL || str_cmp(manager->time, next->time) < 0) {
            next = manager;
        }
    }
    if (n <= MANAGED_UPDATES_MAX || next == NULL)
        return;
    next->set = fields_union(oldest->set, next->set, managed->arena);
    next->name = STR("ancient-changes");
    oldest->set = arena_new(managed->arena, struct fields);
}

void managed_update(struct managed *managed, const struct schema *schema, const struct json *old,
                    const struct json *object, const struct manager_who *who)
{
    struct arena *arena = managed->arena;
    struct fields_change change = fields_compare(schema, old, object, arena);
    struct fields *mine = managed_strip(fields_union(change.added, change.changed, arena), arena);
    struct manager *self = managed_find(managed, who, false);
    for (struct manager *manager = managed->first; manager != NULL; manager = manager->next) {
        manager->set = fields_without(manager->set, change.removed, arena);
        if (manager == self)
            manager->set = fields_union(manager->set, mine, arena);
        else
            manager->set = fields_without(manager->set, mine, arena);
    }
    managed_stamp(managed, who->now);
    cap_updates(managed);
}
