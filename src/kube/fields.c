/* fields.c - walks over objects and sets, side by side. */
#include "kube/fields.h"

#include "base/map.h"

static const struct field *row_of(const struct schema *schema, str_t name)
{
    if (schema == NULL)
        return NULL;
    for (const struct field *field = schema->fields; field->name != NULL; field++)
        if (str_eq(name, str_from_z(field->name)))
            return field;
    return NULL;
}

bool fields_list_is_merged(const struct field *field)
{
    return field != NULL && field->type == FIELD_LIST && (field->list_keys != NULL || field->set);
}

bool fields_is_atomic(const struct field *field)
{
    return field != NULL && (field->atomic || field->type == FIELD_RAW ||
                             (field->type == FIELD_OBJECT && field->of->atomic));
}

/* --- trees --- */

static struct fields *step_new(str_t label, struct arena *arena)
{
    struct fields *step = arena_new(arena, struct fields);
    step->label = label;
    return step;
}

static void append(struct fields *to, struct fields *step)
{
    if (to->first == NULL)
        to->first = step;
    else
        to->last->next = step;
    to->last = step;
    step->next = NULL;
}

static struct fields *add(struct fields *to, str_t label, struct arena *arena)
{
    struct fields *step = step_new(label, arena);
    append(to, step);
    return step;
}

static bool is_nothing(const struct fields *step)
{
    return !step->member && step->first == NULL;
}

/* Two sorted rows to one. */
static struct fields *merge_rows(struct fields *a, struct fields *b)
{
    struct fields head = {0}, *last = &head;
    while (a != NULL && b != NULL) {
        struct fields **less = str_cmp(a->label, b->label) <= 0 ? &a : &b;
        last->next = *less;
        last = *less;
        *less = (*less)->next;
    }
    last->next = a != NULL ? a : b;
    return head.next;
}

static struct fields *sort_rows(struct fields *row, size_t n)
{
    if (n < 2)
        return row;
    struct fields *half = row;
    for (size_t i = 1; i < n / 2; i++)
        half = half->next;
    struct fields *second = half->next;
    half->next = NULL;
    return merge_rows(sort_rows(row, n / 2), sort_rows(second, n - n / 2));
}

/* Orders the children, folds those of one label, drops those that lead nowhere. */
static void settle(struct fields *set, struct arena *arena)
{
    size_t n = 0;
    bool sorted = true;
    for (struct fields *step = set->first; step != NULL; step = step->next, n++)
        sorted = sorted && (step->next == NULL || str_cmp(step->label, step->next->label) < 0);
    struct fields *step = sorted ? set->first : sort_rows(set->first, n);
    set->first = set->last = NULL;
    while (step != NULL) {
        struct fields *next = step->next;
        if (set->last != NULL && str_eq(set->last->label, step->label)) {
            struct fields *both = fields_union(set->last, step, arena);
            set->last->member = both->member;
            set->last->first = both->first;
            set->last->last = both->last;
        } else if (!is_nothing(step)) {
            append(set, step);
        }
        step = next;
    }
}

bool fields_are_none(const struct fields *set)
{
    return set == NULL || is_nothing(set);
}

const struct fields *fields_step(const struct fields *set, str_t label)
{
    const struct fields *step = set == NULL ? NULL : set->first;
    while (step != NULL && !str_eq(step->label, label))
        step = step->next;
    return step;
}

bool fields_eq(const struct fields *a, const struct fields *b)
{
    if (fields_are_none(a) || fields_are_none(b))
        return fields_are_none(a) && fields_are_none(b);
    if (a->member != b->member)
        return false;
    const struct fields *x = a->first, *y = b->first;
    for (; x != NULL && y != NULL; x = x->next, y = y->next)
        if (!str_eq(x->label, y->label) || !fields_eq(x, y))
            return false;
    return x == NULL && y == NULL;
}

enum operation { UNION, BOTH, WITHOUT };

static struct fields *combine(enum operation how, const struct fields *a, const struct fields *b,
                              struct arena *arena);

static void put(struct fields *to, str_t label, const struct fields *step, struct arena *arena)
{
    if (step == NULL || is_nothing(step))
        return;
    struct fields *copy = add(to, label, arena);
    copy->member = step->member;
    copy->first = step->first;
    copy->last = step->last;
}

static struct fields *combine(enum operation how, const struct fields *a, const struct fields *b,
                              struct arena *arena)
{
    static const struct fields none;
    a = a == NULL ? &none : a;
    b = b == NULL ? &none : b;
    struct fields *out = step_new(a->label.len > 0 ? a->label : b->label, arena);
    out->member = how == UNION  ? a->member || b->member
                  : how == BOTH ? a->member && b->member
                                : a->member && !b->member;
    const struct fields *x = a->first, *y = b->first;
    while (x != NULL || y != NULL) {
        int order = x == NULL ? 1 : y == NULL ? -1 : str_cmp(x->label, y->label);
        if (order == 0)
            put(out, x->label, combine(how, x, y, arena), arena);
        else if (order < 0 && how != BOTH)
            put(out, x->label, x, arena);
        else if (order > 0 && how == UNION)
            put(out, y->label, y, arena);
        if (order <= 0)
            x = x->next;
        if (order >= 0)
            y = y->next;
    }
    return out;
}

struct fields *fields_union(const struct fields *a, const struct fields *b, struct arena *arena)
{
    return combine(UNION, a, b, arena);
}

struct fields *fields_both(const struct fields *a, const struct fields *b, struct arena *arena)
{
    return combine(BOTH, a, b, arena);
}

struct fields *fields_without(const struct fields *a, const struct fields *b, struct arena *arena)
{
    return combine(WITHOUT, a, b, arena);
}

struct fields *fields_cut(const struct fields *set, str_t label, struct arena *arena)
{
    struct fields *out = step_new(set->label, arena);
    out->member = set->member;
    for (const struct fields *step = set->first; step != NULL; step = step->next)
        if (!str_eq(step->label, label))
            put(out, step->label, step, arena);
    return out;
}

/* --- labels --- */

static str_t text_of(const char *prefix, const struct json *json, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add(&out, str_from_z(prefix));
    json_write(json, &out);
    return arena_str(arena, buf_str(&out));
}

static str_t field_label(str_t name, struct arena *arena)
{
    return arena_printf(arena, "f:" STR_F, STR_A(name));
}

static const struct json *key_value(const struct schema *schema, const struct json *item, str_t key,
                                    struct arena *arena)
{
    const struct json *value = json_get(item, key);
    const struct field *row = row_of(schema, key);
    if (value != NULL || row == NULL || row->otherwise == NULL)
        return value;
    return json_string(arena, str_from_z(row->otherwise));
}

str_t fields_item_label(const struct field *list, const struct json *item, struct arena *arena)
{
    if (list->list_keys == NULL)
        return text_of("v:", item, arena);
    struct json keys = {.type = JSON_OBJECT};
    str_t rest = str_from_z(list->list_keys), key;
    while (rest.len > 0) { /* The table has them in order. */
        str_cut(rest, ',', &key, &rest);
        const struct json *value = key_value(list->of, item, key, arena);
        if (value == NULL || value->type == JSON_OBJECT || value->type == JSON_ARRAY)
            return STR("");
        json_add(&keys, key, json_clone(value, arena));
    }
    return text_of("k:", &keys, arena);
}

/* --- what an applied object sets --- */

static void walk_value(const struct field *field, enum field_type type, const struct json *value,
                       struct fields *at, unsigned depth, struct arena *arena);

static void walk_object(const struct schema *schema, const struct field *items,
                        const struct json *object, struct fields *at, unsigned depth,
                        struct arena *arena)
{
    JSON_EACH(object, child)
    {
        const struct field *field = row_of(schema, child->key);
        struct fields *step = add(at, field_label(child->key, arena), arena);
        bool empty =
            child->type == JSON_NULL || (child->type == JSON_OBJECT && child->first == NULL);
        if (items != NULL)
            walk_value(items, items->of != NULL ? FIELD_OBJECT : items->item, child, step,
                       depth + 1, arena);
        else
            walk_value(field, field != NULL ? field->type : FIELD_MAP, child, step, depth + 1,
                       arena);
        step->member = step->member || empty || field == NULL;
    }
    settle(at, arena);
}

static void walk_list(const struct field *field, const struct json *list, struct fields *at,
                      unsigned depth, struct arena *arena)
{
    JSON_EACH(list, item)
    {
        struct fields *step = add(at, fields_item_label(field, item, arena), arena);
        if (field->of != NULL)
            walk_object(field->of, NULL, item, step, depth + 1, arena);
        step->member = true;
    }
    settle(at, arena);
}

/* `field` is NULL for what no table knows: its objects are walked, its lists are one value. */
static void walk_value(const struct field *field, enum field_type type, const struct json *value,
                       struct fields *at, unsigned depth, struct arena *arena)
{
    bool object = value->type == JSON_OBJECT;
    bool whole = depth > FIELDS_DEPTH_MAX || (type != FIELD_MAP && fields_is_atomic(field)) ||
                 (type == FIELD_MAP && field != NULL && field->type == FIELD_MAP && field->atomic);
    if (!whole && object && type == FIELD_OBJECT && field != NULL)
        walk_object(field->of, NULL, value, at, depth, arena);
    else if (!whole && object)
        walk_object(NULL, field != NULL && field->type == FIELD_MAP ? field : NULL, value, at,
                    depth, arena);
    else if (!whole && value->type == JSON_ARRAY && fields_list_is_merged(field))
        walk_list(field, value, at, depth, arena);
    else
        at->member = true;
}

struct fields *fields_of(const struct schema *schema, const struct json *object,
                         struct arena *arena)
{
    struct fields *set = step_new(STR(""), arena);
    walk_object(schema, NULL, object, set, 0, arena);
    return set;
}

/* --- what differs --- */

struct compare {
    struct arena *arena;
    struct fields *added, *changed, *removed; /* At the present place. */
};

static void compare_value(const struct compare *at, const struct field *field, bool map_item,
                          const struct json *old, const struct json *is, unsigned depth);

static bool is_empty(const struct json *json)
{
    return json == NULL || json->type == JSON_NULL ||
           ((json->type == JSON_OBJECT || json->type == JSON_ARRAY) && json->first == NULL);
}

static void leaf(const struct compare *at, const struct json *old, const struct json *is)
{
    if (old == NULL)
        at->added->member = true;
    else if (is == NULL)
        at->removed->member = true;
    else if (!json_eq(old, is))
        at->changed->member = true;
}

static struct compare into(const struct compare *at, str_t label)
{
    return (struct compare){at->arena, add(at->added, label, at->arena),
                            add(at->changed, label, at->arena), add(at->removed, label, at->arena)};
}

static void settle_all(const struct compare *at)
{
    settle(at->added, at->arena);
    settle(at->changed, at->arena);
    settle(at->removed, at->arena);
}

static void compare_members(const struct compare *at, const struct schema *schema,
                            const struct field *items, const struct json *old,
                            const struct json *is, unsigned depth)
{
    struct json_index before, now;
    json_index_init(&before, old, at->arena);
    json_index_init(&now, is, at->arena);
    JSON_EACH(is, child)
    {
        struct compare inner = into(at, field_label(child->key, at->arena));
        compare_value(&inner, items != NULL ? items : row_of(schema, child->key), items != NULL,
                      json_index_get(&before, child->key), child, depth + 1);
    }
    JSON_EACH(old, child)
    {
        if (json_index_get(&now, child->key) != NULL)
            continue;
        struct compare inner = into(at, field_label(child->key, at->arena));
        compare_value(&inner, items != NULL ? items : row_of(schema, child->key), items != NULL,
                      child, NULL, depth + 1);
    }
    settle_all(at);
}

struct item {
    struct map_node node;
    const struct json *json;
    bool met;
};

static struct item *item_get(struct map *map, str_t label)
{
    struct map_node *node = map_find(map, label);
    return node == NULL ? NULL : CONTAINER_OF(node, struct item, node);
}

static void compare_items(const struct compare *at, const struct field *field,
                          const struct json *old, const struct json *is, unsigned depth)
{
    AUTO(map_done) struct map before = {0};
    JSON_EACH(old, child)
    {
        str_t label = fields_item_label(field, child, at->arena);
        if (item_get(&before, label) != NULL)
            continue;
        struct item *item = arena_new(at->arena, struct item);
        item->json = child;
        map_add(&before, label, &item->node);
    }
    struct field one = {.name = "", .type = FIELD_OBJECT, .of = field->of, .item = field->item};
    const struct field *row = field->of != NULL ? &one : NULL;
    JSON_EACH(is, child)
    {
        str_t label = fields_item_label(field, child, at->arena);
        struct item *item = item_get(&before, label);
        struct compare inner = into(at, label);
        compare_value(&inner, row, false, item == NULL ? NULL : item->json, child, depth + 1);
        if (item != NULL)
            item->met = true;
    }
    JSON_EACH(old, child)
    {
        str_t label = fields_item_label(field, child, at->arena);
        if (item_get(&before, label)->met)
            continue;
        struct compare inner = into(at, label);
        compare_value(&inner, row, false, child, NULL, depth + 1);
    }
    settle_all(at);
}

/* One of the two may be NULL. `map_item`: field describes the map this is an item of. */
static void compare_value(const struct compare *at, const struct field *field, bool map_item,
                          const struct json *old, const struct json *is, unsigned depth)
{
    const struct json *some = is != NULL ? is : old;
    bool objects = some->type == JSON_OBJECT && (old == NULL || old->type == JSON_OBJECT);
    bool lists = some->type == JSON_ARRAY && (old == NULL || old->type == JSON_ARRAY);
    bool whole = depth > FIELDS_DEPTH_MAX || (!map_item && fields_is_atomic(field)) ||
                 (is_empty(old) && is_empty(is));
    const struct schema *schema = NULL;
    const struct field *items = NULL;
    if (map_item || (field != NULL && field->type == FIELD_OBJECT))
        schema = field->of;
    else if (field != NULL && field->type == FIELD_MAP)
        items = field;
    if (!whole && objects) {
        compare_members(at, schema, items, old, is, depth);
    } else if (!whole && lists && !map_item && fields_list_is_merged(field)) {
        compare_items(at, field, old, is, depth);
    } else {
        leaf(at, old, is);
        return;
    }
    if (old == NULL)
        at->added->member = true;
    else if (is == NULL)
        at->removed->member = true;
}

struct fields_change fields_compare(const struct schema *schema, const struct json *old,
                                    const struct json *object, struct arena *arena)
{
    struct compare at = {arena, step_new(STR(""), arena), step_new(STR(""), arena),
                         step_new(STR(""), arena)};
    compare_members(&at, schema, NULL, old, object, 0);
    return (struct fields_change){at.added, at.changed, at.removed};
}

/* --- FieldsV1 --- */

static int read_step(const struct json *json, struct fields *at, unsigned depth,
                     struct arena *arena, struct err *err)
{
    if (json->type != JSON_OBJECT || depth > FIELDS_DEPTH_MAX)
        return err_set(err, ERR_INVALID, "fieldsV1 is not a tree of fields");
    JSON_EACH(json, child)
    {
        if (str_eq(child->key, STR("."))) {
            at->member = true;
            continue;
        }
        bool known = child->key.len > 2 && child->key.at[1] == ':' &&
                     (child->key.at[0] == 'f' || child->key.at[0] == 'k' ||
                      child->key.at[0] == 'v' || child->key.at[0] == 'i');
        if (!known)
            return err_set(err, ERR_INVALID, "fieldsV1 has no such step: \"" STR_F "\"",
                           STR_A(child->key));
        struct fields *step = add(at, child->key, arena);
        int r = read_step(child, step, depth + 1, arena, err);
        if (r < 0)
            return r;
        if (step->first == NULL)
            step->member = true;
    }
    settle(at, arena);
    return 0;
}

int fields_read(const struct json *json, struct arena *arena, struct fields **out, struct err *err)
{
    struct fields *set = step_new(STR(""), arena);
    int r = read_step(json, set, 0, arena, err);
    if (r == 0)
        *out = set;
    return r;
}

struct json *fields_json(const struct fields *set, struct arena *arena)
{
    struct json *json = json_object(arena);
    if (set->member && set->first != NULL)
        json_add(json, STR("."), json_object(arena));
    for (const struct fields *step = set->first; step != NULL; step = step->next)
        json_add(json, step->label, fields_json(step, arena));
    return json;
}

/* --- paths for people --- */

static str_t path_step(str_t path, str_t label, struct arena *arena)
{
    str_t body = {label.at + 2, label.len - 2};
    struct json *keys;
    struct err err;
    if (label.at[0] == 'f')
        return arena_printf(arena, STR_F "." STR_F, STR_A(path), STR_A(body));
    if (label.at[0] != 'k' || json_parse(body, arena, &keys, &err) < 0)
        return arena_printf(arena, STR_F "[=" STR_F "]", STR_A(path), STR_A(body));
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(keys, key)
    {
        buf_printf(&out, "%s" STR_F "=", out.len > 0 ? "," : "", STR_A(key->key));
        json_write(key, &out);
    }
    return arena_printf(arena, STR_F "[" STR_F "]", STR_A(path), STR_A(buf_str(&out)));
}

static void each_step(const struct fields *set, str_t path, struct arena *arena,
                      void (*each)(void *self, str_t path), void *self)
{
    if (set->member)
        each(self, path);
    for (const struct fields *step = set->first; step != NULL; step = step->next)
        each_step(step, path_step(path, step->label, arena), arena, each, self);
}

void fields_each(const struct fields *set, struct arena *arena,
                 void (*each)(void *self, str_t path), void *self)
{
    each_step(set, STR(""), arena, each, self);
}
