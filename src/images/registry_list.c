/* registry_list.c - which repositories there are, and which tags: names that begin with ours. */
#include "images/registry_priv.h"

#include <string.h>

enum { PAGE_MAX = 10000 };

static struct page page_of(const struct exchange *x, struct arena *arena)
{
    struct page out = {.last = STR(""), .n = PAGE_MAX};
    str_t text;
    if (http_query_get(x, STR("last"), &text))
        out.last = arena_str(arena, text);
    if (http_query_get(x, STR("n"), &text) &&
        (!str_to_i64(text, &out.n) || out.n < 0 || out.n > PAGE_MAX))
        out.n = PAGE_MAX;
    return out;
}

/* "REPO", "TAG" of one of our names. */
static bool split(const struct registry *registry, str_t name, str_t *repository, str_t *tag)
{
    size_t len = strlen(registry->name), at = name.len;
    if (name.len <= len || memcmp(name.at, registry->name, len) != 0 || name.at[len] != '/')
        return false;
    while (at > len && name.at[at - 1] != ':' && name.at[at - 1] != '/' && name.at[at - 1] != '@')
        at--;
    bool tagged = name.at[at - 1] == ':';
    size_t digest = name.len > 71 ? name.len - 72 : 0; /* "@sha256:..." */
    if (digest > len && name.at[digest] == '@') {
        tagged = false;
        at = digest + 1;
    }
    *repository = (str_t){name.at + len + 1, at - len - 2};
    *tag = tagged ? (str_t){name.at + at, name.len - at} : STR("");
    return true;
}

/* `more`: a Link to what comes behind `last` (RFC 8288), as the specification wants it. */
static void finish(struct visit *visit, const struct json *json, str_t path, str_t last, bool more)
{
    AUTO(buf_done) struct buf out = {0};
    if (more)
        visit->link_field =
            arena_printf(&visit->arena, "<" STR_F "?last=" STR_F "&n=%lld>; rel=\"next\"",
                         STR_A(path), STR_A(last), (long long)visit->page.n);
    json_write(json, &out);
    visit->body = arena_str(&visit->arena, buf_str(&out));
}

static void catalog_work(struct visit *visit)
{
    const struct page *page = &visit->page;
    struct named *all;
    size_t n = names_all(&visit->registry->settings.images->names, &visit->arena, &all);
    struct json *list = json_array(&visit->arena), *out = json_object(&visit->arena);
    str_t before = STR(""), repository, tag;
    int64_t given = 0;
    bool more = false;
    for (size_t i = 0; i < n && !more; i++) {
        if (!split(visit->registry, str_from_z(all[i].name), &repository, &tag) ||
            str_eq(repository, before) || str_cmp(repository, page->last) <= 0)
            continue;
        more = given == page->n;
        if (more)
            break;
        json_add(list, STR(""), json_string(&visit->arena, repository));
        before = repository;
        given++;
    }
    finish(visit, json_add(out, STR("repositories"), list), STR("/v2/_catalog"), before, more);
}

static void tags_work(struct visit *visit)
{
    const struct page *page = &visit->page;
    struct named *all;
    size_t n = names_all(&visit->registry->settings.images->names, &visit->arena, &all);
    struct json *list = json_array(&visit->arena), *out = json_object(&visit->arena);
    str_t last = STR(""), repository, tag;
    int64_t given = 0;
    bool known = false, more = false;
    for (size_t i = 0; i < n && !more; i++) {
        if (!split(visit->registry, str_from_z(all[i].name), &repository, &tag) ||
            !str_eq(repository, visit->repository))
            continue;
        known = true;
        if (tag.len == 0 || str_cmp(tag, page->last) <= 0)
            continue;
        more = given == page->n;
        if (more)
            break;
        json_add(list, STR(""), json_string(&visit->arena, tag));
        last = tag;
        given++;
    }
    if (!known)
        visit_fail(visit, 404, "NAME_UNKNOWN", "repository name not known to registry");
    json_add(out, STR("name"), json_string(&visit->arena, visit->repository));
    str_t path = arena_printf(&visit->arena, "/v2/" STR_F "/tags/list", STR_A(visit->repository));
    finish(visit, json_add(out, STR("tags"), list), path, last, more);
}

static void tell(struct visit *visit)
{
    struct exchange *x = visit->x;
    struct http_field fields[] = {{STR("Content-Type"), STR("application/json")},
                                  {STR("Link"), arena_str(x->arena, visit->link_field)}};
    http_answer(x, 200, fields, visit->link_field.len > 0 ? 2 : 1,
                (struct http_bytes){.bytes = arena_str(x->arena, visit->body)});
}

static void run(struct registry *registry, struct exchange *x, const struct registry_route *route,
                void (*work)(struct visit *visit))
{
    if (x->method != HTTP_GET && x->method != HTTP_HEAD) {
        registry_refuse(x, 405, "UNSUPPORTED", "the operation is unsupported");
        return;
    }
    struct visit *visit = visit_new(registry, x, route);
    visit->page = page_of(x, &visit->arena);
    visit_run(visit, work, tell);
}

void registry_catalog(struct registry *registry, struct exchange *x,
                      const struct registry_route *route)
{
    run(registry, x, route, catalog_work);
}

void registry_tags(struct registry *registry, struct exchange *x,
                   const struct registry_route *route)
{
    run(registry, x, route, tags_work);
}
