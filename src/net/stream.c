/*
 * stream.c - read and write on a socket, through TLS where there is one.
 *
 * TLS may have to write before it can read and the other way round. The two flags of `tls_wants`
 * say which way the last call was stopped, and the descriptor is watched for that instead.
 */
#include "net/stream.h"

#include "net/tls_priv.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TLS_WRITE_BYTES_MAX = 16 * 1024 };

static void tell(struct stream *stream, unsigned events)
{
    /* A reader that waits for TLS to write is told when that is possible, and the other way. */
    unsigned what = events & (LOOP_HANGUP | stream->wanted);
    if (stream->crossed != 0 && (events & (LOOP_READ | LOOP_WRITE)) != 0)
        what |= stream->wanted;
    if (what != 0)
        stream->ready(stream, what);
}

static void on_ready(struct loop_fd *watch, unsigned events)
{
    tell(CONTAINER_OF(watch, struct stream, watch), events);
}

static void on_again(struct post *post)
{
    struct stream *stream = CONTAINER_OF(post, struct stream, again);
    stream->again_waiting = false;
    if (stream->closed) {
        if (stream->freed != NULL)
            stream->freed(stream);
        return;
    }
    if (stream->wanted & LOOP_READ)
        stream->ready(stream, LOOP_READ);
}

static void watch_again(struct stream *stream)
{
    unsigned events = stream->wanted;
    if (stream->crossed != 0 && events != 0)
        events = stream->crossed;
    loop_want(&stream->watch, events);
}

int stream_init(struct stream *stream, struct loop *loop, int fd, struct tls_config *tls_config,
                const char *server_name, void (*ready)(struct stream *, unsigned), struct err *err)
{
    *stream = (struct stream){.loop = loop, .ready = ready, .again = {.run = on_again}};
    if (tls_config != NULL) {
        stream->tls = tls_new(tls_config, fd, server_name, err);
        if (stream->tls == NULL) {
            close(fd);
            return err->code;
        }
    }
    int r = loop_watch(loop, &stream->watch, fd, 0, on_ready, err);
    if (r < 0) {
        tls_free(stream->tls);
        close(fd);
    }
    return r;
}

bool stream_done(struct stream *stream)
{
    if (!stream->closed) {
        int fd = stream->watch.fd;
        stream->closed = true;
        loop_forget(&stream->watch);
        tls_free(stream->tls);
        stream->tls = NULL;
        close(fd);
    }
    return !stream->again_waiting;
}

/* What OpenSSL's answer means for us. */
static ssize_t tls_result(struct stream *stream, int r, unsigned own, const char *doing,
                          struct err *err)
{
    stream->crossed = 0;
    switch (SSL_get_error(stream->tls->ssl, r)) {
    case SSL_ERROR_WANT_READ:
        stream->crossed = own == LOOP_READ ? 0 : LOOP_READ;
        break;
    case SSL_ERROR_WANT_WRITE:
        stream->crossed = own == LOOP_WRITE ? 0 : LOOP_WRITE;
        break;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return tls_error(err, doing);
    }
    watch_again(stream);
    return STREAM_AGAIN;
}

static ssize_t tls_read(struct stream *stream, char *to, size_t n, struct err *err)
{
    int got = SSL_read(stream->tls->ssl, to, n > INT32_MAX ? INT32_MAX : (int)n);
    if (got <= 0)
        return tls_result(stream, got, LOOP_READ, "read", err);
    if (stream->crossed != 0) {
        stream->crossed = 0;
        watch_again(stream);
    }
    if (SSL_pending(stream->tls->ssl) > 0 && !stream->again_waiting) {
        stream->again_waiting = true;
        loop_later(stream->loop, &stream->again);
    }
    return got;
}

ssize_t stream_read(struct stream *stream, char *to, size_t n, struct err *err)
{
    if (stream->tls != NULL)
        return tls_read(stream, to, n, err);
    ssize_t got = recv(stream->watch.fd, to, n, 0);
    if (got >= 0)
        return got;
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_AGAIN;
    return err_errno(err, "read");
}

/* Small parts are put together, so that a head and its body make one record. */
static ssize_t tls_write(struct stream *stream, const struct iovec *parts, int n, struct err *err)
{
    char joined[TLS_WRITE_BYTES_MAX];
    const char *at = parts[0].iov_base;
    size_t len = parts[0].iov_len;
    if (n > 1 && len < sizeof(joined)) {
        len = 0;
        for (int i = 0; i < n && len < sizeof(joined); i++) {
            size_t room = sizeof(joined) - len;
            size_t take = parts[i].iov_len < room ? parts[i].iov_len : room;
            __builtin_memcpy(joined + len, parts[i].iov_base, take);
            len += take;
        }
        at = joined;
    }
    if (len == 0)
        return 0;
    int put =
        SSL_write(stream->tls->ssl, at, len > TLS_WRITE_BYTES_MAX ? TLS_WRITE_BYTES_MAX : (int)len);
    if (put <= 0) {
        ssize_t r = tls_result(stream, put, LOOP_WRITE, "write", err);
        return r == 0 ? err_set(err, ERR_IO, "write: the peer has finished") : r;
    }
    stream->crossed = 0;
    return put;
}

ssize_t stream_write(struct stream *stream, const struct iovec *parts, int n, struct err *err)
{
    if (stream->tls != NULL)
        return tls_write(stream, parts, n, err);
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)n};
    ssize_t put = sendmsg(stream->watch.fd, &message, MSG_NOSIGNAL);
    if (put >= 0)
        return put;
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_AGAIN;
    return err_errno(err, "write");
}

void stream_want(struct stream *stream, unsigned events)
{
    if (stream->wanted == events)
        return;
    stream->wanted = events;
    if (stream->closed)
        return;
    watch_again(stream);
    if ((events & LOOP_READ) && stream->tls != NULL && !stream->again_waiting &&
        SSL_pending(stream->tls->ssl) > 0) {
        stream->again_waiting = true;
        loop_later(stream->loop, &stream->again);
    }
}

void stream_finish(struct stream *stream)
{
    if (stream->closed)
        return;
    if (stream->tls != NULL && SSL_is_init_finished(stream->tls->ssl))
        (void)SSL_shutdown(stream->tls->ssl);
    (void)shutdown(stream->watch.fd, SHUT_WR);
}

void net_init(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL. */
}
