/* reflector_text.c - objects stay the text they came in; only their names are read. */
#include "control/reflector_text.h"

#include "base/json_reader.h"

enum { RV_MAX = 20 };

/* Whatever this is: its text, from where the item began. */
static int skip_item(struct json_reader *reader, const struct json_item *item, str_t *text)
{
    const char *start = reader->at - 1; /* An OPEN is one byte. */
    int r = item->event == JSON_OPEN ? json_skip(reader) : 0;
    *text = item->event == JSON_OPEN ? (str_t){start, (size_t)(reader->at - start)} : STR("");
    return r;
}

static int read_object(str_t text, struct arena *arena, struct reflected *out, struct err *err)
{
    struct json *meta = NULL;
    int r = json_pick(text, STR("metadata"), arena, &meta, err);
    if (r < 0)
        return r;
    *out = (struct reflected){.ns = json_get_text(meta, STR("namespace")),
                              .name = json_get_text(meta, STR("name")),
                              .uid = json_get_text(meta, STR("uid")),
                              .rv = json_get_text(meta, STR("resourceVersion")),
                              .text = text};
    int64_t number;
    if (out->rv.len > RV_MAX || !str_to_i64(out->rv, &number))
        return err_set(err, ERR_INVALID, "an object without a version");
    return 0;
}

static int read_status(str_t text, struct arena *arena, struct watch_event *out, struct err *err)
{
    struct json *status;
    int64_t code = 0;
    int r = json_parse(text, arena, &status, err);
    if (r < 0)
        return r;
    (void)json_to_i64(json_get(status, STR("code")), &code);
    out->code = (int)code;
    out->message = json_get_text(status, STR("message"));
    return 0;
}

int watch_event_read(str_t line, struct arena *arena, struct watch_event *out, struct err *err)
{
    static const struct {
        str_t word;
        enum event_type type;
    } types[] = {{STR("ADDED"), EVENT_SET},
                 {STR("MODIFIED"), EVENT_SET},
                 {STR("DELETED"), EVENT_GONE},
                 {STR("BOOKMARK"), EVENT_BOOKMARK},
                 {STR("ERROR"), EVENT_ERROR}};
    struct json_reader reader;
    struct json_item item;
    str_t word = STR(""), object = STR(""), text;
    json_reader_init(&reader, line, arena, err);
    int r = json_next(&reader, &item);
    if (r == 0 && (item.event != JSON_OPEN || item.type != JSON_OBJECT))
        r = err_set(err, ERR_INVALID, "a line of a watch that is no object");
    while (r == 0 && (r = json_next(&reader, &item)) == 0 && item.event != JSON_CLOSE) {
        r = skip_item(&reader, &item, &text);
        if (str_eq(item.key, STR("type")) && item.event == JSON_VALUE)
            word = item.text;
        else if (str_eq(item.key, STR("object")) && item.type == JSON_OBJECT)
            object = text;
    }
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (!str_eq(word, types[i].word) || object.len == 0)
            continue;
        *out = (struct watch_event){.type = types[i].type};
        r = out->type == EVENT_ERROR ? read_status(object, arena, out, err)
                                     : read_object(object, arena, &out->object, err);
        if (r == 0 && out->type <= EVENT_GONE && out->object.name.len == 0)
            r = err_set(err, ERR_INVALID, "a change of an object without a name");
        return r;
    }
    return err_set(err, ERR_INVALID, "a line of a watch that is none");
}

static int read_item(struct json_reader *reader, const struct json_item *item,
                     struct reflected *out)
{
    str_t text;
    if (item->event != JSON_OPEN || item->type != JSON_OBJECT)
        return err_set(reader->err, ERR_INVALID, "an item of a list that is no object");
    int r = skip_item(reader, item, &text);
    if (r == 0)
        r = read_object(text, reader->arena, out, reader->err);
    if (r == 0 && out->name.len == 0)
        r = err_set(reader->err, ERR_INVALID, "an item of a list without a name");
    return r;
}

/* `each` NULL: only looked at. What an item needs goes with it: lists are long. */
static int read_items(struct json_reader *reader,
                      void (*each)(void *self, const struct reflected *object), void *self)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct arena *outer = reader->arena;
    struct json_item item;
    struct reflected object;
    int r;
    reader->arena = &scratch;
    while ((r = json_next(reader, &item)) == 0 && item.event != JSON_CLOSE) {
        r = read_item(reader, &item, &object);
        if (r < 0)
            break;
        if (each != NULL)
            each(self, &object);
        arena_reset(&scratch);
    }
    reader->arena = outer;
    return r;
}

static int read_list(str_t body, struct arena *arena, struct list_head *head,
                     void (*each)(void *self, const struct reflected *object), void *self,
                     struct err *err)
{
    struct json_reader reader;
    struct json_item item;
    str_t text;
    json_reader_init(&reader, body, arena, err);
    int r = json_next(&reader, &item);
    if (r == 0 && (item.event != JSON_OPEN || item.type != JSON_OBJECT))
        r = err_set(err, ERR_INVALID, "a list that is no object");
    while (r == 0 && (r = json_next(&reader, &item)) == 0 && item.event != JSON_CLOSE) {
        struct json *meta = NULL;
        if (str_eq(item.key, STR("metadata")) && item.event == JSON_OPEN) {
            r = json_build(&reader, &item, arena, &meta);
            *head = (struct list_head){json_get_text(meta, STR("resourceVersion")),
                                       json_get_text(meta, STR("continue"))};
        } else if (str_eq(item.key, STR("items")) && item.event == JSON_OPEN &&
                   item.type == JSON_ARRAY) {
            r = read_items(&reader, each, self);
        } else {
            r = skip_item(&reader, &item, &text);
        }
    }
    return r;
}

int list_read(str_t body, struct arena *arena, struct list_head *head,
              void (*each)(void *self, const struct reflected *object), void *self, struct err *err)
{
    int64_t number;
    *head = (struct list_head){0};
    int r = read_list(body, arena, head, NULL, NULL, err);
    if (r == 0 && (head->rv.len > RV_MAX || !str_to_i64(head->rv, &number)))
        r = err_set(err, ERR_INVALID, "a list without a version");
    return r < 0 ? r : read_list(body, arena, head, each, self, err);
}
