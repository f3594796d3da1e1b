/*
 * store_seal.h - encryption of records at rest: AES-256-GCM (NIST SP 800-38D) with a key file.
 *
 * A sealed record is a 12-byte random nonce, the ciphertext and a 16-byte tag. The record's key
 * (resource, namespace, name) and resourceVersion are authenticated with it, so a record cannot be
 * moved to another place.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { SEAL_KEY_BYTES = 32, SEAL_NONCE_BYTES = 12, SEAL_TAG_BYTES = 16 };

struct seal_key {
    unsigned char bytes[SEAL_KEY_BYTES];
};

/* Reads `store.key` in `dir`; makes it, readable by its owner only, when there is none. */
int seal_key_load(str_t dir, bool may_create, struct seal_key *key, struct err *err);
/* Written aside, synced, renamed; readable by its owner only. */
int seal_key_save(const char *path, const struct seal_key *key, struct err *err);
int seal_key_new(struct seal_key *key, struct err *err);
void seal_key_wipe(struct seal_key *key);

/* Both append to `out`. Safe on any thread. */
int seal(const struct seal_key *key, str_t context, str_t text, struct buf *out, struct err *err);
int unseal(const struct seal_key *key, str_t context, str_t sealed, struct buf *out,
           struct err *err);
