/*
 * spdy.c - frames: eight bytes of head each, then a stream's data as it comes, or a control frame
 * that is gathered first.
 */
#include "http/spdy.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEAD_BYTES = 8,
    VERSION = 3,
    DATA_BYTES_MAX = 16 * 1024, /* Of a frame of ours. */
    WINDOW_STEP = 32 * 1024,    /* Half of what a stream may send before it is told. */
    FLAG_FIN = 1,
};

enum frame_type {
    SYN_STREAM = 1,
    SYN_REPLY = 2,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    HEADERS = 8,
    WINDOW_UPDATE = 9,
};

struct spdy {
    struct spdy_handler handler;
    struct spdy_heads *heads;
    struct map streams;
    struct buf head;    /* Of the frame that is coming, or a whole control frame. */
    uint32_t data_left; /* Of a data frame; its stream is `data_to`. */
    uint32_t data_to;
    bool data_fin, in_data;
    uint32_t newest; /* Stream of the peer. */
    bool busy, dead;
};

struct spdy *spdy_new(const struct spdy_handler *handler)
{
    struct spdy *spdy = calloc(1, sizeof(*spdy));
    MUST(spdy != NULL);
    spdy->handler = *handler;
    spdy->heads = spdy_heads_new();
    return spdy;
}

static void forget(struct spdy_stream *stream)
{
    map_remove(&stream->spdy->streams, &stream->by_id);
    free(stream);
}

void spdy_free(struct spdy *spdy)
{
    if (spdy == NULL)
        return;
    spdy->dead = true;
    if (spdy->busy)
        return;
    for (size_t i = 0; i < spdy->streams.n_buckets; i++)
        for (struct map_node *node = spdy->streams.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            free(CONTAINER_OF(node, struct spdy_stream, by_id));
        }
    map_done(&spdy->streams);
    spdy_heads_free(spdy->heads);
    buf_done(&spdy->head);
    free(spdy);
}

static struct spdy_stream *find(const struct spdy *spdy, uint32_t id)
{
    struct map_node *node = map_find(&spdy->streams, (str_t){(const char *)&id, sizeof(id)});
    return node == NULL ? NULL : CONTAINER_OF(node, struct spdy_stream, by_id);
}

/* --- sending --- */

static void put_number(char *to, uint32_t n)
{
    to[0] = (char)(n >> 24);
    to[1] = (char)(n >> 16);
    to[2] = (char)(n >> 8);
    to[3] = (char)n;
}

static uint32_t number_at(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void send_frame(struct spdy *spdy, uint32_t first, unsigned flags, str_t payload)
{
    char *frame = malloc(HEAD_BYTES + payload.len);
    MUST(frame != NULL);
    put_number(frame, first);
    put_number(frame + 4, (uint32_t)flags << 24 | (uint32_t)payload.len);
    if (payload.len > 0)
        memcpy(frame + HEAD_BYTES, payload.at, payload.len);
    if (spdy->dead)
        free(frame);
    else
        spdy->handler.send(spdy->handler.self,
                           (struct http_bytes){{frame, HEAD_BYTES + payload.len}, free, frame});
}

static void send_control(struct spdy *spdy, enum frame_type type, str_t payload)
{
    send_frame(spdy, 1U << 31 | (uint32_t)VERSION << 16 | (uint32_t)type, 0, payload);
}

static void send_two(struct spdy *spdy, enum frame_type type, uint32_t a, uint32_t b)
{
    char payload[8];
    put_number(payload, a);
    put_number(payload + 4, b);
    send_control(spdy, type, (str_t){payload, sizeof(payload)});
}

void spdy_write(struct spdy_stream *stream, str_t bytes)
{
    while (bytes.len > 0 && !stream->out_ended) {
        size_t n = bytes.len < DATA_BYTES_MAX ? bytes.len : DATA_BYTES_MAX;
        send_frame(stream->spdy, stream->id, 0, (str_t){bytes.at, n});
        bytes = (str_t){bytes.at + n, bytes.len - n};
    }
}

void spdy_end(struct spdy_stream *stream)
{
    if (!stream->out_ended)
        send_frame(stream->spdy, stream->id, FLAG_FIN, STR(""));
    stream->out_ended = true;
}

void spdy_consumed(struct spdy_stream *stream, size_t n)
{
    stream->unconsumed += (uint32_t)n;
    if (stream->unconsumed < WINDOW_STEP)
        return;
    send_two(stream->spdy, WINDOW_UPDATE, stream->id, stream->unconsumed);
    send_two(stream->spdy, WINDOW_UPDATE, 0, stream->unconsumed); /* 3.1: the session's. */
    stream->unconsumed = 0;
}

void spdy_drop(struct spdy_stream *stream)
{
    if (!stream->in_ended || !stream->out_ended)
        send_two(stream->spdy, RST_STREAM, stream->id, SPDY_CANCEL);
    forget(stream);
}

/* --- reading --- */

static void end_in(struct spdy *spdy, struct spdy_stream *stream)
{
    if (stream == NULL || stream->in_ended)
        return;
    stream->in_ended = true;
    spdy->handler.ended(spdy->handler.self, stream);
}

static int open_stream(struct spdy *spdy, unsigned flags, str_t payload, struct err *err)
{
    enum { BEFORE_BLOCK = 10, REPLY_BEFORE = 4 };
    AUTO(arena_done) struct arena arena = {0};
    struct http_field fields[SPDY_FIELDS_MAX];
    size_t n;
    if (payload.len < BEFORE_BLOCK)
        return err_set(err, ERR_INVALID, "SYN_STREAM of %zu bytes", payload.len);
    uint32_t id = number_at(payload.at) & INT32_MAX;
    str_t block = {payload.at + BEFORE_BLOCK, payload.len - BEFORE_BLOCK};
    int r = spdy_heads_read(spdy->heads, block, &arena, fields, &n, err);
    if (r < 0)
        return r;
    if (id % 2 == 0 || id <= spdy->newest)
        return err_set(err, ERR_INVALID, "SYN_STREAM with the number %u", id);
    spdy->newest = id;
    if (spdy->streams.n >= SPDY_STREAMS_MAX) {
        send_two(spdy, RST_STREAM, id, SPDY_REFUSED);
        return 0;
    }
    struct spdy_stream *stream = calloc(1, sizeof(*stream));
    MUST(stream != NULL);
    stream->spdy = spdy;
    stream->id = id;
    map_add(&spdy->streams, (str_t){(const char *)&stream->id, sizeof(stream->id)}, &stream->by_id);
    AUTO(buf_done) struct buf reply = {0};
    put_number(buf_room(&reply, REPLY_BEFORE), id);
    reply.len += REPLY_BEFORE;
    spdy_heads_write(spdy->heads, NULL, 0, &reply);
    send_control(spdy, SYN_REPLY, buf_str(&reply));
    if (!spdy->handler.opened(spdy->handler.self, stream, fields, n)) {
        send_two(spdy, RST_STREAM, id, SPDY_REFUSED);
        forget(stream);
        return 0;
    }
    if (!spdy->dead && (flags & FLAG_FIN) != 0)
        end_in(spdy, find(spdy, id));
    return 0;
}

static int on_headers(struct spdy *spdy, unsigned flags, str_t payload, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct http_field fields[SPDY_FIELDS_MAX];
    size_t n;
    if (payload.len < 4)
        return err_set(err, ERR_INVALID, "HEADERS of %zu bytes", payload.len);
    str_t block = {payload.at + 4, payload.len - 4}; /* Read for its effect on what follows. */
    int r = spdy_heads_read(spdy->heads, block, &arena, fields, &n, err);
    if (r == 0 && (flags & FLAG_FIN) != 0)
        end_in(spdy, find(spdy, number_at(payload.at) & INT32_MAX));
    return r;
}

static int on_control(struct spdy *spdy, unsigned type, unsigned flags, str_t payload,
                      struct err *err)
{
    switch (type) {
    case SYN_STREAM:
        return open_stream(spdy, flags, payload, err);
    case SYN_REPLY: /* We open none, but its head must be read. */
    case HEADERS:
        return on_headers(spdy, flags, payload, err);
    case RST_STREAM: {
        struct spdy_stream *stream =
            payload.len < 4 ? NULL : find(spdy, number_at(payload.at) & INT32_MAX);
        if (stream != NULL)
            stream->out_ended = true;
        end_in(spdy, stream);
        return 0;
    }
    case PING:
        if (payload.len == 4 && number_at(payload.at) % 2 == 1)
            send_control(spdy, PING, payload);
        return 0;
    default: /* SETTINGS, WINDOW_UPDATE, GOAWAY and what is not known change nothing here. */
        return 0;
    }
}

/* A frame's first eight bytes are there; perhaps all of a control frame. */
static int on_head(struct spdy *spdy, struct err *err)
{
    uint32_t first = number_at(spdy->head.at), second = number_at(spdy->head.at + 4);
    unsigned flags = second >> 24;
    uint32_t n = second & 0xffffff;
    if (first >> 31 == 0) {
        spdy->in_data = true;
        spdy->data_to = first;
        spdy->data_left = n;
        spdy->data_fin = (flags & FLAG_FIN) != 0;
        spdy->head.len = 0;
        return 0;
    }
    if ((first >> 16 & INT16_MAX) != VERSION)
        return err_set(err, ERR_INVALID, "SPDY of version %u", first >> 16 & INT16_MAX);
    if (n > SPDY_HEAD_BYTES_MAX)
        return err_set(err, ERR_INVALID, "a control frame of %u bytes", n);
    if (spdy->head.len < HEAD_BYTES + n)
        return 0;
    int r =
        on_control(spdy, first & UINT16_MAX, flags, (str_t){spdy->head.at + HEAD_BYTES, n}, err);
    spdy->head.len = 0;
    return r;
}

static size_t wanted(const struct spdy *spdy)
{
    if (spdy->head.len < HEAD_BYTES)
        return HEAD_BYTES - spdy->head.len;
    return HEAD_BYTES + (number_at(spdy->head.at + 4) & 0xffffff) - spdy->head.len;
}

static size_t read_data(struct spdy *spdy, str_t bytes)
{
    size_t n = bytes.len < spdy->data_left ? bytes.len : spdy->data_left;
    struct spdy_stream *stream = find(spdy, spdy->data_to);
    spdy->data_left -= (uint32_t)n;
    if (n > 0 && stream != NULL && !stream->in_ended)
        spdy->handler.data(spdy->handler.self, stream, (str_t){bytes.at, n});
    if (spdy->data_left > 0)
        return n;
    spdy->in_data = false;
    if (spdy->data_fin && !spdy->dead)
        end_in(spdy, find(spdy, spdy->data_to));
    return n;
}

int spdy_read(struct spdy *spdy, str_t bytes, struct err *err)
{
    int r = 0;
    spdy->busy = true;
    while (r == 0 && !spdy->dead && (bytes.len > 0 || (spdy->in_data && spdy->data_left == 0))) {
        size_t n;
        if (spdy->in_data) {
            n = read_data(spdy, bytes);
        } else {
            size_t most = wanted(spdy);
            n = bytes.len < most ? bytes.len : most;
            buf_add(&spdy->head, (str_t){bytes.at, n});
            if (spdy->head.len >= HEAD_BYTES)
                r = on_head(spdy, err);
        }
        bytes = (str_t){bytes.at + n, bytes.len - n};
    }
    spdy->busy = false;
    if (spdy->dead)
        spdy_free(spdy);
    return r;
}
