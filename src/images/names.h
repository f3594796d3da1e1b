/*
 * names.h - which image a name means: DIR/names.json, written anew as a whole when it changes.
 *
 *     {"docker.io/library/web:v1": {"manifest": "sha256:...", "used_ms": n}}
 */
#pragma once

#include "images/reference.h"

#include <pthread.h>

struct named {
    char *name;
    char manifest[DIGEST_BYTES];
    int64_t used_ms; /* Unix time, to some minutes. */
};

struct names {
    const char *dir;
    pthread_mutex_t lock;    /* Of `at`: held shortly. */
    pthread_mutex_t writing; /* One change after the other, with its file. */
    struct named *at;        /* By name. */
    size_t n;
};

int names_open(struct names *names, const char *dir, struct err *err);
void names_close(struct names *names);
/* Any thread; does not block for long. */
bool names_find(struct names *names, str_t name, char manifest[DIGEST_BYTES]);
/* The name was asked for; written with the next change. */
void names_use(struct names *names, str_t name, int64_t now_ms);
/* A copy in the arena. */
size_t names_all(struct names *names, struct arena *arena, struct named **out);

/* These block until it is on disk. `manifest` NULL takes the name away; ERR_NOT_FOUND. */
int names_set(struct names *names, str_t name, const char *manifest, int64_t now_ms,
              struct err *err);
