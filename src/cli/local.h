/* local.h - questions of the command line to a Davy on this machine, over its sockets. */
#pragma once

#include "base/json.h"

/* `socket`: such as "run/node.sock" in `dir`. Waits for the whole answer, however long it takes. */
int local_ask(str_t dir, const char *socket, str_t method, str_t target, struct arena *arena,
              int *status, struct json **answer, struct err *err);
/* For a query: `text` as it may stand in it. */
str_t local_escape(str_t text, struct arena *arena);
