/*
 * meta.h - what every object has: ObjectMeta's table, its checks, names, times, selectors.
 */
#pragma once

#include "base/time.h"
#include "kube/kind.h"

extern const struct schema object_meta_schema;

enum { NAME_LEN_MAX = 253, LABEL_LEN_MAX = 63, ANNOTATIONS_BYTES_MAX = 256 * 1024 };

/* Names, labels, annotations, finalizers, ownerReferences; Kubernetes' words. */
void meta_check(const struct kind *kind, const struct json *object, struct field_errors *errors);
void check_name(enum name_rule rule, str_t name, str_t path, struct field_errors *errors);
/* A label's or annotation's key, and a label's value. */
void check_key(str_t key, str_t path, struct field_errors *errors);
void check_label_value(str_t value, str_t path, struct field_errors *errors);
void check_labels(const struct json *labels, str_t path, struct field_errors *errors);
bool is_dns_label(str_t name);
bool is_dns_subdomain(str_t name);

str_t age_text(str_t since_time, msec_t now_wall_ms, struct arena *arena); /* kubectl's 5m, 2d3h. */
str_t uid_new(struct arena *arena); /* A random UUID (RFC 9562, v4). */
