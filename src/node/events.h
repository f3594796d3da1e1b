/*
 * events.h - what the node tells people about pods and about itself: Events, as kubelet's.
 *
 * What is said again counts up the Event that is there, and no more often than every ten seconds.
 * Nobody depends on Events: they are written one after the other, and those past EVENTS_WAITING_MAX
 * are left out.
 */
#pragma once

#include "control/remote.h"

struct events;

enum { EVENTS_WAITING_MAX = 256, EVENTS_KNOWN_MAX = 128, EVENT_AGAIN_MS = 10000 };

struct event_about {
    const char *kind;
    str_t ns, name, uid, rv; /* `ns` "": of the cluster. */
    str_t field_path;        /* "spec.containers{web}" or "". */
};

struct events *events_new(struct remote *remote, struct loop *loop, const char *node_name);
void events_free(struct events *events); /* What waits is left out. */
void events_tell(struct events *events, const struct event_about *about, bool warning,
                 const char *reason, str_t message);
