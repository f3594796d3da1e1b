/* audit_test.c - the chain of the audit log: over restarts, over files, and when somebody edits. */
#include "api/audit.h"
#include "base/file.h"
#include "net/loop.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct desk {
    char dir[64], path[96];
    struct loop *loop;
    struct arena arena;
};

static void desk_start(struct desk *desk)
{
    struct err err;
    *desk = (struct desk){.dir = "/tmp/davy-audit-test-XXXXXX"};
    MUST(mkdtemp(desk->dir) != NULL);
    (void)snprintf(desk->path, sizeof(desk->path), "%s/audit.log", desk->dir);
    MUST(loop_new(system_clock(), &desk->loop, &err) == 0);
}

static void desk_end(struct desk *desk)
{
    char command[96];
    loop_free(desk->loop);
    arena_done(&desk->arena);
    (void)snprintf(command, sizeof(command), "rm -r %s", desk->dir);
    CHECK(system(command) == 0);
}

/* Each batch in a life of its own. */
static bool write_some(struct desk *desk, size_t n, size_t file_bytes_max)
{
    struct audit *audit;
    struct err err;
    bool torn;
    struct audit_settings settings = {desk->loop, str_from_z(desk->dir), file_bytes_max};
    MUST(audit_open(&settings, &audit, &torn, &err) == 0);
    for (size_t i = 0; i < n; i++)
        audit_add(audit, arena_printf(&desk->arena, "{\"kind\":\"Event\",\"n\":%zu}", i));
    audit_close(audit);
    return torn;
}

static str_t text_of(struct desk *desk)
{
    str_t text;
    struct err err;
    MUST(file_read(&desk->arena, desk->path, 1 << 20, &text, &err) == 0);
    return text;
}

static bool good(struct desk *desk, str_t text)
{
    size_t lines;
    struct err err;
    MUST(file_write(desk->path, 0600, text, &err) == 0);
    int r = audit_verify(str_from_z(desk->dir), &lines, &err);
    CHECK(r == 0 || r == ERR_INVALID);
    return r == 0;
}

TEST(the_audit_chain_goes_on_over_restarts_and_shows_what_was_done_to_it)
{
    struct desk desk;
    struct err err;
    size_t lines;
    desk_start(&desk);
    CHECK(!write_some(&desk, 2, 0));
    CHECK(!write_some(&desk, 2, 0));
    CHECK_INT(audit_verify(str_from_z(desk.dir), &lines, &err), 0);
    CHECK_INT((int64_t)lines, 5); /* And the line that begins the file. */
    str_t text = text_of(&desk), first, rest;
    CHECK(good(&desk, text));
    for (size_t i = 0; i + 1 < text.len; i++) {
        str_t copy = arena_str(&desk.arena, text);
        ((char *)copy.at)[i] ^= 1;
        CHECK(!good(&desk, copy));
    }
    str_cut(text, '\n', &first, &rest);
    str_t head = {text.at, first.len + 1};
    str_cut(rest, '\n', &first, &rest);
    CHECK(!good(&desk, arena_printf(&desk.arena, STR_F STR_F, STR_A(head), STR_A(rest))));
    CHECK(!good(&desk, rest));
    desk_end(&desk);
}

TEST(a_torn_last_line_of_the_audit_log_is_cut)
{
    struct desk desk;
    struct err err;
    size_t lines;
    desk_start(&desk);
    CHECK(!write_some(&desk, 2, 0));
    str_t text = text_of(&desk);
    MUST(file_write(desk.path, 0600, (str_t){text.at, text.len - 3}, &err) == 0);
    CHECK(write_some(&desk, 1, 0));
    CHECK_INT(audit_verify(str_from_z(desk.dir), &lines, &err), 0);
    CHECK_INT((int64_t)lines, 3);
    desk_end(&desk);
}

TEST(audit_files_are_set_aside_and_only_so_many)
{
    struct desk desk;
    struct err err;
    size_t lines;
    char path[128];
    desk_start(&desk);
    for (int i = 0; i < 12; i++)
        (void)write_some(&desk, 1, 10);
    CHECK_INT(audit_verify(str_from_z(desk.dir), &lines, &err), 0);
    CHECK_INT((int64_t)lines, (int64_t)AUDIT_FILES_MAX * 2);
    (void)snprintf(path, sizeof(path), "%s.%d", desk.path, AUDIT_FILES_MAX);
    CHECK(access(path, F_OK) < 0);
    (void)snprintf(path, sizeof(path), "%s.3", desk.path);
    CHECK(unlink(path) == 0);
    CHECK_INT(audit_verify(str_from_z(desk.dir), &lines, &err), ERR_INVALID);
    desk_end(&desk);
}
