/* hook.c - lifecycle hooks: a command, a request, a connection or a rest, as probes do them. */
#include "node/pod.h"
#include "node/probe.h"

void container_hook(struct container *c, const struct json *container, const struct json *hook,
                    msec_t limit_ms, void (*done)(void *self, bool fine, const char *words))
{
    const struct pod *pod = c->pod;
    const struct pod_host *host = &pod->pods->host;
    struct probe_target target = {.host = host,
                                  .ip = pod->ground.ip[0] != '\0' ? pod->ground.ip : host->host_ip,
                                  .container_id = pod->facts[c->at].id,
                                  .container = container,
                                  .any_status = true};
    MUST(c->hook == NULL);
    c->hook = probe_begin(&target, hook, limit_ms, done, c);
}

void container_hook_end(struct container *c)
{
    probe_forget(c->hook);
    c->hook = NULL;
}
