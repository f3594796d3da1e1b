/* confine.h - what a role may no longer do once it has its sockets and files. */
#pragma once

#include "base/err.h"

/* The user to run as when we are root and there is one. */
bool confine_user(uint32_t *uid, uint32_t *gid);
/* Drops to that user, all capabilities, new privileges, and system calls no server needs. */
int confine(struct err *err);
void raise_descriptor_limit(void);
