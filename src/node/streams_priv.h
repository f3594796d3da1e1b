/* streams_priv.h - one request, and who serves it. */
#pragma once

#include "node/streams.h"

struct stream_call { /* In the exchange's arena. */
    const struct streams_host *host;
    struct exchange *x;
    str_t ns, pod, container;
    struct pod_place place;
};

/* "" if it is absent; "1" and "true" are yes. */
str_t query_text(const struct stream_call *call, const char *name);
bool query_yes(const struct stream_call *call, const char *name);
void refuse_stream(struct stream_call *call, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

void serve_command(struct stream_call *call, bool attach); /* stream_command.c */
void serve_log(struct stream_call *call);                  /* stream_log.c */
void serve_forward(struct stream_call *call);              /* stream_forward.c */
