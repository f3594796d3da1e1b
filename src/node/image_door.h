/*
 * image_door.h - images for people at this machine, on the node's own socket. Only root may:
 *
 *     GET /images                             all of them
 *     POST /images/import?path=FILE           of a file on this machine
 *     POST /images/pull?name=NAME             of its registry, as nobody
 *     POST /images/save?name=NAME&path=FILE   to one
 *     POST /images/tag?name=NAME&as=NAME      one more name
 *     POST /images/prune                      what no name and no container needs
 *     DELETE /images?name=NAME                a name
 *
 * Answers {"images": [{"name", "id", "bytes", "used_ms"}], "freed": n}, or {"error": text}.
 */
#pragma once

#include "http/http.h"
#include "images/images.h"

struct image_door {
    struct images *images;
    void *self;
    /* Manifests that containers stand on, whatever they are called; see images_prune(). */
    size_t (*used)(void *self, struct arena *arena, str_t **manifests);
};

/* True: the path was one of these. */
bool image_door_head(struct image_door *door, struct exchange *x);
