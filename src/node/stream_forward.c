/*
 * stream_forward.c - connections to ports of a pod: each is made inside of the pod's network, by a
 * thread of the pool that goes there and comes back, and then is a descriptor like any other.
 */
#include "http/forward_session.h"
#include "http/out.h"
#include "net/stream.h"
#include "node/streams_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PIECE_BYTES = 16 * 1024, DIAL_S = 10 };

struct link {
    struct forward *forward; /* NULL: the client has gone. */
    const struct streams_host *host;
    struct job job;
    char net[128]; /* "": the machine's. */
    uint16_t port;
    int fd, error; /* Of the job. */
    bool dialing, open;
    bool finishing, finished; /* The client sends no more. */
    struct stream stream;
    struct out_queue out;
    size_t unconsumed;
};

/* --- connecting --- */

static int dial_here(uint16_t port, int *error)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {.tv_sec = DIAL_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    *error = errno == EINPROGRESS ? ETIMEDOUT : errno;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void dial_work(struct job *job)
{
    struct link *l = CONTAINER_OF(job, struct link, job);
    if (l->net[0] == '\0') {
        l->fd = dial_here(l->port, &l->error);
        return;
    }
    int there = open(l->net, O_RDONLY | O_CLOEXEC);
    int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (there >= 0 && here >= 0 && setns(there, CLONE_NEWNET) == 0) {
        l->fd = dial_here(l->port, &l->error);
        MUST(setns(here, CLONE_NEWNET) == 0); /* This thread has other work to do. */
    } else {
        l->error = errno;
    }
    if (there >= 0)
        close(there);
    if (here >= 0)
        close(here);
}

static void on_freed(struct stream *stream)
{
    free(CONTAINER_OF(stream, struct link, stream));
}

static void link_free(struct link *l)
{
    if (l->dialing)
        return; /* Freed when that is done. */
    out_done(&l->out);
    if (!l->open) {
        free(l);
        return;
    }
    l->stream.freed = on_freed;
    if (stream_done(&l->stream))
        free(l);
}

static void end(struct link *l, const char *why)
{
    struct forward *forward = l->forward;
    AUTO(arena_done) struct arena arena = {0};
    l->forward = NULL;
    if (forward != NULL && why == NULL)
        forward_end(forward, STR(""));
    else if (forward != NULL)
        forward_end(forward,
                    arena_printf(&arena,
                                 "error forwarding port %u: failed to connect to localhost:%u "
                                 "inside the pod's network: %s",
                                 l->port, l->port, why));
    link_free(l);
}

/* --- bytes --- */

static void want(struct link *l)
{
    bool full = forward_waiting(l->forward) > FORWARD_OUTPUT_BYTES;
    bool write = l->out.bytes > 0 || (l->finishing && !l->finished);
    stream_want(&l->stream, (full ? 0 : LOOP_READ) | (write ? LOOP_WRITE : 0));
}

/* False: the port has gone, and so has `l`. */
static bool send_waiting(struct link *l)
{
    if (l->out.bytes > 0 && out_send(&l->out, &l->stream) < 0) {
        end(l, NULL);
        return false;
    }
    if (l->out.bytes == 0 && l->unconsumed > 0) {
        size_t n = l->unconsumed;
        l->unconsumed = 0;
        forward_consumed(l->forward, n);
    }
    if (l->out.bytes == 0 && l->finishing && !l->finished) {
        l->finished = true;
        stream_finish(&l->stream);
    }
    return true;
}

static void on_ready(struct stream *stream, unsigned events)
{
    struct link *l = CONTAINER_OF(stream, struct link, stream);
    char bytes[PIECE_BYTES];
    struct err err;
    if (!send_waiting(l))
        return;
    if ((events & LOOP_READ) != 0) {
        ssize_t n = stream_read(stream, bytes, sizeof(bytes), &err);
        if (n == 0 || (n < 0 && n != STREAM_AGAIN)) {
            end(l, NULL);
            return;
        }
        if (n > 0)
            forward_write(l->forward, (str_t){bytes, (size_t)n});
    }
    want(l);
}

static void dial_done(struct job *job)
{
    struct link *l = CONTAINER_OF(job, struct link, job);
    struct err err;
    l->dialing = false;
    if (l->forward == NULL || l->fd < 0) {
        if (l->fd >= 0)
            close(l->fd);
        end(l, strerror(l->error));
        return;
    }
    if (stream_init(&l->stream, l->host->loop, l->fd, NULL, NULL, on_ready, &err) < 0) {
        end(l, err.text);
        return;
    }
    l->open = true;
    if (send_waiting(l))
        want(l);
}

/* --- the client --- */

static void on_opened(struct forward *forward, void *self, uint16_t port)
{
    const struct stream_call *call = self;
    struct link *l = calloc(1, sizeof(*l));
    MUST(l != NULL);
    l->forward = forward;
    l->host = call->host;
    l->port = port;
    l->fd = -1;
    if (call->place.ground != NULL)
        memcpy(l->net, call->place.ground->net, sizeof(l->net));
    out_init(&l->out);
    forward_self_set(forward, l);
    l->dialing = true;
    l->job = (struct job){.work = dial_work, .done = dial_done};
    pool_run(call->host->pool, &l->job);
}

static void on_data(struct forward *forward, str_t bytes)
{
    struct link *l = forward_self(forward);
    char *copy = malloc(bytes.len);
    MUST(copy != NULL);
    memcpy(copy, bytes.at, bytes.len);
    l->unconsumed += bytes.len;
    out_add(&l->out, (struct http_bytes){{copy, bytes.len}, free, copy});
    if (l->open)
        want(l);
}

static void on_ended(struct forward *forward)
{
    struct link *l = forward_self(forward);
    l->finishing = true;
    if (l->open)
        want(l);
}

static void on_drained(struct forward *forward)
{
    struct link *l = forward_self(forward);
    if (l->open)
        want(l);
}

static void on_closed(struct forward *forward)
{
    struct link *l = forward_self(forward);
    l->forward = NULL;
    link_free(l);
}

void serve_forward(struct stream_call *call)
{
    struct forward_handler handler = {.self = call,
                                      .opened = on_opened,
                                      .data = on_data,
                                      .ended = on_ended,
                                      .drained = on_drained,
                                      .closed = on_closed};
    (void)forward_accept(call->x, &handler);
}
