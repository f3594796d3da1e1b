/*
 * dns_names.h - what Services, EndpointSlices and Namespaces say about names, ready to be asked.
 *
 * Each object is read once, when it changes, and its few words are kept. Pure: objects in, a
 * `struct dns_source` out.
 */
#pragma once

#include "podnet/dns_zone.h"

struct dns_names;

enum dns_names_kind { DNS_NAMES_SERVICE, DNS_NAMES_SLICE, DNS_NAMES_NS };

struct dns_names *dns_names_new(void);
void dns_names_free(struct dns_names *names); /* NULL-safe. */

/* What cannot be read is as if it were not there. */
void dns_names_set(struct dns_names *names, enum dns_names_kind kind, str_t ns, str_t name,
                   str_t text);
void dns_names_gone(struct dns_names *names, enum dns_names_kind kind, str_t ns, str_t name);
/* All of a kind has been told. Before that of all three the source is not ready. */
void dns_names_synced(struct dns_names *names, enum dns_names_kind kind);

struct dns_source dns_names_source(struct dns_names *names); /* Good until it is freed. */
