/*
 * audit.h - who did what: DIR/audit.log, one audit.k8s.io/v1 Event a line.
 *
 * Each line ends with a hash over itself and the line before, so that a line that was changed,
 * taken out or put in is found by audit_verify(); only the loss of the newest lines is not. A file
 * begins with a line that names the hash it goes on from, and is set aside when it is full.
 *
 * Lines are gathered for some milliseconds and written by a pool thread; no request waits for them,
 * and a crash loses those that were not written yet. What does not fit into memory
 * or onto the disk is lost, and counted in a line of its own as soon as there is room again.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct audit;
struct loop;
struct call;

enum {
    AUDIT_FILE_BYTES_MAX = 16 << 20,
    AUDIT_FILES_MAX = 8, /* audit.log, and audit.log.1 (newer) to .7 (older). */
    AUDIT_WAITING_BYTES_MAX = 4 << 20,
};

struct audit_settings {
    struct loop *loop;
    str_t dir;             /* Must exist; followed by a NUL. */
    size_t file_bytes_max; /* 0: AUDIT_FILE_BYTES_MAX */
};

/* A last line that was not written whole is cut off; *torn (may be NULL) says so. */
int audit_open(const struct audit_settings *settings, struct audit **out, bool *torn,
               struct err *err);
void audit_close(struct audit *audit); /* Writes what waits, on this thread. NULL-safe. */
/* `event` is a JSON object on one line. */
void audit_add(struct audit *audit, str_t event);

/* ERR_INVALID names the file and line where the chain breaks. *lines: how many are good. */
int audit_verify(str_t dir, size_t *lines, struct err *err);

/* --- audit_event.c --- */
/* As soon as it is known who asks for what. */
void audit_received(struct call *call);
/* A watch has begun. */
void audit_started(struct call *call, int code);
/* Told of every answer. `body` is what is sent, "" if it is none of JSON. */
void audit_answered(struct call *call, int code, str_t body);
/* True: the body is to be written down. */
bool audit_wants_body(const struct call *call);
