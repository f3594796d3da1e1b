/*
 * handover.h - what an upgrade's execve() must not lose: numbers by name, in the environment.
 *
 * "control.pid 17 door.kubernetes 5 ..." - whoever reads takes what it knows, so that programs of
 * different age understand each other.
 */
#pragma once

#include "base/buf.h"

void handover_put(struct buf *out, const char *name, int number);
/* For the program that is executed next; "" takes it away again. False: there is no room. */
bool handover_set(str_t text);
bool handover_is_there(void);
/* -1: not in it. */
int handover_get(const char *name);
