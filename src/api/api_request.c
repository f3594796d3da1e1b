/* api_request.c - what a path and a query ask for. */
#include "api/api_priv.h"

#include <string.h>

const char *verb_word(enum api_verb verb)
{
    static const char *const words[] = {"get",    "list",  "watch",  "create",
                                        "update", "patch", "delete", "deletecollection"};
    return words[verb];
}

str_t call_query(const struct call *call, str_t name)
{
    str_t value;
    return http_query_get(call->x, name, &value) ? value : STR("");
}

bool call_query_is(const struct call *call, str_t name, str_t wanted)
{
    str_t value;
    return http_query_get(call->x, name, &value) && str_eq(value, wanted);
}

enum { SEGMENTS_MAX = 8 };

struct path {
    size_t n;
    str_t at[SEGMENTS_MAX];
};

static bool path_split(struct call *call, struct path *path)
{
    str_t rest = call->x->path, segment;
    path->n = 0;
    while (rest.len > 0) {
        str_cut(rest, '/', &segment, &rest);
        if (segment.len == 0)
            continue;
        if (path->n == SEGMENTS_MAX ||
            !http_decode(segment, false, call->arena, &path->at[path->n++]))
            return false;
    }
    return true;
}

static bool is_subresource_of_namespace(str_t word)
{
    return str_eq(word, STR("status")) || str_eq(word, STR("finalize"));
}

static bool words_have(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

/* What a method means behind an object's name. */
static bool set_sub_verb(struct call *call)
{
    switch (call->x->method) {
    case HTTP_GET:
    case HTTP_HEAD:
        call->verb = VERB_GET;
        break;
    case HTTP_POST:
        call->verb = VERB_CREATE;
        break;
    case HTTP_PUT:
        call->verb = VERB_UPDATE;
        break;
    case HTTP_PATCH:
        call->verb = VERB_PATCH;
        break;
    case HTTP_DELETE:
    case HTTP_OPTIONS:
    case HTTP_CONNECT:
    case HTTP_TRACE:
    case HTTP_OTHER:
        return false;
    }
    return words_have(call->sub->verbs, verb_word(call->verb));
}

static bool watches(const struct call *call)
{
    return call_query_is(call, STR("watch"), STR("true")) ||
           call_query_is(call, STR("watch"), STR("1"));
}

/* And once. */
static bool reads(const struct call *call)
{
    return (call->x->method == HTTP_GET || call->x->method == HTTP_HEAD) && !watches(call);
}

static bool set_verb(struct call *call)
{
    bool named = call->name.len > 0;
    if (call->sub != NULL)
        return set_sub_verb(call);
    /* All namespaces at once can be read, and that is all. */
    bool scoped = !call->kind->namespaced || call->ns.len > 0;
    if (call->kind->only_create && call->x->method != HTTP_POST)
        return false;
    if (call->kind->only_read && !reads(call))
        return false;
    switch (call->x->method) {
    case HTTP_GET:
    case HTTP_HEAD:
        call->verb = named ? VERB_GET : VERB_LIST;
        if (!named && watches(call))
            call->verb = VERB_WATCH;
        return true;
    case HTTP_POST:
        call->verb = VERB_CREATE;
        return !named && scoped;
    case HTTP_PUT:
        call->verb = VERB_UPDATE;
        return named;
    case HTTP_PATCH:
        call->verb = VERB_PATCH;
        return named;
    case HTTP_DELETE:
        call->verb = named ? VERB_DELETE : VERB_DELETE_COLLECTION;
        return scoped;
    case HTTP_OPTIONS:
    case HTTP_CONNECT:
    case HTTP_TRACE:
    case HTTP_OTHER:
        return false;
    }
    return false;
}

/* `at` is behind the version. */
static enum path_result parse_resource(struct call *call, const struct path *path, size_t at,
                                       str_t group, str_t version)
{
    if (path->n == at)
        return PATH_OTHER; /* Discovery. */
    bool in_ns = path->n >= at + 3 && str_eq(path->at[at], STR("namespaces")) &&
                 !is_subresource_of_namespace(path->at[at + 2]);
    if (in_ns) {
        call->ns = path->at[at + 1];
        at += 2;
    }
    call->kind = kind_by_plural(call->api->kinds, group, version, path->at[at]);
    if (call->kind == NULL || (in_ns && !call->kind->namespaced) || path->n > at + 3)
        return PATH_UNKNOWN;
    call->resource = kind_stored_resource(call->kind, call->arena);
    call->name = path->n > at + 1 ? path->at[at + 1] : STR("");
    call->subresource = path->n > at + 2 ? path->at[at + 2] : STR("");
    if (call->name.len > 0 && call->kind->namespaced && !in_ns)
        return PATH_UNKNOWN;
    if (call->subresource.len > 0) {
        call->sub = kind_subresource(call->kind, call->subresource);
        if (call->sub == NULL)
            return PATH_UNKNOWN;
    }
    return PATH_OBJECT;
}

enum path_result call_parse_path(struct call *call)
{
    struct path path;
    if (!path_split(call, &path))
        return PATH_UNKNOWN;
    enum path_result result = PATH_OTHER;
    if (path.n >= 2 && str_eq(path.at[0], STR("api")))
        result = parse_resource(call, &path, 2, STR(""), path.at[1]);
    else if (path.n >= 3 && str_eq(path.at[0], STR("apis")))
        result = parse_resource(call, &path, 3, path.at[1], path.at[2]);
    if (result == PATH_OBJECT && !set_verb(call)) {
        answer_plain(call, 405, "MethodNotAllowed",
                     "the server does not allow this method on the requested resource");
        return PATH_ANSWERED;
    }
    return result;
}

/* Reviews are no objects that are kept: they have no columns and no metadata. */
static bool as_it_is(str_t accept)
{
    str_t first;
    while (accept_format(accept) != FORMAT_OBJECT) {
        str_cut(accept, ',', &first, &accept);
        if (accept.len == 0)
            return false;
    }
    return accept_allows_json(accept);
}

int call_parse_query(struct call *call)
{
    str_t validation = call_query(call, STR("fieldValidation")), value;
    if (str_eq(validation, STR("Strict")))
        call->validation = VALIDATE_STRICT;
    else if (str_eq(validation, STR("Ignore")))
        call->validation = VALIDATE_IGNORE;
    else if (validation.len > 0 && !str_eq(validation, STR("Warn"))) {
        answer_plain(call, 422, "Invalid",
                     "fieldValidation: Unsupported value: \"" STR_F
                     "\": supported values: \"Ignore\", \"Strict\", \"Warn\"",
                     STR_A(validation));
        return -1;
    }
    if (http_query_get(call->x, STR("dryRun"), &value)) {
        call->dry_run = str_eq(value, STR("All"));
        if (!call->dry_run) {
            answer_plain(call, 422, "Invalid",
                         "dryRun: Unsupported value: \"" STR_F "\": supported values: \"All\"",
                         STR_A(value));
            return -1;
        }
    }
    str_t accept = http_get(call->x, STR("Accept"));
    call->format = call->kind->only_create ? FORMAT_OBJECT : accept_format(accept);
    if (!accept_allows_json(accept) || (call->kind->only_create && !as_it_is(accept))) {
        answer_plain(call, 406, "NotAcceptable",
                     "only the following media types are accepted: application/json");
        return -1;
    }
    return 0;
}

int call_rv(struct call *call, uint64_t *rv)
{
    str_t text = call_query(call, STR("resourceVersion"));
    int64_t number = 0;
    if (text.len > 0 && (!str_to_i64(text, &number) || number < 0)) {
        answer_plain(call, 400, "BadRequest",
                     "resourceVersion: Invalid value: \"" STR_F
                     "\": strconv.ParseUint: parsing \"" STR_F "\": invalid syntax",
                     STR_A(text), STR_A(text));
        return -1;
    }
    *rv = (uint64_t)number;
    uint64_t now = store_rv(call->api->store);
    if (*rv <= now)
        return 0;
    struct json *details = json_object(call->arena), *causes = json_array(call->arena);
    struct json *cause = json_object(call->arena);
    json_add(cause, STR("reason"), json_string(call->arena, STR("ResourceVersionTooLarge")));
    json_add(cause, STR("message"), json_string(call->arena, STR("Too large resource version")));
    json_add(details, STR("causes"), json_add(causes, STR(""), cause));
    json_add(details, STR("retryAfterSeconds"), json_int(call->arena, 1));
    struct refusal refusal = {504, "Timeout",
                              arena_printf(call->arena,
                                           "Too large resource version: %llu, current: %llu",
                                           (unsigned long long)*rv, (unsigned long long)now),
                              details};
    answer_refusal(call, &refusal);
    return -1;
}
