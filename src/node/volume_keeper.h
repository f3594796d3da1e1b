/*
 * volume_keeper.h - removes provisioned volumes of this node when their claims are gone: first what
 * is in them, then the PersistentVolume. What is not ours, or is to be retained, stays.
 */
#pragma once

#include "base/json.h"
#include "base/log.h"
#include "control/remote.h"

struct volume_keeper;

struct volume_keeper_settings {
    struct loop *loop;
    const struct log *log;
    struct remote *remote;
    const char *node;  /* Its kubernetes.io/hostname. */
    const char *store; /* See volume.h. */
};

int volume_keeper_new(const struct volume_keeper_settings *settings, struct volume_keeper **out,
                      struct err *err);
void volume_keeper_free(struct volume_keeper *keeper); /* Waits for a removal that is under way. */

enum volume_end {
    VOLUME_STAYS,
    VOLUME_EMPTY,  /* Its files go, */
    VOLUME_LET_GO, /* then our finalizer, */
    VOLUME_DELETE, /* then the object. */
};
/* What is next for this PersistentVolume. Pure. */
enum volume_end volume_end_of(const struct json *volume, str_t node);
