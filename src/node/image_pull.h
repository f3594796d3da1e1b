/*
 * image_pull.h - an image for a pod from its registry, with what the pod's imagePullSecrets say.
 */
#pragma once

#include "images/images.h"
#include "node/configs.h"
#include "node/host.h"

struct image_pull { /* The caller's, in place until done(). */
    void (*done)(struct image_pull *pull);
    struct images_call call; /* Its outcome; images_call_done() is the caller's. */
    /* The rest is image_pull.c's. */
    struct images *images;
    struct configs *configs;
    struct images_pull_want want;
    struct reference reference;
    struct step step;
    struct arena arena;
    str_t ns;
    str_t *secrets;
    size_t n_secrets;
};

/* A Secret that is not there or is of another kind is none, as kubelet has it. */
void image_pull_run(struct image_pull *pull, struct images *images, struct configs *configs,
                    const struct image_want *want, void (*done)(struct image_pull *pull));
