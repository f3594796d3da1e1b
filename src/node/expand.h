/*
 * expand.h - "$(NAME)" in commands, arguments and values of a container, as Kubernetes reads it
 * (third_party/forked/golang/expansion): "$$" is a dollar, a name that there is not stays as it is.
 */
#pragma once

#include "base/arena.h"

struct variable {
    str_t name, value;
};

struct variables { /* In order; of a name the last counts. In an arena. */
    struct variable *at;
    size_t n, cap;
    size_t *slots; /* By the name's hash: a place in `at`, counted from 1. Twice as many as cap. */
    const struct variables *below; /* Where variables_get() looks next. */
};

void variables_set(struct variables *vars, str_t name, str_t value, struct arena *arena);
const str_t *variables_get(const struct variables *vars, str_t name); /* NULL: there is none. */
str_t expand(str_t text, const struct variables *vars, struct arena *arena);
