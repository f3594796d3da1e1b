/* local.c - one request on a loop of its own. */
#include "cli/local.h"

#include "control/remote.h"
#include "http/client.h"

#include <stdlib.h>

enum { ANSWER_MAX = 64 << 20, PATIENCE_MS = 24 * 3600 * 1000 };

struct question {
    struct http_call call;
    struct buf heard;
    int status, r;
    struct err err;
    bool over;
};

static void on_head(struct http_call *call, const struct http_answer_head *head)
{
    CONTAINER_OF(call, struct question, call)->status = head->status;
}

static bool on_piece(struct http_call *call, str_t bytes)
{
    struct question *q = CONTAINER_OF(call, struct question, call);
    if (q->heard.len + bytes.len <= ANSWER_MAX)
        buf_add(&q->heard, bytes);
    return true;
}

static void on_done(struct http_call *call, int r, const struct err *err)
{
    struct question *q = CONTAINER_OF(call, struct question, call);
    q->over = true;
    q->r = r;
    if (r < 0)
        q->err = *err;
}

static int ask(struct loop *loop, struct http_client *client, struct question *q, struct err *err)
{
    http_client_send(client, &q->call);
    int r = 0;
    while (!q->over && r == 0)
        r = loop_turn(loop, -1, err);
    if (r == 0 && q->r < 0) {
        *err = q->err;
        r = q->r;
    }
    return r;
}

int local_ask(struct local_question *question, struct arena *arena, struct err *err)
{
    struct question q = {.call = {.method = question->method,
                                  .target = question->target,
                                  .head = on_head,
                                  .piece = on_piece,
                                  .done = on_done}};
    struct http_client_settings settings = {
        .unix_path = arena_printf(arena, STR_F "/%s", STR_A(question->dir), question->socket).at,
        .head_ms = PATIENCE_MS};
    struct loop *loop = NULL;
    struct http_client *client = NULL;
    int r = loop_new(system_clock(), &loop, err);
    if (r == 0)
        r = http_client_new(loop, &settings, &client, err);
    if (r == 0)
        r = ask(loop, client, &q, err);
    if (r == 0)
        r = json_parse(arena_str(arena, buf_str(&q.heard)), arena, &question->json, err);
    question->status = q.status;
    http_client_free(client);
    loop_free(loop);
    buf_done(&q.heard);
    return r < 0 ? err_wrap(err, "ask the Davy of '" STR_F "'", STR_A(question->dir)) : 0;
}

str_t local_escape(str_t text, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    remote_escape(text, &out);
    return arena_str(arena, buf_str(&out));
}
