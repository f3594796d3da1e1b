/*
 * crilog.h - reading a container's log: CRI lines in a file and those rotated away from it.
 *
 *     2026-11-26T18:51:03.123456789Z stdout F a line
 *     2026-11-26T18:51:03.123456789Z stderr P the first part of a line
 *
 * The shim writes PATH and keeps the last ones as PATH.1 (newer) to PATH.4. A reader goes through
 * them from the oldest, holds what it is in by descriptor, so rotation does not disturb it, and
 * needs the same memory for every length of file or line. What is no such line is passed over.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct crilog;

enum { CRILOG_STDOUT = 1, CRILOG_STDERR = 2 };

struct crilog_want {
    int64_t since_ns;     /* Unix time; 0: from the beginning. */
    int64_t tail;         /* The last so many lines, before `since` is looked at; < 0: all. */
    uint64_t limit_bytes; /* Of output; 0: no limit. */
    unsigned streams;     /* 0: both. */
    bool timestamps;      /* Before each line, as they are in the file. */
    bool follow;          /* Else it ends with what was there when it was opened. */
};

/* ERR_NOT_FOUND: there is no such file. Reads the end of the file for `tail`. */
int crilog_open(const char *path, const struct crilog_want *want, struct crilog **out,
                struct err *err);
void crilog_close(struct crilog *log);

/*
 * Adds at most about `max` bytes of text to `out`. 1: there may be more at once. 0: not now;
 * without `follow`, or past the limit, for ever. Negative: cannot be read.
 */
int crilog_read(struct crilog *log, size_t max, struct buf *out, struct err *err);
bool crilog_ended(const struct crilog *log);
/* Readable when there may be more, with `follow`; it is emptied by crilog_read(). Ours. */
int crilog_fd(const struct crilog *log);

/* RFC 3339 to Unix time. False: it is none. */
bool cri_time(str_t text, int64_t *unix_ns);
/* What crilog_read() does with bytes of a file; for tests and fuzzing. */
struct crilog *crilog_new(const struct crilog_want *want);
void crilog_feed(struct crilog *log, str_t bytes, struct buf *out);
