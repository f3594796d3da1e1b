/* make_priv.h - the parts of make.c that have files of their own. */
#pragma once

#include "node/make.h"

void make_namespaces(const struct make_input *in, struct arena *arena, struct container_spec *out);
/* Who it runs as; `home` is that user's. */
int make_user(const struct make_input *in, struct arena *arena, struct container_spec *out,
              str_t *home, struct err *err);
/* Capabilities, seccomp, what is masked. */
int make_security(const struct make_input *in, struct arena *arena, struct container_spec *out,
                  struct err *err);
