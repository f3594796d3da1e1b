/* store_seal.c - AES-256-GCM by OpenSSL's EVP calls. */
#include "store/store_seal.h"

#include "base/arena.h"
#include "base/file.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

int seal_key_new(struct seal_key *key, struct err *err)
{
    if (RAND_bytes(key->bytes, sizeof(key->bytes)) != 1)
        return err_set(err, ERR_INTERNAL, "no random bytes for a key");
    return 0;
}

void seal_key_wipe(struct seal_key *key)
{
    OPENSSL_cleanse(key->bytes, sizeof(key->bytes));
}

int seal_key_save(const char *path, const struct seal_key *key, struct err *err)
{
    return file_write(path, 0600, (str_t){(const char *)key->bytes, sizeof(key->bytes)}, err);
}

int seal_key_load(str_t dir, bool may_create, struct seal_key *key, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t path = arena_printf(&arena, STR_F "/store.key", STR_A(dir)), text;
    int r = file_read(&arena, path.at, SEAL_KEY_BYTES, &text, err);
    if (r == ERR_NOT_FOUND && may_create) {
        r = seal_key_new(key, err);
        return r < 0 ? r : seal_key_save(path.at, key, err);
    }
    if (r < 0)
        return r;
    if (text.len != SEAL_KEY_BYTES)
        return err_set(err, ERR_INVALID, "'%s' is not a key of %d bytes", path.at, SEAL_KEY_BYTES);
    memcpy(key->bytes, text.at, text.len);
    OPENSSL_cleanse((char *)text.at, text.len);
    return 0;
}

static void ctx_free(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

int seal(const struct seal_key *key, str_t context, str_t text, struct buf *out, struct err *err)
{
    unsigned char *at =
        (unsigned char *)buf_room(out, SEAL_NONCE_BYTES + text.len + SEAL_TAG_BYTES);
    AUTO(ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    if (ctx == NULL || RAND_bytes(at, SEAL_NONCE_BYTES) != 1 ||
        EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, at) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)context.at, (int)context.len) !=
            1 ||
        EVP_EncryptUpdate(ctx, at + SEAL_NONCE_BYTES, &n, (const unsigned char *)text.at,
                          (int)text.len) != 1 ||
        EVP_EncryptFinal_ex(ctx, at + SEAL_NONCE_BYTES + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES,
                            at + SEAL_NONCE_BYTES + text.len) != 1)
        return err_set(err, ERR_INTERNAL, "encryption failed");
    out->len += SEAL_NONCE_BYTES + text.len + SEAL_TAG_BYTES;
    return 0;
}

int unseal(const struct seal_key *key, str_t context, str_t sealed, struct buf *out,
           struct err *err)
{
    if (sealed.len < SEAL_NONCE_BYTES + SEAL_TAG_BYTES)
        return err_set(err, ERR_INVALID, "an encrypted record is cut short");
    size_t len = sealed.len - SEAL_NONCE_BYTES - SEAL_TAG_BYTES;
    const unsigned char *from = (const unsigned char *)sealed.at;
    unsigned char *to = (unsigned char *)buf_room(out, len + 1);
    AUTO(ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    if (ctx == NULL || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, from) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)context.at, (int)context.len) !=
            1 ||
        EVP_DecryptUpdate(ctx, to, &n, from + SEAL_NONCE_BYTES, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES,
                            (void *)(from + SEAL_NONCE_BYTES + len)) != 1 ||
        EVP_DecryptFinal_ex(ctx, to + n, &n) != 1)
        return err_set(err, ERR_INVALID,
                       "an encrypted record does not fit the key in 'store.key', or is damaged");
    out->len += len;
    return 0;
}
