/* tls_priv.h - what stream.c needs of tls.c. */
#pragma once

#include "net/tls.h"

#include <openssl/ssl.h>

struct tls {
    SSL *ssl;
};

struct tls *tls_new(struct tls_config *config, int fd, const char *server_name, struct err *err);
void tls_free(struct tls *tls);
/* The newest OpenSSL error as text, and the queue emptied. */
int tls_error(struct err *err, const char *doing);
