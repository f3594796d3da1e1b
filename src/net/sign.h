/*
 * sign.h - signatures by a key of our own: ECDSA on P-256 with SHA-256, as JOSE's ES256 writes it
 * (RFC 7518, 3.4: the two numbers side by side, not in DER).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum { SIGNATURE_BYTES = 64, SIGN_NUMBER_BYTES = 32, SIGN_HASH_BYTES = 32 };

struct sign_key;

struct sign_public {
    unsigned char x[SIGN_NUMBER_BYTES], y[SIGN_NUMBER_BYTES];
    unsigned char id[SIGN_HASH_BYTES]; /* SHA-256 over the key as SubjectPublicKeyInfo. */
};

int sign_key_make(struct arena *arena, str_t *pem, struct err *err); /* PKCS#8, not encrypted. */
/* ERR_INVALID: not a private key on P-256. The caller owns it. */
int sign_key_load(str_t pem, struct sign_key **out, struct err *err);
void sign_key_free(struct sign_key *key);
const struct sign_public *sign_key_public(const struct sign_key *key);

int sign_bytes(const struct sign_key *key, str_t bytes, unsigned char out[SIGNATURE_BYTES],
               struct err *err);
bool sign_is_valid(const struct sign_key *key, str_t bytes, str_t signature);

void sign_hash(str_t bytes, unsigned char out[SIGN_HASH_BYTES]); /* SHA-256 */
