/* sign.c - through OpenSSL's EVP calls; signatures go to and from DER here. */
#include "net/sign.h"

#include "net/tls_priv.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { DER_BYTES_MAX = 80, PEM_BYTES_MAX = 8192 };

struct sign_key {
    EVP_PKEY *pkey;
    struct sign_public public;
};

static void pkey_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void bio_free(BIO **bio)
{
    BIO_free(*bio);
}

static void context_free(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void ecdsa_free(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

int sign_key_make(struct arena *arena, str_t *pem, struct err *err)
{
    AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
    if (key == NULL || bio == NULL ||
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return tls_error(err, "make a key that signs tokens");
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    *pem = arena_str(arena, (str_t){at, (size_t)len});
    return 0;
}

static bool number_of(const EVP_PKEY *pkey, const char *name, unsigned char out[SIGN_NUMBER_BYTES])
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 &&
              BN_bn2binpad(number, out, SIGN_NUMBER_BYTES) == SIGN_NUMBER_BYTES;
    BN_free(number);
    return ok;
}

static bool describe(EVP_PKEY *pkey, struct sign_public *out)
{
    char group[32] = "";
    size_t len = 0;
    unsigned char *der = NULL;
    if (!EVP_PKEY_is_a(pkey, "EC") ||
        EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                       &len) != 1 ||
        strcmp(group, "prime256v1") != 0 || !number_of(pkey, OSSL_PKEY_PARAM_EC_PUB_X, out->x) ||
        !number_of(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, out->y))
        return false;
    int der_len = i2d_PUBKEY(pkey, &der);
    if (der_len > 0)
        sign_hash((str_t){(const char *)der, (size_t)der_len}, out->id);
    OPENSSL_free(der);
    return der_len > 0;
}

int sign_key_load(str_t pem, struct sign_key **out, struct err *err)
{
    if (pem.len == 0 || pem.len > PEM_BYTES_MAX)
        return err_set(err, ERR_INVALID, "no key that signs tokens");
    AUTO(bio_free) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    char no_password[] = "";
    AUTO(pkey_free) EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, no_password);
    struct sign_key *key = calloc(1, sizeof(*key));
    MUST(key != NULL);
    if (pkey == NULL || !describe(pkey, &key->public)) {
        free(key);
        (void)tls_error(err, "read the key that signs tokens");
        return err_set(err, ERR_INVALID, "the key that signs tokens is no private key on P-256");
    }
    key->pkey = pkey;
    pkey = NULL;
    *out = key;
    return 0;
}

void sign_key_free(struct sign_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

const struct sign_public *sign_key_public(const struct sign_key *key)
{
    return &key->public;
}

int sign_bytes(const struct sign_key *key, str_t bytes, unsigned char out[SIGNATURE_BYTES],
               struct err *err)
{
    unsigned char der[DER_BYTES_MAX];
    const unsigned char *at = der;
    size_t len = sizeof(der);
    AUTO(context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pkey) != 1 ||
        EVP_DigestSign(context, der, &len, (const unsigned char *)bytes.at, bytes.len) != 1)
        return tls_error(err, "sign");
    AUTO(ecdsa_free) ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    if (signature == NULL ||
        BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, SIGN_NUMBER_BYTES) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + SIGN_NUMBER_BYTES, SIGN_NUMBER_BYTES) < 0)
        return tls_error(err, "sign");
    return 0;
}

static int to_der(str_t bytes, unsigned char **der)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    BIGNUM *r = BN_bin2bn(at, SIGN_NUMBER_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(at + SIGN_NUMBER_BYTES, SIGN_NUMBER_BYTES, NULL);
    AUTO(ecdsa_free) ECDSA_SIG *signature = ECDSA_SIG_new();
    if (signature == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    return i2d_ECDSA_SIG(signature, der);
}

bool sign_is_valid(const struct sign_key *key, str_t bytes, str_t signature)
{
    unsigned char *der = NULL;
    if (signature.len != SIGNATURE_BYTES)
        return false;
    int len = to_der(signature, &der);
    AUTO(context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = len > 0 && context != NULL &&
                 EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
                 EVP_DigestVerify(context, der, (size_t)len, (const unsigned char *)bytes.at,
                                  bytes.len) == 1;
    OPENSSL_free(der);
    struct err ignored;
    if (!valid)
        (void)tls_error(&ignored, "verify"); /* Leaves nothing in OpenSSL's queue. */
    return valid;
}

void sign_hash(str_t bytes, unsigned char out[SIGN_HASH_BYTES])
{
    SHA256((const unsigned char *)bytes.at, bytes.len, out);
}
