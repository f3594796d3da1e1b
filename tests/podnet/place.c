/* place.c - namespaces by unshare(); servers are sockets of this process, asked in the same loop.
 */
#include "tests/podnet/place.h"

#include "base/file.h"
#include "testkit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERVERS_MAX = 32, WAIT_MS = 300 };

static struct {
    bool tried, ok;
    int own, out;
    struct server {
        int fd, type;
        char says;
    } servers[SERVERS_MAX];
    size_t n;
} world;

static int shell(const char *script)
{
    return system(script); /* NOLINT(cert-env33-c): scripts of this file. */
}

static bool make_world(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    world.own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    MUST(unshare(CLONE_NEWNET) == 0);
    world.out = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    MUST(setns(world.own, CLONE_NEWNET) == 0);
    char script[512];
    (void)snprintf(script, sizeof(script),
                   "ip link set lo up; ip link add uplink type veth peer name cable netns "
                   "/proc/%d/fd/%d; ip addr add " MACHINE "/24 dev uplink; ip link set uplink up; "
                   "ip route add default via " OUTSIDE "; "
                   "nsenter --net=/proc/%d/fd/%d sh -c 'ip link set lo up; ip addr add " OUTSIDE
                   "/24 dev cable; ip link set cable up; ip route add 10.96.0.0/16 via " MACHINE
                   "'",
                   getpid(), world.out, getpid(), world.out);
    return shell(script) == 0;
}

static void applied(void *self, uint64_t generation, int r, const struct err *err)
{
    struct place *place = self;
    place->applied = generation;
    place->applied_r = r;
    place->n_applied++;
    if (r < 0)
        printf("rules: %s\n", err->text);
}

static struct podnet_settings settings_of(struct place *place)
{
    struct podnet_settings settings = {.loop = place->loop,
                                       .pool = place->pool,
                                       .dir = place->dir,
                                       .bridge = "davy0",
                                       .rules_applied = applied,
                                       .self = place};
    CHECK(cidr_parse(STR("10.99.0.0/24"), &settings.pods));
    CHECK(cidr_parse(STR("10.96.0.0/16"), &settings.services));
    return settings;
}

void place_start(struct place *place)
{
    CHECK_INT(loop_new(system_clock(), &place->loop, &place->err), 0);
    CHECK_INT(pool_new(place->loop, 4, &place->pool, &place->err), 0);
    struct podnet_settings settings = settings_of(place);
    int r = podnet_open(&settings, &place->podnet, &place->err);
    if (!CHECK_INT(r, 0))
        printf("%s\n", place->err.text);
}

bool place_open(struct place *place)
{
    if (!world.tried)
        world.ok = make_world();
    world.tried = true;
    *place = (struct place){.dir = "/tmp/davy-podnet-XXXXXX"};
    if (!world.ok || mkdtemp(place->dir) == NULL) {
        printf("skipped: needs root\n");
        return false;
    }
    memcpy(place->dir + strlen(place->dir), "/net", 5);
    place_start(place);
    return true;
}

void place_settle(struct place *place)
{
    MUST(loop_turn(place->loop, 0, &place->err) == 0);
    unsigned n = place->n_applied;
    for (int i = 0; i < 100 && place->n_applied == n; i++)
        MUST(loop_turn(place->loop, 20, &place->err) == 0);
}

static void shut(struct place *place)
{
    pool_free(place->pool);
    podnet_close(place->podnet);
    loop_free(place->loop);
}

void place_reopen(struct place *place)
{
    shut(place);
    place->applied = 0; /* Generations begin anew. */
    place_start(place);
}

void place_close(struct place *place)
{
    struct podnet_settings settings = settings_of(place);
    place_serve_end(place);
    shut(place);
    CHECK_INT(podnet_purge(&settings, &place->err), 0);
    CHECK_INT(place_count_mounts(place), 0);
    CHECK_INT(place_count_links(), 0);
    CHECK(access(place->dir, F_OK) < 0);
    place->dir[strlen(place->dir) - strlen("/net")] = '\0';
    CHECK_INT(rmdir(place->dir), 0);
    CHECK(shell("nft list table ip davy >/dev/null 2>&1") != 0);
}

/* --- pods --- */

static void called(struct podnet_call *call)
{
    call->path[sizeof(call->path) - 1] = 1;
}

static void wait_for(struct place *place, struct podnet_call *call)
{
    while (call->path[sizeof(call->path) - 1] == 0)
        MUST(loop_turn(place->loop, -1, &place->err) == 0);
    call->path[sizeof(call->path) - 1] = 0;
}

struct podnet_call *place_add(struct place *place, const struct podnet_want *want)
{
    static struct podnet_call call;
    podnet_add(place->podnet, &call, want, called);
    wait_for(place, &call);
    return &call;
}

struct ip place_pod(struct place *place, const char *id)
{
    struct podnet_call *call = place_add(place, &(struct podnet_want){.id = str_from_z(id)});
    if (!CHECK_INT(call->r, 0))
        printf("%s\n", call->err.text);
    return call->address;
}

void place_remove(struct place *place, const char *id)
{
    static struct podnet_call call;
    podnet_remove(place->podnet, &call, str_from_z(id), called);
    wait_for(place, &call);
    CHECK_INT(call.r, 0);
}

void place_rules(struct place *place, const struct rules *rules)
{
    uint64_t generation = podnet_rules_set(place->podnet, rules);
    while (place->applied < generation)
        MUST(loop_turn(place->loop, -1, &place->err) == 0);
    CHECK_INT(place->applied_r, 0);
}

/* --- sockets --- */

int place_socket(struct place *place, const char *where, int type)
{
    char path[PODNET_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/ns/%s", place->dir, where);
    int ns = strcmp(where, "") == 0      ? dup(world.own)
             : strcmp(where, "out") == 0 ? dup(world.out)
                                         : open(path, O_RDONLY | O_CLOEXEC);
    MUST(ns >= 0 && setns(ns, CLONE_NEWNET) == 0);
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && setns(world.own, CLONE_NEWNET) == 0);
    close(ns);
    return fd;
}

void place_serve(struct place *place, const char *where, int type, uint16_t port, const char *says)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = place_socket(place, where, type), on = 1;
    MUST(world.n < SERVERS_MAX);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    MUST(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    MUST(type != SOCK_STREAM || listen(fd, 16) == 0);
    world.servers[world.n++] = (struct server){fd, type, says[0]};
}

void place_serve_end(struct place *place)
{
    (void)place;
    for (size_t i = 0; i < world.n; i++)
        close(world.servers[i].fd);
    world.n = 0;
}

static void answer(const struct server *server, struct ip *seen_as)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    char byte;
    if (server->type == SOCK_STREAM) {
        int fd = accept(server->fd, (struct sockaddr *)&from, &len);
        if (fd < 0)
            return;
        (void)!write(fd, &server->says, 1);
        close(fd);
    } else {
        if (recvfrom(server->fd, &byte, 1, 0, (struct sockaddr *)&from, &len) < 0)
            return;
        (void)sendto(server->fd, &server->says, 1, 0, (struct sockaddr *)&from, len);
    }
    if (seen_as != NULL)
        *seen_as = ip_v4(ntohl(from.sin_addr.s_addr));
}

static char outcome(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    if (n == 1)
        return byte;
    return n == 0 ? '0' : errno == ECONNREFUSED ? 'R' : 'U';
}

char place_ask(struct place *place, const char *where, int type, const char *ip, uint16_t port,
               struct ip *seen_as)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct pollfd polls[SERVERS_MAX + 1];
    char got = 'T';
    int fd = place_socket(place, where, type);
    MUST(inet_pton(AF_INET, ip, &to.sin_addr) == 1);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
        got = errno == ECONNREFUSED ? 'R' : 'U';
    else if (type == SOCK_DGRAM && send(fd, "?", 1, 0) < 0)
        got = errno == ECONNREFUSED ? 'R' : 'U';
    while (got == 'T') {
        polls[0] = (struct pollfd){fd, POLLIN, 0};
        for (size_t i = 0; i < world.n; i++)
            polls[i + 1] = (struct pollfd){world.servers[i].fd, POLLIN, 0};
        if (poll(polls, world.n + 1, WAIT_MS) <= 0)
            break;
        for (size_t i = 0; i < world.n; i++)
            if (polls[i + 1].revents != 0)
                answer(&world.servers[i], seen_as);
        if (polls[0].revents != 0)
            got = outcome(fd);
    }
    close(fd);
    return got;
}

/* --- what is there --- */

size_t place_count_links(void)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text, line;
    struct err err;
    size_t n = 0;
    MUST(file_read(&arena, "/proc/net/dev", 1 << 20, &text, &err) == 0);
    while (text.len > 0) {
        (void)str_cut(text, '\n', &line, &text);
        while (line.len > 0 && line.at[0] == ' ')
            line = (str_t){line.at + 1, line.len - 1};
        n += str_starts(line, STR("veth")) || str_starts(line, STR("davy"));
    }
    return n;
}

size_t place_count_mounts(const struct place *place)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text, line;
    struct err err;
    size_t n = 0;
    MUST(file_read(&arena, "/proc/self/mounts", 1 << 20, &text, &err) == 0);
    while (text.len > 0) {
        (void)str_cut(text, '\n', &line, &text);
        n += memmem(line.at, line.len, place->dir, strlen(place->dir)) != NULL;
    }
    return n;
}
