/* caps.h - capabilities(7) by name and by bit. */
#pragma once

#include "base/str.h"

/* CHOWN DAC_OVERRIDE FSETID FOWNER SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL SETFCAP:
 * what a container has that asks for nothing. CRI-O's choice. */
#define CAPS_DEFAULT 0x800405fbULL

/* "NET_ADMIN", "CAP_NET_ADMIN" or in small letters: its bit. "ALL": all there are. 0: unknown. */
uint64_t caps_bit(str_t name);
const char *caps_name(unsigned number); /* "CAP_CHOWN"; NULL past the last. */
uint64_t caps_own(void);                /* The bounding set of this process. */
