/* crilog_test.c - logs with every wish one may have of them, and while they are rotated. */
#include "runtime/crilog.h"
#include "testkit/test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/davy-crilog-XXXXXX";

static const char *path_of(int number)
{
    static char path[64];
    snprintf(path, sizeof(path), number == 0 ? "%s/0.log" : "%s/0.log.%d", dir, number);
    return path;
}

static void put(int number, const char *text)
{
    int fd = open(path_of(number), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    if (fd >= 0)
        close(fd);
}

static void rotate(void)
{
    char to[64];
    for (int i = 8; i > 0; i--) {
        memcpy(to, path_of(i), sizeof(to));
        (void)rename(path_of(i - 1), to);
    }
}

static void clean(void)
{
    for (int i = 0; i < 10; i++)
        (void)unlink(path_of(i));
    (void)rmdir(dir);
    memset(dir + sizeof(dir) - 7, 'X', 6); /* For the next mkdtemp(). */
}

/* All of it, in reads of a few bytes. */
static void check_text(const struct crilog_want *want, const char *text, int line)
{
    AUTO(buf_done) struct buf out = {0};
    struct crilog *log;
    struct err err;
    int r = crilog_open(path_of(0), want, &log, &err);
    if (!test_check_int(r, 0, "crilog_open", __FILE__, line))
        return;
    while ((r = crilog_read(log, 10, &out, &err)) == 1)
        ;
    test_check_int(r, 0, "crilog_read", __FILE__, line);
    test_check(crilog_ended(log), "ended", __FILE__, line);
    test_check_str(buf_str(&out), str_from_z(text), "the log", __FILE__, line);
    crilog_close(log);
}

TEST(times_of_rfc_3339)
{
    static const struct {
        const char *text;
        int64_t ns; /* < 0: none. */
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-26T18:51:03.123456789Z", 1795719063123456789},
        {"2024-02-29T23:59:59.5Z", 1709251199500000000},
        {"2024-03-01T00:59:59.5+01:00", 1709251199500000000},
        {"2024-02-29T18:29:59.5-05:30", 1709251199500000000},
        {"2024-02-29 23:59:59Z", -1},
        {"2024-02-29T23:59:59", -1},
        {"2024-13-29T23:59:59Z", -1},
        {"9999-12-31T23:59:59Z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ns = -1;
        bool ok = cri_time(str_from_z(rows[i].text), &ns);
        test_check_int(ok ? ns : -1, rows[i].ns, rows[i].text, __FILE__, __LINE__);
    }
}

TEST(a_log_is_read_across_rotated_files)
{
    CHECK(mkdtemp(dir) != NULL);
    put(2, "2026-01-01T00:00:01Z stdout F one\n2026-01-01T00:00:02Z stderr F two\n");
    put(1, "2026-01-01T00:00:03Z stdout P thr\n2026-01-01T00:00:03Z stdout F ee\n");
    put(0, "2026-01-01T00:00:04Z stdout F four\nnonsense\n2026-01-01T00:00:05Z stdout F \n");
    struct {
        struct crilog_want want;
        const char *text;
    } rows[] = {
        {{.tail = -1}, "one\ntwo\nthree\nfour\n\n"},
        {{.tail = 0}, ""},
        {{.tail = 1}, "\n"},
        {{.tail = 2}, "four\n\n"},
        {{.tail = 3}, "three\nfour\n\n"},
        {{.tail = 4}, "two\nthree\nfour\n\n"},
        {{.tail = 5}, "one\ntwo\nthree\nfour\n\n"},
        {{.tail = 500}, "one\ntwo\nthree\nfour\n\n"},
        {{.tail = -1, .streams = CRILOG_STDERR}, "two\n"},
        {{.tail = -1, .streams = CRILOG_STDOUT}, "one\nthree\nfour\n\n"},
        {{.tail = -1, .limit_bytes = 6}, "one\ntw"},
        {{.tail = 2, .timestamps = true}, "2026-01-01T00:00:04Z four\n2026-01-01T00:00:05Z \n"},
        {{.tail = 3, .timestamps = true, .limit_bytes = 26}, "2026-01-01T00:00:03Z three"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_text(&rows[i].want, rows[i].text, __LINE__);
    struct crilog_want want = {.tail = -1};
    CHECK(cri_time(STR("2026-01-01T00:00:04Z"), &want.since_ns));
    check_text(&want, "four\n\n", __LINE__);
    want.tail = 1;
    check_text(&want, "\n", __LINE__);
    clean();
    struct crilog *log;
    struct err err;
    CHECK_INT(crilog_open(path_of(0), &want, &log, &err), ERR_NOT_FOUND);
}

TEST(the_end_of_a_log_is_found_whatever_its_lines)
{
    enum { LINES = 3000 };
    struct dice dice = {7};
    AUTO(buf_done) struct buf text = {0};
    AUTO(buf_done) struct buf all = {0};
    size_t starts[LINES];
    CHECK(mkdtemp(dir) != NULL);
    for (int i = 0; i < LINES; i++) {
        starts[i] = all.len;
        unsigned parts = dice_roll(&dice, 10) == 0 ? dice_roll(&dice, 4) : 0;
        for (unsigned part = 0; part <= parts; part++) {
            buf_printf(&text, "2026-01-01T00:00:01Z stdout %s ", part < parts ? "P" : "F");
            unsigned n = dice_roll(&dice, dice_roll(&dice, 20) == 0 ? 16000 : 80);
            for (unsigned j = 0; j < n; j++) {
                char c = (char)(' ' + dice_roll(&dice, 90));
                buf_add_char(&text, c);
                buf_add_char(&all, c);
            }
            buf_add_char(&text, '\n');
        }
        buf_add_char(&all, '\n');
    }
    buf_add_char(&text, '\0');
    buf_add_char(&all, '\0');
    put(0, text.at);
    for (int tail = 1; tail < LINES; tail += 1 + (int)dice_roll(&dice, 400))
        check_text(&(struct crilog_want){.tail = tail}, all.at + starts[LINES - tail], __LINE__);
    clean();
}

TEST(who_follows_a_log_misses_nothing_when_it_is_rotated)
{
    AUTO(buf_done) struct buf out = {0};
    AUTO(buf_done) struct buf wanted = {0};
    struct dice dice = {11};
    struct crilog *log = NULL;
    struct err err;
    char line[128];
    CHECK(mkdtemp(dir) != NULL);
    put(0, "2026-01-01T00:00:01Z stdout F first\n");
    CHECK_INT(
        crilog_open(path_of(0), &(struct crilog_want){.tail = -1, .follow = true}, &log, &err), 0);
    buf_add(&wanted, STR("first\n"));
    for (int i = 0; i < 500 && log != NULL; i++) {
        unsigned rotations = dice_roll(&dice, 4);
        for (unsigned j = 0; j <= rotations; j++) {
            if (j > 0)
                rotate();
            snprintf(line, sizeof(line), "2026-01-01T00:00:01Z stdout F %d %u\n", i, j);
            put(0, line);
            buf_printf(&wanted, "%d %u\n", i, j);
        }
        struct pollfd slot = {crilog_fd(log), POLLIN, 0};
        CHECK_INT(poll(&slot, 1, 0), 1);
        while (crilog_read(log, 100, &out, &err) == 1)
            ;
        CHECK(!crilog_ended(log));
        CHECK_INT(poll(&slot, 1, 0), 0);
    }
    CHECK(str_eq(buf_str(&out), buf_str(&wanted)));
    crilog_close(log);
    clean();
}
