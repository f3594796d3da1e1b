/* api_body.c - what clients send: JSON, YAML, or client-go's protobuf. */
#include "api/api_priv.h"
#include "codec/proto.h"
#include "codec/yaml.h"

#define PROTOBUF "application/vnd.kubernetes.protobuf"

static str_t media_type(const struct call *call)
{
    str_t type, params;
    str_cut(http_get(call->x, STR("Content-Type")), ';', &type, &params);
    while (type.len > 0 && type.at[type.len - 1] == ' ')
        type.len--;
    return type;
}

/* "k8s\0", then Unknown{1: TypeMeta{1: apiVersion, 2: kind}, 2: raw}. */
static int from_protobuf(struct call *call, str_t body, const struct schema *schema,
                         struct json **out, struct err *err)
{
    if (!str_starts(body, STR("k8s\0")))
        return err_set(err, ERR_INVALID, "the body is not a protobuf object of Kubernetes");
    struct proto_reader reader = {{body.at + 4, body.len - 4}};
    struct proto_field field, part;
    str_t raw = {0}, api_version = {0}, kind = {0};
    int r;
    while ((r = proto_next(&reader, &field, err)) == 1) {
        if (field.number == 2)
            raw = field.bytes;
        if (field.number != 1)
            continue;
        struct proto_reader type = {field.bytes};
        while ((r = proto_next(&type, &part, err)) == 1) {
            if (part.number == 1)
                api_version = part.bytes;
            else if (part.number == 2)
                kind = part.bytes;
        }
        if (r < 0)
            return r;
    }
    struct json *object = NULL;
    if (r == 0)
        r = schema_from_protobuf(schema, raw, call->arena, &object, err);
    if (r < 0)
        return r;
    MUST(object != NULL);
    if (kind.len > 0)
        json_set(object, STR("kind"), json_string(call->arena, kind));
    if (api_version.len > 0)
        json_set(object, STR("apiVersion"), json_string(call->arena, api_version));
    *out = object;
    return 0;
}

static int unsupported(struct call *call, str_t type)
{
    answer_plain(call, 415, "UnsupportedMediaType",
                 "the body of the request was in an unknown format (" STR_F
                 ") - accepted media types include: application/json, application/yaml, " PROTOBUF,
                 STR_A(type));
    return -1;
}

int body_any(struct call *call, str_t body, const struct schema *schema, struct json **out)
{
    struct err err;
    str_t type = media_type(call);
    int r;
    /* The body lives with the exchange, and so do views of it. */
    if (str_eq(type, STR(PROTOBUF)) && call->kind->custom != NULL)
        return unsupported(call, type);
    if (str_eq(type, STR(PROTOBUF)))
        r = from_protobuf(call, body, schema, out, &err);
    else if (str_eq(type, STR("application/yaml")) ||
             str_eq(type, STR("application/apply-patch+yaml")))
        r = yaml_parse(body, call->arena, out, &err);
    else if (type.len == 0 || str_eq(type, STR("application/json")) ||
             str_eq(type, STR("application/json-patch+json")) ||
             str_eq(type, STR("application/merge-patch+json")) ||
             str_eq(type, STR("application/strategic-merge-patch+json")))
        r = json_parse_told(body, call->arena, call->twice = json_array(call->arena), out, &err);
    else
        return unsupported(call, type);
    bool object =
        (call->verb == VERB_CREATE || call->verb == VERB_UPDATE) && schema == call->kind->schema;
    if (r < 0 && object)
        answer_plain(call, 400, "BadRequest",
                     "the object provided is unrecognized (must be of type %s): couldn't get "
                     "version/kind; json parse error: %s",
                     call->kind->name, err.text);
    else if (r < 0)
        answer_plain(call, 400, "BadRequest", "the body of the request cannot be read: %s",
                     err.text);
    else if (audit_wants_body(call))
        call->audit.sent = json_clone(*out, call->arena);
    return r;
}

static int check_names(struct call *call, struct json *object)
{
    str_t version = kind_api_version(call->kind, call->arena);
    str_t kind = json_get_text(object, STR("kind"));
    str_t given = json_get_text(object, STR("apiVersion"));
    if (kind.len > 0 && !str_eq(kind, str_from_z(call->kind->name))) {
        answer_plain(call, 400, "BadRequest",
                     "the kind in the data (" STR_F ") does not match the expected kind (%s)",
                     STR_A(kind), call->kind->name);
        return -1;
    }
    if (given.len > 0 && !str_eq(given, version)) {
        answer_plain(call, 400, "BadRequest",
                     "the API version in the data (" STR_F
                     ") does not match the expected API version (" STR_F ")",
                     STR_A(given), STR_A(version));
        return -1;
    }
    return 0;
}

static void list_fields(struct buf *out, const char *word, const struct json *paths)
{
    JSON_EACH(paths, path)
    buf_printf(out, "%s%s field \"" STR_F "\"", out->len > 0 ? ", " : "", word, STR_A(path->text));
}

int body_check_unknown(struct call *call, str_t what)
{
    bool none = call->unknown->first == NULL && json_first(call->twice) == NULL;
    if (none || call->validation == VALIDATE_IGNORE) {
        call->unknown = call->twice = NULL;
        return 0;
    }
    if (call->validation == VALIDATE_WARN)
        return 0;
    AUTO(buf_done) struct buf text = {0};
    list_fields(&text, "unknown", call->unknown);
    list_fields(&text, "duplicate", call->twice);
    call->unknown = call->twice = NULL;
    answer_plain(call, 400, "BadRequest", STR_F "strict decoding error: " STR_F, STR_A(what),
                 STR_A(buf_str(&text)));
    return -1;
}

/* In an apply every field must have an owner, so there is no way to do without unknown ones. */
static int check_declared(struct call *call, const struct json *object)
{
    if (call->unknown->first == NULL)
        return 0;
    AUTO(buf_done) struct buf text = {0};
    bool many = call->unknown->first->next != NULL;
    JSON_EACH(call->unknown, path)
    buf_printf(&text, "%s." STR_F ": field not declared in schema", many ? "\n  " : "",
               STR_A(path->text));
    call->unknown = NULL;
    answer_plain(
        call, 400, "BadRequest",
        "failed to create typed patch object (" STR_F "/" STR_F "; " STR_F ", Kind=%s): %s" STR_F,
        STR_A(call->ns), STR_A(call->name), STR_A(json_get_text(object, STR("apiVersion"))),
        call->kind->name, many ? "errors:" : "", STR_A(buf_str(&text)));
    return -1;
}

static int check_types(struct call *call, struct json *object)
{
    struct err err;
    call->unknown = json_array(call->arena);
    int r = kind_decode_check(call->kind, object, call->unknown, call->arena, &err);
    str_t what = arena_printf(call->arena,
                              "%s in version \"%s\" cannot be handled as a %s: ", call->kind->name,
                              call->kind->version, call->kind->name);
    if (r < 0) {
        call->unknown = NULL;
        answer_plain(call, 400, "BadRequest", STR_F "%s", STR_A(what), err.text);
        return r;
    }
    if (is_apply(call) && check_declared(call, object) < 0)
        return -1;
    return body_check_unknown(call, what);
}

int body_object(struct call *call, str_t body, struct json **out)
{
    struct json *object = NULL;
    int r = body_any(call, body, call->kind->schema, &object);
    if (r < 0)
        return r;
    MUST(object != NULL);
    if (object->type != JSON_OBJECT) {
        answer_plain(call, 400, "BadRequest", "the body of the request must be an object");
        return -1;
    }
    r = check_names(call, object);
    if (r == 0)
        r = check_types(call, object);
    if (r < 0)
        return r;
    kind_prune(call->kind, object);
    *out = object;
    return 0;
}
