/*
 * reflector.h - objects of one kind as the API has them, kept here and followed.
 *
 * A list, then a watch from where it ended. When the watch ends it goes on from the last version
 * that was seen; when the API no longer has the changes since then, all is listed again and what
 * differs is told. So a subscriber hears of every object that is there and of every one that went
 * away, in the order of versions for each; several changes may come as one. An object that was
 * made anew under its name is told as gone and then as set.
 *
 * It never gives up: what fails is tried again after a delay that doubles. One small watch costs
 * its share of a connection; nothing wakes up while nothing happens, but for a bookmark a minute.
 */
#pragma once

#include "control/remote.h"

struct reflector;

struct reflected { /* Views that end with the call, or with the next change. */
    str_t ns, name, uid, rv;
    str_t text; /* JSON; "" where it is not kept. */
};

struct reflector_settings {
    struct remote *remote;
    const struct log *log;
    const struct kind *kind;
    str_t ns;             /* "": all. */
    str_t fields, labels; /* Selectors, as kubectl takes them; may be "". */
    /*
     * How much text is kept, all together. What is past that is known by its names only, and is
     * told with its text once, when it changes; 0: none is kept.
     */
    size_t bytes_max;
    /* None may free the reflector. Each may be NULL. */
    void *self;
    void (*set)(void *self, const struct reflected *object, bool is_new);
    void (*gone)(void *self, const struct reflected *object); /* As it was last. */
    void (*synced)(void *self); /* All of a list has been told; of each list. */
};

struct reflector *reflector_new(const struct reflector_settings *settings);
void reflector_free(struct reflector *reflector); /* Before its remote. */

bool reflector_synced(const struct reflector *reflector); /* Since the first list. */
bool reflector_get(const struct reflector *reflector, str_t ns, str_t name, struct reflected *out);
/* In no order. `each` may not change anything. */
void reflector_each(const struct reflector *reflector,
                    void (*each)(void *self, const struct reflected *object), void *self);
size_t reflector_count(const struct reflector *reflector);
size_t reflector_bytes(const struct reflector *reflector); /* Of text that is kept. */
