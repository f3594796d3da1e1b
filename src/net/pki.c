/* pki.c - certificates through OpenSSL's X509 calls. */
#include "net/pki.h"

#include "net/tls_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { DAY_S = 24 * 3600, SERIAL_BYTES = 16, CLOCK_SKEW_S = 300 };

static void key_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void x509_free(X509 **cert)
{
    X509_free(*cert);
}

static void bio_free(BIO **bio)
{
    BIO_free(*bio);
}

static str_t bio_text(BIO *bio, struct arena *arena)
{
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    return arena_str(arena, (str_t){at, (size_t)len});
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool add_name(X509_NAME *name, const char *field, str_t text)
{
    return text.len == 0 ||
           X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text.at,
                                      (int)text.len, -1, 0) == 1;
}

static bool set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* Positive, and never short. */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return ok;
}

static X509 *certificate(EVP_PKEY *key, str_t common_name, str_t organization, int days)
{
    X509 *cert = X509_new();
    X509_NAME *name = cert == NULL ? NULL : X509_get_subject_name(cert);
    if (cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -CLOCK_SKEW_S) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY_S) != NULL &&
        X509_set_pubkey(cert, key) == 1 && add_name(name, "O", organization) &&
        add_name(name, "CN", common_name))
        return cert;
    X509_free(cert);
    return NULL;
}

static int write_pair(X509 *cert, EVP_PKEY *key, struct arena *arena, struct pki_pair *out,
                      struct err *err)
{
    AUTO(bio_free) BIO *cert_bio = BIO_new(BIO_s_mem());
    AUTO(bio_free) BIO *key_bio = BIO_new(BIO_s_mem());
    if (PEM_write_bio_X509(cert_bio, cert) != 1 ||
        PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return tls_error(err, "write a certificate");
    *out = (struct pki_pair){bio_text(cert_bio, arena), bio_text(key_bio, arena)};
    return 0;
}

int pki_ca(const char *common_name, int days, struct arena *arena, struct pki_pair *out,
           struct err *err)
{
    AUTO(key_free) EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL)
        return tls_error(err, "make a key");
    AUTO(x509_free) X509 *cert = certificate(key, str_from_z(common_name), STR(""), days);
    if (cert == NULL || X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
        !add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE") ||
        !add_extension(cert, cert, NID_key_usage,
                       "critical,keyCertSign,cRLSign,digitalSignature") ||
        !add_extension(cert, cert, NID_subject_key_identifier, "hash") ||
        X509_sign(cert, key, EVP_sha256()) == 0)
        return tls_error(err, "make a CA");
    return write_pair(cert, key, arena, out, err);
}

static bool extend_leaf(X509 *cert, X509 *issuer, const struct pki_leaf *leaf)
{
    return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, issuer, NID_ext_key_usage,
                         leaf->server ? "serverAuth" : "clientAuth") &&
           add_extension(cert, issuer, NID_authority_key_identifier, "keyid") &&
           (leaf->names == NULL || add_extension(cert, issuer, NID_subject_alt_name, leaf->names));
}

int pki_sign(const struct pki_pair *ca, const struct pki_leaf *leaf, struct arena *arena,
             struct pki_pair *out, struct err *err)
{
    AUTO(bio_free)
    BIO *ca_bio = BIO_new_mem_buf(ca->certificate_pem.at, (int)ca->certificate_pem.len);
    AUTO(bio_free) BIO *ca_key_bio = BIO_new_mem_buf(ca->key_pem.at, (int)ca->key_pem.len);
    AUTO(x509_free) X509 *issuer = PEM_read_bio_X509(ca_bio, NULL, NULL, NULL);
    AUTO(key_free) EVP_PKEY *issuer_key = PEM_read_bio_PrivateKey(ca_key_bio, NULL, NULL, NULL);
    AUTO(key_free) EVP_PKEY *key = EVP_EC_gen("P-256");
    if (issuer == NULL || issuer_key == NULL || key == NULL)
        return tls_error(err, "read the CA");
    AUTO(x509_free)
    X509 *cert = certificate(key, leaf->common_name, leaf->organization, leaf->days);
    if (cert == NULL || X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1 ||
        !extend_leaf(cert, issuer, leaf) || X509_sign(cert, issuer_key, EVP_sha256()) == 0)
        return tls_error(err, "sign a certificate");
    return write_pair(cert, key, arena, out, err);
}

static bool unix_time(const ASN1_TIME *time, int64_t *out)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *out = (int64_t)timegm(&tm);
    return true;
}

int pki_validity(str_t certificate_pem, int64_t *not_before, int64_t *not_after, struct err *err)
{
    AUTO(bio_free) BIO *bio = BIO_new_mem_buf(certificate_pem.at, (int)certificate_pem.len);
    AUTO(x509_free) X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (cert == NULL || !unix_time(X509_get0_notBefore(cert), not_before) ||
        !unix_time(X509_get0_notAfter(cert), not_after))
        return tls_error(err, "read a certificate");
    return 0;
}

static X509 *read_certificate(str_t pem)
{
    AUTO(bio_free) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    return PEM_read_bio_X509(bio, NULL, NULL, NULL);
}

int pki_check(const struct pki_pair *pair, str_t ca_pem, struct err *err)
{
    AUTO(x509_free) X509 *cert = read_certificate(pair->certificate_pem);
    AUTO(x509_free) X509 *ca = read_certificate(ca_pem);
    AUTO(bio_free) BIO *bio = BIO_new_mem_buf(pair->key_pem.at, (int)pair->key_pem.len);
    AUTO(key_free) EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    const char *wrong = NULL;
    if (cert == NULL)
        wrong = "the certificate cannot be read";
    else if (key == NULL)
        wrong = "the key cannot be read";
    else if (X509_check_private_key(cert, key) != 1)
        wrong = "the key is not the certificate's";
    else if (ca == NULL || X509_verify(cert, X509_get0_pubkey(ca)) != 1)
        wrong = "the certificate is not signed by this CA";
    ERR_clear_error();
    return wrong == NULL ? 0 : err_set(err, ERR_INVALID, "%s", wrong);
}
