/* remote.c - calls to paths, answers to codes. */
#include "control/remote.h"

#include "base/json.h"
#include "control/remote_priv.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    str_t method, content_type;
} verbs[] = {
    [REMOTE_GET] = {STR("GET"), STR("")},
    [REMOTE_CREATE] = {STR("POST"), STR("application/json")},
    [REMOTE_UPDATE] = {STR("PUT"), STR("application/json")},
    [REMOTE_MERGE] = {STR("PATCH"), STR("application/merge-patch+json")},
    [REMOTE_STRATEGIC] = {STR("PATCH"), STR("application/strategic-merge-patch+json")},
    [REMOTE_APPLY] = {STR("PATCH"), STR("application/apply-patch+yaml")}, /* JSON is YAML. */
    [REMOTE_DELETE] = {STR("DELETE"), STR("application/json")},
};

/* --- paths --- */

void remote_escape(str_t text, struct buf *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != '\0' && strchr(plain, text.at[i]) != NULL)
            buf_add_char(out, text.at[i]);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)text.at[i]);
}

static void add_segment(struct buf *out, str_t text)
{
    buf_add_char(out, '/');
    remote_escape(text, out);
}

char *remote_target(const struct kind *kind, str_t ns, str_t name, const char *subresource,
                    str_t query)
{
    struct buf out = {0};
    if (kind->group[0] == '\0')
        buf_printf(&out, "/api/%s", kind->version);
    else
        buf_printf(&out, "/apis/%s/%s", kind->group, kind->version);
    if (kind->namespaced && ns.len > 0) {
        buf_add(&out, STR("/namespaces"));
        add_segment(&out, ns);
    }
    add_segment(&out, str_from_z(kind->plural));
    if (name.len > 0)
        add_segment(&out, name);
    if (subresource != NULL)
        add_segment(&out, str_from_z(subresource));
    if (query.len > 0)
        buf_printf(&out, "?" STR_F, STR_A(query));
    buf_add_char(&out, '\0');
    return out.at;
}

/* --- answers --- */

static enum err_code code_of(int status, str_t reason)
{
    switch (status) {
    case 401:
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return str_eq(reason, STR("AlreadyExists")) ? ERR_EXISTS : ERR_CONFLICT;
    case 410:
        return ERR_GONE;
    case 408:
    case 504:
        return ERR_TIMEOUT;
    case 429:
        return ERR_BUSY;
    default:
        return status >= 400 && status < 500 ? ERR_INVALID : ERR_IO;
    }
}

int remote_refusal(int status, str_t answer, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *tree = NULL;
    struct err ignored;
    if (json_parse(answer, &arena, &tree, &ignored) < 0)
        tree = NULL;
    str_t message = json_get_text(tree, STR("message"));
    enum err_code code = code_of(status, json_get_text(tree, STR("reason")));
    if (message.len == 0)
        return err_set(err, code, "the API answered with %d", status);
    return err_set(err, code, STR_F, STR_A(message));
}

/* --- calls --- */

static void call_clean(struct remote_call *call)
{
    timer_stop(&call->timer);
    list_remove(&call->link);
    buf_done(&call->heard);
    free(call->target);
    call->target = NULL;
    call->remote = NULL;
}

static void call_tell(struct remote_call *call)
{
    struct buf heard = call->heard; /* done() may send the call again. */
    struct err err = call->err;
    call->heard = (struct buf){0};
    call->answer = buf_str(&heard);
    call_clean(call);
    call->done(call, call->r, call->r < 0 ? &err : NULL);
    buf_done(&heard);
}

static void tell_later(struct timer *timer)
{
    call_tell(CONTAINER_OF(timer, struct remote_call, timer));
}

static void call_over(struct remote_call *call, int r)
{
    call->r = r;
    call->over = true;
    if (call->sending)
        timer_set(call->remote->loop, &call->timer, 0, tell_later);
    else
        call_tell(call);
}

static void on_head(struct http_call *http, const struct http_answer_head *head)
{
    CONTAINER_OF(http, struct remote_call, http)->status = head->status;
}

static void too_long(struct timer *timer)
{
    struct remote_call *call = CONTAINER_OF(timer, struct remote_call, timer);
    http_call_cancel(&call->http);
    call_over(call,
              err_set(&call->err, ERR_BUSY, "an answer of more than %d bytes", REMOTE_ANSWER_MAX));
}

static bool on_piece(struct http_call *http, str_t bytes)
{
    struct remote_call *call = CONTAINER_OF(http, struct remote_call, http);
    if (call->heard.len + bytes.len > REMOTE_ANSWER_MAX) {
        timer_set(call->remote->loop, &call->timer, 0, too_long);
        return false;
    }
    buf_add(&call->heard, bytes);
    return true;
}

static void on_done(struct http_call *http, int r, const struct err *err)
{
    struct remote_call *call = CONTAINER_OF(http, struct remote_call, http);
    if (r < 0) {
        call->err = *err;
        call->status = 0;
    } else if (call->status >= 300) {
        r = remote_refusal(call->status, buf_str(&call->heard), &call->err);
    }
    call_over(call, r);
}

static void time_over(struct timer *timer)
{
    struct remote_call *call = CONTAINER_OF(timer, struct remote_call, timer);
    http_call_cancel(&call->http);
    call->status = 0;
    call_over(call, err_set(&call->err, ERR_TIMEOUT, "the API did not answer in time"));
}

static size_t call_fields(struct remote_call *call)
{
    size_t n = 0;
    call->fields[n++] = (struct http_field){STR("accept"), STR("application/json")};
    call->fields[n++] =
        (struct http_field){STR("user-agent"), str_from_z(call->remote->user_agent)};
    if (call->body.len > 0)
        call->fields[n++] =
            (struct http_field){STR("content-type"), verbs[call->verb].content_type};
    return n;
}

void remote_send(struct remote *remote, struct remote_call *call)
{
    bool creates = call->verb == REMOTE_CREATE && call->subresource == NULL;
    call->remote = remote;
    call->status = 0;
    call->over = false;
    call->answer = STR("");
    call->heard = (struct buf){0};
    call->timer = (struct timer){0};
    call->target = remote_target(call->kind, call->ns, creates ? STR("") : call->name,
                                 call->subresource, call->query);
    list_add_before(&remote->calls, &call->link);
    call->http = (struct http_call){.method = verbs[call->verb].method,
                                    .target = str_from_z(call->target),
                                    .fields = call->fields,
                                    .n_fields = call_fields(call),
                                    .body = call->body,
                                    .head = on_head,
                                    .piece = on_piece,
                                    .done = on_done};
    timer_set(remote->loop, &call->timer, REMOTE_CALL_MS, time_over);
    call->sending = true;
    http_client_send(remote->http, &call->http);
    call->sending = false;
}

void remote_cancel(struct remote_call *call)
{
    if (call->remote == NULL)
        return;
    if (!call->over)
        http_call_cancel(&call->http);
    call_clean(call);
}

/* --- a life --- */

int remote_new(const struct remote_settings *settings, struct remote **out, struct err *err)
{
    struct remote *remote = calloc(1, sizeof(*remote));
    MUST(remote != NULL);
    remote->loop = settings->loop;
    remote->settings = settings->http;
    remote->settings.http2 = true;
    remote->settings.head_ms = REMOTE_CALL_MS;
    remote->settings.gap_ms = 0; /* Watches are silent for as long as nothing happens. */
    remote->user_agent = settings->user_agent;
    list_init(&remote->calls);
    list_init(&remote->lines);
    int r = http_client_new(settings->loop, &remote->settings, &remote->http, err);
    if (r < 0) {
        free(remote);
        return r;
    }
    *out = remote;
    return 0;
}

void remote_free(struct remote *remote)
{
    if (remote == NULL)
        return;
    LIST_EACH(&remote->calls, link)
        remote_cancel(CONTAINER_OF(link, struct remote_call, link));
    remote_lines_free(remote);
    http_client_free(remote->http);
    free(remote);
}
