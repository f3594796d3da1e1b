/* sse.c - bytes to lines, lines to fields, a blank line makes an event. */
#include "http/sse.h"

#include <string.h>

static void dispatch(struct sse_reader *r)
{
    if (r->has_data) {
        if (r->data.len > 0)
            r->data.len--; /* The last line's end. */
        str_t type = r->type.len > 0 ? buf_str(&r->type) : STR("message");
        r->event(r->self, &(struct sse_event){type, buf_str(&r->data), buf_str(&r->id)});
    }
    r->type.len = r->data.len = 0;
    r->has_data = false;
}

static void set(struct buf *buf, str_t value)
{
    buf->len = 0;
    buf_add(buf, value);
}

static void line_here(struct sse_reader *r)
{
    str_t line = buf_str(&r->line), name, value;
    if (!r->begun && str_starts(line, STR("\xef\xbb\xbf")))
        line = (str_t){line.at + 3, line.len - 3};
    r->begun = true;
    if (line.len == 0) {
        dispatch(r);
        return;
    }
    if (!str_cut(line, ':', &name, &value))
        value = STR("");
    if (value.len > 0 && value.at[0] == ' ')
        value = (str_t){value.at + 1, value.len - 1};
    int64_t ms;
    if (str_eq(name, STR("data"))) {
        buf_add(&r->data, value);
        buf_add_char(&r->data, '\n');
        r->has_data = true;
    } else if (str_eq(name, STR("event"))) {
        set(&r->type, value);
    } else if (str_eq(name, STR("id"))) {
        if (memchr(value.at, '\0', value.len) == NULL)
            set(&r->id, value);
    } else if (str_eq(name, STR("retry")) && str_to_i64(value, &ms) && ms >= 0) {
        r->retry_ms = ms;
    }
}

int sse_read(struct sse_reader *r, str_t piece, struct err *err)
{
    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.at[i];
        bool pair = c == '\n' && r->had_cr;
        r->had_cr = c == '\r';
        if (pair)
            continue;
        if (c != '\n' && c != '\r') {
            if (r->line.len + r->data.len >= SSE_EVENT_BYTES_MAX)
                return err_set(err, ERR_INVALID, "an event has more than %d bytes",
                               (int)SSE_EVENT_BYTES_MAX);
            buf_add_char(&r->line, c);
            continue;
        }
        line_here(r);
        r->line.len = 0;
    }
    return 0;
}

void sse_done(struct sse_reader *r)
{
    struct buf *all[] = {&r->line, &r->type, &r->data, &r->id};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_done(all[i]);
}
