/* buf.c - one block that doubles; see buf.h for the contract. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_BYTES_MIN = 256 };

void buf_done(struct buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->at);
    *buf = (struct buf){0};
}

char *buf_room(struct buf *buf, size_t n)
{
    size_t wanted;
    MUST(!__builtin_add_overflow(buf->len, n, &wanted));
    if (wanted > buf->cap) {
        size_t cap = buf->cap < BUF_BYTES_MIN ? BUF_BYTES_MIN : buf->cap;
        while (cap < wanted)
            MUST(!__builtin_mul_overflow(cap, 2, &cap));
        buf->at = realloc(buf->at, cap);
        MUST(buf->at != NULL);
        buf->cap = cap;
    }
    return buf->at + buf->len;
}

void buf_add(struct buf *buf, str_t bytes)
{
    if (bytes.len == 0)
        return;
    memcpy(buf_room(buf, bytes.len), bytes.at, bytes.len);
    buf->len += bytes.len;
}

void buf_add_char(struct buf *buf, char c)
{
    *buf_room(buf, 1) = c;
    buf->len++;
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    MUST(fmt != NULL);
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    MUST(len >= 0);
    char *out = buf_room(buf, (size_t)len + 1);
    va_start(args, fmt);
    vsnprintf(out, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
}

void buf_take_front(struct buf *buf, size_t n)
{
    MUST(n <= buf->len);
    if (n == 0)
        return;
    buf->len -= n;
    memmove(buf->at, buf->at + n, buf->len);
}
