/*
 * authn.h - who is asking: certificates, tokens of service accounts, tokens from a file.
 *
 * Without a certificate of ours and without a token, somebody is system:anonymous. A token that
 * cannot be believed is a 401, whatever was asked.
 */
#pragma once

#include "api/jwt.h"

struct api;
struct call;
struct user;
struct exchange;
struct object;

#define AUTHN_ISSUER "https://kubernetes.default.svc.cluster.local"

enum { TOKENS_KEPT = 256 };

/* A token whose signature was checked: that costs more than all else that a GET does. */
struct token_kept {
    char *token; /* NULL: none. */
    size_t len;
    struct json *claims;
    struct arena arena;
};

struct authn {
    struct jwt_signer signer;
    struct token_file *file;             /* NULL: none. */
    struct token_kept kept[TOKENS_KEPT]; /* Each in the place that its last bytes say. */
};

int authn_start(struct api *api, struct err *err);
void authn_stop(struct api *api);
/* True: the path was one of OpenID's documents, which say how to check our tokens. */
bool authn_document(struct call *call);

/*
 * Whose token is it? `audiences` may be empty: then ours. Texts live in the arena. ERR_INVALID:
 * nobody's. `aud` (may be NULL) gets those of the wanted audiences that it is for.
 */
struct audiences {
    const str_t *at;
    size_t n;
};
int authn_token(struct api *api, str_t token, struct audiences audiences, struct arena *arena,
                struct user *user, struct json **aud, struct err *err);
void user_add_group(struct user *user, str_t group);

/* --- authn_account.c: tokens of service accounts --- */
int account_user(struct api *api, str_t token, const struct jwt_wanted *wanted, struct arena *arena,
                 struct user *user, struct json **claims, struct err *err);
/* Its uid; "" if there is no such object. */
str_t uid_of(struct api *api, str_t resource, str_t ns, str_t name, struct arena *arena);

/* --- authn_request.c --- */
/* POST serviceaccounts/NAME/token. `call` is about the account, `request` is checked by type. */
void token_request(struct call *call, struct json *request, const struct object *account);
/* A token of the account that lives as long as the call's Secret. */
int token_for_secret(struct call *call, str_t account_name, const struct object *account,
                     str_t secret_uid, str_t *token, struct err *err);

/* --- authn_file.c --- */
/* Lines of `token,user,uid,"group1,group2"`. ERR_INVALID names the line. */
int token_file_read(str_t text, struct token_file **out, struct err *err);
void token_file_free(struct token_file *file);
bool token_file_user(const struct token_file *file, str_t token, struct user *user);
