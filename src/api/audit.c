/* audit.c - the chain of lines, its files, and checking them. */
#include "api/audit.h"

#include "base/file.h"
#include "net/pool.h"
#include "net/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX = 2 * SIGN_HASH_BYTES, PATH_BYTES_MAX = 4096, GATHER_MS = 20 };

#define TAIL_START ",\"hash\":\""
#define TAIL_BYTES (sizeof(TAIL_START) - 1 + HEX + 2) /* ...HEX"} */

struct audit {
    struct loop *loop;
    struct timer soon; /* Set while something waits: one wake of the thread for many lines. */
    struct pool *pool;
    struct job job;
    bool busy;
    struct buf waiting, writing; /* Lines as they were added, without hashes. */
    size_t lost;                 /* Since the last time that this could be said. */
    /* The pool's, while `busy`. */
    char dir[PATH_BYTES_MAX];
    size_t file_bytes_max, size, written_lost, failed;
    int fd;
    char last[HEX];
};

/* The next link: over the link before and the line up to its hash. */
static void chain(const char last[HEX], str_t line, char out[HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SIGN_HASH_BYTES];
    AUTO(buf_done) struct buf text = {0};
    buf_add(&text, (str_t){last, HEX});
    buf_add(&text, line);
    sign_hash(buf_str(&text), hash);
    for (size_t i = 0; i < SIGN_HASH_BYTES; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
}

static void path_of(const char *dir, int number, char out[PATH_BYTES_MAX + 32])
{
    if (number == 0)
        (void)snprintf(out, PATH_BYTES_MAX + 32, "%s/audit.log", dir);
    else
        (void)snprintf(out, PATH_BYTES_MAX + 32, "%s/audit.log.%d", dir, number);
}

/* --- writing --- */

/* An object's text becomes a line: its hash takes the place of the closing brace. */
static void add_line(struct buf *out, char last[HEX], str_t object)
{
    str_t line = {object.at, object.len - 1};
    char hash[HEX];
    chain(last, line, hash);
    memcpy(last, hash, HEX);
    buf_add(out, line);
    buf_add(out, STR(TAIL_START));
    buf_add(out, (str_t){hash, HEX});
    buf_add(out, STR("\"}\n"));
}

static int open_file(struct audit *audit)
{
    char path[PATH_BYTES_MAX + 32];
    path_of(audit->dir, 0, path);
    audit->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    audit->size = 0;
    return audit->fd < 0 ? -1 : 0;
}

static void rotate(struct audit *audit)
{
    char from[PATH_BYTES_MAX + 32], to[PATH_BYTES_MAX + 32];
    for (int i = AUDIT_FILES_MAX - 1; i > 0; i--) {
        path_of(audit->dir, i - 1, from);
        path_of(audit->dir, i, to);
        (void)rename(from, to); /* What is not there yet need not move. */
    }
    close(audit->fd);
    (void)open_file(audit);
}

/* All or nothing of it: half a line would break the chain. */
static bool write_all(struct audit *audit, str_t bytes)
{
    if (audit->fd < 0 && open_file(audit) < 0)
        return false;
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = write(audit->fd, bytes.at + done, bytes.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int r = ftruncate(audit->fd, (off_t)audit->size);
            (void)r; /* If not even this is possible, verifying will say so. */
            return false;
        }
        done += (size_t)n;
    }
    audit->size += bytes.len;
    return true;
}

static void begin_file(struct audit *audit, struct buf *out, char last[HEX])
{
    char line[128];
    (void)snprintf(line, sizeof(line), "{\"kind\":\"Begin\",\"previous\":\"%.*s\"}", HEX, last);
    if (audit->size == 0)
        add_line(out, last, str_from_z(line));
}

static void write_lines(struct job *job)
{
    struct audit *audit = CONTAINER_OF(job, struct audit, job);
    AUTO(buf_done) struct buf out = {0};
    char last[HEX], line[128];
    str_t rest = buf_str(&audit->writing), event;
    size_t n = 0;
    if (audit->size >= audit->file_bytes_max)
        rotate(audit);
    memcpy(last, audit->last, HEX);
    begin_file(audit, &out, last);
    if (audit->written_lost > 0) {
        (void)snprintf(line, sizeof(line), "{\"kind\":\"Lost\",\"events\":%zu}",
                       audit->written_lost);
        add_line(&out, last, str_from_z(line));
    }
    for (; rest.len > 0; n++) {
        str_cut(rest, '\n', &event, &rest);
        add_line(&out, last, event);
    }
    audit->failed = 0;
    if (write_all(audit, buf_str(&out)))
        memcpy(audit->last, last, HEX);
    else
        audit->failed = n + audit->written_lost;
    audit->writing.len = 0;
}

static void lines_written(struct job *job);

static void go_on(struct audit *audit)
{
    if (audit->busy || audit->waiting.len == 0)
        return;
    struct buf swap = audit->writing;
    audit->writing = audit->waiting;
    audit->waiting = swap;
    audit->waiting.len = 0;
    audit->written_lost = audit->lost;
    audit->lost = 0;
    audit->busy = true;
    audit->job = (struct job){.work = write_lines, .done = lines_written};
    pool_run(audit->pool, &audit->job);
}

static void lines_written(struct job *job)
{
    struct audit *audit = CONTAINER_OF(job, struct audit, job);
    audit->busy = false;
    audit->lost += audit->failed;
    go_on(audit);
}

static void soon_due(struct timer *timer)
{
    go_on(CONTAINER_OF(timer, struct audit, soon));
}

void audit_add(struct audit *audit, str_t event)
{
    if (audit->waiting.len + event.len > AUDIT_WAITING_BYTES_MAX) {
        audit->lost++;
        return;
    }
    if (audit->waiting.len == 0 && !audit->busy)
        timer_set(audit->loop, &audit->soon, GATHER_MS, soon_due);
    buf_add(&audit->waiting, event);
    buf_add_char(&audit->waiting, '\n');
}

/* --- checking --- */

static str_t hash_of(str_t line)
{
    if (line.len <= TAIL_BYTES)
        return STR("");
    str_t tail = {line.at + line.len - TAIL_BYTES, TAIL_BYTES};
    if (!str_starts(tail, STR(TAIL_START)) || memcmp(tail.at + TAIL_BYTES - 2, "\"}", 2) != 0)
        return STR("");
    return (str_t){tail.at + sizeof(TAIL_START) - 1, HEX};
}

/* `known`: `last` is the link before; else the file's first line says it. */
static int verify_file(str_t text, const char *path, char last[HEX], bool *known, size_t *lines,
                       struct err *err)
{
    static const str_t begin = STR("{\"kind\":\"Begin\",\"previous\":\"");
    str_t line, rest = text;
    for (size_t number = 1; rest.len > 0; number++) {
        if (!str_cut(rest, '\n', &line, &rest))
            return err_set(err, ERR_INVALID, "%s: line %zu is not whole", path, number);
        char hash[HEX];
        str_t is = hash_of(line);
        bool starts = str_starts(line, begin) && line.len >= begin.len + HEX;
        if (number == 1 && !*known && starts)
            memcpy(last, line.at + begin.len, HEX);
        if (is.len == 0)
            return err_set(err, ERR_INVALID, "%s: line %zu has no hash", path, number);
        chain(last, (str_t){line.at, line.len - TAIL_BYTES}, hash);
        if (memcmp(hash, is.at, HEX) != 0 ||
            (starts && memcmp(line.at + begin.len, last, HEX) != 0))
            return err_set(err, ERR_INVALID,
                           "%s: the chain breaks at line %zu: it, or what was before it, was "
                           "changed or removed",
                           path, number);
        memcpy(last, hash, HEX);
        *known = true;
        ++*lines;
    }
    return 0;
}

int audit_verify(str_t dir, size_t *lines, struct err *err)
{
    char last[HEX], path[PATH_BYTES_MAX + 32], name[PATH_BYTES_MAX];
    bool known = false;
    int r = 0;
    memset(last, '0', HEX);
    *lines = 0;
    (void)snprintf(name, sizeof(name), STR_F, STR_A(dir));
    for (int i = AUDIT_FILES_MAX - 1; r == 0 && i >= 0; i--) {
        AUTO(arena_done) struct arena arena = {0};
        str_t text;
        path_of(name, i, path);
        r = file_read(&arena, path, 2 * (size_t)AUDIT_FILE_BYTES_MAX, &text, err);
        if (r == ERR_NOT_FOUND && (i > 0 || known || access(name, F_OK) == 0)) {
            r = known ? err_set(err, ERR_INVALID, "%s is missing", path) : 0;
            continue;
        }
        if (r == 0)
            r = verify_file(text, path, last, &known, lines, err);
    }
    return r;
}

/* --- a life --- */

/* Where the file ends, and with which link. */
static int find_end(struct audit *audit, bool *torn, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    char path[PATH_BYTES_MAX + 32];
    str_t text;
    path_of(audit->dir, 0, path);
    int r = file_read(&arena, path, 2 * (size_t)AUDIT_FILE_BYTES_MAX, &text, err);
    if (r == ERR_NOT_FOUND)
        return 0;
    if (r < 0)
        return r;
    const char *end = text.len == 0 ? NULL : memrchr(text.at, '\n', text.len);
    size_t whole = end == NULL ? 0 : (size_t)(end - text.at) + 1;
    if (torn != NULL)
        *torn = whole < text.len;
    if (whole < text.len && truncate(path, (off_t)whole) < 0)
        return err_errno(err, "cut the last line of '%s'", path);
    audit->size = whole;
    if (whole == 0)
        return 0;
    const char *start = whole < 2 ? NULL : memrchr(text.at, '\n', whole - 1);
    start = start == NULL ? text.at : start + 1;
    str_t hash = hash_of((str_t){start, (size_t)(end - start)});
    if (hash.len == HEX)
        memcpy(audit->last, hash.at, HEX);
    return 0;
}

int audit_open(const struct audit_settings *settings, struct audit **out, bool *torn,
               struct err *err)
{
    struct audit *audit = calloc(1, sizeof(*audit));
    MUST(audit != NULL);
    if (torn != NULL)
        *torn = false;
    (void)snprintf(audit->dir, sizeof(audit->dir), STR_F, STR_A(settings->dir));
    audit->fd = -1;
    audit->loop = settings->loop;
    audit->file_bytes_max =
        settings->file_bytes_max > 0 ? settings->file_bytes_max : AUDIT_FILE_BYTES_MAX;
    memset(audit->last, '0', HEX);
    int r = find_end(audit, torn, err);
    size_t size = audit->size;
    if (r == 0 && open_file(audit) < 0)
        r = err_errno(err, "open the audit log in '%s'", audit->dir);
    audit->size = size;
    if (r == 0)
        r = pool_new(settings->loop, 1, &audit->pool, err);
    if (r < 0)
        audit_close(audit);
    else
        *out = audit;
    return r;
}

void audit_close(struct audit *audit)
{
    if (audit == NULL)
        return;
    timer_stop(&audit->soon);
    if (audit->pool != NULL)
        pool_free(audit->pool);
    if (audit->writing.len > 0) /* It had not begun. */
        write_lines(&audit->job);
    if (audit->waiting.len > 0) {
        struct buf swap = audit->writing;
        audit->writing = audit->waiting;
        audit->waiting = swap;
        audit->written_lost = audit->lost;
        write_lines(&audit->job);
    }
    if (audit->fd >= 0)
        close(audit->fd);
    buf_done(&audit->waiting);
    buf_done(&audit->writing);
    free(audit);
}
