/*
 * scheduler_plan.h - where a pod goes, or why nowhere, and whom it may push aside. Pure.
 */
#pragma once

#include "controllers/scheduler_filter.h"

struct sched_budget { /* A PodDisruptionBudget. */
    str_t ns;
    const struct json *selector;
    int64_t allowed;
};

struct sched_plan {
    struct sched_node *node;    /* Where it fits, or will when the victims are gone; or NULL. */
    bool keeps;                 /* It goes on waiting for those that make room already. */
    str_t message;              /* Why it does not fit now; "" if it does. */
    struct sched_pod **victims; /* In the index. */
    size_t n_victims;
};

/*
 * Without victims, if that is possible. The index is changed on the way and is the same again
 * afterwards. Budgets are asked for only if it comes to that.
 */
struct sched_budgets {
    void *self;
    size_t (*read)(void *self, struct arena *arena, struct sched_budget **out);
};
void sched_plan(struct sched_index *index, const struct sched_request *request,
                const struct sched_budgets *budgets, struct sched_plan *out);
/* True: one may push others aside. Else *why says why not, in Kubernetes' words. */
bool sched_may_preempt(const struct sched_index *index, const struct sched_request *request,
                       const char **why);
/* The victims on one node; false: it would not help. `reason` says why. */
struct sched_victims {
    struct sched_node *node;
    struct sched_pod **at; /* The most important first. */
    size_t n;
    int64_t violations; /* Of budgets. */
    struct sched_verdict verdict;
};
bool sched_victims_on(struct sched_index *index, const struct sched_request *request,
                      struct sched_node *node, const struct sched_budget *budgets, size_t n_budgets,
                      struct sched_victims *out);
bool sched_victims_better(const struct sched_victims *a, const struct sched_victims *b);

/* "0/2 nodes are available: 1 Insufficient cpu, 1 Too many pods." */
struct sched_reasons {
    struct map counts;
    struct arena *arena;
    size_t n_nodes;
};
void sched_reason_add(struct sched_reasons *reasons, str_t text);
str_t sched_sentence(const struct sched_reasons *reasons, const char *refused);
