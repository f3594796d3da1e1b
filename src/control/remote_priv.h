/* remote_priv.h - what remote.c and the reflector share. */
#pragma once

#include "control/remote.h"

struct remote {
    struct loop *loop;
    struct http_client *http; /* For calls, and the first watches. */
    struct http_client_settings settings;
    const char *user_agent;
    struct list calls;
    struct list lines; /* Connections for watches; the first is `http`. */
};
void remote_lines_free(struct remote *remote); /* remote_watch.c */

/* "/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUB?QUERY", malloc()ed. `ns` "": all, or none. */
char *remote_target(const struct kind *kind, str_t ns, str_t name, const char *subresource,
                    str_t query);
/* What this status of HTTP means; the text is that of the Status in `answer`. Not for 2xx. */
int remote_refusal(int status, str_t answer, struct err *err);
