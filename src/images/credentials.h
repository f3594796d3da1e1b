/*
 * credentials.h - who a Secret says we are for a registry. Pure; the text is anybody's.
 *
 * Both forms that Kubernetes has: `.dockerconfigjson` ({"auths": {...}}) and `.dockercfg` (what is
 * inside of it). Matched as a kubelet does: keys are hosts, perhaps with a scheme, a port and the
 * beginning of a path; parts of the host may be globs ("*.example.com").
 */
#pragma once

#include "base/json.h"
#include "images/reference.h"

enum { CREDENTIALS_MAX = 64 };

struct credential { /* Texts live in the arena. */
    str_t user, password;
};

/*
 * All that fit the reference, the most exact key first: they are tried in this order. ERR_INVALID
 * if the text is no such JSON; an entry that cannot be read is none.
 */
int credentials_find(str_t text, const struct reference *reference, struct arena *arena,
                     struct credential **out, size_t *n, struct err *err);
