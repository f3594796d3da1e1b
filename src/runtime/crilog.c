/* crilog.c - where to begin, which file comes next, and the lines' heads taken off. */
#include "runtime/crilog.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES_MAX = 9, /* PATH.1 ... are looked for as far as this. */
    HEAD_MAX = 64, /* Time, stream and tag, with the blanks. */
    BLOCK = 32 * 1024,
    NS = 1000000000,
};

enum line_state {
    IN_HEAD, /* Collecting it. */
    IN_TEXT,
    IN_SKIP, /* To the end of the line. */
};

struct crilog {
    struct crilog_want want;
    struct arena arena;
    const char *path;
    int fd, notify;
    uint64_t left; /* Bytes of files still to be read, when not following. */
    uint64_t given;
    bool ended;
    enum line_state state;
    bool whole; /* The line that is being read is tagged F. */
    bool fresh; /* The next text begins a line of output. */
    size_t n_head;
    char head[HEAD_MAX];
    char block[BLOCK];
};

/* --- times --- */

static bool digits(const char **at, int n, int64_t *number)
{
    *number = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

/* Days from 1970 to a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Z" or "+02:00" */
static bool zone_of(const char *at, int64_t *minutes)
{
    int64_t hours, rest;
    *minutes = 0;
    if (*at == 'Z')
        return at[1] == '\0';
    char sign = *at;
    at++;
    if ((sign != '+' && sign != '-') || !digits(&at, 2, &hours) || *at++ != ':' ||
        !digits(&at, 2, &rest) || *at != '\0')
        return false;
    *minutes = (hours * 60 + rest) * (sign == '+' ? 1 : -1);
    return true;
}

bool cri_time(str_t text, int64_t *unix_ns)
{
    char z[40];
    int64_t year, month, day, hour, minute, second, ns = 0, zone;
    if (text.len >= sizeof(z))
        return false;
    memcpy(z, text.at, text.len);
    z[text.len] = '\0';
    const char *at = z;
    if (!digits(&at, 4, &year) || *at++ != '-' || !digits(&at, 2, &month) || *at++ != '-' ||
        !digits(&at, 2, &day) || *at++ != 'T' || !digits(&at, 2, &hour) || *at++ != ':' ||
        !digits(&at, 2, &minute) || *at++ != ':' || !digits(&at, 2, &second))
        return false;
    if (*at == '.') {
        int64_t scale = NS / 10;
        for (at++; *at >= '0' && *at <= '9'; at++, scale /= 10)
            ns += (*at - '0') * scale;
    }
    /* Years that nanoseconds in 64 bits reach. */
    if (!zone_of(at, &zone) || year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour > 24 || minute > 59 || second > 60)
        return false;
    int64_t minutes = (days_of(year, month, day) * 24 + hour) * 60 + minute - zone;
    *unix_ns = (minutes * 60 + second) * NS + ns;
    return true;
}

/* --- lines --- */

/* "TIME STREAM TAG ", and its parts. */
static bool head_parse(str_t head, str_t *stamp, unsigned *stream, bool *whole)
{
    str_t name, tag;
    if (!str_cut(head, ' ', stamp, &head) || !str_cut(head, ' ', &name, &head) ||
        !str_cut(head, ' ', &tag, &head))
        return false;
    *stream = str_eq(name, STR("stdout"))   ? CRILOG_STDOUT
              : str_eq(name, STR("stderr")) ? CRILOG_STDERR
                                            : 0;
    (void)str_cut(tag, ':', &tag, &name); /* Tags may follow one another: "F:x". */
    *whole = str_eq(tag, STR("F"));
    return *stream != 0 && (*whole || str_eq(tag, STR("P")));
}

static void give(struct crilog *log, str_t text, struct buf *out)
{
    uint64_t limit = log->want.limit_bytes;
    if (limit > 0 && text.len >= limit - log->given) {
        text.len = (size_t)(limit - log->given);
        log->ended = true;
    }
    buf_add(out, text);
    log->given += text.len;
}

static void head_done(struct crilog *log, struct buf *out)
{
    str_t stamp;
    unsigned stream;
    int64_t at;
    bool ok = head_parse((str_t){log->head, log->n_head}, &stamp, &stream, &log->whole) &&
              cri_time(stamp, &at) && at >= log->want.since_ns &&
              (log->want.streams == 0 || (log->want.streams & stream) != 0);
    log->n_head = 0;
    log->state = ok ? IN_TEXT : IN_SKIP;
    if (ok && log->fresh && log->want.timestamps) {
        give(log, stamp, out);
        if (!log->ended)
            give(log, STR(" "), out);
    }
    log->fresh = log->fresh && !ok;
}

/* The head's last byte is the third blank. How many bytes were taken. */
static size_t feed_head(struct crilog *log, str_t bytes, struct buf *out)
{
    size_t blanks = 0;
    for (size_t i = 0; i < log->n_head; i++)
        blanks += log->head[i] == ' ';
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.at[i];
        if (c == '\n') { /* Too short a line. */
            log->n_head = 0;
            return i + 1;
        }
        if (log->n_head == HEAD_MAX) {
            log->n_head = 0;
            log->state = IN_SKIP;
            return i;
        }
        log->head[log->n_head++] = c;
        blanks += c == ' ';
        if (blanks == 3) {
            head_done(log, out);
            return i + 1;
        }
    }
    return bytes.len;
}

static size_t feed_rest(struct crilog *log, str_t bytes, struct buf *out)
{
    const char *end = memchr(bytes.at, '\n', bytes.len);
    size_t n = end == NULL ? bytes.len : (size_t)(end - bytes.at);
    if (log->state == IN_TEXT)
        give(log, (str_t){bytes.at, n}, out);
    if (end == NULL)
        return n;
    if (log->state == IN_TEXT && log->whole && !log->ended) {
        give(log, STR("\n"), out);
        log->fresh = true;
    }
    log->state = IN_HEAD;
    return n + 1;
}

void crilog_feed(struct crilog *log, str_t bytes, struct buf *out)
{
    while (bytes.len > 0 && !log->ended) {
        size_t n = log->state == IN_HEAD ? feed_head(log, bytes, out) : feed_rest(log, bytes, out);
        bytes = (str_t){bytes.at + n, bytes.len - n};
    }
}

/* --- files --- */

/* 0: the path itself; 1: PATH.1 */
static const char *file_name(struct crilog *log, int number, struct arena *arena)
{
    return number == 0 ? log->path : arena_printf(arena, "%s.%d", log->path, number).at;
}

static int file_open(struct crilog *log, int number)
{
    AUTO(arena_done) struct arena arena = {0};
    return open(file_name(log, number, &arena), O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static bool same_file(struct crilog *log, int number, const struct stat *as)
{
    AUTO(arena_done) struct arena arena = {0};
    struct stat st;
    return stat(file_name(log, number, &arena), &st) == 0 && st.st_ino == as->st_ino &&
           st.st_dev == as->st_dev;
}

/* The one after the file that is open now, negative when that is the newest. */
static int next_file(struct crilog *log)
{
    struct stat st;
    if (fstat(log->fd, &st) < 0 || same_file(log, 0, &st))
        return -1;
    for (int i = 1; i <= FILES_MAX; i++)
        if (same_file(log, i, &st))
            return file_open(log, i - 1);
    for (int i = FILES_MAX; i >= 0; i--) { /* It was rotated away: go on with what is left. */
        int fd = file_open(log, i);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

struct begin {
    int64_t lines; /* Ends of lines still to be found. */
    int64_t at;    /* Where the line after the last one found begins. */
    bool found;
};

/* Lines that begin in the block, which is at `from` of the file, from the last to the first. */
static void look_back(struct begin *begin, const char *block, size_t n, size_t starts, int64_t from)
{
    for (size_t i = starts; i > 0 && !begin->found; i--) {
        if (i > 1 && block[i - 2] != '\n')
            continue;
        if (i == 1 && from > 0)
            return; /* Whether this is a beginning the block before it knows. */
        str_t stamp;
        unsigned stream;
        bool whole;
        size_t rest = n - (i - 1) < HEAD_MAX ? n - (i - 1) : HEAD_MAX;
        str_t head = {block + i - 1, rest};
        (void)str_cut(head, '\n', &head, &stamp);
        if (head_parse(head, &stamp, &stream, &whole) && whole) {
            begin->found = begin->lines == 0;
            begin->lines--;
        }
        if (!begin->found)
            begin->at = from + (int64_t)i - 1;
    }
}

/* From the end of the file towards its beginning, a block at a time. */
static void find_begin(struct crilog *log, int fd, struct begin *begin)
{
    struct stat st;
    int64_t end = fstat(fd, &st) == 0 ? st.st_size : 0;
    begin->at = end;
    while (end > 0 && !begin->found) {
        /* One byte before, to see the end of the line there; heads reach into what follows. */
        int64_t step = BLOCK - HEAD_MAX - 1, from = end > step ? end - step : 0;
        ssize_t n = pread(fd, log->block, (size_t)(end - from) + HEAD_MAX, (off_t)from);
        if (n <= 0)
            return;
        size_t starts = (size_t)(end - from) < (size_t)n ? (size_t)(end - from) : (size_t)n;
        look_back(begin, log->block, (size_t)n, starts, from);
        end = from == 0 ? 0 : from + 1;
    }
}

/* The oldest file that is needed is open then, at the right place; `left` is what is to be read. */
static int begin_at(struct crilog *log, struct err *err)
{
    struct begin begin = {.lines = log->want.tail};
    for (int i = 0; i <= FILES_MAX; i++) {
        struct stat st;
        int fd = file_open(log, i);
        if (fd < 0 && i == 0)
            return err_errno(err, "open '%s'", log->path);
        if (fd < 0)
            return 0;
        int64_t newest =
            fstat(fd, &st) < 0 ? 0 : (int64_t)st.st_mtim.tv_sec * NS + st.st_mtim.tv_nsec;
        if (i > 0 && newest < log->want.since_ns) {
            close(fd);
            return 0;
        }
        begin.at = 0;
        if (log->want.tail >= 0)
            find_begin(log, fd, &begin);
        if (log->fd >= 0)
            close(log->fd);
        log->fd = fd;
        (void)lseek(fd, (off_t)begin.at, SEEK_SET);
        log->left += st.st_size > begin.at ? (uint64_t)(st.st_size - begin.at) : 0;
        if (begin.found || log->want.tail == 0)
            return 0;
    }
    return 0;
}

static int watch_directory(struct crilog *log, struct err *err)
{
    const char *slash = strrchr(log->path, '/');
    str_t dir = slash == NULL ? STR(".") : (str_t){log->path, (size_t)(slash - log->path)};
    log->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    const char *name = arena_printf(&log->arena, STR_F "/", STR_A(dir)).at;
    if (log->notify < 0 ||
        inotify_add_watch(log->notify, name, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
        return err_errno(err, "watch '%s'", name);
    return 0;
}

struct crilog *crilog_new(const struct crilog_want *want)
{
    struct crilog *log = calloc(1, sizeof(*log));
    MUST(log != NULL);
    log->want = *want;
    log->fd = log->notify = -1;
    log->fresh = true;
    return log;
}

int crilog_open(const char *path, const struct crilog_want *want, struct crilog **out,
                struct err *err)
{
    struct crilog *log = crilog_new(want);
    log->path = arena_printf(&log->arena, "%s", path).at;
    int r = want->follow ? watch_directory(log, err) : 0;
    if (r == 0)
        r = begin_at(log, err);
    if (r < 0) {
        crilog_close(log);
        return r;
    }
    *out = log;
    return 0;
}

void crilog_close(struct crilog *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0)
        close(log->fd);
    if (log->notify >= 0)
        close(log->notify);
    arena_done(&log->arena);
    free(log);
}

bool crilog_ended(const struct crilog *log)
{
    return log->ended;
}

int crilog_fd(const struct crilog *log)
{
    return log->notify;
}

/* 1: some bytes, or another file; 0: that was all for now. */
static int read_block(struct crilog *log, struct buf *out, struct err *err)
{
    size_t want = BLOCK;
    if (!log->want.follow && log->left < want)
        want = (size_t)log->left;
    ssize_t n = want == 0 ? 0 : read(log->fd, log->block, want);
    if (n < 0)
        return err_errno(err, "read '%s'", log->path);
    if (n == 0) {
        int fd = want == 0 ? -1 : next_file(log);
        if (fd < 0)
            return 0;
        /* Between our reading and its being rotated away there may have been more. */
        n = read(log->fd, log->block, want);
        if (n <= 0) {
            close(log->fd);
            log->fd = fd;
            return 1;
        }
        close(fd);
    }
    log->left -= (uint64_t)n < log->left ? (uint64_t)n : log->left;
    crilog_feed(log, (str_t){log->block, (size_t)n}, out);
    return 1;
}

int crilog_read(struct crilog *log, size_t max, struct buf *out, struct err *err)
{
    char events[4096];
    size_t before = out->len;
    if (log->notify >= 0) /* Before reading: what comes after is told again. */
        while (read(log->notify, events, sizeof(events)) > 0)
            ;
    int r = 1;
    /* What does not give anything, such as lines of long ago, ends a call as well. */
    for (int blocks = 0; blocks < 64 && r == 1 && !log->ended && out->len - before < max; blocks++)
        r = read_block(log, out, err);
    if (r == 0 && !log->want.follow)
        log->ended = true;
    return log->ended && r > 0 ? 0 : r;
}
