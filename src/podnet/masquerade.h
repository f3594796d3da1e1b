/*
 * masquerade.h - the rules of nftables that all pods need: what leaves the machine does so with its
 * address, what goes from pod to pod may pass. In a table of our own; nobody else's is touched.
 */
#pragma once

#include "base/err.h"
#include "net/ip.h"

/* The table's name: "davy" for the bridge davy0, else "davy_BRIDGE". */
int masquerade_set(const char *bridge, struct cidr pods, struct err *err);
int masquerade_remove(const char *bridge, struct err *err);
