/* tls.c - contexts and connections of OpenSSL. */
#include "net/tls_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ALPN_MAX = 64 };

struct tls_config {
    atomic_uint refs;
    SSL_CTX *ctx;
    bool server;
    unsigned char alpn[ALPN_MAX]; /* As on the wire: each name after its length. */
    unsigned alpn_len;
};

int tls_error(struct err *err, const char *doing)
{
    char text[160];
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0)
        return err_set(err, ERR_IO, "%s: the peer ended the connection", doing);
    ERR_error_string_n(code, text, sizeof(text));
    return err_set(err, ERR_IO, "%s: %s", doing, text);
}

static void bio_free(BIO **bio)
{
    BIO_free(*bio);
}

static BIO *bio_of(str_t pem)
{
    return BIO_new_mem_buf(pem.at, (int)pem.len);
}

static int use_certificate(SSL_CTX *ctx, str_t chain_pem, str_t key_pem)
{
    AUTO(bio_free) BIO *chain = bio_of(chain_pem);
    AUTO(bio_free) BIO *key_bio = bio_of(key_pem);
    X509 *leaf = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    bool ok = leaf != NULL && key != NULL && SSL_CTX_use_certificate(ctx, leaf) == 1 &&
              SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    X509 *next;
    while (ok && (next = PEM_read_bio_X509(chain, NULL, NULL, NULL)) != NULL)
        ok = SSL_CTX_add0_chain_cert(ctx, next) == 1;
    X509_free(leaf);
    EVP_PKEY_free(key);
    if (ok)
        ERR_clear_error(); /* Reading past the last certificate leaves one. */
    return ok ? 0 : -1;
}

static int trust(SSL_CTX *ctx, str_t ca_pem, bool ask_clients)
{
    AUTO(bio_free) BIO *bio = bio_of(ca_pem);
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509 *ca;
    int n = 0;
    while ((ca = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (X509_STORE_add_cert(store, ca) == 1 &&
            (!ask_clients || SSL_CTX_add_client_CA(ctx, ca) == 1))
            n++;
        X509_free(ca);
    }
    ERR_clear_error();
    return n > 0 ? 0 : -1;
}

static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    const struct tls_config *config = arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, config->alpn, config->alpn_len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void set_alpn(struct tls_config *config, const char *names)
{
    str_t rest = str_from_z(names), name;
    while (rest.len > 0) {
        str_cut(rest, ',', &name, &rest);
        MUST(config->alpn_len + 1 + name.len <= ALPN_MAX);
        config->alpn[config->alpn_len++] = (unsigned char)name.len;
        memcpy(config->alpn + config->alpn_len, name.at, name.len);
        config->alpn_len += (unsigned)name.len;
    }
    if (config->server)
        SSL_CTX_set_alpn_select_cb(config->ctx, alpn_select, config);
    else
        (void)SSL_CTX_set_alpn_protos(config->ctx, config->alpn, config->alpn_len);
}

static int configure(struct tls_config *config, const struct tls_settings *s)
{
    SSL_CTX *ctx = config->ctx;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 1);
    if (s->server)
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"davy", 4);
    if (s->certificate_pem.len > 0 && use_certificate(ctx, s->certificate_pem, s->key_pem) < 0)
        return -1;
    if (s->server && s->client_ca_pem.len > 0) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        if (trust(ctx, s->client_ca_pem, true) < 0)
            return -1;
    }
    if (!s->server) {
        SSL_CTX_set_verify(ctx, s->any_server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        int r = s->server_ca_pem.len > 0 ? trust(ctx, s->server_ca_pem, false)
                                         : SSL_CTX_set_default_verify_paths(ctx) - 1;
        if (r < 0)
            return -1;
    }
    if (s->alpn != NULL)
        set_alpn(config, s->alpn);
    return 0;
}

int tls_config_new(const struct tls_settings *settings, struct tls_config **out, struct err *err)
{
    struct tls_config *config = calloc(1, sizeof(*config));
    MUST(config != NULL);
    config->refs = 1;
    config->server = settings->server;
    config->ctx = SSL_CTX_new(settings->server ? TLS_server_method() : TLS_client_method());
    if (config->ctx == NULL || configure(config, settings) < 0) {
        SSL_CTX_free(config->ctx);
        free(config);
        if (ERR_peek_error() == 0)
            return err_set(err, ERR_INVALID, "use the certificates given: there are none");
        tls_error(err, "use the certificates given");
        err->code = ERR_INVALID;
        return ERR_INVALID;
    }
    *out = config;
    return 0;
}

struct tls_config *tls_config_ref(struct tls_config *config)
{
    config->refs++;
    return config;
}

void tls_config_unref(struct tls_config *config)
{
    if (config == NULL || --config->refs > 0)
        return;
    SSL_CTX_free(config->ctx);
    free(config);
}

struct tls *tls_new(struct tls_config *config, int fd, const char *server_name, struct err *err)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    MUST(tls != NULL);
    tls->ssl = SSL_new(config->ctx);
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1) {
        tls_free(tls);
        tls_error(err, "start TLS");
        return NULL;
    }
    if (config->server) {
        SSL_set_accept_state(tls->ssl);
    } else {
        SSL_set_connect_state(tls->ssl);
        if (server_name != NULL) {
            (void)SSL_set_tlsext_host_name(tls->ssl, server_name);
            (void)SSL_set1_host(tls->ssl, server_name);
        }
    }
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static str_t entry_text(X509_NAME *name, int at, struct arena *arena)
{
    ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, text);
    if (len < 0)
        return STR("");
    str_t copy = arena_str(arena, (str_t){(const char *)utf8, (size_t)len});
    OPENSSL_free(utf8);
    return copy;
}

bool tls_peer(const struct tls *tls, struct arena *arena, struct tls_peer *peer)
{
    *peer = (struct tls_peer){0};
    X509 *cert = tls == NULL ? NULL : SSL_get0_peer_certificate(tls->ssl);
    if (cert == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK)
        return false;
    X509_NAME *name = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    peer->common_name = at < 0 ? STR("") : entry_text(name, at, arena);
    at = -1;
    while (peer->n_organizations < ARRAY_LEN(peer->organizations) &&
           (at = X509_NAME_get_index_by_NID(name, NID_organizationName, at)) >= 0)
        peer->organizations[peer->n_organizations++] = entry_text(name, at, arena);
    return true;
}

bool tls_is_open(const struct tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

str_t tls_alpn(const struct tls *tls)
{
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return (str_t){(const char *)name, len};
}
