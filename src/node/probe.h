/*
 * probe.h - one question to a container, as kubelet asks it: HTTP, TCP, gRPC or a command; also
 * what lifecycle hooks do, which is the same.
 *
 * https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 */
#pragma once

#include "base/json.h"
#include "net/loop.h"

enum { PROBE_BODY_MAX = 10 * 1024, PROBE_WORDS_MAX = 512 };

struct pod_host;

struct probe_target {
    const struct pod_host *host;
    const char *ip;               /* Where it is asked by default. */
    const char *container_id;     /* For commands. */
    const struct json *container; /* Its ports have names; only while it begins. */
    bool any_status;              /* Of HTTP: that there is an answer is enough. */
};

struct probe;

/*
 * `how` is the probe's object: the first of exec, httpGet, tcpSocket, grpc, sleep in it counts.
 * done() is called once, never from within, with what to tell of a failure ("" if all is well);
 * then the probe frees itself.
 */
struct probe *probe_begin(const struct probe_target *target, const struct json *how,
                          msec_t limit_ms, void (*done)(void *self, bool fine, const char *words),
                          void *self);
void probe_forget(struct probe *probe); /* done() is not called. NULL-safe. */

/* A number or the name of one of the container's ports; 0: there is none. */
uint16_t probe_port(const struct json *port, const struct json *container);
