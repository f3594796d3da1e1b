/*
 * stream.h - a connected byte stream, plain or TLS, that never blocks.
 *
 * Reads and writes answer with a count, STREAM_AGAIN (wait for ready()) or an error code. TLS
 * handshakes happen inside the first reads. Whoever owns the stream says with stream_want() what it
 * waits for; a TLS record that is already decrypted counts as readable.
 */
#pragma once

#include "net/loop.h"
#include "net/tls.h"

#include <sys/types.h>
#include <sys/uio.h>

enum { STREAM_AGAIN = -100 }; /* Beside the codes of err.h. */

struct stream {
    struct loop_fd watch;
    struct loop *loop;
    struct tls *tls;   /* NULL: plain. */
    unsigned wanted;   /* LOOP_READ | LOOP_WRITE, as the owner said. */
    unsigned crossed;  /* TLS must do the other thing first: watched for this instead. */
    struct post again; /* TLS holds bytes that epoll does not know of. */
    bool again_waiting;
    bool closed;
    void (*ready)(struct stream *stream, unsigned events);
    void (*freed)(struct stream *stream); /* See stream_done(). */
};

/* Takes the descriptor. `tls_config` NULL: plain; `server_name` only for clients, else NULL. */
int stream_init(struct stream *stream, struct loop *loop, int fd, struct tls_config *tls_config,
                const char *server_name, void (*ready)(struct stream *, unsigned), struct err *err);
/*
 * Closes. True: the struct may be freed now; false: a post of it is still waiting, and freed() will
 * be called when that is over. Twice is harmless.
 */
bool stream_done(struct stream *stream);

/* > 0: bytes; 0: the peer has finished; STREAM_AGAIN; or ERR_IO. */
ssize_t stream_read(struct stream *stream, char *to, size_t n, struct err *err);
/* >= 0: bytes taken, perhaps fewer than given; STREAM_AGAIN; or ERR_IO. */
ssize_t stream_write(struct stream *stream, const struct iovec *parts, int n, struct err *err);
void stream_want(struct stream *stream, unsigned events);
void stream_finish(struct stream *stream); /* No more from us: close_notify, then FIN. */

void net_init(void); /* Once in a process, before the first stream. */
