/*
 * streams.h - what people do with running containers, on the paths of a kubelet: /exec, /attach,
 * /portForward and /containerLogs. Who may was decided by the API, which alone can connect.
 */
#pragma once

#include "http/http.h"
#include "net/pool.h"
#include "node/pods.h"
#include "runtime/runtime.h"

struct streams_host {
    void *self;
    struct loop *loop;
    struct pool *pool; /* For connecting inside of a pod's network. */
    const char *logs_dir;
    int (*find)(void *self, str_t ns, str_t pod, str_t container, struct pod_place *out,
                struct err *err);
    void (*exec)(void *self, struct runtime_call *call, str_t id, const struct exec_spec *exec,
                 void (*done)(struct runtime_call *call));
    int (*attach)(void *self, str_t id, int *fd, struct err *err);
};

/* For an http_server; `self` is a struct streams_host that stays. */
void streams_head(void *self, struct exchange *x);
