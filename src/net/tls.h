/*
 * tls.h - TLS through OpenSSL 3; nothing outside net/ includes OpenSSL's ssl.h.
 *
 * A config is shared by all connections and counted; replacing a listener's config changes new
 * connections only, so certificates are renewed without a drop. TLS 1.2 and newer.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct tls_config;
struct tls;

struct tls_settings {
    str_t certificate_pem; /* Chain, leaf first; "" for a client without one. */
    str_t key_pem;
    str_t client_ca_pem; /* Servers: ask for client certificates of these CAs; "" = do not ask. */
    str_t server_ca_pem; /* Clients: trust only these; "" = the system's. */
    const char *alpn;    /* "h2,http/1.1" in order of preference, or NULL. */
    bool server;
    bool any_server; /* Clients: whoever answers is taken (probes ask whether, not who). */
};

int tls_config_new(const struct tls_settings *settings, struct tls_config **out, struct err *err);
struct tls_config *tls_config_ref(struct tls_config *config);
void tls_config_unref(struct tls_config *config);

/* The verified client certificate's subject. False: there is none. Texts go to the arena. */
struct tls_peer {
    str_t common_name;
    size_t n_organizations;
    str_t organizations[16];
};
bool tls_peer(const struct tls *tls, struct arena *arena, struct tls_peer *peer);
bool tls_is_open(const struct tls *tls); /* The handshake is over. */
str_t tls_alpn(const struct tls *tls);   /* "" until agreed. */
