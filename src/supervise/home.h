/*
 * home.h - the data directory: certificates, the kubeconfig, where things are.
 *
 *     DIR/pki/{ca,server,admin}.{crt,key}    DIR/pki/sa.key (signs tokens)
 *       DIR/store/    DIR/run/
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct home {
    str_t dir; /* Absolute; followed by a NUL, as all texts of the arena are. */
    struct arena *arena;
};

const char *home_path(const struct home *home, const char *name); /* "run/x" -> DIR/run/x */

/* Makes what is missing, readable by its owner only. */
int home_make(const struct home *home, struct err *err);
/* Makes the CA and its certificates; renews those that have lived two thirds. *changed may be NULL.
 */
int home_certificates(const struct home *home, msec_t wall_ms, bool *changed, struct err *err);
int home_read(const struct home *home, const char *name, str_t *text, struct err *err);
int home_write_kubeconfig(const struct home *home, str_t url, struct err *err);
/* The same server with the certificates that are there now. */
int home_renew_kubeconfig(const struct home *home, struct err *err);
/* Everything in it belongs to this user from now on. */
int home_give(const struct home *home, uint32_t uid, uint32_t gid, struct err *err);
