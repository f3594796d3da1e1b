/*
 * log.c - lines of a container's output as CRI wants them in a file, and the file's rotation.
 *
 *     2026-11-26T18:51:03.123456789Z stdout F a line
 *     2026-11-26T18:51:03.123456789Z stdout P a part of one that is longer than LINE_MAX_BYTES
 *
 * What the disk does not take is dropped: a container must not wait for a full disk.
 */
#include "shim/shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NS = 1000000000, HEAD_MAX = 64, PATH_BYTES = 4096 };

static void reopen(struct log *log)
{
    struct stat st;
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    log->size = log->fd >= 0 && fstat(log->fd, &st) == 0 ? st.st_size : 0;
}

void log_open(struct log *log, const char *path)
{
    log->path = path;
    log->fd = -1;
    log->second = -1;
    if (path != NULL)
        reopen(log);
}

/* x, x.1, ... x.4: each takes the place of the next, the last one goes. */
static void rotate(struct log *log)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    size_t n = strlen(log->path);
    if (n + 3 > sizeof(from))
        return;
    memcpy(from, log->path, n + 1);
    memcpy(to, log->path, n + 1);
    for (int i = LOG_FILES_MAX - 1; i >= 1; i--) {
        memcpy(to + n, (char[]){'.', (char)('0' + i), '\0'}, 3);
        if (i > 1)
            memcpy(from + n, (char[]){'.', (char)('0' + i - 1), '\0'}, 3);
        else
            from[n] = '\0';
        (void)rename(from, to);
    }
    if (log->fd >= 0)
        close(log->fd);
    reopen(log);
}

static void flush(struct log *log)
{
    if (log->fd < 0 && log->n > 0)
        reopen(log); /* Perhaps it can be made by now. */
    if (log->fd >= 0 && fd_say(log->fd, log->out, log->n))
        log->size += (int64_t)log->n;
    log->n = 0;
    if (log->size >= LOG_BYTES_MAX)
        rotate(log);
}

static void put(struct log *log, const char *bytes, size_t n)
{
    memcpy(log->out + log->n, bytes, n);
    log->n += n;
}

static void put_stamp(struct log *log, int64_t at_ns)
{
    if (log->second != at_ns / NS) {
        struct line line = {.n = 0};
        line_add_time(&line, at_ns);
        memcpy(log->stamp, line.at, sizeof(log->stamp)); /* As far as the point. */
        log->second = at_ns / NS;
    }
    char rest[10] = "000000000Z";
    int64_t ns = at_ns % NS;
    for (int i = 8; ns > 0; i--, ns /= 10)
        rest[i] = (char)('0' + ns % 10);
    put(log, log->stamp, sizeof(log->stamp));
    put(log, rest, sizeof(rest));
}

/* One line of the file, of the part kept from before and the bytes that now came. */
static void put_line(struct log *log, struct source *source, const char *bytes, size_t n,
                     bool whole)
{
    const char *name = source->type == WIRE_STDERR ? " stderr " : " stdout ";
    if (log->n + HEAD_MAX + source->n + n > sizeof(log->out))
        flush(log);
    put_stamp(log, now_ns());
    put(log, name, strlen(name));
    put(log, whole ? "F " : "P ", 2);
    if (log->n + source->n + n + 1 > sizeof(log->out)) { /* Of about the size of the buffer. */
        bool ok = log->fd >= 0 && fd_say(log->fd, log->out, log->n) &&
                  fd_say(log->fd, source->line, source->n) && fd_say(log->fd, bytes, n);
        log->size += ok ? (int64_t)(log->n + source->n + n) : 0;
        log->n = 0;
    } else {
        put(log, source->line, source->n);
        put(log, bytes, n);
    }
    put(log, "\n", 1);
    source->n = 0;
}

void log_add(struct log *log, struct source *source, const char *bytes, size_t n)
{
    if (log->path == NULL)
        return;
    while (n > 0) {
        const char *end = memchr(bytes, '\n', n);
        size_t part = end == NULL ? n : (size_t)(end - bytes), room = LINE_MAX_BYTES - source->n;
        if (part > room) { /* Without the end of the line, if that is the next byte. */
            put_line(log, source, bytes, room, false);
            bytes += room;
            n -= room;
        } else if (end != NULL) {
            put_line(log, source, bytes, part, true);
            bytes += part + 1;
            n -= part + 1;
        } else {
            memcpy(source->line + source->n, bytes, part);
            source->n += part;
            n = 0;
        }
    }
    flush(log);
}

void log_end(struct log *log, struct source *source)
{
    if (log->path == NULL || source->n == 0)
        return;
    put_line(log, source, "", 0, true);
    flush(log);
}
