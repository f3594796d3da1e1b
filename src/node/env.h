/*
 * env.h - the environment of a container: of its image, of Services, of ConfigMaps, Secrets and
 * the pod itself, in this order; what comes later wins. Pure.
 */
#pragma once

#include "node/downward.h"
#include "node/expand.h"

struct env_sources {
    struct downward pod;
    const struct json *container;
    struct variables image;    /* Of its config. */
    struct variables services; /* Of service_variables(). */
    /* `data` of a ConfigMap or (decoded) Secret of the pod's namespace; NULL if there is none. */
    const struct json *(*data)(void *self, bool secret, str_t name);
    void *self;
};

/*
 * ERR_NOT_FOUND, in kubelet's words, if a ConfigMap or Secret is not there (yet) or has no such
 * key: 'configmap "web" not found', "couldn't find key url in ConfigMap default/web".
 */
int env_make(const struct env_sources *from, struct arena *arena, struct variables *out,
             struct err *err);

/* WEB_SERVICE_HOST, WEB_PORT_80_TCP ... of one Service; nothing of those without an address. */
void service_variables(const struct json *service, struct arena *arena, struct variables *out);
