/* pods_test.c - what containers share, what privileged ones may, and ids that are mapped. */
#include "base/file.h"
#include "runtime/share.h"
#include "runtime/wire.h"
#include "testkit/test.h"
#include "tests/runtime/ground.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has(str_t text, const char *part)
{
    bool found = memmem(text.at, text.len, part, strlen(part)) != NULL;
    if (!found)
        printf("no '%s' in: " STR_F "\n", part, STR_A(text));
    return found;
}

TEST(containers_of_a_pod_share_a_name_and_ipc)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    char pod[128], uts[160], ipc[160], before[64], after[64];
    struct container_pair sysctls[] = {{STR("kernel.shm_rmid_forced"), STR("1")}};
    if (!ground_open(&g))
        return;
    snprintf(pod, sizeof(pod), "%s/pod", g.dir);
    snprintf(uts, sizeof(uts), "%s/uts", pod);
    snprintf(ipc, sizeof(ipc), "%s/ipc", pod);
    CHECK(gethostname(before, sizeof(before)) == 0);
    CHECK_INT(share_pin(pod, STR("web-0"), sysctls, 1, &g.err), 0);
    CHECK_INT(share_pin(pod, STR("web-0"), NULL, 0, &g.err), ERR_EXISTS);
    CHECK(gethostname(after, sizeof(after)) == 0 && strcmp(before, after) == 0);
    struct container_spec spec =
        ground_spec(&g, "a", SHELL("hostname; cat /proc/sys/kernel/shm_rmid_forced"));
    spec.namespaces[NS_UTS] = (struct container_namespace){NS_PATH, str_from_z(uts)};
    spec.namespaces[NS_IPC] = (struct container_namespace){NS_PATH, str_from_z(ipc)};
    if (ground_up(&g, &spec)) {
        (void)ground_exit(&g, "a");
        CHECK(has(ground_log(&g, &arena), "web-0\n1\n"));
    }
    CHECK_INT(ground_delete(&g, "a"), 0);
    CHECK_INT(share_unpin(pod, &g.err), 0);
    CHECK_INT(share_unpin(pod, &g.err), 0);
    CHECK(access(pod, F_OK) < 0);
    ground_close(&g);
}

TEST(containers_of_a_pod_share_processes)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    char path[64];
    struct container_seen *seen;
    size_t n;
    if (!ground_open(&g))
        return;
    struct container_spec pause = ground_spec(&g, "p1.pause", (struct texts){0});
    pause.log = STR("");
    CHECK_INT(share_pause(g.runtime, &pause, &arena, &g.err), 0);
    if (ground_up(&g, &pause)) {
        CHECK_INT(runtime_list(g.runtime, &arena, &seen, &n, &g.err), 0);
        snprintf(path, sizeof(path), "/proc/%d/ns/pid", n == 1 ? seen[0].pid : 0);
        struct container_spec spec =
            ground_spec(&g, "p1.a", SHELL("sleep 1000 & sleep 1000 & ps; exit 4"));
        spec.namespaces[NS_PID] = (struct container_namespace){NS_PATH, str_from_z(path)};
        if (ground_up(&g, &spec)) {
            CHECK_INT(ground_exit(&g, "p1.a")->code, 4); /* And the rest of it was killed. */
            str_t log = ground_log(&g, &arena);
            CHECK(has(log, "    1 0        /pause"));
        }
        spec.args = SHELL("ps | grep -c 'sleep 100[0]'");
        spec.id = STR("p1.b");
        if (ground_up(&g, &spec)) {
            (void)ground_exit(&g, "p1.b");
            CHECK(has(ground_log(&g, &arena), "\n0\n"));
        }
        CHECK_INT(ground_delete(&g, "p1.a"), 0);
        CHECK_INT(ground_delete(&g, "p1.b"), 0);
        CHECK_INT(runtime_signal(g.runtime, STR("p1.pause"), SIGTERM, &g.err), 0);
        CHECK_INT(ground_exit(&g, "p1.pause")->signal, 0);
    }
    CHECK_INT(ground_delete(&g, "p1.pause"), 0);
    ground_close(&g);
}

TEST(a_privileged_container_may_what_we_may)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    if (!ground_open(&g))
        return;
    struct container_spec spec =
        ground_spec(&g, "strong",
                    SHELL("cat /proc/self/status; ls /dev; mount -t tmpfs x /tmp && echo mounted;"
                          "cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness && echo set"));
    spec.privileged = true;
    if (ground_up(&g, &spec)) {
        (void)ground_exit(&g, "strong");
        str_t log = ground_log(&g, &arena);
        CHECK(has(log, "Seccomp:\t0") && has(log, "mounted\n") && has(log, "\nset\n"));
        CHECK(has(log, "loop-control\n"));
    }
    CHECK_INT(ground_delete(&g, "strong"), 0);
    ground_close(&g);
}

TEST(mounts_devices_limits_and_sysctls_are_as_given)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    char vol[128];
    if (!ground_open(&g))
        return;
    snprintf(vol, sizeof(vol), "%s/vol", g.dir);
    (void)mkdir(vol, 0755);
    struct container_mount mounts[] = {
        {.target = STR("/vol"), .source = str_from_z(vol), .read_only = true},
        {.target = STR("/run"),
         .type = STR("tmpfs"),
         .source = STR("tmpfs"),
         .options = STR("size=64k,mode=1777")},
    };
    struct container_device device = {.path = STR("/dev/null"), .target = STR("/dev/nothing")};
    struct container_rlimit limits[] = {{STR("RLIMIT_NOFILE"), 1000, UINT64_MAX},
                                        {STR("RLIMIT_CORE"), 0, 0}};
    struct container_pair sysctl = {STR("net.ipv4.ip_unprivileged_port_start"), STR("77")};
    struct container_spec spec = ground_spec(
        &g, "given",
        SHELL("touch /vol/x; touch /run/y && ls /run; echo z > /dev/nothing && echo written;"
              "cat /proc/self/limits /proc/sys/net/ipv4/ip_unprivileged_port_start; touch /w"));
    spec.mounts = mounts;
    spec.n_mounts = ARRAY_LEN(mounts);
    spec.devices = &device;
    spec.n_devices = 1;
    spec.rlimits = limits;
    spec.n_rlimits = ARRAY_LEN(limits);
    spec.sysctls = &sysctl;
    spec.n_sysctls = 1;
    spec.rootfs_read_only = true;
    if (ground_up(&g, &spec)) {
        (void)ground_exit(&g, "given");
        str_t log = ground_log(&g, &arena);
        CHECK(has(log, "touch: /vol/x: Read-only file system"));
        CHECK(has(log, "touch: /w: Read-only file system"));
        CHECK(has(log, "y\nwritten\n") && has(log, "\n77\n"));
        CHECK(has(log, "Max open files            1000"));
        CHECK(has(log, "Max core file size        0                    0"));
    }
    CHECK_INT(ground_delete(&g, "given"), 0);
    (void)rmdir(vol);
    ground_close(&g);
}

TEST(users_of_a_container_may_be_others_outside)
{
    AUTO(arena_done) struct arena arena = {0};
    struct ground g;
    struct id_map map = {0, 200000, 65536};
    if (!ground_open(&g))
        return;
    struct container_spec spec =
        ground_spec(&g, "mapped", SHELL("cat /proc/self/uid_map; id -u; ls -ln /bin/busybox"));
    spec.uid_map = spec.gid_map = &map;
    spec.n_uid_map = spec.n_gid_map = 1;
    if (ground_up(&g, &spec)) {
        (void)ground_exit(&g, "mapped");
        str_t log = ground_log(&g, &arena);
        CHECK(has(log, "         0     200000      65536\n0\n") && has(log, " 65534 "));
    }
    CHECK_INT(ground_delete(&g, "mapped"), 0);
    ground_close(&g);
}
