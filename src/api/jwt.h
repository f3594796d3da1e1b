/*
 * jwt.h - JSON Web Tokens (RFC 7519) that we sign and that only we accept.
 *
 * All our tokens begin with the same header, so a token is ours only if it begins with these very
 * bytes: no other algorithm, key or spelling of either is ever looked at. Base64 must be the one
 * way to write its bytes, or one token would have many texts.
 */
#pragma once

#include "base/json.h"
#include "net/sign.h"

enum { JWT_BYTES_MAX = 8 * 1024 };

struct jwt_signer {
    struct sign_key *key;
    str_t key_id; /* As "kid"; lives as long as the signer. */
    str_t header; /* In base64. */
};

int jwt_signer_new(str_t key_pem, struct arena *arena, struct jwt_signer *out, struct err *err);
void jwt_signer_done(struct jwt_signer *signer);
struct json *jwt_key_set(const struct jwt_signer *signer, struct arena *arena); /* RFC 7517 */

int jwt_sign(const struct jwt_signer *signer, const struct json *claims, struct arena *arena,
             str_t *token, struct err *err);
/* The claims of a token that we signed; whether they hold now is for the caller. */
int jwt_verify(const struct jwt_signer *signer, str_t token, struct arena *arena,
               struct json **claims, struct err *err);

/*
 * Do they hold: is it from this issuer, for one of `audiences` (`n` of them), and is `now_s`, in
 * Unix seconds, between nbf and exp? A token without an end is none. ERR_INVALID says what not.
 */
struct jwt_wanted {
    str_t issuer;
    const str_t *audiences;
    size_t n;
    int64_t now_s;
};
int jwt_check(const struct json *claims, const struct jwt_wanted *wanted, struct err *err);
