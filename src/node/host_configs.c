/* host_configs.c - what pods are told by the API: ConfigMaps, Secrets, Services. */
#include "control/reflector.h"
#include "node/host_priv.h"

static void configs(void *self, struct step *step, str_t uid, str_t ns,
                    const struct config_ref *refs, size_t n)
{
    configs_hold(((struct host *)self)->configs, step, uid, ns, refs, n);
}

static const struct json *config(void *self, bool secret, str_t ns, str_t name, struct arena *arena)
{
    return configs_data(((struct host *)self)->configs, secret, ns, name, arena);
}

struct visit {
    str_t ns;
    void (*each)(void *to, const struct json *service);
    void *to;
    struct arena *arena;
};

static void visit(void *self, const struct reflected *service)
{
    const struct visit *visit = self;
    bool kubernetes =
        str_eq(service->ns, STR("default")) && str_eq(service->name, STR("kubernetes"));
    struct json *tree;
    struct err err;
    if ((!kubernetes && !str_eq(service->ns, visit->ns)) ||
        json_parse(arena_str(visit->arena, service->text), visit->arena, &tree, &err) < 0)
        return;
    visit->each(visit->to, tree);
}

/* Those of the namespace, and the API's own. */
static void each_service(void *self, str_t ns, void (*each)(void *to, const struct json *service),
                         void *to, struct arena *arena)
{
    const struct host *host = self;
    struct visit all = {ns, each, to, arena};
    reflector_each(host->services, visit, &all);
}

void host_configs_fill(struct host *host)
{
    host->ops.configs = configs;
    host->ops.config = config;
    host->ops.each_service = each_service;
}
