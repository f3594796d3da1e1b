/*
 * shim.h - davy-shim: the process beside a container, or beside one exec in it.
 *
 * It keeps what must outlive the node role: the pipes or the terminal, the log, the exit. There is
 * one for each container, so it is small: static, one thread, no heap, no stdio, and pages of its
 * buffers are only touched when they are used. It includes nothing of ours but runtime/wire.h.
 *
 * It begins with its state directory as working directory and these descriptors. Files there,
 * beside those of runtime/state.h: `shim` and `init` ("PID START BOOT": the process, in clock ticks
 * since boot, and which boot), `attach.sock`, `exit.json`.
 */
#pragma once

#include "runtime/wire.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FILE_RESERVED = 512 };

enum { FD_REPORT = 3, FD_LOCK = 4, FD_LAST = 4 };

enum {
    CLIENTS_MAX = 8,
    LINE_MAX_BYTES = 16 * 1024, /* Longer ones are logged in parts, as containerd does. */
    LOG_BYTES_MAX = 10 * 1024 * 1024,
    LOG_FILES_MAX = 5,
    DRAIN_MS = 100, /* After the exit, for those who still hold the pipes. */
    GROUPS_MAX = 16,
};

struct settings {
    const char *id, *program, *root;
    const char *log;                /* Of the container; NULL: none. */
    const char *oom;                /* memory.events or memory.oom_control; NULL: none. */
    const char *kill_all;           /* cgroup.procs of what goes when the first process has gone. */
    const char *groups[GROUPS_MAX]; /* cgroup.procs to move to when the container is made. */
    size_t n_groups;
    const char *process, *pid_file, *runtime_log;
    const char *columns, *rows;
    bool exec, tty, stdin_open, stdin_once;
};

struct source {
    int fd; /* -1: it has ended. */
    char type;
    size_t n; /* Bytes of a line that has not ended. */
    char line[LINE_MAX_BYTES];
};

struct log {
    const char *path;
    int fd;
    int64_t size;
    int64_t second; /* What `stamp` says. */
    char stamp[20];
    size_t n;
    char out[16 * 1024];
};

struct client {
    int fd;      /* -1: free. */
    bool behind; /* Has not taken the chunk. */
};

struct shim {
    struct settings set;
    int signals, listener, input;
    pid_t runtime, pid;
    bool exited;
    int status;
    int64_t finished_ns;
    struct client clients[CLIENTS_MAX];
    struct source sources[2];
    int64_t chunk_ms; /* Since when somebody is behind. */
    size_t n_chunk;   /* 0: everybody has taken it. */
    size_t n_in, at_in;
    bool input_ends; /* After what is still to be written. */
    struct log log;
    char chunk[WIRE_FRAME_MAX];
    char in[WIRE_FRAME_MAX];
};

/* text.c */
struct line { /* Text put together, cut at its end. */
    char at[512];
    size_t n;
};
void line_add(struct line *line, const char *text);
void line_add_number(struct line *line, int64_t number);
void line_add_time(struct line *line, int64_t unix_ns); /* RFC 3339, UTC, nine digits. */
int64_t now_ns(void);                                   /* Unix time. */
int64_t mono_ms(void);
/* The whole of a small file, ended by NUL; negative when it cannot be read. */
ssize_t file_get(const char *path, char *to, size_t max);
bool file_put(const char *path, const char *text, size_t n); /* Written aside and renamed. */
/* Room on the disk for a later file_put(): what must be said at the end can be when it is full. */
bool file_reserve(const char *path);
bool file_say(const char *path, const char *text); /* Into a file of the kernel. */
bool fd_say(int fd, const char *text, size_t n);   /* All of it. */
/* "PID START BOOT" of a process, into a file. */
bool identity_put(const char *path, pid_t pid);

/* log.c */
void log_open(struct log *log, const char *path);
void log_add(struct log *log, struct source *source, const char *bytes, size_t n);
void log_end(struct log *log, struct source *source); /* The line that did not end. */

/* spawn.c: runs crun or runc to its end; the container's process is then a child of ours. */
bool container_make(struct shim *shim);

/* console.c */
int console_listen(const char *name);
int console_take(int listener); /* The terminal's master. */
void console_resize(int master, uint16_t columns, uint16_t rows);

/* streams.c: until the process and its output have ended. */
void streams_run(struct shim *shim);
void client_add(struct shim *shim, int fd);

/* end.c */
void shim_reap(struct shim *shim);
void shim_end(struct shim *shim);
int keeper_run(void);
int pause_run(void);
