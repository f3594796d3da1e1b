/*
 * challenge.h - what a registry says it wants to know of us first: WWW-Authenticate (RFC 9110,
 * 11.6.1), of which registries use two kinds. Pure.
 */
#pragma once

#include "base/arena.h"

enum challenge_kind { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge { /* Texts live in the arena. */
    enum challenge_kind kind;
    str_t realm; /* Of Bearer: where tokens are made. */
    str_t service, scope;
    str_t error; /* "insufficient_scope" */
};

/* Several challenges may stand in one field; Bearer is taken before Basic. */
void challenge_parse(str_t field, struct arena *arena, struct challenge *out);
