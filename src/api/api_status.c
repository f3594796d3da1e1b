/* api_status.c - answers: Kubernetes' Status for refusals, JSON for the rest. */
#include "api/api_priv.h"

#include <stdarg.h>
#include <stdio.h>

static str_t take(struct buf *buf, struct arena *arena)
{
    str_t text = arena_str(arena, buf_str(buf));
    buf_done(buf);
    return text;
}

/* As the quoted text of a Warning (RFC 7234, 5.5). What breaks a line is the HTTP room's worry. */
static str_t warning(const char *word, str_t path, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_printf(&out, "299 - \"%s field \\\"", word);
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] == '"' || path.at[i] == '\\')
            buf_add_char(&out, '\\');
        buf_add_char(&out, path.at[i]);
    }
    buf_add(&out, STR("\\\"\""));
    return arena_str(arena, buf_str(&out));
}

enum { FIELDS_MAX = 12 };

static void add_warnings(struct call *call, const char *word, const struct json *paths,
                         struct http_field *fields, size_t *n)
{
    JSON_EACH(paths, path)
    {
        if (*n == FIELDS_MAX)
            return;
        fields[(*n)++] =
            (struct http_field){STR("Warning"), warning(word, path->text, call->arena)};
    }
}

void call_answer(struct call *call, int code, const struct http_field *fields, size_t n_fields,
                 struct http_bytes body)
{
    audit_answered(call, code, body.bytes);
    http_answer(call->x, code, fields, n_fields, body);
}

void call_answer_text(struct call *call, int code, str_t content_type, str_t text)
{
    audit_answered(call, code, STR(""));
    http_answer_text(call->x, code, content_type, text);
}

void answer_bytes(struct call *call, int code, str_t bytes)
{
    if (call->x == NULL)
        return;
    struct http_field fields[FIELDS_MAX] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Cache-Control"), STR("no-cache, private")},
    };
    size_t n = 2;
    if (call->warning != NULL)
        fields[n++] = (struct http_field){STR("Warning"),
                                          arena_printf(call->arena, "299 - \"%s\"", call->warning)};
    if (call->unknown != NULL && call->validation == VALIDATE_WARN) {
        add_warnings(call, "unknown", call->unknown, fields, &n);
        add_warnings(call, "duplicate", call->twice, fields, &n);
    }
    call_answer(call, code, fields, n, (struct http_bytes){.bytes = bytes});
}

void answer_json(struct call *call, int code, const struct json *json)
{
    struct buf out = {0};
    json_write(json, &out);
    answer_bytes(call, code, take(&out, call->arena));
}

static void add_text(struct json *object, str_t key, str_t text, struct arena *arena)
{
    if (text.len > 0)
        json_add(object, key, json_string(arena, text));
}

struct json *status_json(const struct refusal *refusal, struct arena *arena)
{
    struct json *status = json_object(arena);
    add_text(status, STR("kind"), STR("Status"), arena);
    add_text(status, STR("apiVersion"), STR("v1"), arena);
    json_add(status, STR("metadata"), json_object(arena));
    add_text(status, STR("status"), STR("Failure"), arena);
    add_text(status, STR("message"), refusal->message, arena);
    add_text(status, STR("reason"), str_from_z(refusal->reason), arena);
    if (refusal->details != NULL)
        json_add(status, STR("details"), refusal->details);
    json_add(status, STR("code"), json_int(arena, refusal->code));
    return status;
}

static enum err_code code_of(int status)
{
    switch (status) {
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    case 503:
        return ERR_BUSY;
    default:
        return ERR_INVALID;
    }
}

void answer_refusal(struct call *call, const struct refusal *refusal)
{
    if (call->x == NULL) {
        bool exists = str_eq(str_from_z(refusal->reason), STR("AlreadyExists"));
        err_set(call->err, exists ? ERR_EXISTS : code_of(refusal->code), STR_F,
                STR_A(refusal->message));
        return;
    }
    call->unknown = NULL;
    answer_json(call, refusal->code, status_json(refusal, call->arena));
}

void answer_plain(struct call *call, int code, const char *reason, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    MUST(fmt != NULL);
    int n = vsnprintf(NULL, 0, fmt, args);
    MUST(n >= 0);
    char *text = arena_bytes(call->arena, (size_t)n + 1);
    MUST(vsnprintf(text, (size_t)n + 1, fmt, again) == n);
    va_end(again);
    va_end(args);
    struct refusal refusal = {code, reason, {text, (size_t)n}, NULL};
    answer_refusal(call, &refusal);
}

static struct json *details_of(struct call *call, bool kind_name)
{
    struct json *details = json_object(call->arena);
    add_text(details, STR("name"), call->name, call->arena);
    if (call->kind == NULL)
        return details;
    add_text(details, STR("group"), str_from_z(call->kind->group), call->arena);
    add_text(details, STR("kind"), str_from_z(kind_name ? call->kind->name : call->kind->plural),
             call->arena);
    return details;
}

void answer_not_found(struct call *call)
{
    struct refusal refusal = {404, "NotFound",
                              arena_printf(call->arena, STR_F " \"" STR_F "\" not found",
                                           STR_A(call->resource), STR_A(call->name)),
                              details_of(call, false)};
    answer_refusal(call, &refusal);
}

/* Clients of Kubernetes come back by themselves when they are told when. */
void answer_too_many(struct call *call)
{
    static const struct http_field fields[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Retry-After"), STR("1")},
    };
    struct json *details = json_object(call->arena);
    json_add(details, STR("retryAfterSeconds"), json_int(call->arena, 1));
    struct refusal refusal = {429, "TooManyRequests",
                              STR("Too many requests, please try again later."), details};
    struct buf out = {0};
    json_write(status_json(&refusal, call->arena), &out);
    call_answer(call, 429, fields, ARRAY_LEN(fields),
                (struct http_bytes){.bytes = take(&out, call->arena)});
}

void answer_err(struct call *call, const struct err *err)
{
    struct refusal refusal = {500, "InternalError", arena_str(call->arena, str_from_z(err->text)),
                              NULL};
    switch (err->code) {
    case ERR_INVALID:
        refusal.code = 400;
        refusal.reason = "BadRequest";
        break;
    case ERR_NOT_FOUND:
        answer_not_found(call);
        return;
    case ERR_EXISTS:
        refusal = (struct refusal){409, "AlreadyExists",
                                   arena_printf(call->arena, STR_F " \"" STR_F "\" already exists",
                                                STR_A(call->resource), STR_A(call->name)),
                                   details_of(call, false)};
        break;
    case ERR_CONFLICT:
        refusal = (struct refusal){
            409, "Conflict",
            arena_printf(call->arena,
                         "Operation cannot be fulfilled on " STR_F " \"" STR_F
                         "\": the object has been modified; please apply your changes to the "
                         "latest version and try again",
                         STR_A(call->resource), STR_A(call->name)),
            details_of(call, false)};
        break;
    case ERR_FORBIDDEN:
        refusal.code = 403;
        refusal.reason = "Forbidden";
        refusal.details = details_of(call, false);
        break;
    case ERR_GONE:
        refusal.code = 410;
        refusal.reason = "Expired";
        break;
    case ERR_BUSY:
        refusal.code = 503;
        refusal.reason = "ServiceUnavailable";
        break;
    case ERR_TIMEOUT:
        refusal.code = 504;
        refusal.reason = "Timeout";
        break;
    case ERR_IO:
    case ERR_INTERNAL:
        break;
    }
    answer_refusal(call, &refusal);
}

static const char *reason_word(enum field_reason reason)
{
    static const char *const words[] = {
        [FIELD_INVALID] = "FieldValueInvalid",
        [FIELD_REQUIRED] = "FieldValueRequired",
        [FIELD_NOT_SUPPORTED] = "FieldValueNotSupported",
        [FIELD_DUPLICATE] = "FieldValueDuplicate",
        [FIELD_NOT_FOUND] = "FieldValueNotFound",
        [FIELD_FORBIDDEN] = "FieldValueForbidden",
        [FIELD_TOO_LONG] = "FieldValueTooLong",
        [FIELD_TOO_MANY] = "FieldValueTooMany",
    };
    return words[reason];
}

void answer_invalid(struct call *call, str_t name, const struct field_errors *errors)
{
    struct arena *arena = call->arena;
    AUTO(buf_done) struct buf text = {0};
    struct json *causes = json_array(arena);
    for (size_t i = 0; i < errors->n; i++) {
        const struct field_error *error = &errors->at[i];
        buf_printf(&text, "%s" STR_F "%s" STR_F, i > 0 ? ", " : "", STR_A(error->path),
                   error->path.len > 0 ? ": " : "", STR_A(error->text));
        struct json *cause = json_object(arena);
        add_text(cause, STR("reason"), str_from_z(reason_word(error->reason)), arena);
        add_text(cause, STR("message"), error->text, arena);
        add_text(cause, STR("field"), error->path, arena);
        json_add(causes, STR(""), cause);
    }
    bool many = errors->n > 1;
    call->name = name;
    struct json *details = details_of(call, true);
    json_add(details, STR("causes"), causes);
    struct refusal refusal = {
        422, "Invalid",
        arena_printf(arena, "%s%s%s \"" STR_F "\" is invalid: %s" STR_F "%s", call->kind->name,
                     call->kind->group[0] != '\0' ? "." : "", call->kind->group, STR_A(name),
                     many ? "[" : "", STR_A(buf_str(&text)), many ? "]" : ""),
        details};
    answer_refusal(call, &refusal);
}

static void release_object(void *owner)
{
    object_unref(owner);
}

void answer_object(struct call *call, int code, const struct object *object)
{
    if (call->x == NULL)
        return;
    if (call->answer != NULL) {
        call->answer(call, code, object);
        return;
    }
    struct shape shape = call_shape(call);
    if (shape.format == FORMAT_OBJECT && shape.kind->stored_as == NULL && !shape.kind->mixed &&
        call->unknown == NULL) {
        /* Sent from where they are. */
        static const struct http_field fields[] = {
            {STR("Content-Type"), STR("application/json")},
            {STR("Cache-Control"), STR("no-cache, private")},
        };
        struct object *shared = object_ref(object);
        call_answer(call, code, fields, 2,
                    (struct http_bytes){shared->json, release_object, shared});
        return;
    }
    struct buf out = {0};
    shape_one(&shape, object, &out);
    answer_bytes(call, code, take(&out, call->arena));
}
