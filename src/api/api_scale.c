/*
 * api_scale.c - /scale: how many, of whatever it is (autoscaling/v1 Scale).
 *
 * The kind says where in its objects the numbers stand; what is written there goes the way of any
 * update of the object.
 */
#include "api/api_priv.h"

static int64_t number_at(const struct json *object, const char *path)
{
    int64_t number = 0;
    (void)json_to_i64(json_at(object, path), &number);
    return number;
}

/* "app=web,tier in (a,b)": of a label selector, a plain map, or a text. */
static str_t selector_text(const struct json *selector, struct arena *arena)
{
    if (selector == NULL || selector->type == JSON_STRING)
        return json_text(selector, STR(""));
    str_t text = selector_column(selector, arena);
    return str_eq(text, STR("<none>")) ? STR("") : text;
}

static void keep_meta(struct json *to, const struct json *from, struct arena *arena)
{
    static const char *const names[] = {"name", "namespace", "uid", "resourceVersion",
                                        "creationTimestamp"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct json *value = json_get(from, str_from_z(names[i]));
        if (value != NULL)
            json_add(to, str_from_z(names[i]), json_clone(value, arena));
    }
}

static struct json *scale_of(const struct kind *kind, const struct json *object,
                             struct arena *arena)
{
    struct json *scale = json_object(arena), *meta = json_object(arena);
    struct json *spec = json_object(arena), *status = json_object(arena);
    int64_t wanted = number_at(object, kind->scale->replicas);
    json_add(scale, STR("kind"), json_string(arena, STR("Scale")));
    json_add(scale, STR("apiVersion"), json_string(arena, STR("autoscaling/v1")));
    keep_meta(meta, json_get(object, STR("metadata")), arena);
    json_add(scale, STR("metadata"), meta);
    if (wanted != 0)
        json_add(spec, STR("replicas"), json_int(arena, wanted));
    json_add(scale, STR("spec"), spec);
    json_add(status, STR("replicas"),
             json_int(arena, number_at(object, kind->scale->status_replicas)));
    str_t selector = STR("");
    if (kind->scale->selector != NULL)
        selector = selector_text(json_at(object, kind->scale->selector), arena);
    if (selector.len > 0)
        json_add(status, STR("selector"), json_string(arena, selector));
    json_add(scale, STR("status"), status);
    return scale;
}

static void answer_scale(struct call *call, int code, const struct object *object)
{
    struct arena *arena = call->arena;
    answer_json(call, code, scale_of(call->kind, object_tree_as(call->kind, object, arena), arena));
}

void scale_get(struct call *call, const struct object *object)
{
    answer_scale(call, 200, object);
}

/* The value at a dotted path, with the objects on the way made where they are missing. */
static void set_at(struct json *object, const char *path, struct json *value, struct arena *arena)
{
    str_t rest = str_from_z(path), name;
    while (str_cut(rest, '.', &name, &rest)) {
        struct json *inner = json_get(object, name);
        if (inner == NULL || inner->type != JSON_OBJECT) {
            inner = json_object(arena);
            json_set(object, name, inner);
        }
        object = inner;
    }
    json_set(object, name, value);
}

/* As a call about the Scale; NULL: it was answered. */
static struct json *wanted_scale(struct call *call, const struct json *object, str_t body)
{
    struct call *about = arena_new(call->arena, struct call);
    struct json *scale;
    *about = *call;
    about->kind = &kind_scale;
    if (call->verb == VERB_UPDATE || is_apply(call))
        return body_object(about, body, &scale) < 0 ? NULL : scale;
    scale = patched(about, scale_of(call->kind, object, call->arena), body);
    struct err err;
    about->unknown = json_array(call->arena);
    if (scale == NULL)
        return NULL;
    if (schema_decode_check(kind_scale.schema, scale, about->unknown, call->arena, &err) < 0) {
        about->unknown = NULL;
        answer_plain(about, 422, "Invalid", "the patched object is not valid: %s", err.text);
        return NULL;
    }
    return body_check_unknown(about, STR("")) < 0 ? NULL : scale;
}

/* < 0: answered. */
static int check_scale(struct call *call, const struct json *scale)
{
    int64_t replicas = number_at(scale, "spec.replicas");
    str_t name = json_text(json_at(scale, "metadata.name"), call->name);
    if (!str_eq(name, call->name)) {
        answer_plain(call, 400, "BadRequest",
                     "the name of the object (" STR_F ") does not match the name on the URL (" STR_F
                     ")",
                     STR_A(name), STR_A(call->name));
        return -1;
    }
    if (replicas >= 0)
        return 0;
    struct field_errors *errors = arena_new(call->arena, struct field_errors);
    struct call about = *call;
    errors->arena = call->arena;
    about.kind = &kind_scale;
    field_error(errors, FIELD_INVALID, STR("spec.replicas"),
                "Invalid value: %lld: must be greater than or equal to 0", (long long)replicas);
    answer_invalid(&about, call->name, errors);
    return -1;
}

void scale_write(struct call *call, str_t body, const struct object *latest)
{
    struct arena *arena = call->arena;
    struct json *object = object_tree_as(call->kind, latest, arena);
    struct json *scale = wanted_scale(call, object, body);
    if (scale == NULL || check_scale(call, scale) < 0)
        return;
    str_t version = json_text(json_at(scale, "metadata.resourceVersion"), STR(""));
    struct json *meta = json_get(object, STR("metadata"));
    if (version.len > 0)
        json_set(meta, STR("resourceVersion"), json_string(arena, version));
    else
        (void)json_remove(meta, STR("resourceVersion"));
    set_at(object, call->kind->scale->replicas, json_int(arena, number_at(scale, "spec.replicas")),
           arena);
    call->answer = answer_scale;
    call->through = call->sub; /* What the manager of its fields is told. */
    call->sub = NULL;
    call->subresource = STR("");
    api_update_object(call, object, latest);
}
