/* local.h - questions of the command line to a Davy on this machine, over its sockets. */
#pragma once

#include "base/json.h"

struct local_question {
    str_t dir;
    const char *socket; /* Such as "run/node.sock" in `dir`. */
    str_t method, target;
    /* Of the answer. */
    int status;
    struct json *json;
};

/* Waits for the whole answer, however long it takes. */
int local_ask(struct local_question *question, struct arena *arena, struct err *err);
/* For a query: `text` as it may stand in it. */
str_t local_escape(str_t text, struct arena *arena);
