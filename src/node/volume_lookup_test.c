/* volume_lookup_test.c - what is asked of the API for a pod's volumes, and how often. */
#include "http/server.h"
#include "net/sockets.h"
#include "node/volume_lookup.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct api { /* One that knows three objects. */
    struct fake_clock clock;
    struct loop *loop;
    struct http_server *server;
    struct remote *remote;
    struct volume_lookup *lookup;
    struct arena arena;
    char dir[32], path[64];
    int asked, tokens, done;
    int refuse; /* Tokens, with this. */
    struct err err;
};

static const char claim[] = "{\"metadata\":{\"name\":\"data\"},\"spec\":{\"volumeName\":\"pv1\"}}";
static const char pending[] = "{\"metadata\":{\"name\":\"new\"},\"spec\":{}}";
static const char volume[] = "{\"metadata\":{\"name\":\"pv1\"}}";

static void token_asked(struct exchange *x, str_t body)
{
    struct api *api = x->self;
    char text[160];
    CHECK(memmem(body.at, body.len, "\"kind\":\"Pod\"", 12) != NULL);
    CHECK(memmem(body.at, body.len, "\"uid\":\"u1\"", 10) != NULL);
    CHECK(memmem(body.at, body.len, "\"expirationSeconds\":1000", 24) != NULL);
    api->tokens++;
    (void)snprintf(text, sizeof(text),
                   "{\"status\":{\"token\":\"t%d\",\"expirationTimestamp\":"
                   "\"2023-11-14T22:30:00Z\"}}", /* In 1000 seconds. */
                   api->tokens);
    if (api->refuse != 0)
        http_answer_text(x, api->refuse, STR("application/json"),
                         STR("{\"kind\":\"Status\",\"message\":\"no account\"}"));
    else
        http_answer_text(x, 201, STR("application/json"), arena_printf(x->arena, "%s", text));
}

static void handle(void *self, struct exchange *x)
{
    static const struct {
        const char *path, *answer;
    } rows[] = {{"/api/v1/namespaces/shop/persistentvolumeclaims/data", claim},
                {"/api/v1/namespaces/shop/persistentvolumeclaims/new", pending},
                {"/api/v1/persistentvolumes/pv1", volume}};
    struct api *api = self;
    api->asked++;
    x->self = api;
    if (str_eq(x->path, STR("/api/v1/namespaces/shop/serviceaccounts/robot/token"))) {
        http_collect(x, 4096, token_asked);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(x->path, str_from_z(rows[i].path))) {
            http_answer_text(x, 200, STR("application/json"), str_from_z(rows[i].answer));
            return;
        }
    http_answer_text(x, 404, STR("application/json"), STR("{\"reason\":\"NotFound\"}"));
}

static void api_open(struct api *api)
{
    *api = (struct api){.dir = "/tmp/davy-lookup-XXXXXX"};
    fake_clock_init(&api->clock, 1700000000000); /* 22:13:20 */
    MUST(mkdtemp(api->dir) != NULL);
    (void)snprintf(api->path, sizeof(api->path), "%s/sock", api->dir);
    MUST(loop_new(&api->clock.clock, &api->loop, &api->err) == 0);
    struct http_handler handler = {api, handle};
    struct http_server_limits limits = {0};
    MUST(http_server_new(api->loop, &handler, &limits, &api->server, &api->err) == 0);
    int fd = socket_listen_unix(api->path, 0600, &api->err);
    MUST(fd >= 0 && http_server_listen(api->server, fd, NULL, &api->err) == 0);
    struct remote_settings settings = {
        .loop = api->loop, .http = {.unix_path = api->path}, .user_agent = "test"};
    MUST(remote_new(&settings, &api->remote, &api->err) == 0);
    api->lookup = volume_lookup_new(api->remote, api->loop);
}

static void api_close(struct api *api)
{
    volume_lookup_free(api->lookup);
    remote_free(api->remote);
    http_server_free(api->server);
    loop_free(api->loop);
    arena_done(&api->arena);
    (void)unlink(api->path);
    CHECK(rmdir(api->dir) == 0);
}

struct asking {
    struct volume_ask ask;
    struct volume_needs needs;
    bool done;
};

static void answered(struct volume_ask *ask)
{
    CONTAINER_OF(ask, struct asking, ask)->done = true;
}

static void ask_all(struct api *api, struct asking *a)
{
    static const char text[] =
        "{\"metadata\":{\"name\":\"p\",\"namespace\":\"shop\",\"uid\":\"u1\"},\"spec\":{"
        "\"serviceAccountName\":\"robot\",\"volumes\":["
        "{\"name\":\"c\",\"configMap\":{\"name\":\"c\"}},"
        "{\"name\":\"d\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}},"
        "{\"name\":\"g\",\"persistentVolumeClaim\":{\"claimName\":\"gone\"}},"
        "{\"name\":\"n\",\"persistentVolumeClaim\":{\"claimName\":\"new\"}},"
        "{\"name\":\"t\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"a\","
        "\"expirationSeconds\":1000}},{\"serviceAccountToken\":{\"path\":\"b\","
        "\"expirationSeconds\":1000}}]}}]}}";
    struct json *pod;
    *a = (struct asking){0};
    MUST(json_parse(str_from_z(text), &api->arena, &pod, &api->err) == 0);
    volume_needs(pod, &api->arena, &a->needs);
    a->ask =
        (struct volume_ask){.pod = pod, .needs = &a->needs, .arena = &api->arena, .done = answered};
    volume_ask_run(api->lookup, &a->ask);
    CHECK(!a->done);
    for (int i = 0; i < 200 && !a->done; i++)
        MUST(loop_turn(api->loop, 1, &api->err) == 0);
    CHECK(a->done);
}

/* Connections that nobody used meanwhile end. */
static void later(struct api *api, msec_t ms)
{
    fake_clock_advance(&api->clock, ms);
    for (int i = 0; i < 10; i++)
        MUST(loop_turn(api->loop, 0, &api->err) == 0);
}

TEST(volumes_ask_for_claims_and_tokens_and_keep_the_tokens)
{
    struct api api;
    struct asking a;
    api_open(&api);
    ask_all(&api, &a);
    CHECK_INT(a.ask.r, 0);
    CHECK_INT((int64_t)a.needs.n, 6);
    CHECK(a.needs.at[0].object == NULL); /* Somebody else's. */
    CHECK(a.needs.at[1].object != NULL && a.needs.at[1].bound != NULL);
    CHECK(a.needs.at[2].object == NULL && a.needs.at[2].bound == NULL);
    CHECK(a.needs.at[3].object != NULL && a.needs.at[3].bound == NULL);
    CHECK_STR(a.needs.at[4].token, "t1");
    CHECK_STR(a.needs.at[5].token, "t1");
    CHECK_INT(api.asked, 5);
    CHECK_INT(api.tokens, 1);
    msec_t renew_in_ms = a.ask.renew_ms - loop_now_ms(api.loop);
    CHECK(renew_in_ms > 790000 && renew_in_ms <= 800000);

    ask_all(&api, &a);
    CHECK_INT(api.tokens, 1);
    later(&api, 800001);
    ask_all(&api, &a);
    CHECK_INT(api.tokens, 2);
    CHECK_STR(a.needs.at[4].token, "t2");
    volume_lookup_forget(api.lookup, STR("u2"));
    volume_lookup_forget(api.lookup, STR("u1"));
    ask_all(&api, &a);
    CHECK_INT(api.tokens, 3);
    /* By our clock it is over soon: whoever asks again does so with some time between. */
    later(&api, 300000);
    volume_lookup_forget(api.lookup, STR("u1"));
    ask_all(&api, &a);
    CHECK_INT(a.ask.renew_ms - loop_now_ms(api.loop), 10000);
    api_close(&api);
}

TEST(volumes_are_told_what_the_api_refuses)
{
    struct api api;
    struct asking a;
    api_open(&api);
    api.refuse = 403;
    ask_all(&api, &a);
    CHECK_INT(a.ask.r, ERR_FORBIDDEN);
    CHECK_STR(str_from_z(a.ask.err.text), "failed to fetch token: no account");
    volume_ask_run(api.lookup, &a.ask);
    volume_ask_cancel(&a.ask);
    volume_ask_cancel(&a.ask);
    api_close(&api);
}
