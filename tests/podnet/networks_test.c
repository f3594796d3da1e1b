/* networks_test.c - pods' networks for real: who reaches whom, and what is left afterwards. */
#include "testkit/test.h"
#include "tests/podnet/place.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *text_of(struct ip ip)
{
    static char texts[8][IP_TEXT_MAX];
    static size_t n;
    return ip_text(ip, texts[n++ % ARRAY_LEN(texts)]);
}

TEST(networks_pods_reach_each_other_the_machine_and_the_outside)
{
    struct place place;
    struct ip seen;
    if (!place_open(&place))
        return;
    struct ip a = place_pod(&place, "a"), b = place_pod(&place, "b");
    CHECK_STR(str_from_z(text_of(a)), "10.99.0.2");
    CHECK(!ip_eq(a, b));
    place_serve(&place, "a", SOCK_STREAM, 80, "a"); /* 80, and nobody is asked for a capability. */
    place_serve(&place, "a", SOCK_DGRAM, 53, "u");
    place_serve(&place, "", SOCK_STREAM, 81, "m");
    place_serve(&place, "out", SOCK_STREAM, 82, "o");
    CHECK_INT(place_ask(&place, "b", SOCK_STREAM, text_of(a), 80, &seen), 'a');
    CHECK(ip_eq(seen, b));
    CHECK_INT(place_ask(&place, "b", SOCK_DGRAM, text_of(a), 53, &seen), 'u');
    CHECK_INT(place_ask(&place, "", SOCK_STREAM, text_of(a), 80, &seen), 'a');
    CHECK_INT(place_ask(&place, "a", SOCK_STREAM, text_of(a), 80, &seen), 'a');
    CHECK_INT(place_ask(&place, "a", SOCK_STREAM, "10.99.0.1", 81, &seen), 'm');
    CHECK(ip_eq(seen, a));
    CHECK_INT(place_ask(&place, "a", SOCK_STREAM, OUTSIDE, 82, &seen), 'o');
    CHECK_STR(str_from_z(text_of(seen)), MACHINE);
    CHECK_INT(place_ask(&place, "a", SOCK_STREAM, text_of(b), 80, NULL), 'R');
    place_close(&place);
}

TEST(networks_are_found_again_and_nothing_else_is_left)
{
    struct place place;
    char path[128];
    if (!place_open(&place))
        return;
    struct ip a = place_pod(&place, "a"), b = place_pod(&place, "b");
    CHECK(ip_eq(place_pod(&place, "a"), a)); /* It is there. */
    /* As if it had been killed while "b" was made, and "c" was only begun. */
    (void)snprintf(path, sizeof(path), "%s/pods/b", place.dir);
    CHECK_INT(unlink(path), 0);
    (void)snprintf(path, sizeof(path), "%s/pods/c~", place.dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0);
    close(fd);
    CHECK_INT(place_count_links(), 3);
    place_reopen(&place);
    CHECK_INT(place_count_links(), 2);
    CHECK_INT(place_count_mounts(&place), 1);
    CHECK(access(path, F_OK) < 0);
    CHECK(ip_eq(place_pod(&place, "a"), a));
    CHECK(!ip_eq(place_pod(&place, "d"), a));
    place_serve(&place, "a", SOCK_STREAM, 80, "a");
    CHECK_INT(place_ask(&place, "d", SOCK_STREAM, text_of(a), 80, NULL), 'a');
    (void)b;
    place_remove(&place, "a");
    place_remove(&place, "a"); /* Again: nothing. */
    place_remove(&place, "d");
    CHECK_INT(place_count_links(), 1);
    CHECK_INT(place_count_mounts(&place), 0);
    place_close(&place);
}

TEST(networks_sysctls_are_the_pods_own)
{
    struct place place;
    if (!place_open(&place))
        return;
    struct podnet_sysctl good = {STR("net.core.somaxconn"), STR("77")},
                         lost = {STR("net.core.nothing"), STR("1")},
                         other = {STR("kernel.shm_rmid_forced"), STR("1")},
                         out = {STR("net/../kernel/shm_rmid_forced"), STR("1")};
    struct podnet_want want = {.id = STR("a"), .sysctls = &good, .n_sysctls = 1};
    CHECK_INT(place_add(&place, &want)->r, 0);
    want.id = STR("b");
    want.sysctls = &lost;
    CHECK(place_add(&place, &want)->r < 0);
    want.sysctls = &other;
    CHECK_INT(place_add(&place, &want)->r, ERR_INVALID);
    want.sysctls = &out;
    CHECK_INT(place_add(&place, &want)->r, ERR_INVALID);
    want = (struct podnet_want){.id = STR("../b")};
    CHECK_INT(place_add(&place, &want)->r, ERR_INVALID);
    CHECK_INT(place_count_links(), 2); /* Of what failed nothing is there. */
    CHECK_INT(place_count_mounts(&place), 1);
    place_close(&place);
}

TEST(networks_ports_of_the_machine_lead_to_pods)
{
    struct place place;
    struct ip seen;
    if (!place_open(&place))
        return;
    struct podnet_port ports[] = {
        {.protocol = IPPROTO_TCP, .host_port = 8080, .pod_port = 80},
        {.protocol = IPPROTO_UDP, .host_port = 8080, .pod_port = 53},
        {.host_ip = ip_v4(0x7f000001), .protocol = IPPROTO_TCP, .host_port = 8081, .pod_port = 80},
    };
    struct podnet_want want = {.id = STR("a"), .ports = ports, .n_ports = ARRAY_LEN(ports)};
    CHECK_INT(place_add(&place, &want)->r, 0);
    place_pod(&place, "b");
    place_rules(&place, &(struct rules){0});
    place_serve(&place, "a", SOCK_STREAM, 80, "a");
    place_serve(&place, "a", SOCK_DGRAM, 53, "u");
    for (int again = 0; again < 2; again++) {
        CHECK_INT(place_ask(&place, "out", SOCK_STREAM, MACHINE, 8080, &seen), 'a');
        CHECK_STR(str_from_z(text_of(seen)), OUTSIDE);
        CHECK_INT(place_ask(&place, "out", SOCK_DGRAM, MACHINE, 8080, NULL), 'u');
        CHECK_INT(place_ask(&place, "", SOCK_STREAM, MACHINE, 8080, NULL), 'a');
        CHECK_INT(place_ask(&place, "", SOCK_STREAM, "127.0.0.1", 8080, NULL), 'a');
        CHECK_INT(place_ask(&place, "", SOCK_STREAM, "127.0.0.1", 8081, NULL), 'a');
        CHECK_INT(place_ask(&place, "", SOCK_DGRAM, "127.0.0.1", 8080, NULL), 'u');
        CHECK_INT(place_ask(&place, "b", SOCK_STREAM, MACHINE, 8080, NULL), 'a');
        CHECK_INT(place_ask(&place, "a", SOCK_STREAM, MACHINE, 8080, NULL), 'a'); /* Itself. */
        CHECK_INT(place_ask(&place, "out", SOCK_STREAM, MACHINE, 8081, NULL), 'R');
        place_reopen(&place); /* They are known from then on, too. */
        place_rules(&place, &(struct rules){0});
    }
    place_serve_end(&place);
    place_remove(&place, "a");
    place_rules(&place, &(struct rules){0});
    CHECK_INT(place_ask(&place, "out", SOCK_STREAM, MACHINE, 8080, NULL), 'R');
    place_close(&place);
}

TEST(networks_are_made_in_about_a_millisecond)
{
    enum { N = 200 };
    struct place place;
    struct timespec from, to;
    char id[16];
    if (!place_open(&place))
        return;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < N; i++) {
        (void)snprintf(id, sizeof(id), "pod-%d", i);
        place_pod(&place, id);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("one after the other: %.2f ms each\n",
           ((double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6) /
               N);
    CHECK_INT(place_count_links(), N + 1);
    place_close(&place);
}

static void count_pod(void *to, const struct podnet_pod *pod)
{
    (void)pod;
    ++*(size_t *)to;
}

/* Makes and removes pods until somebody kills it. */
static void come_and_go(struct place *place)
{
    char id[8];
    place_start(place); /* Threads do not come along into a child. */
    for (int i = 0;; i++) {
        (void)snprintf(id, sizeof(id), "p%d", i % 5);
        if (i % 7 < 5)
            place_pod(place, id);
        else
            place_remove(place, id);
    }
}

TEST(networks_nothing_is_left_when_it_is_killed_at_any_moment)
{
    struct place place;
    struct dice dice = {7};
    if (!place_open(&place))
        return;
    for (int round = 0; round < 60; round++) {
        size_t pods = 0;
        pid_t child = fork();
        if (child == 0)
            come_and_go(&place);
        struct timespec wait = {0, 2000000 + (long)dice_roll(&dice, 12000) * 1000};
        (void)nanosleep(&wait, NULL);
        CHECK_INT(kill(child, SIGKILL), 0);
        CHECK_INT(waitpid(child, NULL, 0), child);
        place_reopen(&place);
        podnet_each(place.podnet, count_pod, &pods);
        if (!CHECK_INT(place_count_links(), (int64_t)pods + 1) ||
            !CHECK_INT(place_count_mounts(&place), (int64_t)pods))
            break;
    }
    /* Those that are there work. */
    struct ip a = place_pod(&place, "p0");
    place_pod(&place, "p1");
    place_serve(&place, "p0", SOCK_STREAM, 80, "a");
    CHECK_INT(place_ask(&place, "p1", SOCK_STREAM, text_of(a), 80, NULL), 'a');
    place_close(&place);
}
