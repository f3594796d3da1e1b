/*
 * podnet_test.c - pods' networks for real, in a network and mount namespace of the test's own.
 * Needs root and says "skipped" without.
 */
#include "base/file.h"
#include "base/tree.h"
#include "podnet/podnet.h"
#include "testkit/test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PODS = 20 };

struct world {
    char dir[64];
    struct loop *loop;
    struct pool *pool;
    struct podnet *podnet;
    struct podnet_call call;
    bool over;
    struct err err;
};

static int world_open(struct world *w)
{
    struct podnet_settings settings = {
        .loop = w->loop, .pool = w->pool, .dir = w->dir, .bridge = "davytest0", .mtu = 1400};
    MUST(cidr_parse(STR("10.99.0.0/24"), &settings.pods));
    MUST(cidr_parse(STR("10.98.0.0/16"), &settings.services));
    return podnet_open(&settings, &w->podnet, &w->err);
}

static void over(struct podnet_call *call)
{
    CONTAINER_OF(call, struct world, call)->over = true;
}

static int wait_for(struct world *w)
{
    for (w->over = false; !w->over;)
        MUST(loop_turn(w->loop, -1, &w->err) == 0);
    return w->call.r;
}

static int add(struct world *w, const char *id)
{
    struct podnet_want want = {.id = str_from_z(id)};
    podnet_add(w->podnet, &w->call, &want, over);
    return wait_for(w);
}

static int drop(struct world *w, const char *id)
{
    podnet_remove(w->podnet, &w->call, str_from_z(id), over);
    return wait_for(w);
}

/* What of a program's words there is on the output, run in a namespace ("" : here). */
static size_t lines_of(const char *ns, const char *const *args)
{
    int out[2];
    char text[65536];
    size_t n = 0, lines = 0;
    MUST(pipe(out) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = ns[0] == '\0' ? -1 : open(ns, O_RDONLY | O_CLOEXEC);
        if ((fd >= 0 && setns(fd, CLONE_NEWNET) < 0) || dup2(out[1], 1) < 0)
            _exit(1);
        execvp(args[0], (char *const *)args);
        _exit(127);
    }
    close(out[1]);
    for (ssize_t got; n < sizeof(text) && (got = read(out[0], text + n, sizeof(text) - n)) > 0;)
        n += (size_t)got;
    close(out[0]);
    int status = 0;
    MUST(waitpid(pid, &status, 0) == pid);
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? lines : 0;
}

static size_t links(void)
{
    return lines_of("", (const char *const[]){"ip", "-o", "link", NULL});
}

static bool pings(const char *ns, const char *address)
{
    return lines_of(ns, (const char *const[]){"busybox", "ping", "-c", "1", "-W", "2", address,
                                              NULL}) > 0;
}

static void count(void *to, const struct podnet_pod *pod)
{
    (void)pod;
    ++*(int *)to;
}

static int count_pods(struct world *w)
{
    int n = 0;
    podnet_each(w->podnet, count, &n);
    return n;
}

static void come_and_go(struct world *w)
{
    char first[PODNET_PATH_MAX], address[IP_TEXT_MAX], before[IP_TEXT_MAX], id[16];
    size_t links_before = links();
    CHECK_INT(add(w, "one"), 0);
    CHECK(strcmp(ip_text(w->call.address, address), "10.99.0.2") == 0);
    (void)snprintf(first, sizeof(first), "%s", w->call.path);
    CHECK_INT(add(w, "one"), 0); /* The same again. */
    CHECK(strcmp(ip_text(w->call.address, address), "10.99.0.2") == 0);
    CHECK_INT(add(w, "two"), 0);
    CHECK(strcmp(ip_text(w->call.address, address), "10.99.0.3") == 0);
    CHECK(pings(first, "10.99.0.3"));
    CHECK(pings(first, "10.99.0.1"));
    CHECK(pings("", "10.99.0.2"));
    CHECK_INT(drop(w, "two"), 0);
    CHECK_INT(drop(w, "two"), 0); /* What is not there is fine. */
    CHECK(!pings(first, "10.99.0.3"));
    CHECK_INT(add(w, "three"), 0); /* Nobody gets that address at once. */
    CHECK(strcmp(ip_text(w->call.address, before), "10.99.0.4") == 0);
    CHECK_INT(drop(w, "three"), 0);
    for (int i = 0; i < PODS; i++) {
        (void)snprintf(id, sizeof(id), "p%d", i);
        CHECK_INT(add(w, id), 0);
    }
    CHECK_INT(count_pods(w), PODS + 1);
    podnet_close(w->podnet);
    CHECK_INT(world_open(w), 0); /* They are found again. */
    CHECK_INT(count_pods(w), PODS + 1);
    CHECK_INT(add(w, "one"), 0);
    CHECK(strcmp(ip_text(w->call.address, address), "10.99.0.2") == 0);
    for (int i = 0; i < PODS; i++) {
        (void)snprintf(id, sizeof(id), "p%d", i);
        CHECK_INT(drop(w, id), 0);
    }
    CHECK_INT(drop(w, "one"), 0);
    CHECK_INT(links(), links_before);
}

static void refuse(struct world *w)
{
    struct podnet_sysctl bad[] = {{STR("kernel.panic"), STR("1")}, {STR("net.no.such"), STR("1")}};
    CHECK_INT(add(w, "../x"), ERR_INVALID);
    CHECK_INT(add(w, ""), ERR_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct podnet_want want = {.id = STR("bad"), .sysctls = &bad[i], .n_sysctls = 1};
        podnet_add(w->podnet, &w->call, &want, over);
        CHECK(wait_for(w) < 0);
    }
    CHECK_INT(count_pods(w), 0);
    struct podnet_sysctl good = {STR("net.core.somaxconn"), STR("77")};
    struct podnet_want want = {.id = STR("good"), .sysctls = &good, .n_sysctls = 1};
    podnet_add(w->podnet, &w->call, &want, over);
    CHECK_INT(wait_for(w), 0);
    CHECK(lines_of(w->call.path, (const char *const[]){"grep", "-x", "77",
                                                       "/proc/sys/net/core/somaxconn", NULL}) == 1);
    CHECK_INT(drop(w, "good"), 0);
}

static void run_all(void)
{
    struct world w = {.dir = "/tmp/davy-podnet-XXXXXX"};
    MUST(mkdtemp(w.dir) != NULL);
    MUST(loop_new(system_clock(), &w.loop, &w.err) == 0);
    MUST(pool_new(w.loop, 2, &w.pool, &w.err) == 0);
    CHECK_INT(world_open(&w), 0);
    if (w.podnet != NULL) {
        come_and_go(&w);
        refuse(&w);
        CHECK_INT(podnet_uninstall(w.podnet, &w.err), 0);
        CHECK_INT(links(), 1);
    }
    podnet_close(w.podnet);
    pool_free(w.pool);
    loop_free(w.loop);
    CHECK_INT(tree_remove(AT_FDCWD, w.dir, &w.err), 0);
}

/* Not the machine's own network: that of a namespace in which nobody else lives. */
TEST(pods_have_networks)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        puts("skipped: needs root");
        return;
    }
    if (lines_of("", (const char *const[]){"ip", "link", "set", "lo", "up", NULL}) > 0)
        return;
    run_all();
}
