/*
 * place.h - a machine of its own for a test: network and mounts that nobody else sees, with an
 * outside that is one cable away.
 *
 *   outside 192.168.77.2 --- 192.168.77.1 uplink [machine] davy0 10.99.0.1 --- pods
 *
 * Needs root; where that is missing tests say "skipped".
 */
#pragma once

#include "net/pool.h"
#include "podnet/podnet.h"
#include "podnet/rules.h"

#include <netinet/in.h>

struct place {
    struct loop *loop;
    struct pool *pool;
    struct podnet *podnet;
    char dir[64];
    uint64_t applied; /* Generation. */
    int applied_r;
    unsigned n_applied;
    struct err err;
};

#define OUTSIDE "192.168.77.2"
#define MACHINE "192.168.77.1"

bool place_open(struct place *place);  /* False: skipped. */
void place_start(struct place *place); /* In a child: once more, beside that of the parent. */
void place_reopen(struct place *place);
void place_close(struct place *place); /* Checks that nothing is left. */

struct podnet_call *place_add(struct place *place, const struct podnet_want *want);
struct ip place_pod(struct place *place, const char *id); /* Added; its address. */
void place_remove(struct place *place, const char *id);
void place_rules(struct place *place, const struct rules *rules); /* In force after it. */
void place_settle(struct place *place); /* All changes of rules are in force. */

/* Where a socket is: "" is the machine, "out" the outside, else a pod. */
int place_socket(struct place *place, const char *where, int type);
/* A server that says its name, such as "a", to whoever comes; `port` of all addresses there. */
void place_serve(struct place *place, const char *where, int type, uint16_t port, const char *says);
void place_serve_end(struct place *place);
/* Asks and gives the answer's first character, or 'R' refused, 'T' no answer, 'U' unreachable;
 * `seen_as` is how the server saw us. */
char place_ask(struct place *place, const char *where, int type, const char *ip, uint16_t port,
               struct ip *seen_as);
size_t place_count_links(void);
size_t place_count_mounts(const struct place *place);
