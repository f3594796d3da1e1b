/*
 * endpoints_index.h - which Pods each Service selects, kept as they come and go.
 *
 * A Pod that changes must find its Services without looking at all of them, and a Service its Pods
 * without reading a namespace. Only Services with a selector are kept, and only Pods that one of
 * them selects; of such a Pod a brief (endpoints_plan.h) stays, so that a Service of a thousand
 * Pods of which one has changed reads one. A key is "namespace/name".
 */
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/map.h"

struct endpoints_pod { /* One that is selected. */
    struct map_node by_key;
    struct list members; /* One for each Service that selects it. */
    char *brief;         /* JSON; NULL: it is not known yet, "": it has no address to offer. */
    char key[];
};

struct endpoints_service;
struct endpoints_label;

struct endpoints_member {
    struct list in_service, in_pod;
    struct endpoints_service *service;
    struct endpoints_pod *pod;
};

struct endpoints_pair {
    str_t key, value;
};

struct endpoints_service {
    struct map_node by_key;
    struct list in_label; /* Of those whose selector begins with the same pair. */
    struct list unseen;   /* Pods of its namespace have not been offered to it yet. */
    struct endpoints_label *label;
    struct list members;
    size_t n_members;
    uint64_t visit;
    msec_t due_ms;  /* The controller's: not to be looked at before. */
    str_t selector; /* The bytes of its pairs. */
    struct endpoints_pair *pairs;
    size_t n_pairs;
    str_t key;
};

struct endpoints_index {
    struct map services, labels, pods;
    struct list unseen; /* Made with the first Service. */
    uint64_t visits;
    void *self;
    void (*tell)(void *self, str_t service); /* What is behind this Service has changed. */
};

void endpoints_index_done(struct endpoints_index *index);
/* It is there with this selector. NULL or empty: it selects nothing, or is gone. */
void endpoints_index_service(struct endpoints_index *index, str_t key, const struct json *selector);
struct endpoints_service *endpoints_index_find(const struct endpoints_index *index, str_t key);
/* While its `unseen` is in a list, the Pods of its namespace must be offered, one by one: then */
void endpoints_index_seen(struct endpoints_index *index, str_t ns);
/*
 * A Pod with these labels; gone: NULL. Tells the Services it comes to and those it leaves. The Pod
 * if any selects it, for endpoints_pod_brief(), else NULL.
 */
struct endpoints_pod *endpoints_index_pod(struct endpoints_index *index, str_t key,
                                          const struct json *labels);
/* What is known of it now; tells its Services if that is new. */
void endpoints_pod_brief(struct endpoints_index *index, struct endpoints_pod *pod, str_t brief);
