/* shim_log_test.c - what the shim writes the reader reads: the same bytes, in files with bounds. */
#include "base/file.h"
#include "runtime/crilog.h"
#include "shim/shim.h"
#include "testkit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/davy-shim-log-XXXXXX", path[64];
static struct log shim_log;
static struct source source;

static void begin(void)
{
    memset(dir + sizeof(dir) - 7, 'X', 6);
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/0.log", dir);
    memset(&shim_log, 0, sizeof(shim_log));
    source = (struct source){.fd = -1, .type = WIRE_STDOUT};
    log_open(&shim_log, path);
}

static void end(void)
{
    char name[80];
    close(shim_log.fd);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), i == 0 ? "%s" : "%s.%d", path, i);
        (void)unlink(name);
    }
    (void)rmdir(dir);
}

static void check_reads(str_t text)
{
    AUTO(buf_done) struct buf out = {0};
    struct crilog *log;
    struct err err;
    if (!CHECK_INT(crilog_open(path, &(struct crilog_want){.tail = -1}, &log, &err), 0))
        return;
    while (crilog_read(log, 100000, &out, &err) == 1)
        ;
    CHECK_INT((int64_t)out.len, (int64_t)text.len);
    CHECK(str_eq(buf_str(&out), text));
    crilog_close(log);
}

TEST(what_is_logged_is_read_again_however_it_came)
{
    struct dice dice = {3};
    AUTO(buf_done) struct buf text = {0};
    static const unsigned longest[] = {0, 1, 80, 80, 80, 16383, 16384, 16385, 40000};
    begin();
    for (int i = 0; i < 400; i++) {
        unsigned n = longest[dice_roll(&dice, ARRAY_LEN(longest))];
        for (unsigned j = 0; j < n; j++)
            buf_add_char(&text, (char)(' ' + dice_roll(&dice, 90)));
        buf_add_char(&text, '\n');
    }
    for (size_t at = 0; at < text.len;) {
        size_t n = 1 + dice_roll(&dice, dice_roll(&dice, 2) == 0 ? 100 : WIRE_DATA_MAX);
        n = n < text.len - at ? n : text.len - at;
        log_add(&shim_log, &source, text.at + at, n);
        at += n;
    }
    log_end(&shim_log, &source);
    check_reads(buf_str(&text));
    log_add(&shim_log, &source, "not ended", 9);
    log_end(&shim_log, &source);
    buf_add(&text, STR("not ended\n"));
    check_reads(buf_str(&text));
    end();
}

TEST(a_log_has_five_files_of_ten_mebibytes)
{
    char name[80], line[1000];
    struct stat st;
    begin();
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (int i = 0; i < 70000; i++)
        log_add(&shim_log, &source, line, sizeof(line));
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), i == 0 ? "%s" : "%s.%d", path, i);
        CHECK(stat(name, &st) == 0);
        CHECK(i == 0 || (st.st_size >= LOG_BYTES_MAX && st.st_size < LOG_BYTES_MAX + 20000));
        CHECK(st.st_size < LOG_BYTES_MAX + 20000);
    }
    snprintf(name, sizeof(name), "%s.5", path);
    CHECK(stat(name, &st) < 0);
    end();
}

TEST(lines_of_a_log_have_time_stream_and_tag)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    str_t text, stamp, rest;
    int64_t ns, now = now_ns();
    begin();
    source.type = WIRE_STDERR;
    log_add(&shim_log, &source, "a b\n", 4);
    CHECK_INT(file_read(&arena, path, 4096, &text, &err), 0);
    CHECK(str_cut(text, ' ', &stamp, &rest) && stamp.len == 30);
    CHECK(cri_time(stamp, &ns) && ns >= now && ns <= now_ns());
    CHECK_STR(rest, "stderr F a b\n");
    struct line line = {.n = 0};
    line_add_time(&line, 1709251199500000000);
    CHECK_STR(str_from_z(line.at), "2024-02-29T23:59:59.500000000Z");
    end();
}

TEST(a_full_disk_loses_lines_and_nothing_else)
{
    begin();
    close(shim_log.fd);
    shim_log.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    log_add(&shim_log, &source, "lost\n", 5);
    close(shim_log.fd);
    shim_log.fd = -1; /* Opened anew, with the next line. */
    log_add(&shim_log, &source, "kept\n", 5);
    check_reads(STR("kept\n"));
    end();
}
