/* pki_test.c - a CA, what it signs, and both ends of a TLS connection that trust it. */
#include "net/pki.h"
#include "net/stream.h"
#include "testkit/test.h"

#include <string.h>
#include <sys/socket.h>

struct end {
    struct stream stream;
    const char *say;
    size_t said;
    char heard[256 * 1024];
    size_t n;
};

static void pump(struct stream *stream, unsigned events)
{
    struct end *end = CONTAINER_OF(stream, struct end, stream);
    (void)events;
    struct err err;
    ssize_t n;
    while ((n = stream_read(stream, end->heard + end->n, 1000, &err)) > 0)
        end->n += (size_t)n;
    size_t len = strlen(end->say);
    while (end->said < len) {
        struct iovec part = {(char *)end->say + end->said, len - end->said};
        n = stream_write(stream, &part, 1, &err);
        if (n <= 0)
            break;
        end->said += (size_t)n;
    }
    stream_want(stream, end->said < len ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static struct tls_config *config(const struct pki_pair *ca, const struct pki_pair *own, bool server)
{
    struct tls_settings settings = {.certificate_pem = own->certificate_pem,
                                    .key_pem = own->key_pem,
                                    .alpn = "h2,http/1.1",
                                    .server = server};
    *(server ? &settings.client_ca_pem : &settings.server_ca_pem) = ca->certificate_pem;
    struct tls_config *out;
    struct err err;
    MUST(tls_config_new(&settings, &out, &err) == 0);
    return out;
}

TEST(tls_carries_bytes_and_says_who_the_client_is)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    struct pki_pair ca, server, client;
    MUST(pki_ca("test-ca", 10, &arena, &ca, &err) == 0);
    struct pki_leaf of_server = {.common_name = STR("davy"),
                                 .names = "DNS:localhost,IP:127.0.0.1",
                                 .server = true,
                                 .days = 2};
    struct pki_leaf of_client = {
        .common_name = STR("admin"), .organization = STR("system:masters"), .days = 2};
    MUST(pki_sign(&ca, &of_server, &arena, &server, &err) == 0);
    MUST(pki_sign(&ca, &of_client, &arena, &client, &err) == 0);
    int64_t from, to;
    CHECK_INT(pki_validity(server.certificate_pem, &from, &to, &err), 0);
    CHECK_INT(to - from, 2 * 24 * 3600 + 300);

    struct loop *loop;
    MUST(loop_new(system_clock(), &loop, &err) == 0);
    int fds[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    struct tls_config *a = config(&ca, &server, true), *b = config(&ca, &client, false);
    static struct end at_server, at_client;
    char *much = arena_bytes(&arena, 200001);
    memset(much, 'x', 200000);
    at_server.say = much;
    at_client.say = "hello";
    MUST(stream_init(&at_server.stream, loop, fds[0], a, NULL, pump, &err) == 0);
    MUST(stream_init(&at_client.stream, loop, fds[1], b, "localhost", pump, &err) == 0);
    stream_want(&at_server.stream, LOOP_READ);
    stream_want(&at_client.stream, LOOP_READ | LOOP_WRITE);
    for (int i = 0; i < 5000 && (at_client.n < 200000 || at_server.n < 5); i++)
        MUST(loop_turn(loop, 10, &err) == 0);
    CHECK_INT((int64_t)at_client.n, 200000);
    CHECK_STR(((str_t){at_server.heard, at_server.n}), "hello");
    CHECK_STR(tls_alpn(at_server.stream.tls), "h2");
    struct tls_peer peer;
    CHECK(tls_peer(at_server.stream.tls, &arena, &peer));
    CHECK_STR(peer.common_name, "admin");
    CHECK_INT((int64_t)peer.n_organizations, 1);
    CHECK_STR(peer.organizations[0], "system:masters");
    stream_done(&at_server.stream);
    stream_done(&at_client.stream);
    MUST(loop_turn(loop, 0, &err) == 0);
    tls_config_unref(a);
    tls_config_unref(b);
    loop_free(loop);
}

TEST(a_certificate_that_is_none_is_refused_with_words)
{
    struct tls_settings settings = {
        .certificate_pem = STR("nonsense"), .key_pem = STR(""), .server = true};
    struct tls_config *out;
    struct err err;
    CHECK_INT(tls_config_new(&settings, &out, &err), ERR_INVALID);
}

TEST(a_key_and_a_certificate_that_do_not_belong_together_are_told_apart)
{
    AUTO(arena_done) struct arena arena = {0};
    struct pki_pair ca, other, leaf, none = {0};
    struct pki_leaf what = {.common_name = STR("a"), .server = true, .days = 2};
    struct err err;
    MUST(pki_ca("ca", 10, &arena, &ca, &err) == 0 &&
         pki_ca("other", 10, &arena, &other, &err) == 0);
    MUST(pki_sign(&ca, &what, &arena, &leaf, &err) == 0);
    str_t cut = {leaf.certificate_pem.at, leaf.certificate_pem.len / 2};
    const struct {
        struct pki_pair pair;
        str_t ca;
        const char *wrong; /* NULL: nothing. */
    } rows[] = {
        {leaf, ca.certificate_pem, NULL},
        {ca, ca.certificate_pem, NULL},
        {none, ca.certificate_pem, "the certificate cannot be read"},
        {{cut, leaf.key_pem}, ca.certificate_pem, "the certificate cannot be read"},
        {{leaf.certificate_pem, STR("nonsense")}, ca.certificate_pem, "the key cannot be read"},
        {{leaf.certificate_pem, ca.key_pem},
         ca.certificate_pem,
         "the key is not the certificate's"},
        {leaf, other.certificate_pem, "the certificate is not signed by this CA"},
        {leaf, STR(""), "the certificate is not signed by this CA"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        err.text[0] = '\0';
        CHECK_INT(pki_check(&rows[i].pair, rows[i].ca, &err),
                  rows[i].wrong == NULL ? 0 : ERR_INVALID);
        test_check_str(str_from_z(err.text), str_from_z(rows[i].wrong == NULL ? "" : rows[i].wrong),
                       "wrong", __FILE__, __LINE__);
    }
}
