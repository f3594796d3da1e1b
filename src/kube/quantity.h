/*
 * quantity.h - Kubernetes' quantities: "500m", "1Gi", "2e3"; exact, as sums need it.
 *
 * A value is a whole number of 10^-9. What is finer is rounded up, what does not fit is refused,
 * as apimachinery/pkg/api/resource does.
 */
#pragma once

#include "base/arena.h"

typedef struct {
    __int128 nano;
    bool binary; /* Written with Ki, Mi ...: shown so, too. */
} quantity_t;

bool quantity_parse(str_t text, quantity_t *out); /* False: it is none. */
/* As Kubernetes writes it: the largest suffix that leaves a whole number. */
str_t quantity_text(quantity_t q, struct arena *arena);
quantity_t quantity_of(int64_t whole);
quantity_t quantity_add(quantity_t a, quantity_t b); /* Keeps a's way of writing, unless it is 0. */
quantity_t quantity_subtract(quantity_t a, quantity_t b);
int quantity_cmp(quantity_t a, quantity_t b);
