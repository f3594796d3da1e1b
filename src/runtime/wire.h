/*
 * wire.h - what is said on the socket of a shim: the streams of a container or of one exec.
 *
 * SOCK_SEQPACKET: each message is a frame, one byte of type and at most WIRE_DATA_MAX of data, and
 * is sent and received whole. The shim reads no more output while somebody attached has not taken
 * the last: a container or process waits then, and nothing is kept without bound. Who is attached
 * to a container and takes nothing for WIRE_PATIENCE_MS is sent away; an exec's client has all the
 * time. Closing the socket detaches from a container, and kills the process of an exec.
 *
 * Also included by the shim, which has no other code of ours in it.
 */
#pragma once

#include <stdint.h>

enum { WIRE_DATA_MAX = 16 * 1024, WIRE_FRAME_MAX = WIRE_DATA_MAX + 1, WIRE_PATIENCE_MS = 10000 };

enum wire_type {
    /* To the shim. */
    WIRE_STDIN = 'i',
    WIRE_STDIN_END = 'e', /* No data: the process reads the end of its input. */
    WIRE_RESIZE = 'w',    /* struct wire_size. */
    /* From the shim. */
    WIRE_STDOUT = 'o', /* All output of a terminal too. */
    WIRE_STDERR = 'r',
    WIRE_STARTED = 's', /* An exec's process runs. No data. */
    WIRE_FAILED = 'f',  /* It could not be run: words of crun or runc, in JSON lines. The last. */
    WIRE_EXIT = 'x',    /* struct wire_exit. The last, after all output. */
};

struct wire_size {
    uint16_t columns, rows;
};

struct wire_exit {
    int32_t code;   /* 128 + signal when killed. */
    int32_t signal; /* 0: it ended by itself. */
};
