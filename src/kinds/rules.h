/*
 * rules.h - rules that several kinds share, and where in an object a fault is.
 *
 * A place is built on the stack while we walk and becomes text only for a fault:
 *
 *     rule_error(errors, FIELD_REQUIRED, IN(ITEM(IN(NULL, "spec"), "containers", 2), "image"), ...)
 */
#pragma once

#include "kube/meta.h"

struct place {
    const struct place *up; /* NULL: the object itself. */
    const char *name;
    long item; /* -1: the field itself. */
};
#define IN(up_, name_) (&(const struct place){(up_), (name_), -1})
#define ITEM(up_, name_, i_) (&(const struct place){(up_), (name_), (long)(i_)})

str_t place_text(const struct place *place, struct arena *arena); /* "spec.containers[2].image" */
void rule_error(struct field_errors *errors, enum field_reason reason, const struct place *at,
                const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The name checks of kube/meta.h, at a place. An empty value is missing if `required`. */
void rule_name(enum name_rule rule, str_t value, bool required, const struct place *at,
               struct field_errors *errors);
void rule_label_selector(const struct json *selector, const struct place *at,
                         struct field_errors *errors);
/* A number of pods: "25%" or 3, not below zero. */
void rule_count_or_percent(const struct json *value, const struct place *at,
                           struct field_errors *errors);
bool is_zero_count(const struct json *value); /* 0 or "0%"; absent is not. */
/* A percentage beyond 100 is refused; numbers and faulty texts are not its business. */
void rule_at_most_all(const struct json *value, const struct place *at,
                      struct field_errors *errors);
void rule_port(const struct json *port, const struct place *at, struct field_errors *errors);
/* A port's number or its name. */
void rule_port_or_name(const struct json *port, const struct place *at,
                       struct field_errors *errors);
bool is_port_name(str_t name);
/* Items of `list` whose `key` is the same text are duplicates. Linear. */
void rule_unique(const struct json *list, const char *key, const struct place *up, const char *name,
                 struct field_errors *errors);
/* A field that may not change: says so in Kubernetes' words. */
void rule_unchanged(const struct json *was, const struct json *is, const struct place *at,
                    struct field_errors *errors);
bool is_ip(str_t text);
bool is_cidr(str_t text); /* "10.9.8.0/24" */
void rule_cidr(str_t text, const struct place *at, struct field_errors *errors);
/* An address others reach: not loopback, link-local or unspecified. */
void rule_ip_of_network(str_t text, const struct place *at, struct field_errors *errors);
/* Does "10.1.0.0/16" lie in "10.0.0.0/8", and is it smaller? */
bool cidr_is_part(str_t part, str_t whole);

/* Does `selector` (matchLabels and matchExpressions) select these labels? */
bool selects(const struct json *selector, const struct json *labels);
/* "app=web,tier in (a,b)"; "<none>" for an empty one. Also of a plain map. */
str_t selector_column(const struct json *selector, struct arena *arena);

/* The member, made if it is not there. */
struct json *rule_member(struct json *object, str_t name, struct arena *arena);
/* Set `name` to the text or number if it is absent. */
void rule_default_text(struct json *object, const char *name, const char *text,
                       struct arena *arena);
void rule_default_int(struct json *object, const char *name, int64_t value, struct arena *arena);
