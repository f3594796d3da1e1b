/*
 * remote_watch.h - one watch request: its lines, as they come, until it ends.
 *
 * Watches are streams beside the calls; past REMOTE_WATCHES of them another connection is made,
 * because a server allows a hundred or so at once and calls must not wait for watches to end.
 */
#pragma once

#include "control/remote_priv.h"

enum { REMOTE_WATCHES = 64, REMOTE_LINE_MAX = 16 << 20, REMOTE_QUIET_MS = 180000 };

struct remote_watch {
    void (*line)(struct remote_watch *watch, str_t line); /* A view; may stop the watch. */
    /*
     * Last, and never from within a call of ours: 0 when the server has ended it, ERR_GONE when it
     * no longer knows that version; what was refused or broke otherwise. Silence of
     * REMOTE_QUIET_MS, in which two bookmarks would have come, is ERR_TIMEOUT.
     */
    void (*over)(struct remote_watch *watch, int r, const struct err *err);

    struct remote *remote; /* NULL: not under way. */
    struct remote_line *on;
    struct http_call http;
    struct http_field fields[2];
    struct buf heard; /* The beginning of a line; of a refusal, its body. */
    char *target;
    struct timer timer; /* Silence, or what is to be told later. */
    struct err err;
    int r, status;
    bool in_line; /* line() is on the stack. */
    bool stopped; /* By it. */
    bool sending;
};

void remote_watch_start(struct remote *remote, struct remote_watch *watch, const struct kind *kind,
                        str_t ns, str_t query);
void remote_watch_stop(struct remote_watch *watch); /* over() is not called. */
