/* image_door.c - a word in the path, a call of images.h, its outcome as JSON. */
#include "node/image_door.h"

#include <stdlib.h>
#include <string.h>

struct visit {
    struct images_call call;
    struct exchange *x; /* NULL: it has gone. */
    struct images_pull_want want;
    char *name; /* Its text. */
};

static int status_of(int r)
{
    if (r == 0)
        return 200;
    return r == ERR_NOT_FOUND   ? 404
           : r == ERR_INVALID   ? 400
           : r == ERR_FORBIDDEN ? 403
           : r == ERR_BUSY      ? 503
                                : 500;
}

static void answer(struct exchange *x, int status, const struct json *json)
{
    AUTO(buf_done) struct buf text = {0};
    json_write(json, &text);
    buf_add_char(&text, '\n');
    http_answer_text(x, status, STR("application/json"), arena_str(x->arena, buf_str(&text)));
}

static void answer_error(struct exchange *x, int status, const char *error)
{
    struct json *json = json_object(x->arena);
    answer(x, status, json_add(json, STR("error"), json_string(x->arena, str_from_z(error))));
}

static struct json *image_json(const struct image *image, struct arena *arena)
{
    struct json *out = json_object(arena);
    json_add(out, STR("name"), json_string(arena, image->name));
    json_add(out, STR("id"), json_string(arena, image->id));
    json_add(out, STR("bytes"), json_int(arena, (int64_t)image->bytes));
    return json_add(out, STR("used_ms"), json_int(arena, image->used_ms));
}

static void tell(struct exchange *x, const struct images_call *call)
{
    struct json *out = json_object(x->arena), *list = json_array(x->arena);
    if (call->r < 0) {
        const char *text = call->err.text;
        if (call->told.len > 0)
            text = arena_printf(x->arena, STR_F, STR_A(call->told)).at;
        answer_error(x, status_of(call->r), text);
        return;
    }
    for (size_t i = 0; i < call->n_found; i++)
        json_add(list, STR(""), image_json(&call->found[i], x->arena));
    json_add(out, STR("images"), list);
    answer(x, 200, json_add(out, STR("freed"), json_int(x->arena, (int64_t)call->freed)));
}

static void over(struct images_call *call)
{
    struct visit *visit = CONTAINER_OF(call, struct visit, call);
    if (visit->x != NULL) {
        visit->x->on_gone = NULL;
        tell(visit->x, call);
    }
    images_call_done(call);
    free(visit->name);
    free(visit);
}

static void gone(struct exchange *x)
{
    struct visit *visit = x->self;
    visit->x = NULL;
}

static str_t query(const struct exchange *x, str_t name)
{
    str_t value;
    return http_query_get(x, name, &value) ? value : STR("");
}

/* A whole name from one as people write it; an id stays as it is. NULL: answered. */
static const char *name_of(struct exchange *x, str_t parameter)
{
    struct reference reference;
    struct err err;
    str_t text = query(x, parameter);
    if (digest_is_valid(text))
        return arena_printf(x->arena, STR_F, STR_A(text)).at;
    if (reference_parse(text, &reference, &err) == 0)
        return reference_name(&reference, x->arena).at;
    answer_error(x, 400, err.text);
    return NULL;
}

static struct visit *visit_new(struct exchange *x)
{
    struct visit *visit = calloc(1, sizeof(*visit));
    MUST(visit != NULL);
    visit->x = x;
    x->self = visit;
    x->on_gone = gone;
    return visit;
}

static void prune(struct image_door *door, struct exchange *x)
{
    images_prune(door->images, &visit_new(x)->call, door->used, door->self, over);
}

/* As nobody: who has a password has it in a Secret. */
static void pull(struct image_door *door, struct exchange *x)
{
    const char *name = name_of(x, STR("name"));
    if (name == NULL)
        return;
    struct visit *visit = visit_new(x);
    visit->name = strdup(name);
    MUST(visit->name != NULL);
    visit->want.reference = str_from_z(visit->name);
    images_pull(door->images, &visit->call, &visit->want, over);
}

static void with_name(struct image_door *door, struct exchange *x, str_t verb)
{
    str_t path = query(x, STR("path"));
    const char *name = name_of(x, STR("name"));
    if (name == NULL)
        return;
    if (str_eq(verb, STR("tag"))) {
        const char *as = name_of(x, STR("as"));
        if (as != NULL)
            images_tag(door->images, &visit_new(x)->call, str_from_z(name), str_from_z(as), over);
    } else if (str_eq(verb, STR("save"))) {
        images_save(door->images, &visit_new(x)->call, str_from_z(name), path, over);
    } else {
        images_remove(door->images, &visit_new(x)->call, str_from_z(name), over);
    }
}

bool image_door_head(struct image_door *door, struct exchange *x)
{
    str_t path = x->path;
    bool all = str_eq(path, STR("/images")), post = x->method == HTTP_POST;
    if (!all && !str_starts(path, STR("/images/")))
        return false;
    str_t verb = all ? STR("") : (str_t){path.at + 8, path.len - 8};
    bool by_name = (all && x->method == HTTP_DELETE) ||
                   (post && (str_eq(verb, STR("tag")) || str_eq(verb, STR("save"))));
    if (!x->local || x->peer_uid != 0)
        answer_error(x, 403, "images are root's on this machine");
    else if (by_name)
        with_name(door, x, verb);
    else if (all && x->method == HTTP_GET)
        images_list(door->images, &visit_new(x)->call, over);
    else if (post && str_eq(verb, STR("import")))
        images_import(door->images, &visit_new(x)->call, query(x, STR("path")), over);
    else if (post && str_eq(verb, STR("prune")))
        prune(door, x);
    else if (post && str_eq(verb, STR("pull")))
        pull(door, x);
    else
        answer_error(x, 404, "there is no such verb for images");
    return true;
}
