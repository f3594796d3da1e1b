/* json_parse.c - trees made of what json_reader.c reads. */
#include "base/json_reader.h"

struct builder {
    struct json_reader *reader;
    struct arena *arena;
    struct json *twice; /* Paths of keys that are there twice; NULL: nobody asks. */
    unsigned depth;
    struct json *open[JSON_DEPTH_MAX]; /* Containers that are not closed yet, outermost first. */
};

static struct json *append(struct builder *b, str_t key)
{
    struct json *node = arena_new(b->arena, struct json), *parent = b->open[b->depth - 1];
    if (parent->first == NULL)
        parent->first = node;
    else
        parent->last->next = node;
    parent->last = node;
    node->key = key;
    return node;
}

/* Where the object is that was just closed: open[depth]. */
static void tell_twice(void *self, str_t key)
{
    struct builder *b = self;
    AUTO(buf_done) struct buf path = {0};
    if (b->twice == NULL || json_count(b->twice) == JSON_TWICE_MAX)
        return;
    for (unsigned i = 1; i <= b->depth; i++)
        if (b->open[i - 1]->type == JSON_ARRAY)
            buf_printf(&path, "[%zu]", json_count(b->open[i - 1]) - 1);
        else
            buf_printf(&path, "%s" STR_F, path.len > 0 ? "." : "", STR_A(b->open[i]->key));
    buf_printf(&path, "%s" STR_F, path.len > 0 ? "." : "", STR_A(key));
    json_add(b->twice, STR(""), json_string(b->arena, arena_str(b->arena, buf_str(&path))));
}

static void fill(struct json *node, const struct json_item *item)
{
    node->type = item->type;
    if (item->type == JSON_BOOL)
        node->boolean = item->boolean;
    else if (item->type != JSON_NULL)
        node->text = item->text;
}

/* The node that `item` begins, to its end. */
static int build(struct builder *b, struct json *node, struct json_item *item)
{
    int r = 0;
    if (item->event == JSON_VALUE) {
        fill(node, item);
        return 0;
    }
    node->type = item->type;
    b->open[b->depth++] = node;
    while (b->depth > 0 && r == 0) {
        r = json_next(b->reader, item);
        if (r < 0)
            return r;
        if (item->event == JSON_CLOSE) {
            struct json *done = b->open[--b->depth];
            if (done->type == JSON_OBJECT && done->first != done->last)
                (void)json_drop_told(done, b->arena, b->twice == NULL ? NULL : tell_twice, b);
        } else {
            struct json *child = append(b, item->key);
            if (item->event == JSON_VALUE) {
                fill(child, item);
            } else {
                child->type = item->type;
                b->open[b->depth++] = child;
            }
        }
    }
    return r;
}

int json_build(struct json_reader *reader, struct json_item *item, struct arena *arena,
               struct json **out)
{
    struct builder b = {.reader = reader, .arena = arena};
    struct json *node = arena_new(arena, struct json);
    node->key = item->key;
    int r = build(&b, node, item);
    if (r == 0)
        *out = node;
    return r;
}

int json_parse(str_t text, struct arena *arena, struct json **out, struct err *err)
{
    return json_parse_told(text, arena, NULL, out, err);
}

int json_parse_told(str_t text, struct arena *arena, struct json *twice, struct json **out,
                    struct err *err)
{
    struct json_reader reader;
    struct json_item item;
    struct builder b = {.reader = &reader, .arena = arena, .twice = twice};
    struct json *root = arena_new(arena, struct json);
    json_reader_init(&reader, text, arena, err);
    int r = json_next(&reader, &item);
    if (r == 0)
        r = build(&b, root, &item);
    if (r == 0)
        r = json_next(&reader, &item); /* The end. */
    if (r == 0)
        *out = root;
    return r;
}

int json_pick(str_t text, str_t key, struct arena *arena, struct json **out, struct err *err)
{
    struct json_reader reader;
    struct json_item item;
    json_reader_init(&reader, text, arena, err);
    *out = NULL;
    int r = json_next(&reader, &item);
    if (r < 0 || item.event != JSON_OPEN || item.type != JSON_OBJECT)
        return r;
    while ((r = json_next(&reader, &item)) == 0 && item.event != JSON_CLOSE) {
        if (str_eq(item.key, key))
            return json_build(&reader, &item, arena, out);
        if (item.event == JSON_OPEN && (r = json_skip(&reader)) < 0)
            break;
    }
    return r;
}
