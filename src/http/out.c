/* out.c - a queue that is an array: taken pieces are skipped, and moved over when it is full. */
#include "http/out.h"

#include <stdlib.h>
#include <string.h>

enum {
    PARTS_MAX = 32,          /* Of one writev. */
    TURN_BYTES_MAX = 1 << 20 /* Then the others get their turn. */
};

void out_init(struct out_queue *q)
{
    q->pieces = q->first;
    q->cap = OUT_INLINE;
    q->at = q->n = 0;
    q->sent = q->bytes = 0;
    q->taken = NULL;
}

static void piece_release(struct out_queue *q, const struct out_piece *piece)
{
    if (piece->body.release != NULL)
        piece->body.release(piece->body.owner);
    if (piece->holder != NULL)
        q->taken(piece->holder, piece->body.bytes.len);
}

void out_done(struct out_queue *q)
{
    while (q->at < q->n) {
        struct out_piece piece = q->pieces[q->at++];
        piece_release(q, &piece);
    }
    if (q->pieces != q->first)
        free(q->pieces);
    out_init(q);
}

static void make_room(struct out_queue *q)
{
    if (q->at > 0 && (q->at == q->n || q->at > q->n / 2)) {
        memmove(q->pieces, q->pieces + q->at, (q->n - q->at) * sizeof(*q->pieces));
        q->n -= q->at;
        q->at = 0;
        return;
    }
    struct out_piece *old = q->pieces == q->first ? NULL : q->pieces;
    struct out_piece *more = reallocarray(old, (size_t)q->cap * 2, sizeof(*more));
    MUST(more != NULL);
    if (old == NULL)
        memcpy(more, q->first, sizeof(q->first));
    q->pieces = more;
    q->cap *= 2;
}

void out_add_framed(struct out_queue *q, str_t frame, struct http_bytes body, bool line_end,
                    void *holder)
{
    MUST(frame.len <= OUT_FRAME_BYTES);
    if (q->n == q->cap)
        make_room(q);
    struct out_piece *piece = &q->pieces[q->n++];
    piece->body = body;
    piece->holder = holder;
    piece->frame_len = (uint8_t)frame.len;
    piece->line_end = line_end;
    if (frame.len > 0)
        memcpy(piece->frame, frame.at, frame.len);
    q->bytes += frame.len + body.bytes.len + (line_end ? 2 : 0);
}

void out_add(struct out_queue *q, struct http_bytes body)
{
    if (body.bytes.len > 0)
        out_add_framed(q, STR(""), body, false, NULL);
    else if (body.release != NULL)
        body.release(body.owner);
}

static int gather(const struct out_queue *q, struct iovec *parts)
{
    int n = 0;
    size_t skip = q->sent;
    for (unsigned i = q->at; i < q->n && n + 3 <= PARTS_MAX; i++) {
        const struct out_piece *piece = &q->pieces[i];
        const str_t texts[3] = {
            {piece->frame, piece->frame_len}, piece->body.bytes, {"\r\n", piece->line_end ? 2 : 0}};
        for (int j = 0; j < 3; j++) {
            size_t cut = skip < texts[j].len ? skip : texts[j].len;
            skip -= cut;
            if (texts[j].len > cut)
                parts[n++] = (struct iovec){(char *)texts[j].at + cut, texts[j].len - cut};
        }
    }
    return n;
}

static void take(struct out_queue *q, size_t n)
{
    q->bytes -= n;
    q->sent += n;
    while (q->at < q->n) {
        struct out_piece piece = q->pieces[q->at];
        size_t whole = piece.frame_len + piece.body.bytes.len + (piece.line_end ? 2u : 0u);
        if (q->sent < whole)
            return;
        q->sent -= whole;
        q->at++;
        piece_release(q, &piece);
    }
    q->at = q->n = 0;
}

ssize_t out_send(struct out_queue *q, struct stream *stream)
{
    ssize_t all = 0;
    while (q->bytes > 0 && all < TURN_BYTES_MAX) {
        struct iovec parts[PARTS_MAX];
        struct err err;
        ssize_t put = stream_write(stream, parts, gather(q, parts), &err);
        if (put == STREAM_AGAIN)
            return all;
        if (put < 0)
            return -1;
        take(q, (size_t)put);
        all += put;
    }
    return all;
}
