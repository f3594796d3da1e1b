/*
 * buf.h - bytes that grow: what is being built to be sent or stored.
 *
 * A buffer owns its memory until buf_done(); views of it end with the next call that adds. Growth
 * doubles, so adding costs a constant on average. Like the arena it cannot fail: sizes are limited
 * where bytes come in.
 */
#pragma once

#include "base/str.h"

struct buf {
    char *at;
    size_t len;
    size_t cap;
};

void buf_done(struct buf *buf);
char *buf_room(struct buf *buf, size_t n); /* At least n writable bytes after len; not counted. */
void buf_add(struct buf *buf, str_t bytes);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_take_front(struct buf *buf, size_t n); /* Forget the first n bytes. */

static inline str_t buf_str(const struct buf *buf)
{
    return (str_t){buf->at, buf->len};
}
