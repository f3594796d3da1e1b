/*
 * pull_test.c - a registry of the test's own that does as registries do, and as they should not:
 * it wants tokens, breaks off, says one thing and sends another.
 */
#include "codec/base64.h"
#include "http/server.h"
#include "images/blob.h"
#include "images/manifest.h"
#include "images/world.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOBS = 8 };

enum lie {
    HONEST,
    WANTS_TOKEN, /* Anybody may have one. */
    WANTS_USER,  /* Only who says "user" and "secret" gets one. */
    WANTS_BASIC,
    BREAKS_OFF,  /* In the middle of the layer, the first time. */
    SENDS_WHOLE, /* Breaks off, then does not know Range. */
    WRONG_BYTES, /* The layer is another one. */
    TOO_MANY_BYTES,
    NO_LAYER,
    WRONG_MANIFEST,
    HUGE_MANIFEST,
    ODD_MANIFEST, /* Of a media type nobody knows. */
    FAILS,
};

struct blob {
    char digest[DIGEST_BYTES];
    str_t bytes;
    const char *type; /* Of a manifest. */
};

struct registry {
    struct world w;
    struct arena arena;
    struct http_server *server;
    uint16_t port;
    enum lie lie;
    struct blob blobs[BLOBS];
    size_t n_blobs;
    str_t top; /* What the tag means. */
    str_t layer;
    unsigned layer_gets, ranges, tokens, gets;
    struct timer cut;
    struct exchange *to_cut;
};

static str_t put(struct registry *r, str_t bytes, const char *type)
{
    struct blob *blob = &r->blobs[r->n_blobs++];
    struct blob_writer writer;
    MUST(r->n_blobs <= BLOBS);
    MUST(blob_begin(r->w.dir, &writer, &r->w.err) == 0); /* Only to know its digest. */
    MUST(blob_add(&writer, bytes.at, bytes.len, &r->w.err) == 0);
    MUST(blob_end(r->w.dir, &writer, STR(""), blob->digest, &r->w.err) == 0);
    MUST(blob_remove(r->w.dir, str_from_z(blob->digest), &r->w.err) == 0);
    blob->bytes = arena_str(&r->arena, bytes);
    blob->type = type;
    return str_from_z(blob->digest);
}

static void make_image(struct registry *r)
{
    static const char index_type[] = "application/vnd.oci.image.index.v1+json";
    static const char type[] = "application/vnd.docker.distribution.manifest.v2+json";
    struct tar tar;
    tar_begin(&tar);
    tar_file(&tar, "hello", "from far away");
    tar_end(&tar);
    r->layer = put(r, (str_t){tar.bytes, tar.n}, NULL);
    str_t config = arena_printf(
        &r->arena, "{\"config\":{\"Cmd\":[\"/hello\"]},\"rootfs\":{\"diff_ids\":[\"" STR_F "\"]}}",
        STR_A(r->layer));
    str_t id = put(r, config, NULL);
    str_t manifest =
        arena_printf(&r->arena,
                     "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"digest\":\"" STR_F
                     "\",\"size\":%zu},\"layers\":[{\"digest\":\"" STR_F "\",\"size\":%zu}]}",
                     r->lie == ODD_MANIFEST ? "application/x-odd" : type, STR_A(id), config.len,
                     STR_A(r->layer), tar.n);
    free(tar.bytes);
    str_t own = put(r, manifest, type);
    str_t text = arena_printf(
        &r->arena,
        "{\"mediaType\":\"%s\",\"manifests\":[{\"digest\":\"sha256:%064d\",\"size\":1,"
        "\"platform\":{\"os\":\"windows\",\"architecture\":\"amd64\"}},{\"digest\":\"" STR_F
        "\",\"size\":%zu,\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}]}",
        index_type, 0, STR_A(own), manifest.len, machine_architecture());
    r->top = put(r, text, index_type);
}

static const struct blob *blob_of(const struct registry *r, str_t digest)
{
    for (size_t i = 0; i < r->n_blobs; i++)
        if (str_eq(str_from_z(r->blobs[i].digest), digest))
            return &r->blobs[i];
    return NULL;
}

static bool is_let_in(struct registry *r, struct exchange *x)
{
    str_t given = http_get(x, STR("Authorization"));
    bool token = r->lie == WANTS_TOKEN || r->lie == WANTS_USER;
    if (!token && r->lie != WANTS_BASIC)
        return true;
    if (str_eq(given, token ? STR("Bearer t0k3n") : STR("Basic dXNlcjpzZWNyZXQ=")))
        return true;
    str_t challenge =
        token ? arena_printf(x->arena,
                             "Bearer realm=\"http://127.0.0.1:%u/token\",service=\"of tests\","
                             "scope=\"repository:team/web:pull\"",
                             (unsigned)r->port)
              : STR("Basic realm=\"tests\"");
    struct http_field field = {STR("WWW-Authenticate"), challenge};
    http_answer(x, 401, &field, 1, (struct http_bytes){.bytes = STR("{}")});
    return false;
}

static void give_token(struct registry *r, struct exchange *x)
{
    str_t given = http_get(x, STR("Authorization")), service, scope;
    r->tokens++;
    if (r->lie == WANTS_USER && !str_eq(given, STR("Basic dXNlcjpzZWNyZXQ="))) {
        http_answer_text(x, 401, STR("application/json"), STR("{}"));
        return;
    }
    CHECK(http_query_get(x, STR("service"), &service));
    CHECK_STR(service, "of tests");
    CHECK(http_query_get(x, STR("scope"), &scope));
    CHECK_STR(scope, "repository:team/web:pull");
    http_answer_text(x, 200, STR("application/json"), STR("{\"token\":\"t0k3n\"}"));
}

static void give_manifest(struct registry *r, struct exchange *x, str_t which)
{
    const struct blob *blob = blob_of(r, str_eq(which, STR("v1")) ? r->top : which);
    if (blob == NULL || blob->type == NULL) {
        http_answer_text(x, 404, STR("application/json"), STR("{}"));
        return;
    }
    if (r->lie == FAILS) {
        http_answer_text(x, 500, STR("application/json"), STR("{}"));
        return;
    }
    struct http_field fields[] = {{STR("Content-Type"), str_from_z(blob->type)},
                                  {STR("Docker-Content-Digest"), str_from_z(blob->digest)}};
    str_t bytes = blob->bytes;
    if (r->lie == WRONG_MANIFEST)
        bytes = STR("{\"layers\":[]}");
    if (r->lie == HUGE_MANIFEST)
        bytes = arena_printf(x->arena, "%*s", MANIFEST_BYTES_MAX + 1, "");
    http_answer(x, 200, fields, 2, (struct http_bytes){.bytes = bytes});
}

/* Once the kernel has it: what was sent is to arrive. */
static void cut(struct timer *timer)
{
    struct registry *r = CONTAINER_OF(timer, struct registry, cut);
    if (http_waiting(r->to_cut) > 0)
        timer_set(r->w.loop, timer, 1, cut);
    else
        http_abort(r->to_cut);
}

static void give_layer(struct registry *r, struct exchange *x, str_t bytes)
{
    struct http_field field = {STR("Content-Range"), STR("")};
    str_t range = http_get(x, STR("Range"));
    int64_t from = 0;
    r->layer_gets++;
    if (range.len > 7 && r->lie == BREAKS_OFF) {
        str_t first = {range.at + 6, range.len - 7};
        r->ranges++;
        MUST(str_to_i64(first, &from));
        field.value =
            arena_printf(x->arena, "bytes %lld-%zu/%zu", (long long)from, bytes.len - 1, bytes.len);
        bytes = (str_t){bytes.at + from, bytes.len - (size_t)from};
        http_answer(x, 206, &field, 1, (struct http_bytes){.bytes = bytes});
        return;
    }
    if (r->layer_gets == 1 && (r->lie == BREAKS_OFF || r->lie == SENDS_WHOLE)) {
        http_begin(x, 200, NULL, 0);
        http_write(x, (struct http_bytes){.bytes = {bytes.at, bytes.len / 2}});
        http_flush(x);
        r->to_cut = x;
        timer_set(r->w.loop, &r->cut, 1, cut);
        return;
    }
    if (r->lie == WRONG_BYTES) {
        char *other = (char *)arena_str(x->arena, bytes).at;
        other[0] ^= 1;
        bytes.at = other;
    } else if (r->lie == TOO_MANY_BYTES) {
        bytes = arena_printf(x->arena, "%*s", (int)bytes.len + 1, "");
    }
    http_answer(x, 200, NULL, 0, (struct http_bytes){.bytes = bytes});
}

static void handle(void *self, struct exchange *x)
{
    struct registry *r = self;
    str_t path = x->path, manifests = STR("/v2/team/web/manifests/"),
          blobs = STR("/v2/team/web/blobs/");
    if (str_eq(path, STR("/token"))) {
        give_token(r, x);
        return;
    }
    if (!is_let_in(r, x))
        return;
    r->gets += x->method == HTTP_GET;
    if (str_starts(path, manifests)) {
        give_manifest(r, x, (str_t){path.at + manifests.len, path.len - manifests.len});
        return;
    }
    str_t digest =
        str_starts(path, blobs) ? (str_t){path.at + blobs.len, path.len - blobs.len} : STR("");
    const struct blob *blob = blob_of(r, digest);
    if (blob == NULL || (r->lie == NO_LAYER && str_eq(digest, r->layer)))
        http_answer_text(x, 404, STR("application/json"), STR("{}"));
    else if (str_eq(digest, r->layer))
        give_layer(r, x, blob->bytes);
    else
        http_answer(x, 200, NULL, 0, (struct http_bytes){.bytes = blob->bytes});
}

static void registry_init(struct registry *r, enum lie lie)
{
    static const struct http_server_limits limits = {0};
    struct http_handler handler = {r, handle};
    *r = (struct registry){.lie = lie};
    world_init(&r->w);
    net_init();
    MUST(http_server_new(r->w.loop, &handler, &limits, &r->server, &r->w.err) == 0);
    int fd = socket_listen_tcp("127.0.0.1", &r->port, &r->w.err);
    MUST(fd >= 0 && http_server_listen(r->server, fd, NULL, &r->w.err) == 0);
    make_image(r);
}

static void registry_done(struct registry *r)
{
    http_server_free(r->server);
    arena_done(&r->arena);
    world_done(&r->w);
}

static int pull(struct registry *r, const char *repository, const struct credential *who, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct images_pull_want want = {
        .reference = arena_printf(&arena, "127.0.0.1:%u/%s", (unsigned)r->port, repository),
        .credentials = who,
        .n_credentials = n};
    images_call_done(&r->w.call);
    images_pull(r->w.images, &r->w.call, &want, world_over);
    return wait_for(&r->w);
}

static bool told(const struct registry *r, const char *text)
{
    bool there = r->w.call.told.len > 0 && strstr(r->w.call.told.at, text) != NULL;
    if (!there)
        printf("%.*s\n", STR_A(r->w.call.told));
    return there;
}

TEST(images_are_pulled_once)
{
    struct registry r;
    registry_init(&r, HONEST);
    CHECK_INT(pull(&r, "team/web:v1", NULL, 0), 0);
    MUST(r.w.call.n_found == 1);
    CHECK(str_eq(r.w.call.found[0].target, r.top));
    CHECK(!str_eq(r.w.call.found[0].manifest, r.top));
    CHECK_STR(json_text(json_first(json_get(r.w.call.found[0].config, STR("Cmd"))), STR("")),
              "/hello");
    unsigned before = r.gets;
    CHECK_INT(before, 4); /* Index, manifest, configuration, layer. */
    CHECK_INT(pull(&r, "team/web:v1", NULL, 0), 0);
    CHECK_INT(r.gets, before);
    AUTO(arena_done) struct arena arena = {0};
    str_t pinned = arena_printf(&arena, "team/web@" STR_F, STR_A(r.top));
    CHECK_INT(pull(&r, pinned.at, NULL, 0), 0);
    CHECK_INT(r.gets, before);
    registry_done(&r);
}

TEST(registries_are_told_who_we_are)
{
    static const struct credential good = {{"user", 4}, {"secret", 6}},
                                   bad = {{"user", 4}, {"x", 1}};
    const struct credential both[] = {bad, good};
    static const struct {
        enum lie lie;
        bool anybody;
    } cases[] = {{WANTS_TOKEN, true}, {WANTS_USER, false}, {WANTS_BASIC, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct registry r;
        registry_init(&r, cases[i].lie);
        CHECK_INT(pull(&r, "team/web:v1", NULL, 0), cases[i].anybody ? 0 : ERR_FORBIDDEN);
        if (!cases[i].anybody) {
            CHECK_INT(pull(&r, "team/web:v1", &bad, 1), ERR_FORBIDDEN);
            CHECK_INT(pull(&r, "team/web:v1", both, 2), 0);
        }
        CHECK(cases[i].lie == WANTS_BASIC || r.tokens > 0);
        registry_done(&r);
    }
}

TEST(transfers_that_break_go_on)
{
    for (enum lie lie = BREAKS_OFF; lie <= SENDS_WHOLE; lie++) {
        struct registry r;
        registry_init(&r, lie);
        CHECK_INT(pull(&r, "team/web:v1", NULL, 0), 0);
        CHECK_INT(r.layer_gets, 2);
        CHECK_INT(r.ranges, lie == BREAKS_OFF ? 1 : 0);
        registry_done(&r);
    }
}

TEST(registries_that_lie_are_told_apart)
{
    static const struct {
        enum lie lie;
        int code;
        const char *says;
    } cases[] = {
        {WRONG_BYTES, ERR_INVALID, "unexpected commit digest sha256:"},
        {TOO_MANY_BYTES, ERR_INVALID, "more bytes came than"},
        {NO_LAYER, ERR_NOT_FOUND, "not found"},
        {WRONG_MANIFEST, ERR_INVALID, "content is sha256:"},
        {HUGE_MANIFEST, ERR_IO, "larger than"},
        {ODD_MANIFEST, ERR_INVALID, "manifest is of media type application/x-odd"},
        {FAILS, ERR_IO, "500 Internal Server Error"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct registry r;
        registry_init(&r, cases[i].lie);
        CHECK_INT(pull(&r, "team/web:v1", NULL, 0), cases[i].code);
        CHECK(told(&r, cases[i].says));
        CHECK(told(&r, "failed to pull and unpack image \"127.0.0.1:"));
        images_call_done(&r.w.call);
        images_list(r.w.images, &r.w.call, world_over);
        CHECK_INT(wait_for(&r.w), 0);
        CHECK_INT(r.w.call.n_found, 0);
        registry_done(&r);
    }
}

TEST(pulls_of_what_is_not_there)
{
    struct registry r;
    registry_init(&r, HONEST);
    CHECK_INT(pull(&r, "team/web:v2", NULL, 0), ERR_NOT_FOUND);
    AUTO(arena_done) struct arena arena = {0};
    str_t name = arena_printf(&arena, "127.0.0.1:%u/team/web:v2", (unsigned)r.port);
    str_t text = arena_printf(&arena,
                              "failed to pull and unpack image \"" STR_F
                              "\": failed to resolve reference \"" STR_F "\": " STR_F ": not found",
                              STR_A(name), STR_A(name), STR_A(name));
    CHECK(str_eq(r.w.call.told, text));
    CHECK_INT(pull(&r, "Team", NULL, 0), ERR_INVALID);
    CHECK(told(&r, "must be lowercase"));
    http_server_free(r.server);
    r.server = NULL;
    CHECK_INT(pull(&r, "team/web:v1", NULL, 0), ERR_IO);
    text = arena_printf(&arena, "dial tcp 127.0.0.1:%u: connect: connection refused",
                        (unsigned)r.port);
    CHECK(told(&r, text.at));
    registry_done(&r);
}
