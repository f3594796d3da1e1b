/* api_read.c - get and list. */
#include "api/api_priv.h"

#include <stdlib.h>

void api_get(struct call *call)
{
    uint64_t rv;
    if (call_rv(call, &rv) < 0)
        return;
    const struct object *object = store_get(call->api->store, call->resource, call->ns, call->name);
    if (object == NULL)
        answer_not_found(call);
    else if (call->sub == NULL || !subresource_get(call, object))
        answer_object(call, 200, object);
}

/* {"metadata":...}: what label selectors look at. */
static struct json *metadata_tree(const struct object *object, struct arena *arena)
{
    struct json *metadata;
    struct err err;
    int r = json_pick(object->json, STR("metadata"), arena, &metadata, &err);
    MUST(r == 0 && metadata != NULL); /* We wrote it. */
    return json_add(json_object(arena), STR("metadata"), metadata);
}

/* Valid until the next but one call: many watchers ask for the same. */
static const struct json *tree_of(struct api *api, const struct kind *kind,
                                  const struct object *object, bool whole)
{
    for (size_t i = 0; i < ARRAY_LEN(api->parsed); i++)
        if (api->parsed[i].object == object && api->parsed[i].kind == kind &&
            api->parsed[i].whole >= whole)
            return api->parsed[i].tree;
    struct parsed *parsed = &api->parsed[api->parsed_next];
    api->parsed_next = (api->parsed_next + 1) % ARRAY_LEN(api->parsed);
    object_unref(parsed->object);
    arena_reset(&parsed->arena);
    parsed->object = object_ref(object);
    parsed->kind = kind;
    parsed->whole = whole;
    parsed->tree = whole ? object_tree_as(kind, object, &parsed->arena)
                         : metadata_tree(object, &parsed->arena);
    return parsed->tree;
}

void api_forget_trees(struct api *api)
{
    for (size_t i = 0; i < ARRAY_LEN(api->parsed); i++) {
        object_unref(api->parsed[i].object);
        arena_done(&api->parsed[i].arena);
        api->parsed[i] = (struct parsed){0};
    }
}

int list_selectors(struct call *call, struct list_options *options)
{
    struct err err;
    options->kind = call->kind;
    int r = label_selector_parse(call_query(call, STR("labelSelector")), call->arena,
                                 &options->labels, &err);
    if (r == 0)
        r = field_selector_parse(call->kind, call_query(call, STR("fieldSelector")), call->arena,
                                 &options->fields, &err);
    if (r < 0)
        answer_plain(call, 400, "BadRequest", "%s", err.text);
    return r;
}

bool list_wants(struct api *api, const struct list_options *options, const struct object *object)
{
    if (selector_is_empty(options->labels) && selector_is_empty(options->fields))
        return true;
    str_t name = selector_name(options->fields);
    if (name.len > 0 && !str_eq(name, object->name))
        return false;
    bool whole = !selector_is_empty(options->fields);
    return selector_matches(options->labels, options->fields,
                            tree_of(api, options->kind, object, whole));
}

/* Which moment to show, by Kubernetes' rules for resourceVersion and resourceVersionMatch. */
static int list_moment(struct call *call, struct list_options *options)
{
    uint64_t rv;
    struct err err;
    str_t match = call_query(call, STR("resourceVersionMatch"));
    str_t token_text = call_query(call, STR("continue"));
    str_t rv_text = call_query(call, STR("resourceVersion"));
    bool exact = str_eq(match, STR("Exact"));
    if (list_query_check(call) < 0 || call_rv(call, &rv) < 0)
        return -1;
    if (token_text.len > 0) {
        struct continue_token token;
        if (rv_text.len > 0 && rv > 0) {
            answer_plain(call, 400, "BadRequest",
                         "specifying resource version is not allowed when using continue");
            return -1;
        }
        if (continue_decode(token_text, call->arena, &token, &err) < 0) {
            answer_plain(call, 400, "BadRequest", "%s", err.text);
            return -1;
        }
        options->at_rv = token.rv;
        options->after_ns = token.ns;
        options->after_name = token.name;
        return 0;
    }
    if (exact || (rv > 0 && options->limit > 0 && match.len == 0))
        options->at_rv = rv;
    return 0;
}

static int list_options(struct call *call, struct list_options *options)
{
    str_t limit = call_query(call, STR("limit"));
    *options = (struct list_options){0};
    if (limit.len > 0 && (!str_to_i64(limit, &options->limit) || options->limit < 0)) {
        answer_plain(call, 400, "BadRequest", "limit: Invalid value: \"" STR_F "\"", STR_A(limit));
        return -1;
    }
    if (list_selectors(call, options) < 0)
        return -1;
    return list_moment(call, options);
}

struct listing {
    struct api *api;
    const struct list_options *options;
    struct object **at; /* With references. */
    size_t n, cap;
    int64_t more; /* Behind the limit. */
    bool count_more;
};

static bool list_one(void *self, const struct object *object)
{
    struct listing *listing = self;
    int64_t limit = listing->options->limit;
    if (limit > 0 && listing->n == (size_t)limit) {
        /* With a selector nobody can say how many are left without looking at them all. */
        listing->more++;
        return listing->count_more;
    }
    if (!list_wants(listing->api, listing->options, object))
        return true;
    if (listing->n == listing->cap) {
        listing->cap = listing->cap == 0 ? 64 : listing->cap * 2;
        listing->at = reallocarray(listing->at, listing->cap, sizeof(struct object *));
        MUST(listing->at != NULL);
    }
    listing->at[listing->n++] = object_ref(object);
    return true;
}

static void listing_done(struct listing *listing)
{
    for (size_t i = 0; i < listing->n; i++)
        object_unref(listing->at[i]);
    free(listing->at);
}

static struct json *list_meta(struct call *call, const struct listing *listing, uint64_t rv)
{
    struct arena *arena = call->arena;
    struct json *meta = json_object(arena);
    json_add(meta, STR("resourceVersion"),
             json_string(arena, arena_printf(arena, "%llu", (unsigned long long)rv)));
    if (listing->more == 0)
        return meta;
    const struct object *last = listing->at[listing->n - 1];
    struct continue_token token = {rv, last->ns, last->name};
    json_add(meta, STR("continue"), json_string(arena, continue_encode(&token, arena)));
    if (listing->count_more)
        json_add(meta, STR("remainingItemCount"), json_int(arena, listing->more));
    return meta;
}

static void answer_buf(struct call *call, struct buf *out)
{
    static const struct http_field fields[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Cache-Control"), STR("no-cache, private")},
    };
    call_answer(call, 200, fields, 2, (struct http_bytes){buf_str(out), free, out->at});
}

static void answer_listing(struct call *call, const struct listing *listing,
                           const struct json *meta)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf text = {0};
    struct shape shape = call_shape(call);
    struct buf out = {0};
    json_write(meta, &text);
    shape_begin(&shape, buf_str(&text), &out);
    for (size_t i = 0; i < listing->n; i++) {
        if (i > 0)
            buf_add_char(&out, ',');
        shape_add(&shape, listing->at[i], &scratch, &out);
    }
    shape_end(&out);
    answer_buf(call, &out);
}

/* The past is gone: where a client that can live with a mixed list may go on. */
static void answer_list_gone(struct call *call, const struct list_options *options)
{
    if (options->after_name.len == 0) {
        answer_plain(call, 410, "Expired", "The resourceVersion for the provided list is too old.");
        return;
    }
    struct continue_token token = {0, options->after_ns, options->after_name};
    struct refusal refusal = {
        410, "Expired",
        STR("The provided continue parameter is too old to display a consistent list result. You "
            "can start a new list without the continue parameter, or use the continue token in "
            "this response to retrieve the remainder of the results. Continuing with the provided "
            "token results in an inconsistent list - objects that were created, modified, or "
            "deleted between the time the first chunk was returned and now may show up in the "
            "list."),
        NULL};
    struct json *status = status_json(&refusal, call->arena);
    json_add(json_get(status, STR("metadata")), STR("continue"),
             json_string(call->arena, continue_encode(&token, call->arena)));
    answer_json(call, 410, status);
}

/* Clients that wait for one object list and watch it by its name: no need to look at all. */
static int list_collect(struct call *call, struct listing *listing, struct err *err)
{
    const struct list_options *options = listing->options;
    struct store *store = call->api->store;
    str_t name = selector_name(options->fields);
    if (name.len > 0 && options->at_rv == 0 && options->after_name.len == 0 &&
        (call->ns.len > 0 || !call->kind->namespaced)) {
        const struct object *object = store_get(store, call->resource, call->ns, name);
        if (object != NULL)
            (void)list_one(listing, object);
        return 0;
    }
    struct store_list range = {call->resource, call->ns, options->after_ns, options->after_name,
                               options->at_rv};
    return store_each(store, &range, list_one, listing, err);
}

void api_list(struct call *call)
{
    struct list_options options;
    struct err err;
    if (list_options(call, &options) < 0)
        return;
    bool whole = selector_is_empty(options.labels) && selector_is_empty(options.fields);
    struct listing listing = {.api = call->api, .options = &options, .count_more = whole};
    uint64_t rv = options.at_rv > 0 ? options.at_rv : store_rv(call->api->store);
    if (list_collect(call, &listing, &err) < 0) {
        answer_list_gone(call, &options);
    } else {
        struct json *meta = list_meta(call, &listing, rv);
        answer_listing(call, &listing, meta);
    }
    listing_done(&listing);
}
