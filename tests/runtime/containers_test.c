/* containers_test.c - containers for real: their life, their limits, what is said about them. */
#include "base/file.h"
#include "runtime/wire.h"
#include "testkit/test.h"
#include "tests/runtime/ground.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_quietly(str_t text, const char *part)
{
    return memmem(text.at, text.len, part, strlen(part)) != NULL;
}

static bool has(str_t text, const char *part)
{
    bool found = has_quietly(text, part);
    if (!found)
        printf("no '%s' in: " STR_F "\n", part, STR_A(text));
    return found;
}

TEST(a_container_is_created_started_and_ends)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    struct container_seen *seen;
    size_t n;
    if (!ground_open(&g))
        return;
    struct container_spec spec =
        ground_spec(&g, "one", SHELL("echo $GREETING; echo oh >&2; exit 7"));
    if (CHECK_INT(ground_create(&g, &spec), 0)) {
        CHECK_INT(runtime_list(g.runtime, &arena, &seen, &n, &g.err), 0);
        CHECK(n == 1 && seen[0].state == CONTAINER_CREATED && seen[0].started_at_ms == 0);
        CHECK_STR(seen[0].label, "of a test");
        CHECK_INT(ground_create(&g, &spec), ERR_EXISTS);
        CHECK_INT(ground_start(&g, "one"), 0);
        const struct container_exit *exit = ground_exit(&g, "one");
        CHECK(exit->code == 7 && exit->signal == 0 && !exit->oom && !exit->lost);
        CHECK(exit->started_at_ms > 0 && exit->finished_at_ms >= exit->started_at_ms);
        str_t log = ground_log(&g, &arena);
        CHECK(has(log, "hello\n") && has(log, "oh\n"));
        CHECK_INT(runtime_list(g.runtime, &arena, &seen, &n, &g.err), 0);
        CHECK(n == 1 && seen[0].state == CONTAINER_EXITED && seen[0].exit.code == 7);
        CHECK_INT(runtime_signal(g.runtime, STR("one"), SIGTERM, &g.err), ERR_NOT_FOUND);
    } else {
        printf("%s\n", g.err.text);
    }
    CHECK_INT(ground_delete(&g, "one"), 0);
    CHECK_INT(ground_delete(&g, "one"), 0);
    ground_close(&g);
}

TEST(what_cannot_be_run_says_why_and_leaves_nothing)
{
    struct ground g;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(&g, "none", TEXTS(STR("/no/such/program")));
    int r = ground_create(&g, &spec);
    CHECK(r < 0);
    CHECK(has(str_from_z(g.err.text), "no/such/program"));
    CHECK_INT((int64_t)ground_count(&g, "files"), 0);
    ground_close(&g);
}

TEST(it_has_no_more_rights_than_its_spec_says)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(
        &g, "rights",
        SHELL("cat /proc/self/status; mount -t tmpfs x /tmp && echo mounted; id; hostname;"
              "echo x > /sys/x; cat /proc/sys/kernel/hostname > /proc/sys/kernel/hostname"));
    if (ground_up(&g, &spec)) {
        (void)ground_exit(&g, "rights");
        str_t log = ground_log(&g, &arena);
        CHECK(has(log, "Seccomp:\t2") && has(log, "CapEff:\t00000000800405fb"));
        CHECK(has(log, "NoNewPrivs:\t1") && has(log, "\nbox\n"));
        CHECK(has(log, "Read-only file system"));
        CHECK(memmem(log.at, log.len, "mounted", 7) == NULL);
    }
    CHECK_INT(ground_delete(&g, "rights"), 0);
    spec = ground_spec(&g, "user", SHELL("cat /proc/self/status; id"));
    spec.uid = 1000;
    spec.gid = 1001;
    spec.groups = (const uint32_t[]){1002};
    spec.n_groups = 1;
    if (ground_up(&g, &spec)) {
        (void)ground_exit(&g, "user");
        str_t log = ground_log(&g, &arena);
        CHECK(has(log, "CapEff:\t0000000000000000") && has(log, "uid=1000 gid=1001 groups=1002"));
    }
    CHECK_INT(ground_delete(&g, "user"), 0);
    ground_close(&g);
}

TEST(a_process_beyond_its_memory_is_said_to_be_killed_for_it)
{
    struct ground g;
    struct group_stats stats;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(&g, "hungry", SHELL("sleep 1000"));
    spec.group = STR("pods/p1/hungry");
    if (ground_has_limits())
        spec.resources = (struct container_resources){
            .memory_bytes = 32 << 20, .cpu_millis = 500, .cpu_shares = 128, .pids = 50};
    if (ground_up(&g, &spec)) {
        CHECK_INT(runtime_group_stats(g.runtime, spec.group, &stats, &g.err), 0);
        CHECK(stats.cpu_usec > 0);
        CHECK(!ground_has_limits() || (stats.pids >= 1 && stats.memory_used > 0));
        CHECK_INT(runtime_group_stats(g.runtime, STR("pods/p1"), &stats, &g.err), 0);
        CHECK(!ground_has_limits() || stats.pids >= 1);
        CHECK_INT(runtime_signal(g.runtime, STR("hungry"), SIGKILL, &g.err), 0);
        const struct container_exit *exit = ground_exit(&g, "hungry");
        CHECK(exit->code == 137 && exit->signal == SIGKILL && !exit->oom);
    }
    CHECK_INT(ground_delete(&g, "hungry"), 0);
    spec.args = SHELL("exec tail /dev/zero");
    g.n_ended = 0; /* Before: it may end while it is being started. */
    if (ground_has_limits() && ground_up(&g, &spec)) {
        const struct container_exit *exit = ground_exit(&g, "hungry");
        CHECK(exit->code == 137 && exit->oom);
    }
    CHECK_INT(ground_delete(&g, "hungry"), 0);
    CHECK_INT(runtime_group_remove(g.runtime, STR("pods/p1"), &g.err), 0);
    ground_close(&g);
}

TEST(processes_run_in_a_container_with_streams_of_their_own)
{
    struct ground g;
    struct runtime_run run;
    static char output[64 * 1024], frame[WIRE_FRAME_MAX];
    size_t n;
    int fd;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(&g, "host", SHELL("sleep 1000"));
    if (ground_up(&g, &spec)) {
        struct exec_spec exec = {.args = SHELL("echo $GREETING; echo oh >&2; exit 3")};
        CHECK_INT(ground_run(&g, "host", &exec, 10000, &run), 0);
        CHECK_INT(run.code, 3);
        CHECK(has((str_t){run.output, run.n_output}, "hello\n"));
        CHECK(has((str_t){run.output, run.n_output}, "oh\n"));

        exec.args = SHELL("sleep 1000");
        CHECK_INT(ground_run(&g, "host", &exec, 50, &run), ERR_TIMEOUT);
        exec.args = SHELL("yes | head -c 1000000");
        CHECK_INT(ground_run(&g, "host", &exec, 60000, &run), 0);
        CHECK_INT((int64_t)run.n_output, RUN_OUTPUT_MAX);
        exec.args = TEXTS(STR("/nothing"));
        CHECK(ground_run(&g, "host", &exec, 10000, &run) < 0);
        CHECK(has(str_from_z(run.err.text), "/nothing"));

        exec = (struct exec_spec){.args = TEXTS(STR("/bin/cat")), .stdin_open = true};
        if (CHECK_INT(ground_exec(&g, "host", &exec, &fd), 0)) {
            CHECK(send(fd, "iabc", 4, 0) == 4 && send(fd, "e", 1, 0) == 1);
            CHECK_INT(frames_to_end(fd, output, sizeof(output), &n), 0);
            CHECK(n == 3 && memcmp(output, "abc", 3) == 0);
            close(fd);
        }
        /* crun hands the terminal over and goes on: its size is there soon, not at once. */
        exec =
            (struct exec_spec){.args = SHELL("while [ \"$(stty size)\" != '33 91' ]; do :; done; "
                                             "stty size; cat; exit 5"),
                               .tty = true,
                               .stdin_open = true,
                               .columns = 91,
                               .rows = 33};
        if (CHECK_INT(ground_exec(&g, "host", &exec, &fd), 0)) {
            CHECK(send(fd, "iabc\r", 5, 0) == 5 && send(fd, "e", 1, 0) == 1);
            CHECK_INT(frames_to_end(fd, output, sizeof(output), &n), 5);
            CHECK(has((str_t){output, n}, "33 91\r\n") && has((str_t){output, n}, "abc\r\n"));
            close(fd);
        }
        exec.args = SHELL("while [ \"$(stty size)\" != '7 8' ]; do :; done");
        struct wire_size size = {8, 7};
        if (CHECK_INT(ground_exec(&g, "host", &exec, &fd), 0)) {
            frame[0] = WIRE_RESIZE;
            memcpy(frame + 1, &size, sizeof(size));
            CHECK(send(fd, frame, 1 + sizeof(size), 0) > 0);
            CHECK_INT(frames_to_end(fd, output, sizeof(output), &n), 0);
            close(fd);
        }
    }
    CHECK_INT(ground_delete(&g, "host"), 0);
    CHECK_INT(ground_run(&g, "host", &(struct exec_spec){.args = SHELL("true")}, 1000, &run),
              ERR_NOT_FOUND);
    ground_close(&g);
}

TEST(who_attaches_reads_and_writes_from_then_on)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    static char output[1024];
    size_t n;
    int fd, other;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(&g, "talk", TEXTS(STR("/bin/cat")));
    spec.stdin_open = spec.stdin_once = true;
    if (ground_up(&g, &spec) && CHECK_INT(runtime_attach(g.runtime, STR("talk"), &fd, &g.err), 0)) {
        CHECK_INT(runtime_attach(g.runtime, STR("talk"), &other, &g.err), 0);
        CHECK(send(fd, "ione\n", 5, 0) == 5);
        CHECK(frame_read(fd, output) == 5 && memcmp(output, "oone\n", 5) == 0);
        CHECK(frame_read(other, output) == 5 && memcmp(output, "oone\n", 5) == 0);
        close(fd); /* The first who leaves ends the input. */
        CHECK_INT(frames_to_end(other, output, sizeof(output), &n), 0);
        close(other);
        CHECK_INT(ground_exit(&g, "talk")->code, 0);
        CHECK(has(ground_log(&g, &arena), "one\n"));
        CHECK_INT(runtime_attach(g.runtime, STR("talk"), &fd, &g.err), ERR_NOT_FOUND);
    }
    CHECK_INT(ground_delete(&g, "talk"), 0);
    spec = ground_spec(&g, "tty", SHELL("stty -echo; echo ready; cat"));
    spec.tty = spec.stdin_open = true;
    if (ground_up(&g, &spec) && CHECK_INT(runtime_attach(g.runtime, STR("tty"), &fd, &g.err), 0)) {
        while (!has_quietly(ground_log(&g, &arena), "ready"))
            (void)loop_turn(g.loop, 5, &g.err);
        CHECK(send(fd, "ix\r", 3, 0) == 3 && send(fd, "i\x04", 2, 0) == 2);
        CHECK_INT(frames_to_end(fd, output, sizeof(output), &n), 0);
        close(fd);
        CHECK(has(ground_log(&g, &arena), "ready\r\nx\r\n"));
    }
    CHECK_INT(ground_delete(&g, "tty"), 0);
    ground_close(&g);
}

TEST(containers_outlive_their_maker_and_are_found_again)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    struct container_seen *seen;
    struct runtime_run run;
    size_t n;
    if (!ground_open(&g))
        return;
    struct container_spec spec =
        ground_spec(&g, "stays", SHELL("trap 'exit 9' TERM; while :; do sleep 0.01; done"));
    if (ground_up(&g, &spec)) {
        ground_reopen(&g);
        CHECK_INT(runtime_list(g.runtime, &arena, &seen, &n, &g.err), 0);
        CHECK(n == 1 && seen[0].state == CONTAINER_RUNNING && seen[0].pid > 0 &&
              seen[0].started_at_ms > 0);
        struct exec_spec exec = {.args = TEXTS(STR("/bin/true"))};
        CHECK_INT(ground_run(&g, "stays", &exec, 10000, &run), 0);
        CHECK_INT(runtime_signal(g.runtime, STR("stays"), SIGTERM, &g.err), 0);
        CHECK_INT(ground_exit(&g, "stays")->code, 9);
        ground_reopen(&g);
        CHECK_INT(runtime_list(g.runtime, &arena, &seen, &n, &g.err), 0);
        CHECK(n == 1 && seen[0].state == CONTAINER_EXITED && seen[0].exit.code == 9);
    }
    CHECK_INT(ground_delete(&g, "stays"), 0);
    ground_close(&g);
}

static int shim_pid(const struct ground *g, const char *id)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text, pid, rest;
    int64_t number = 0;
    struct err err;
    char path[256];
    snprintf(path, sizeof(path), "%s/%s/shim", g->state, id);
    if (file_read(&arena, path, 4096, &text, &err) == 0 && str_cut(text, ' ', &pid, &rest))
        (void)!str_to_i64(pid, &number);
    return (int)number;
}

TEST(a_container_whose_shim_was_killed_is_killed_too_and_told)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    struct container_seen *seen;
    size_t n;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(&g, "orphan", SHELL("sleep 1000 & sleep 1000"));
    for (int found_later = 0; found_later < 2; found_later++) {
        g.n_ended = 0;
        if (!ground_up(&g, &spec))
            break;
        int shim = shim_pid(&g, "orphan");
        CHECK_INT(kill(shim, SIGKILL), 0);
        if (found_later) {
            CHECK_INT(waitpid(shim, NULL, 0), shim);
            ground_reopen(&g);
            CHECK_INT(runtime_list(g.runtime, &arena, &seen, &n, &g.err), 0);
            CHECK(n == 1 && seen[0].state == CONTAINER_EXITED && seen[0].exit.lost);
        } else {
            const struct container_exit *exit = ground_exit(&g, "orphan");
            CHECK(exit->lost && exit->code == 137);
        }
        CHECK_INT(ground_delete(&g, "orphan"), 0);
    }
    CHECK_INT(ground_delete(&g, "orphan"), 0);
    ground_close(&g);
}

TEST(a_slow_reader_stops_the_writer_and_loses_nothing)
{
    enum { BYTES = 20000000 };
    struct ground g;
    static char frame[WIRE_FRAME_MAX];
    struct wire_exit how = {.code = -1};
    size_t n, all = 0;
    int fd;
    if (!ground_open(&g))
        return;
    struct container_spec spec = ground_spec(&g, "much", SHELL("sleep 1000"));
    struct exec_spec exec = {.args =
                                 SHELL("head -c 20000000 /dev/zero; touch /tmp/written; exit 6")};
    char written[128];
    snprintf(written, sizeof(written), "%s/tmp/written", g.rootfs);
    (void)unlink(written);
    if (ground_up(&g, &spec) && CHECK_INT(ground_exec(&g, "much", &exec, &fd), 0)) {
        for (int i = 0; i < 50; i++) /* We do not read, and it does not come to its end. */
            (void)loop_turn(g.loop, 5, &g.err);
        CHECK(access(written, F_OK) < 0);
        while ((n = frame_read(fd, frame)) > 0) {
            all += frame[0] == WIRE_STDOUT ? n - 1 : 0;
            if (frame[0] == WIRE_EXIT)
                memcpy(&how, frame + 1, sizeof(how));
        }
        CHECK_INT((int64_t)all, BYTES);
        CHECK_INT(how.code, 6);
        CHECK(access(written, F_OK) == 0);
        close(fd);
        (void)unlink(written);
        exec.args = SHELL("cat"); /* Whose client goes is killed. */
        exec.stdin_open = true;
        if (CHECK_INT(ground_exec(&g, "much", &exec, &fd), 0)) {
            CHECK(frame_read(fd, frame) == 1 && frame[0] == WIRE_STARTED);
            struct group_stats stats = {.pids = 3};
            close(fd);
            while (ground_has_limits() && stats.pids > 1)
                CHECK(runtime_group_stats(g.runtime, STR("other/much"), &stats, &g.err) == 0);
        }
    }
    CHECK_INT(ground_delete(&g, "much"), 0);
    ground_close(&g);
}

TEST(a_profile_of_ones_own_and_the_machines_namespaces)
{
    AUTO(arena_done) struct arena arena = {0};
    static const char profile[] =
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],"
        "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1}]}";
    struct ground g;
    char path[128];
    if (!ground_open(&g))
        return;
    snprintf(path, sizeof(path), "%s/profile.json", g.dir);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(profile, file) >= 0 && fclose(file) == 0);
    struct container_spec spec = ground_spec(
        &g, "own", SHELL("busybox mkdir /tmp/x; cat /proc/self/status; ps | grep -c ."));
    spec.seccomp = SECCOMP_FILE;
    spec.seccomp_file = str_from_z(path);
    for (int i = 0; i < NS_CGROUP; i++)
        spec.namespaces[i].mode = i == NS_USER ? NS_NEW : NS_HOST;
    if (ground_up(&g, &spec)) {
        CHECK_INT(ground_exit(&g, "own")->code, 0);
        str_t log = ground_log(&g, &arena);
        CHECK(has(log, "mkdir: can't create directory '/tmp/x': Operation not permitted"));
        CHECK(has(log, "Seccomp:\t2"));
    }
    CHECK_INT(ground_delete(&g, "own"), 0);
    spec.seccomp_file = STR("/no/such/profile.json");
    CHECK_INT(ground_create(&g, &spec), ERR_NOT_FOUND);
    CHECK_INT((int64_t)ground_count(&g, "files"), 0);
    (void)unlink(path);
    ground_close(&g);
}
