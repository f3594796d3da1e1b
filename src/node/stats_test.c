/* stats_test.c - rates of containers that are made up, with a clock that is told. */
#include "http/fixture.h"
#include "node/stats.h"
#include "testkit/test.h"

#include <string.h>

struct world {
    struct fixture f;
    struct stats *stats;
    const struct pod_running *running;
    size_t n;
    uint64_t usec, bytes; /* Of each container. */
    unsigned looks;
};

static const struct pod_running two[] = {{"u1", "default", "web", "app"},
                                         {"u1", "default", "web", "side"}};
static const struct pod_running three[] = {
    {"u1", "default", "web", "app"}, {"u1", "default", "web", "side"}, {"u2", "other", "db", "db"}};

static void each(void *self, void (*see)(void *with, const struct pod_running *running), void *with)
{
    struct world *w = self;
    for (size_t i = 0; i < w->n; i++)
        see(with, &w->running[i]);
}

static int group(void *self, str_t group, struct group_stats *out, struct err *err)
{
    struct world *w = self;
    w->looks++;
    if (str_eq(group, STR("pods/u1/side")) && w->usec == 0)
        return err_set(err, ERR_NOT_FOUND, "gone");
    *out = (struct group_stats){.cpu_usec = w->usec, .memory_bytes = w->bytes};
    return 0;
}

static void handle(void *f, struct exchange *x)
{
    struct world *w = ((struct fixture *)f)->self;
    stats_head(w->stats, x);
}

static void world_start(struct world *w)
{
    w->f.self = w;
    fixture_start(&w->f, handle);
    w->stats = stats_new(&(struct stats_settings){w->f.loop, "n1", w, each, group});
    w->running = two;
    w->n = ARRAY_LEN(two);
}

static void world_end(struct world *w)
{
    stats_free(w->stats);
    fixture_end(&w->f);
}

static const char request[] = "GET /stats HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(rates_are_of_the_time_between_two_looks)
{
    struct world w = {.usec = 1000, .bytes = 4096};
    struct client client;
    world_start(&w);
    client_dial(&client, &w.f);
    client_say(&client, str_from_z(request));
    fixture_turns(&w.f, 4);
    CHECK_INT(w.looks, 2); /* It waits for the second look. */
    w.usec = 251000;
    fixture_wait(&w.f, STATS_FIRST_MS);
    const char *heard = client_hear(&client, "]}\n");
    CHECK(strstr(heard, "\"window_ms\":1000,\"node\":{\"name\":\"n1\",") != NULL);
    CHECK(strstr(heard, "\"pods\":[{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\","
                        "\"containers\":[{\"name\":\"app\",\"cpu_nanos\":250000000,"
                        "\"memory_bytes\":4096},{\"name\":\"side\",\"cpu_nanos\":250000000,"
                        "\"memory_bytes\":4096}]}]}\n") != NULL);
    /* The next one is told at once, of the same looks; a container without two is not told of. */
    w.running = three;
    w.n = ARRAY_LEN(three);
    client_forget(&client);
    client_say(&client, str_from_z(request));
    heard = client_hear(&client, "]}\n");
    CHECK(strstr(heard, "\"cpu_nanos\":250000000") != NULL);
    CHECK(strstr(heard, "db") == NULL);
    CHECK_INT(w.looks, 4);
    fixture_wait(&w.f, STATS_EVERY_MS);
    w.usec += 2000000;
    fixture_wait(&w.f, STATS_EVERY_MS);
    client_forget(&client);
    client_say(&client, str_from_z(request));
    heard = client_hear(&client, "]}\n");
    CHECK(strstr(heard, "]},{\"namespace\":\"other\",\"name\":\"db\",\"uid\":\"u2\",\"containers\":"
                        "[{\"name\":\"db\",\"cpu_nanos\":200000000,") != NULL);
    client_done(&client);
    world_end(&w);
}

TEST(nobody_looks_when_nobody_asks)
{
    struct world w = {.usec = 1};
    world_start(&w);
    struct client client;
    client_dial(&client, &w.f);
    client_say(&client, str_from_z(request));
    fixture_turns(&w.f, 4);
    for (int i = 0; i < STATS_IDLE_MS / STATS_EVERY_MS * 2; i++)
        fixture_wait(&w.f, STATS_EVERY_MS);
    unsigned looks = w.looks;
    fixture_wait(&w.f, (msec_t)10 * STATS_IDLE_MS);
    CHECK_INT(w.looks, looks);
    /* What it saw long ago it does not tell. */
    client_done(&client);
    client_dial(&client, &w.f);
    client_say(&client, str_from_z(request));
    fixture_turns(&w.f, 4);
    CHECK_INT(client.heard.len, 0);
    fixture_wait(&w.f, STATS_FIRST_MS);
    CHECK(strstr(client_hear(&client, "]}\n"), "\"window_ms\":1000,") != NULL);
    client_done(&client);
    world_end(&w);
}

TEST(who_goes_while_waiting_is_forgotten)
{
    struct world w = {.usec = 0};
    struct client client;
    world_start(&w);
    client_dial(&client, &w.f);
    client_say(&client, str_from_z(request));
    fixture_turns(&w.f, 4);
    client_done(&client);
    fixture_turns(&w.f, 4);
    fixture_wait(&w.f, STATS_FIRST_MS);
    CHECK_INT(w.looks, 4);
    world_end(&w);
}

TEST(it_may_end_while_one_waits)
{
    struct world w = {.usec = 0};
    struct client client;
    world_start(&w);
    client_dial(&client, &w.f);
    client_say(&client, str_from_z(request));
    fixture_turns(&w.f, 4);
    stats_free(w.stats);
    CHECK_STR(str_from_z(client_hear(&client, NULL)), "");
    client_done(&client);
    fixture_end(&w.f);
}
