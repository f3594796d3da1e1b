/*
 * managed_apply.c - server-side apply: merge what is applied into what is there, take away what the
 * applier no longer names, and refuse what others own.
 */
#include "base/map.h"
#include "kube/managed_priv.h"

static const struct field *row_of(const struct schema *schema, str_t name)
{
    if (schema == NULL)
        return NULL;
    for (const struct field *field = schema->fields; field->name != NULL; field++)
        if (str_eq(name, str_from_z(field->name)))
            return field;
    return NULL;
}

/* --- merging --- */

struct merge {
    struct arena *arena;
    struct err *err;
};

static int merge_members(const struct merge *m, const struct schema *schema,
                         const struct field *items, const struct json *live,
                         const struct json *config, struct json **out);

struct slot { /* An item of the live list. */
    struct map_node node;
    struct json *json;
    size_t place;
    bool taken;
};

static struct slot *slot_get(struct map *map, str_t label)
{
    struct map_node *node = map_find(map, label);
    return node == NULL ? NULL : CONTAINER_OF(node, struct slot, node);
}

static int keyless(const struct merge *m, const struct field *list, str_t label, bool twice)
{
    if (!twice)
        return err_set(m->err, ERR_INVALID,
                       ".%s: element 0: associative list with keys has an element that omits key "
                       "field (%s)",
                       list->name, list->list_keys == NULL ? "" : list->list_keys);
    return err_set(m->err, ERR_INVALID, ".%s: duplicate entries for key " STR_F, list->name,
                   STR_A(label));
}

/*
 * Applied items come in their order; those only the live list has keep their place before the next
 * one that both have.
 */
static int merge_items(const struct merge *m, const struct field *field, const struct json *live,
                       const struct json *config, struct json **out)
{
    AUTO(map_done) struct map theirs = {0}, ours = {0};
    size_t n = 0, done = 0;
    struct slot **row = arena_array(m->arena, struct slot *, json_count(live) + 1);
    JSON_EACH(live, item)
    {
        str_t label = fields_item_label(field, item, m->arena);
        if (slot_get(&theirs, label) != NULL)
            continue; /* Twice in a list that should not: one is enough. */
        struct slot *slot = arena_new(m->arena, struct slot);
        slot->json = item;
        slot->place = n;
        row[n++] = slot;
        map_add(&theirs, label, &slot->node);
    }
    struct json *merged = json_array(m->arena);
    JSON_EACH(config, item)
    {
        str_t label = fields_item_label(field, item, m->arena);
        if (label.len == 0 || slot_get(&ours, label) != NULL)
            return keyless(m, field, label, label.len > 0);
        map_add(&ours, label, &arena_new(m->arena, struct slot)->node);
        struct slot *slot = slot_get(&theirs, label);
        struct json *one = NULL;
        int r = 0;
        if (field->of != NULL)
            r = merge_members(m, field->of, NULL, slot == NULL ? NULL : slot->json, item, &one);
        else
            one = json_clone(item, m->arena);
        if (r < 0)
            return r;
        if (slot != NULL)
            slot->taken = true;
        json_add(merged, STR(""), one);
    }
    /* The live list's own, before the item that follows them there. */
    struct json *out_list = json_array(m->arena);
    JSON_EACH(config, item)
    {
        struct json *one = merged->first;
        merged->first = one->next;
        struct slot *slot = slot_get(&theirs, fields_item_label(field, item, m->arena));
        for (; slot != NULL && done < slot->place; done++)
            if (!row[done]->taken)
                json_add(out_list, STR(""), json_clone(row[done]->json, m->arena));
        json_add(out_list, STR(""), one);
    }
    for (; done < n; done++)
        if (!row[done]->taken)
            json_add(out_list, STR(""), json_clone(row[done]->json, m->arena));
    *out = out_list;
    return 0;
}

static int merge_value(const struct merge *m, const struct field *field, bool map_item,
                       const struct json *live, const struct json *config, struct json **out)
{
    const struct schema *schema = NULL;
    const struct field *items = NULL;
    bool whole = !map_item && fields_is_atomic(field);
    if (map_item || (field != NULL && field->type == FIELD_OBJECT))
        schema = field->of;
    else if (field != NULL && field->type == FIELD_MAP)
        items = field;
    if (!whole && config->type == JSON_OBJECT)
        return merge_members(m, schema, items,
                             live != NULL && live->type == JSON_OBJECT ? live : NULL, config, out);
    if (!whole && config->type == JSON_ARRAY && !map_item && fields_list_is_merged(field))
        return merge_items(m, field, live != NULL && live->type == JSON_ARRAY ? live : NULL, config,
                           out);
    *out = json_clone(config, m->arena);
    return 0;
}

static int merge_members(const struct merge *m, const struct schema *schema,
                         const struct field *items, const struct json *live,
                         const struct json *config, struct json **out)
{
    struct json *merged = json_object(m->arena), *value;
    struct json_index ours, theirs;
    json_index_init(&ours, config, m->arena);
    json_index_init(&theirs, live, m->arena);
    JSON_EACH(live, child)
    {
        const struct json *change = json_index_get(&ours, child->key);
        int r = 0;
        if (change == NULL)
            value = json_clone(child, m->arena);
        else
            r = merge_value(m, items != NULL ? items : row_of(schema, child->key), items != NULL,
                            child, change, &value);
        if (r < 0)
            return r;
        json_add(merged, arena_str(m->arena, child->key), value);
    }
    JSON_EACH(config, child)
    {
        if (json_index_get(&theirs, child->key) != NULL)
            continue;
        int r = merge_value(m, items != NULL ? items : row_of(schema, child->key), items != NULL,
                            NULL, child, &value);
        if (r < 0)
            return r;
        json_add(merged, arena_str(m->arena, child->key), value);
    }
    *out = merged;
    return 0;
}

/* --- pruning --- */

/* `last` is what the applier owned; what `owned` does not lead to goes. Changes `value`. */
static void prune(const struct schema *schema, const struct field *list, const struct fields *last,
                  const struct fields *owned, struct json *value, struct arena *arena)
{
    const struct fields *x = last->first, *y = owned == NULL ? NULL : owned->first;
    bool items = value->type == JSON_ARRAY;
    if ((value->type != JSON_OBJECT && !items) || (items && !fields_list_is_merged(list)))
        return; /* managedFields may say anything: clients can write them. */
    AUTO(map_done) struct map labels = {0};
    struct slot *slot;
    JSON_EACH(value, child)
    {
        str_t label = items ? fields_item_label(list, child, arena)
                            : arena_printf(arena, "f:" STR_F, STR_A(child->key));
        if (slot_get(&labels, label) != NULL)
            continue;
        slot = arena_new(arena, struct slot);
        slot->json = child;
        map_add(&labels, label, &slot->node);
    }
    for (; x != NULL; x = x->next) {
        while (y != NULL && str_cmp(y->label, x->label) < 0)
            y = y->next;
        const struct fields *still = y != NULL && str_eq(y->label, x->label) ? y : NULL;
        slot = slot_get(&labels, x->label);
        if (slot == NULL)
            continue;
        if (still == NULL) {
            slot->taken = true; /* To be removed. */
            continue;
        }
        const struct field *row = items ? list : row_of(schema, slot->json->key);
        prune(row != NULL && row->of != NULL ? row->of : NULL, row, x, still, slot->json, arena);
    }
    struct json *child = value->first;
    value->first = value->last = NULL;
    for (struct json *next; child != NULL; child = next) {
        next = child->next;
        str_t label = items ? fields_item_label(list, child, arena)
                            : arena_printf(arena, "f:" STR_F, STR_A(child->key));
        slot = slot_get(&labels, label);
        if (slot == NULL || slot->json != child || !slot->taken)
            json_add(value, child->key, child);
    }
}

/* --- conflicts --- */

struct telling {
    struct arena *arena;
    struct apply_conflict **last;
    str_t manager;
};

static void tell(void *self, str_t path)
{
    struct telling *telling = self;
    struct apply_conflict *conflict = arena_new(telling->arena, struct apply_conflict);
    conflict->manager = telling->manager;
    conflict->path = path;
    *telling->last = conflict;
    telling->last = &conflict->next;
}

static str_t describe(const struct manager *manager, struct arena *arena)
{
    str_t text = arena_printf(arena, "\"" STR_F "\"", STR_A(manager->name));
    if (manager->subresource.len > 0)
        text = arena_printf(arena, STR_F " with subresource \"" STR_F "\"", STR_A(text),
                            STR_A(manager->subresource));
    if (!manager->applies)
        text = arena_printf(arena, STR_F " using " STR_F, STR_A(text), STR_A(manager->api_version));
    return text;
}

/* What others own of what changes: told, or taken from them. */
static struct apply_conflict *settle_with_others(struct managed *managed,
                                                 const struct manager *self,
                                                 const struct fields_change *change,
                                                 const struct apply *apply)
{
    struct arena *arena = managed->arena;
    struct apply_conflict *first = NULL;
    struct telling telling = {.arena = arena, .last = &first};
    struct fields *touched =
        managed_strip(fields_union(change->added, change->changed, arena), arena);
    for (struct manager *manager = managed->first; manager != NULL; manager = manager->next) {
        if (manager == self)
            continue;
        struct fields *both = fields_both(manager->set, touched, arena);
        const struct fields *kept =
            apply->yielded == NULL ? both : fields_without(both, apply->yielded, arena);
        if (!fields_are_none(kept) && !apply->force) {
            telling.manager = describe(manager, arena);
            fields_each(kept, arena, tell, &telling);
        }
        manager->set =
            fields_without(fields_without(manager->set, both, arena), change->removed, arena);
    }
    return first;
}

/* All that somebody owns; and metadata, which always stays. */
static struct fields *all_owned(const struct managed *managed)
{
    struct arena *arena = managed->arena;
    struct fields *owned = arena_new(arena, struct fields), *meta = arena_new(arena, struct fields);
    meta->label = STR("f:metadata");
    meta->member = true;
    owned->first = owned->last = meta;
    for (const struct manager *manager = managed->first; manager != NULL; manager = manager->next)
        owned = fields_union(owned, manager->set, arena);
    return owned;
}

struct fields *managed_yielded(const struct schema *schema, const struct json *last,
                               const struct json *live, struct arena *arena)
{
    struct fields_change change = fields_compare(schema, last, live, arena);
    struct fields *set = fields_of(schema, last, arena);
    set = fields_without(set, change.changed, arena);
    return fields_without(fields_without(set, change.added, arena), change.removed, arena);
}

int managed_apply(struct managed *managed, const struct schema *schema, struct apply *apply,
                  struct err *err)
{
    struct arena *arena = managed->arena;
    struct merge merge = {arena, err};
    int r = merge_members(&merge, schema, NULL, apply->live, apply->config, &apply->object);
    if (r < 0)
        return r;
    struct manager *self = managed_find(managed, apply->who, true);
    const struct fields *last = self->set;
    self->set = managed_strip(fields_of(schema, apply->config, arena), arena);
    self->api_version = apply->who->api_version;
    prune(schema, NULL, last, all_owned(managed), apply->object, arena);
    struct fields_change change = fields_compare(schema, apply->live, apply->object, arena);
    apply->conflicts = settle_with_others(managed, self, &change, apply);
    if (apply->conflicts != NULL)
        return err_set(err, ERR_CONFLICT, "others own fields that would change");
    managed_stamp(managed, apply->who->now);
    return 0;
}
