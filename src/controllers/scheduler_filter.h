/*
 * scheduler_filter.h - may this pod run on that node? Each filter is one reason why not, in the
 * words of Kubernetes. Pure.
 */
#pragma once

#include "controllers/scheduler_index.h"

enum sched_answer {
    SCHED_FITS,
    SCHED_NO_ROOM, /* Might be otherwise if other pods went. */
    SCHED_NEVER,   /* Would not. */
};

enum { SCHED_REASONS_MAX = 16 };

struct sched_verdict {
    enum sched_answer answer;
    size_t n;
    str_t reasons[SCHED_REASONS_MAX];
};

/* A volume that is only where certain nodes are. */
struct sched_volume {
    const struct json *node_selector; /* NULL: anywhere. */
    const char *reason;               /* Of the nodes that are elsewhere. */
};

struct sched_request {
    const struct sched_pod *pod;
    const struct json *spec;
    const struct sched_volume *volumes;
    size_t n_volumes;
    const char *refused; /* What no node could change; NULL: nothing. */
    struct arena *arena; /* Of reasons, and of what is counted on the way. */
};

void sched_filter(const struct sched_index *index, const struct sched_request *request,
                  const struct sched_node *node, struct sched_verdict *out);

/* --- the filters of their own files --- */
bool sched_terms_match(const struct json *node_selector, const struct sched_node *node);
bool sched_node_selected(const struct json *spec, const struct sched_node *node);
/* The first taint with one of these effects that is not tolerated, or NULL. */
const struct json *sched_untolerated(const struct json *spec, const struct json *taints, bool hard);
/* NULL: nothing is against it. */
const char *sched_affinity(const struct sched_index *index, const struct sched_request *request,
                           const struct sched_node *node, enum sched_answer *answer);
const char *sched_spread(const struct sched_index *index, const struct sched_request *request,
                         const struct sched_node *node, enum sched_answer *answer);
