/*
 * streams.c - one poll() over the container's output, its input, and who is attached.
 *
 * There is one chunk of output at a time. It goes to the log, then to everybody attached; until all
 * of them have it nothing more is read, so the writer waits in its pipe and nothing piles up here.
 */
#include "shim/shim.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SLOTS_MAX = 5 + CLIENTS_MAX,
    AT_SIGNALS = 0,
    AT_LISTENER,
    AT_INPUT,
    AT_SOURCES,
    AT_CLIENTS = 5
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void client_add(struct shim *shim, int fd)
{
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (shim->clients[i].fd < 0) {
            shim->clients[i] = (struct client){.fd = fd};
            return;
        }
    close(fd);
}

static void input_close(struct shim *shim)
{
    shim->n_in = shim->at_in = 0;
    shim->input_ends = false;
    if (!shim->set.tty) /* A terminal's is its output too. */
        close_fd(&shim->input);
}

static void client_leave(struct shim *shim, struct client *client)
{
    close_fd(&client->fd);
    if (shim->set.stdin_once) {
        if (shim->n_in > 0)
            shim->input_ends = true;
        else
            input_close(shim);
    }
}

/* --- input --- */

static void input_write(struct shim *shim)
{
    ssize_t n = write(shim->input, shim->in + shim->at_in, shim->n_in - shim->at_in);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) { /* Nobody reads it any more. */
        input_close(shim);
        return;
    }
    shim->at_in += (size_t)n;
    if (shim->at_in < shim->n_in)
        return;
    shim->n_in = shim->at_in = 0;
    if (shim->input_ends)
        input_close(shim);
}

static void input_end(struct shim *shim)
{
    enum { END_OF_INPUT = 4 }; /* What Ctrl-D types. */
    if (shim->set.tty && shim->input >= 0) {
        shim->in[0] = END_OF_INPUT;
        shim->n_in = 1;
        shim->at_in = 0;
        input_write(shim);
    } else {
        input_close(shim);
    }
}

static void client_read(struct shim *shim, struct client *client)
{
    char *in = shim->in; /* Free: clients are not read while it is not. */
    ssize_t n = recv(client->fd, in, sizeof(shim->in), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        client_leave(shim, client);
        return;
    }
    if (in[0] == WIRE_STDIN && n > 1 && shim->input >= 0) {
        shim->n_in = (size_t)n;
        shim->at_in = 1;
        input_write(shim);
    } else if (in[0] == WIRE_STDIN_END) {
        input_end(shim);
    } else if (in[0] == WIRE_RESIZE && n == 1 + sizeof(struct wire_size) && shim->set.tty) {
        struct wire_size size;
        memcpy(&size, in + 1, sizeof(size));
        console_resize(shim->sources[0].fd, size.columns, size.rows);
    }
}

/* --- output --- */

static void chunk_send(struct shim *shim, struct client *client)
{
    ssize_t n = send(client->fd, shim->chunk, shim->n_chunk, MSG_DONTWAIT | MSG_NOSIGNAL);
    client->behind = n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS);
    if (n < 0 && !client->behind)
        client_leave(shim, client);
}

/* Who has had the time is sent away, and the container goes on. */
static void chunk_settle(struct shim *shim)
{
    bool waiting = false;
    bool late = !shim->set.exec && mono_ms() - shim->chunk_ms >= WIRE_PATIENCE_MS;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &shim->clients[i];
        if (client->fd >= 0 && client->behind && late)
            client_leave(shim, client);
        waiting = waiting || (client->fd >= 0 && client->behind);
    }
    if (!waiting)
        shim->n_chunk = 0;
}

static void source_end(struct shim *shim, struct source *source)
{
    log_end(&shim->log, source);
    if (shim->set.tty)
        shim->input = -1;
    close_fd(&source->fd);
}

static void source_read(struct shim *shim, struct source *source)
{
    ssize_t n = read(source->fd, shim->chunk + 1, WIRE_DATA_MAX);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* EIO: nobody holds the terminal any more. */
        source_end(shim, source);
        return;
    }
    log_add(&shim->log, source, shim->chunk + 1, (size_t)n);
    shim->chunk[0] = source->type;
    shim->n_chunk = (size_t)n + 1;
    shim->chunk_ms = mono_ms();
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (shim->clients[i].fd >= 0)
            chunk_send(shim, &shim->clients[i]);
    chunk_settle(shim);
}

/* --- the loop --- */

static void fill(const struct shim *shim, struct pollfd *slots)
{
    bool input_waits = shim->n_in > 0, output_waits = shim->n_chunk > 0, room = false;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        const struct client *client = &shim->clients[i];
        short events = (short)((client->behind ? POLLOUT : 0) | (input_waits ? 0 : POLLIN));
        /* One that has left while its input waits would wake us again and again. */
        bool look = events != 0 || shim->set.exec;
        slots[AT_CLIENTS + i] = (struct pollfd){look ? client->fd : -1, events, 0};
        room = room || client->fd < 0;
    }
    slots[AT_SIGNALS] = (struct pollfd){shim->signals, POLLIN, 0};
    slots[AT_LISTENER] = (struct pollfd){room ? shim->listener : -1, POLLIN, 0};
    slots[AT_INPUT] = (struct pollfd){input_waits ? shim->input : -1, POLLOUT, 0};
    for (int i = 0; i < 2; i++)
        slots[AT_SOURCES + i] = (struct pollfd){output_waits ? -1 : shim->sources[i].fd, POLLIN, 0};
}

static void serve_client(struct shim *shim, struct client *client, short events)
{
    if (shim->set.exec && (events & (POLLHUP | POLLERR)) != 0) {
        client_leave(shim, client);
        return;
    }
    if (client->behind && (events & POLLOUT) != 0) {
        chunk_send(shim, client);
        chunk_settle(shim);
    }
    if (client->fd >= 0 && shim->n_in == 0 && (events & (POLLIN | POLLHUP | POLLERR)) != 0)
        client_read(shim, client);
}

static void serve(struct shim *shim, const struct pollfd *slots)
{
    if (slots[AT_SIGNALS].revents != 0)
        shim_reap(shim);
    if (slots[AT_LISTENER].revents != 0) {
        int fd = accept4(shim->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            client_add(shim, fd);
    }
    if (slots[AT_INPUT].revents != 0 && shim->input >= 0)
        input_write(shim);
    for (int i = 0; i < 2; i++)
        if (slots[AT_SOURCES + i].revents != 0 && shim->n_chunk == 0)
            source_read(shim, &shim->sources[i]);
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (slots[AT_CLIENTS + i].revents != 0 && shim->clients[i].fd == slots[AT_CLIENTS + i].fd)
            serve_client(shim, &shim->clients[i], slots[AT_CLIENTS + i].revents);
}

static int wait_ms(const struct shim *shim)
{
    if (shim->n_chunk > 0 && !shim->set.exec)
        return WIRE_PATIENCE_MS;
    return shim->exited && shim->n_chunk == 0 ? DRAIN_MS : -1;
}

void streams_run(struct shim *shim)
{
    struct pollfd slots[SLOTS_MAX];
    while (!shim->exited || shim->n_chunk > 0 || shim->sources[0].fd >= 0 ||
           shim->sources[1].fd >= 0) {
        fill(shim, slots);
        int n = poll(slots, SLOTS_MAX, wait_ms(shim));
        if (n > 0)
            serve(shim, slots);
        else if (n == 0 && shim->n_chunk > 0)
            chunk_settle(shim);
        else if (n == 0 && shim->exited)
            return; /* Somebody else holds the pipes, and says nothing. */
        if (shim->set.exec && shim->clients[0].fd < 0)
            return; /* Nobody is left whom it could interest. */
    }
}
