/*
 * pki.h - X.509 certificates for Davy's own use: a CA and what it signs. ECDSA P-256, PEM.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct pki_pair {
    str_t certificate_pem;
    str_t key_pem; /* PKCS#8, not encrypted: keep it to one user. */
};

struct pki_leaf {
    str_t common_name;
    str_t organization; /* "" for none. */
    const char *names;  /* subjectAltName in OpenSSL's form, "DNS:a,IP:127.0.0.1"; NULL for none. */
    bool server;        /* extendedKeyUsage serverAuth, else clientAuth. */
    int days;
};

int pki_ca(const char *common_name, int days, struct arena *arena, struct pki_pair *out,
           struct err *err);
int pki_sign(const struct pki_pair *ca, const struct pki_leaf *leaf, struct arena *arena,
             struct pki_pair *out, struct err *err);
/* Unix times in seconds. */
int pki_validity(str_t certificate_pem, int64_t *not_before, int64_t *not_after, struct err *err);
/*
 * Do the two belong together, and has `ca_pem` signed the certificate? ERR_INVALID says what is
 * wrong, in words for whoever looks after the files.
 */
int pki_check(const struct pki_pair *pair, str_t ca_pem, struct err *err);
