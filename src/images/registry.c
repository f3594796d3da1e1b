/* registry.c - a registry's life, what all answers have in common, and who answers what. */
#include "images/registry.h"

#include "images/registry_priv.h"

#include <stdlib.h>
#include <string.h>

enum { THREADS = 2 };

/* --- answers --- */

#define VERSION_FIELD                                                                              \
    {                                                                                              \
        STR("Docker-Distribution-API-Version"), STR("registry/2.0")                                \
    }

void registry_refuse(struct exchange *x, int status, const char *code, const char *text)
{
    AUTO(buf_done) struct buf out = {0};
    struct json *one = json_object(x->arena), *list = json_array(x->arena);
    json_add(one, STR("code"), json_string(x->arena, str_from_z(code)));
    json_add(one, STR("message"), json_string(x->arena, str_from_z(text)));
    struct json *all = json_object(x->arena);
    json_write(json_add(all, STR("errors"), json_add(list, STR(""), one)), &out);
    struct http_field fields[] = {{STR("Content-Type"), STR("application/json")}, VERSION_FIELD};
    http_answer(x, status, fields, ARRAY_LEN(fields),
                (struct http_bytes){.bytes = arena_str(x->arena, buf_str(&out))});
}

void registry_answer(struct exchange *x, int status, const struct http_field *fields, size_t n)
{
    struct http_field *all = arena_array(x->arena, struct http_field, n + 1);
    all[0] = (struct http_field)VERSION_FIELD;
    if (n > 0)
        memcpy(all + 1, fields, n * sizeof(*all));
    http_answer(x, status, all, n + 1, (struct http_bytes){0});
}

/* --- visits --- */

static void visit_free(struct visit *visit)
{
    list_remove(&visit->link);
    arena_done(&visit->arena);
    free(visit);
}

static void visit_gone(struct exchange *x)
{
    struct visit *visit = x->self;
    visit->x = NULL;
    if (!visit->running)
        visit_free(visit);
}

struct visit *visit_new(struct registry *registry, struct exchange *x,
                        const struct registry_route *route)
{
    struct visit *visit = calloc(1, sizeof(*visit));
    MUST(visit != NULL);
    visit->registry = registry;
    visit->x = x;
    visit->repository = arena_str(&visit->arena, route->repository);
    visit->reference = arena_str(&visit->arena, route->reference);
    list_add_before(&registry->visits, &visit->link);
    x->self = visit;
    x->on_gone = visit_gone;
    return visit;
}

static void work(struct job *job)
{
    struct visit *visit = CONTAINER_OF(job, struct visit, job);
    visit->work(visit);
}

static void worked(struct job *job)
{
    struct visit *visit = CONTAINER_OF(job, struct visit, job);
    struct exchange *x = visit->x;
    if (x != NULL) {
        x->on_gone = NULL;
        if (visit->error.status != 0)
            registry_refuse(x, visit->error.status, visit->error.code,
                            arena_str(x->arena, visit->error.text).at);
        else
            visit->tell(visit);
    }
    visit_free(visit);
}

void visit_run(struct visit *visit, void (*work_it)(struct visit *visit),
               void (*tell)(struct visit *visit))
{
    visit->running = true;
    visit->work = work_it;
    visit->tell = tell;
    visit->job.work = work;
    visit->job.done = worked;
    pool_run(visit->registry->pool, &visit->job);
}

str_t visit_name(const struct visit *visit, str_t reference)
{
    return arena_printf((struct arena *)&visit->arena, "%s/" STR_F "%c" STR_F,
                        visit->registry->name, STR_A(visit->repository),
                        digest_is_valid(reference) ? '@' : ':', STR_A(reference));
}

void visit_fail(struct visit *visit, int status, const char *code, const char *text)
{
    visit->error = (struct registry_error){status, code, arena_printf(&visit->arena, "%s", text)};
}

/* --- its life --- */

static void root(struct registry *registry, struct exchange *x, const struct registry_route *route)
{
    (void)registry;
    (void)route;
    struct http_field fields[] = {{STR("Content-Type"), STR("application/json")}, VERSION_FIELD};
    http_answer(x, 200, fields, ARRAY_LEN(fields), (struct http_bytes){.bytes = STR("{}")});
}

static void nothing(struct registry *registry, struct exchange *x,
                    const struct registry_route *route)
{
    (void)registry;
    if (route->thing == REGISTRY_BAD_NAME)
        registry_refuse(x, 400, "NAME_INVALID", "invalid repository name");
    else
        registry_refuse(x, 404, "UNSUPPORTED", "there is no such path in a registry");
}

static void head(void *self, struct exchange *x)
{
    static void (*const things[])(struct registry *, struct exchange *,
                                  const struct registry_route *) = {
        [REGISTRY_NOTHING] = nothing,
        [REGISTRY_BAD_NAME] = nothing,
        [REGISTRY_ROOT] = root,
        [REGISTRY_CATALOG] = registry_catalog,
        [REGISTRY_TAGS] = registry_tags,
        [REGISTRY_MANIFEST] = registry_manifest,
        [REGISTRY_BLOB] = registry_blob,
        [REGISTRY_UPLOADS] = registry_uploads,
        [REGISTRY_UPLOAD] = registry_upload,
    };
    struct registry_route route = registry_route(x->path);
    if (http_get(x, STR("Origin")).len > 0 || http_get(x, STR("Sec-Fetch-Site")).len > 0) {
        registry_refuse(x, 403, "DENIED", "this registry does not speak to browsers");
        return;
    }
    things[route.thing](self, x, &route);
}

struct http_handler registry_handler(struct registry *registry)
{
    return (struct http_handler){registry, head};
}

int registry_open(const struct registry_settings *settings, struct registry **out, struct err *err)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    MUST(registry != NULL);
    registry->settings = *settings;
    registry->name = strdup(settings->name);
    MUST(registry->name != NULL);
    list_init(&registry->visits);
    list_init(&registry->uploads);
    list_init(&registry->sendings);
    if (pool_new(settings->loop, THREADS, &registry->pool, err) < 0) {
        registry_close(registry);
        return err->code;
    }
    *out = registry;
    return 0;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    if (registry->pool != NULL)
        pool_free(registry->pool);
    LIST_EACH(&registry->visits, item)
        visit_free(CONTAINER_OF(item, struct visit, link));
    uploads_close(registry);
    sendings_close(registry);
    free(registry->name);
    free(registry);
}
