/*
 * configs.h - the ConfigMaps and Secrets that pods of this node use: each is followed by itself
 * for as long as a pod holds it, so that a node knows no Secret that it does not need.
 */
#pragma once

#include "control/remote.h"
#include "node/host.h"

struct configs;

enum { CONFIGS_WAIT_MS = 60000 };

struct configs_settings {
    struct remote *remote;
    struct loop *loop;
    const struct log *log;
    void *self;
    void (*changed)(void *self, str_t uid); /* What this pod holds is another now, or gone. */
};

struct configs *configs_new(const struct configs_settings *settings);
void configs_free(struct configs *configs); /* No step may be waiting. */

/*
 * The pod holds these from now on. done() when of each is known what it is, or that it is not
 * there; ERR_TIMEOUT if the API did not say within CONFIGS_WAIT_MS.
 */
void configs_hold(struct configs *configs, struct step *step, str_t uid, str_t ns,
                  const struct config_ref *refs, size_t n);
void configs_release(struct configs *configs, str_t uid); /* All that it holds. */

/* The object as the API has it now; NULL: it is not there, or nobody holds it. */
struct json *configs_object(const struct configs *configs, bool secret, str_t ns, str_t name,
                            struct arena *arena);
/* Its `data` as an object of texts; a Secret's are decoded and may hold any bytes. */
struct json *configs_data(const struct configs *configs, bool secret, str_t ns, str_t name,
                          struct arena *arena);
