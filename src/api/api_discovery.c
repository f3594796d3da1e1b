/*
 * api_discovery.c - what there is: the old lists, and the aggregated document kubectl prefers.
 *
 * All documents, those of OpenAPI too, are made when the first is asked for, with their ETags, and
 * once more when kinds have come or gone. Who is being sent one keeps the old set alive.
 */
#include "api/api_priv.h"
#include "codec/base64.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_MAX = 8 };

struct document {
    struct document *next;
    str_t path;
    str_t content_type;
    str_t as; /* "", a media type with a "/", or the aggregated form the client must ask for. */
    str_t body;
    str_t etag;
};

struct documents {
    unsigned refs;
    struct document *first;
    struct arena arena;   /* Of what is sent. */
    struct arena scratch; /* Of the trees it is made from. */
};

static struct json *text(struct arena *arena, const char *z)
{
    return json_string(arena, str_from_z(z));
}

static str_t etag_of(str_t body, struct arena *arena)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < body.len; i++)
        hash = (hash ^ (unsigned char)body.at[i]) * 0x100000001b3u;
    return arena_printf(arena, "\"%016llX\"", (unsigned long long)hash);
}

str_t document_add_bytes(struct api *api, str_t path, str_t as, str_t content_type, str_t body)
{
    struct documents *all = api->documents;
    struct document *document = arena_new(&all->arena, struct document);
    *document = (struct document){.next = all->first,
                                  .path = arena_str(&all->arena, path),
                                  .as = arena_str(&all->arena, as),
                                  .content_type = arena_str(&all->arena, content_type),
                                  .body = arena_str(&all->arena, body)};
    document->etag = etag_of(document->body, &all->arena);
    all->first = document;
    return document->etag;
}

str_t document_add(struct api *api, str_t path, str_t as, str_t content_type,
                   const struct json *json)
{
    AUTO(buf_done) struct buf out = {0};
    json_write(json, &out);
    return document_add_bytes(api, path, as, content_type, buf_str(&out));
}

struct arena *documents_scratch(struct api *api)
{
    return &api->documents->scratch;
}

static void documents_unref(void *owner)
{
    struct documents *all = owner;
    if (all == NULL || --all->refs > 0)
        return;
    arena_done(&all->arena);
    free(all);
}

void documents_drop(struct api *api)
{
    documents_unref(api->documents);
    api->documents = NULL;
}

/* --- resources --- */

static struct json *words(const char *const *list, struct arena *arena)
{
    struct json *out = json_array(arena);
    for (; list != NULL && *list != NULL; list++)
        json_add(out, STR(""), text(arena, *list));
    return out;
}

static const char *const object_verbs[] = {
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch", NULL};
static const char *const namespace_verbs[] = {"create", "delete", "get",   "list",
                                              "patch",  "update", "watch", NULL};
static const char *const question_verbs[] = {"create", NULL};
static const char *const measured_verbs[] = {"get", "list", NULL};

static const char *const *verbs_of(const struct kind *kind)
{
    if (kind->only_create)
        return question_verbs;
    if (kind->only_read)
        return measured_verbs;
    return kind == &kind_namespace ? namespace_verbs : object_verbs;
}

/* Says to who moves stored objects when they would be stored as something else: a hash of what. */
static struct json *storage_hash(const struct kind *kind, struct arena *arena)
{
    str_t what = arena_printf(arena, "%s/%s/%s", kind->group, kind->version, kind->name);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)what.at, what.len, digest);
    return json_string(arena, base64_encode((str_t){(const char *)digest, 8}, arena));
}

static struct json *resource_row(const struct kind *kind, const char *sub, const struct kind *body,
                                 const char *const *verbs, struct arena *arena)
{
    struct json *row = json_object(arena);
    bool main = sub == NULL;
    json_add(row, STR("name"),
             main ? text(arena, kind->plural)
                  : json_string(arena, arena_printf(arena, "%s/%s", kind->plural, sub)));
    json_add(row, STR("singularName"), text(arena, main ? kind->singular : ""));
    json_add(row, STR("namespaced"), json_bool(arena, kind->namespaced));
    if (body != kind) {
        json_add(row, STR("group"), text(arena, body->group));
        json_add(row, STR("version"), text(arena, body->version));
    }
    json_add(row, STR("kind"), text(arena, body->name));
    json_add(row, STR("verbs"), words(verbs, arena));
    if (main && kind->shortcuts != NULL)
        json_add(row, STR("shortNames"), words(kind->shortcuts, arena));
    if (main && kind->categories != NULL)
        json_add(row, STR("categories"), words(kind->categories, arena));
    if (main && kind_is_stored(kind))
        json_add(row, STR("storageVersionHash"), storage_hash(kind, arena));
    return row;
}

static bool same_group(const struct kind *a, const struct kind *b)
{
    return strcmp(a->group, b->group) == 0 && strcmp(a->version, b->version) == 0;
}

/* Is it the first of its group and version in the list? */
static bool leads(const struct api *api, const struct kind *kind)
{
    const struct kind *const *at = api->kinds->at;
    while (!same_group(*at, kind))
        at++;
    return *at == kind;
}

static void resource_list(struct api *api, const struct kind *leader)
{
    struct arena *arena = documents_scratch(api);
    struct json *list = json_object(arena), *rows = json_array(arena);
    str_t version = kind_api_version(leader, arena);
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++) {
        if (!same_group(*kind, leader))
            continue;
        json_add(rows, STR(""), resource_row(*kind, NULL, *kind, verbs_of(*kind), arena));
        const struct subresource *sub;
        for (size_t i = 0; (sub = kind_subresource_at(*kind, i)) != NULL; i++)
            if (!sub->hidden)
                json_add(rows, STR(""),
                         resource_row(*kind, sub->name, sub->kind != NULL ? sub->kind : *kind,
                                      sub->verbs, arena));
    }
    json_add(list, STR("kind"), text(arena, "APIResourceList"));
    json_add(list, STR("apiVersion"), text(arena, "v1"));
    json_add(list, STR("groupVersion"), json_string(arena, version));
    json_add(list, STR("resources"), rows);
    bool core = leader->group[0] == '\0';
    document_add(api, arena_printf(arena, "%s" STR_F, core ? "/api/" : "/apis/", STR_A(version)),
                 STR(""), STR("application/json"), list);
}

/* v2 before v1 before v1beta1 before v1alpha1. */
static int version_rank(const char *version)
{
    int64_t number, minor;
    size_t digits = strspn(version + 1, "0123456789");
    const char *rest = version + 1 + digits;
    if (!str_to_i64((str_t){version + 1, digits}, &number))
        number = 0;
    if (!str_to_i64(str_from_z(rest + strcspn(rest, "0123456789")), &minor))
        minor = 0;
    bool beta = str_starts(str_from_z(rest), STR("beta"));
    return (*rest == '\0' ? 20000 : beta ? 10000 : 0) + (int)(number * 100 + minor);
}

static struct json *group_version(const struct kind *kind, struct arena *arena)
{
    struct json *out = json_object(arena);
    json_add(out, STR("groupVersion"), json_string(arena, kind_api_version(kind, arena)));
    json_add(out, STR("version"), text(arena, kind->version));
    return out;
}

/* The first kind of each version of this group, best version first. */
static size_t versions_of(const struct api *api, const char *group, const struct kind **out)
{
    size_t n = 0;
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL && n < VERSIONS_MAX;
         kind++) {
        if (strcmp((*kind)->group, group) != 0 || !leads(api, *kind))
            continue;
        size_t at = n++;
        for (; at > 0 && version_rank(out[at - 1]->version) < version_rank((*kind)->version); at--)
            out[at] = out[at - 1];
        out[at] = *kind;
    }
    return n;
}

static bool leads_group(const struct api *api, const struct kind *kind)
{
    const struct kind *const *at = api->kinds->at;
    while (strcmp((*at)->group, kind->group) != 0)
        at++;
    return *at == kind;
}

static struct json *group_of(const struct api *api, const char *group, struct arena *arena)
{
    const struct kind *versions[VERSIONS_MAX];
    size_t n = versions_of(api, group, versions);
    MUST(n > 0);
    struct json *out = json_object(arena), *list = json_array(arena);
    for (size_t i = 0; i < n; i++)
        json_add(list, STR(""), group_version(versions[i], arena));
    json_add(out, STR("name"), text(arena, group));
    json_add(out, STR("versions"), list);
    json_add(out, STR("preferredVersion"), group_version(versions[0], arena));
    return out;
}

static void version_lists(struct api *api)
{
    struct arena *arena = documents_scratch(api);
    struct json *core = json_object(arena), *groups = json_object(arena);
    struct json *cidr = json_object(arena), *list = json_array(arena);
    json_add(core, STR("kind"), text(arena, "APIVersions"));
    json_add(core, STR("versions"), json_add(json_array(arena), STR(""), text(arena, "v1")));
    json_add(cidr, STR("clientCIDR"), text(arena, "0.0.0.0/0"));
    json_add(cidr, STR("serverAddress"), text(arena, ""));
    json_add(core, STR("serverAddressByClientCIDRs"), json_add(json_array(arena), STR(""), cidr));
    document_add(api, STR("/api"), STR(""), STR("application/json"), core);
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++) {
        if ((*kind)->group[0] == '\0' || !leads_group(api, *kind))
            continue;
        struct json *group = json_object(arena);
        json_add(group, STR("kind"), text(arena, "APIGroup"));
        json_add(group, STR("apiVersion"), text(arena, "v1"));
        struct json *row = group_of(api, (*kind)->group, arena);
        JSON_EACH(row, member)
        json_add(group, member->key, json_clone(member, arena));
        json_add(list, STR(""), row);
        document_add(api, arena_printf(arena, "/apis/%s", (*kind)->group), STR(""),
                     STR("application/json"), group);
    }
    json_add(groups, STR("kind"), text(arena, "APIGroupList"));
    json_add(groups, STR("apiVersion"), text(arena, "v1"));
    json_add(groups, STR("groups"), list);
    document_add(api, STR("/apis"), STR(""), STR("application/json"), groups);
}

/* --- the aggregated form --- */

static struct json *response_kind(const struct kind *kind, struct arena *arena)
{
    struct json *out = json_object(arena);
    json_add(out, STR("group"), text(arena, kind->group));
    json_add(out, STR("version"), text(arena, kind->version));
    json_add(out, STR("kind"), text(arena, kind->name));
    return out;
}

static void add_subresource(struct json *list, const struct kind *kind, const char *name,
                            const char *const *verbs, struct arena *arena)
{
    struct json *sub = json_object(arena);
    json_add(sub, STR("subresource"), text(arena, name));
    json_add(sub, STR("responseKind"), response_kind(kind, arena));
    json_add(sub, STR("verbs"), words(verbs, arena));
    json_add(list, STR(""), sub);
}

static struct json *aggregated_row(const struct kind *kind, struct arena *arena)
{
    struct json *row = json_object(arena), *subs = json_array(arena);
    json_add(row, STR("resource"), text(arena, kind->plural));
    json_add(row, STR("responseKind"), response_kind(kind, arena));
    json_add(row, STR("scope"), text(arena, kind->namespaced ? "Namespaced" : "Cluster"));
    json_add(row, STR("singularResource"), text(arena, kind->singular));
    json_add(row, STR("verbs"), words(verbs_of(kind), arena));
    if (kind->shortcuts != NULL)
        json_add(row, STR("shortNames"), words(kind->shortcuts, arena));
    if (kind->categories != NULL)
        json_add(row, STR("categories"), words(kind->categories, arena));
    const struct subresource *sub;
    for (size_t i = 0; (sub = kind_subresource_at(kind, i)) != NULL; i++)
        if (!sub->hidden)
            add_subresource(subs, sub->kind != NULL ? sub->kind : kind, sub->name, sub->verbs,
                            arena);
    if (subs->first != NULL)
        json_add(row, STR("subresources"), subs);
    return row;
}

static struct json *aggregated_version(const struct api *api, const struct kind *leader,
                                       struct arena *arena)
{
    struct json *version = json_object(arena), *rows = json_array(arena);
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++)
        if (same_group(*kind, leader))
            json_add(rows, STR(""), aggregated_row(*kind, arena));
    json_add(version, STR("version"), text(arena, leader->version));
    json_add(version, STR("resources"), rows);
    json_add(version, STR("freshness"), text(arena, "Current"));
    return version;
}

static struct json *aggregated_group(const struct api *api, const char *name, struct arena *arena)
{
    const struct kind *versions[VERSIONS_MAX];
    size_t n = versions_of(api, name, versions);
    struct json *group = json_object(arena), *meta = json_object(arena), *list = json_array(arena);
    if (name[0] != '\0')
        json_add(meta, STR("name"), text(arena, name));
    json_add(meta, STR("creationTimestamp"), json_null(arena));
    json_add(group, STR("metadata"), meta);
    for (size_t i = 0; i < n; i++)
        json_add(list, STR(""), aggregated_version(api, versions[i], arena));
    json_add(group, STR("versions"), list);
    return group;
}

static void aggregated(struct api *api, bool core, const char *form)
{
    struct arena *arena = documents_scratch(api);
    struct json *list = json_object(arena), *items = json_array(arena);
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++)
        if (((*kind)->group[0] == '\0') == core && leads_group(api, *kind))
            json_add(items, STR(""), aggregated_group(api, (*kind)->group, arena));
    json_add(list, STR("kind"), text(arena, "APIGroupDiscoveryList"));
    json_add(list, STR("apiVersion"),
             json_string(arena, arena_printf(arena, "apidiscovery.k8s.io/%s", form)));
    json_add(list, STR("metadata"), json_object(arena));
    json_add(list, STR("items"), items);
    str_t type = arena_printf(
        arena, "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList", form);
    document_add(api, core ? STR("/api") : STR("/apis"), str_from_z(form), type, list);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str_t *)a, *(const str_t *)b);
}

/* What there is besides the documents. */
static const str_t other_paths[] = {
    STR("/.well-known/openid-configuration"),
    STR("/healthz"),
    STR("/livez"),
    STR("/metrics"),
    STR("/openid/v1/jwks"),
    STR("/readyz"),
    STR("/version"),
};

/* "/": where one can go. */
static void root_paths(struct api *api)
{
    struct arena *arena = documents_scratch(api);
    struct json *root = json_object(arena), *list = json_array(arena);
    size_t n = ARRAY_LEN(other_paths);
    for (struct document *each = api->documents->first; each != NULL; each = each->next)
        n++;
    str_t *paths = arena_array(arena, str_t, n);
    memcpy(paths, other_paths, sizeof(other_paths));
    n = ARRAY_LEN(other_paths);
    for (struct document *each = api->documents->first; each != NULL; each = each->next)
        paths[n++] = each->path;
    qsort(paths, n, sizeof(str_t), by_text);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !str_eq(paths[i], paths[i - 1])) /* One document may have several forms. */
            json_add(list, STR(""), json_string(arena, paths[i]));
    json_add(root, STR("paths"), list);
    document_add(api, STR("/"), STR(""), STR("application/json"), root);
}

static void documents_make(struct api *api)
{
    api->documents = calloc(1, sizeof(*api->documents));
    MUST(api->documents != NULL);
    api->documents->refs = 1;
    version_lists(api);
    for (const struct kind *const *kind = api->kinds->at; *kind != NULL; kind++)
        if (leads(api, *kind))
            resource_list(api, *kind);
    aggregated(api, true, "v2beta1");
    aggregated(api, false, "v2beta1");
    aggregated(api, true, "v2"); /* Made last, found first. */
    aggregated(api, false, "v2");
    openapi_make(api);
    root_paths(api);
    arena_done(&api->documents->scratch);
    api->documents->scratch = (struct arena){0};
}

static bool is_media_type(str_t form)
{
    return memchr(form.at, '/', form.len) != NULL;
}

/* Does the client take this form? The plain one always; others when named. */
static bool form_wanted(str_t accept, str_t form)
{
    if (form.len == 0)
        return true;
    while (accept.len > 0) {
        str_t range, param;
        bool group = false, version = false;
        str_cut(accept, ',', &range, &accept);
        if (is_media_type(form)) {
            if (str_eq(str_trim(range), form))
                return true;
            continue;
        }
        while (range.len > 0) {
            str_cut(range, ';', &param, &range);
            param = str_trim(param);
            group = group || str_eq(param, STR("g=apidiscovery.k8s.io"));
            version = version || (str_starts(param, STR("v=")) && param.len == form.len + 2 &&
                                  memcmp(param.at + 2, form.at, form.len) == 0);
        }
        if (group && version)
            return true;
    }
    return false;
}

bool document_answer(struct call *call)
{
    str_t path = call->x->path;
    while (path.len > 1 && path.at[path.len - 1] == '/')
        path.len--;
    str_t accept = http_get(call->x, STR("Accept"));
    if (call->api->documents == NULL)
        documents_make(call->api);
    struct documents *all = call->api->documents;
    for (const struct document *document = all->first; document != NULL;
         document = document->next) {
        if (!str_eq(document->path, path) || !form_wanted(accept, document->as))
            continue;
        struct http_field fields[] = {
            {STR("Content-Type"), document->content_type},
            {STR("ETag"), document->etag},
            {STR("Vary"), STR("Accept")},
            {STR("Cache-Control"), STR("public")},
        };
        bool same = str_eq(http_get(call->x, STR("If-None-Match")), document->etag);
        struct http_bytes body = {same ? STR("") : document->body, documents_unref, all};
        all->refs++;
        call_answer(call, same ? 304 : 200, fields, ARRAY_LEN(fields), body);
        return true;
    }
    return false;
}
