/* pull.h - an image from a registry, in the store at the end or not at all. Blocks; any thread. */
#pragma once

#include "images/images_priv.h"

/* `text`: the whole error as a kubelet would say it, in the arena; err has its beginning. */
int image_pull(struct images *images, const struct images_pull_want *want, struct arena *arena,
               struct image *out, str_t *text, struct err *err);
