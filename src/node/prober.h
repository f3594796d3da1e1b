/*
 * prober.h - startup, liveness and readiness of a container that runs, asked from outside.
 */
#pragma once

struct container;
struct json;
struct prober;

/* It has started: its probes begin. They set `started`, `ready` and `unhealthy`. */
void prober_begin(struct container *c, const struct json *pod, const struct json *container);
void prober_end(struct container *c); /* No more, whatever is under way. */
void prober_free(struct prober *prober);
