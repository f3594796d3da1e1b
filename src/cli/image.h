/* image.h - `davy image`. */
#pragma once

#include "base/arena.h"

extern const char image_usage[];

/* The words behind `image`; gives the exit code. `output` NULL: the standard output. */
int image_command(str_t dir, const char *const *words, size_t n, const char *output,
                  struct arena *arena);
