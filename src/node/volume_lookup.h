/*
 * volume_lookup.h - asks the API for the claims, their PersistentVolumes and the tokens that the
 * volumes of a pod need. ConfigMaps and Secrets are the caller's to fill in.
 *
 * Tokens are kept until they are to be renewed, so that what asks again because a ConfigMap has
 * changed gets the same one. Used from the loop's thread.
 */
#pragma once

#include "control/remote.h"
#include "node/volume.h"

struct volume_lookup;

struct volume_lookup *volume_lookup_new(struct remote *remote, struct loop *loop);
void volume_lookup_free(struct volume_lookup *lookup); /* No ask may be under way. */

struct volume_ask {             /* The caller's, in place until done() or volume_ask_cancel(). */
    const struct json *pod;     /* In place, too. */
    struct volume_needs *needs; /* Fresh of volume_needs(); filled in. */
    struct arena *arena;        /* Where what is found lives. */
    /*
     * Never from within volume_ask_run(). What is not there is left NULL, and volumes_make() says
     * so; r < 0 is for all else: the API could not be asked, or refused.
     */
    void (*done)(struct volume_ask *ask);
    int r;
    struct err err;
    msec_t renew_ms; /* By the loop's clock: when to ask again for a token; 0: never. */

    /* The rest is volume_lookup.c's. */
    struct volume_lookup *lookup;
    size_t next;
    struct remote_call call;
    struct buf body;
    struct timer timer;
};

void volume_ask_run(struct volume_lookup *lookup, struct volume_ask *ask);
void volume_ask_cancel(struct volume_ask *ask);                     /* Also of one that is over. */
void volume_lookup_forget(struct volume_lookup *lookup, str_t uid); /* The pod is gone. */
