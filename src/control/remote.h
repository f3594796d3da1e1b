/*
 * remote.h - the API over HTTP, for roles that are processes of their own: one object or list a
 * call. What changes is followed by control/reflector.h.
 *
 * Calls are streams of one HTTP/2 connection and end in any order. One that the API did not get to
 * see, or whose answer was lost, ends with ERR_IO or ERR_TIMEOUT: nobody knows then whether it was
 * done, and whoever made it looks again. Used from the loop's thread.
 */
#pragma once

#include "base/log.h"
#include "http/client.h"
#include "kube/kind.h"

struct remote;

enum { REMOTE_ANSWER_MAX = 64 << 20, REMOTE_CALL_MS = 30000 };

struct remote_settings {
    struct loop *loop;
    struct http_client_settings http; /* Where it is; `http2` and times are set here. */
    const char *user_agent;           /* "davy-node" */
};

int remote_new(const struct remote_settings *settings, struct remote **out, struct err *err);
void remote_free(struct remote *remote); /* Calls under way are cancelled. */

enum remote_verb {
    REMOTE_GET, /* Of all, without a name: a list. */
    REMOTE_CREATE,
    REMOTE_UPDATE,
    REMOTE_MERGE,     /* A JSON merge patch, */
    REMOTE_STRATEGIC, /* Kubernetes' own, */
    REMOTE_APPLY,     /* and server-side apply: `query` says fieldManager. */
    REMOTE_DELETE,
};

struct remote_call { /* The caller's, in place until done() or remote_cancel(). */
    enum remote_verb verb;
    const struct kind *kind;
    str_t ns, name;
    const char *subresource; /* NULL: the object itself. */
    str_t query;             /* As it stands in a URL; may be "". */
    str_t body;              /* JSON, in place too; DELETE: DeleteOptions or "". */
    /* Once, never from within remote_send(): 0, or what the API or the way to it said. */
    void (*done)(struct remote_call *call, int r, const struct err *err);
    int status;   /* Of HTTP; 0: there was no answer. */
    str_t answer; /* JSON; ends with done(). */

    /* The rest is remote.c's. */
    struct remote *remote;
    struct list link;
    struct http_call http;
    struct http_field fields[3];
    struct timer timer;
    struct buf heard;
    char *target;
    struct err err;
    int r;
    bool sending, over;
};

void remote_send(struct remote *remote, struct remote_call *call);
void remote_cancel(struct remote_call *call); /* Also of one that is over, or was never sent. */

/* Appends `text` as it may stand in a query's value. */
void remote_escape(str_t text, struct buf *out);
