/* streams.c - which pod and container a path names. */
#include "node/streams_priv.h"

#include <stdarg.h>
#include <stdio.h>

str_t query_text(const struct stream_call *call, const char *name)
{
    str_t value;
    return http_query_get(call->x, str_from_z(name), &value) ? value : STR("");
}

bool query_yes(const struct stream_call *call, const char *name)
{
    str_t value = query_text(call, name);
    return str_eq(value, STR("1")) || str_eq(value, STR("true"));
}

void refuse_stream(struct stream_call *call, int status, const char *fmt, ...)
{
    enum { TEXT_MAX = 1024 };
    char text[TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    http_answer_text(call->x, status, STR("text/plain; charset=utf-8"),
                     arena_str(call->x->arena, (str_t){text, len}));
}

/* The next part of a path, decoded. */
static bool take_part(struct exchange *x, str_t *path, str_t *out)
{
    str_t part;
    if (path->len == 0 || path->at[0] != '/')
        return false;
    *path = (str_t){path->at + 1, path->len - 1};
    const char *end = path->at;
    while (end < path->at + path->len && *end != '/')
        end++;
    part = (str_t){path->at, (size_t)(end - path->at)};
    *path = (str_t){end, path->len - part.len};
    return http_decode(part, false, x->arena, out) && out->len > 0;
}

void streams_head(void *self, struct exchange *x)
{
    struct stream_call *call = arena_new(x->arena, struct stream_call);
    struct err err;
    str_t path = x->path, verb;
    *call = (struct stream_call){.host = self, .x = x};
    if (!take_part(x, &path, &verb) || !take_part(x, &path, &call->ns) ||
        !take_part(x, &path, &call->pod)) {
        refuse_stream(call, 404, "404 page not found\n");
        return;
    }
    if (path.len > 0 && !take_part(x, &path, &call->container)) {
        refuse_stream(call, 404, "404 page not found\n");
        return;
    }
    if (call->host->find(call->host->self, call->ns, call->pod, call->container, &call->place,
                         &err) < 0) {
        refuse_stream(call, 404, "%s\n", err.text);
        return;
    }
    if (str_eq(verb, STR("exec")) || str_eq(verb, STR("attach")))
        serve_command(call, str_eq(verb, STR("attach")));
    else if (str_eq(verb, STR("containerLogs")))
        serve_log(call);
    else if (str_eq(verb, STR("portForward")))
        serve_forward(call);
    else
        refuse_stream(call, 404, "404 page not found\n");
}
