/* image_keeper.h - the disk does not fill up with images: it is looked at every few minutes. */
#pragma once

#include "base/log.h"
#include "images/images.h"

struct image_keeper;

struct image_keeper_settings {
    struct images *images;
    struct loop *loop;
    const struct log *log;
    unsigned high_percent; /* Of the disk in use, from which on images go; 100: never. */
    void *self;
    size_t (*used)(void *self, struct arena *arena, str_t **manifests); /* See images_prune(). */
};

struct image_keeper *image_keeper_new(const struct image_keeper_settings *settings);
void image_keeper_free(struct image_keeper *keeper); /* After the store's pool. */
