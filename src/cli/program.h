/* program.h - is a file a davy that could go on in our place? */
#pragma once

#include "base/err.h"

/* Asks it for its version. ERR_INVALID: it is something else, or cannot be run. */
int program_check(const char *path, struct err *err);
