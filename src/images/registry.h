/*
 * registry.h - a registry on this machine, over the store: what is pushed to it is an image here at
 * once. https://github.com/opencontainers/distribution-spec
 *
 * Whoever can connect may push and pull: it is for this machine only, and refuses what comes from a
 * browser. What is pushed as REPO:TAG gets the name NAME/REPO:TAG.
 */
#pragma once

#include "http/http.h"
#include "images/images.h"

struct registry;

struct registry_settings {
    struct images *images;
    struct loop *loop;
    const char *name; /* "localhost:5000" */
};

int registry_open(const struct registry_settings *settings, struct registry **out, struct err *err);
/* After the server that has its handler. */
void registry_close(struct registry *registry);
struct http_handler registry_handler(struct registry *registry);
