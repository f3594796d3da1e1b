/*
 * prober.c - three questions to a container, each with its own period and thresholds.
 *
 * Liveness and readiness are not asked before startup has passed. What a probe says counts only
 * when it was said often enough in a row.
 */
#include "node/prober.h"

#include "node/pod.h"
#include "node/probe.h"

#include <stdlib.h>
#include <string.h>

enum ask { ASK_STARTUP, ASK_LIVENESS, ASK_READINESS };
enum { ASKS = 3 };

static const struct {
    const char *field, *name;
} asks[ASKS] = {
    {"startupProbe", "startup probe"},
    {"livenessProbe", "liveness probe"},
    {"readinessProbe", "readiness probe"},
};

struct question {
    struct prober *prober;
    enum ask ask;
    struct timer timer;
    struct probe *probe; /* Under way. */
    bool last_fine;
    int64_t in_a_row; /* Of the last kind. */
    int64_t period_ms, limit_ms, delay_ms, successes, failures;
    int64_t grace_s; /* -1: the pod's. */
};

struct prober {
    struct container *c; /* NULL: it is over. */
    struct question questions[ASKS];
    bool wanted[ASKS];
};

static int64_t number(const struct json *object, const char *field, int64_t otherwise)
{
    int64_t value;
    return json_to_i64(json_get(object, str_from_z(field)), &value) ? value : otherwise;
}

static void ask_now(struct timer *timer);

static void ask_in(struct question *q, msec_t in_ms)
{
    struct container *c = q->prober->c;
    timer_set(c->pod->pods->host.loop, &q->timer, in_ms, ask_now);
}

/* --- what an answer means --- */

static void begin_after_startup(struct prober *prober)
{
    msec_t up_ms = loop_wall_ms(prober->c->pod->pods->host.loop) -
                   prober->c->pod->facts[prober->c->at].started_ms;
    for (size_t i = ASK_LIVENESS; i < ASKS; i++) {
        struct question *q = &prober->questions[i];
        if (prober->wanted[i])
            ask_in(q, q->delay_ms > up_ms ? q->delay_ms - up_ms : 0);
    }
}

static void passed(struct question *q)
{
    struct container *c = q->prober->c;
    struct container_facts *facts = &c->pod->facts[c->at];
    switch (q->ask) {
    case ASK_STARTUP:
        c->pod->units[c->at].started = true;
        facts->ready = !q->prober->wanted[ASK_READINESS];
        q->prober->wanted[ASK_STARTUP] = false;
        begin_after_startup(q->prober);
        break;
    case ASK_READINESS:
        facts->ready = true;
        break;
    case ASK_LIVENESS:
        break;
    }
    pod_sync(c->pod);
}

static void failed(struct question *q)
{
    struct container *c = q->prober->c;
    if (q->ask == ASK_READINESS) {
        c->pod->facts[c->at].ready = false;
    } else {
        c->pod->units[c->at].unhealthy = true;
        c->stop_reason = asks[q->ask].name;
        c->grace_ms = q->grace_s < 0 ? -1 : q->grace_s * 1000;
    }
    pod_sync(c->pod);
}

static const char *capital(enum ask ask)
{
    static const char *const names[ASKS] = {"Startup", "Liveness", "Readiness"};
    return names[ask];
}

static void answered(void *self, bool fine, const char *words)
{
    struct question *q = self;
    struct container *c = q->prober->c;
    q->probe = NULL;
    q->in_a_row = fine == q->last_fine ? q->in_a_row + 1 : 1;
    q->last_fine = fine;
    if (!fine)
        container_event(c, true, "Unhealthy", "%s probe failed: %s", capital(q->ask), words);
    if (q->in_a_row == (fine ? q->successes : q->failures)) {
        if (fine)
            passed(q);
        else
            failed(q);
    }
    if (q->prober->wanted[q->ask])
        ask_in(q, q->period_ms);
}

static void ask_now(struct timer *timer)
{
    struct question *q = CONTAINER_OF(timer, struct question, timer);
    struct container *c = q->prober->c;
    const struct pod *pod = c->pod;
    AUTO(arena_done) struct arena arena = {0};
    const struct json *container = container_in(pod_tree(pod, &arena), pod->facts[c->at].name);
    struct probe_target target = {
        .host = &pod->pods->host,
        .ip = pod->ground.ip[0] != '\0' ? pod->ground.ip : pod->pods->host.host_ip,
        .container_id = pod->facts[c->at].id,
        .container = container,
    };
    if (q->probe != NULL)
        return;
    q->probe = probe_begin(&target, json_get(container, str_from_z(asks[q->ask].field)),
                           q->limit_ms, answered, q);
}

/* --- its life --- */

static void read_question(struct question *q, const struct json *how)
{
    q->period_ms = number(how, "periodSeconds", 10) * 1000;
    q->limit_ms = number(how, "timeoutSeconds", 1) * 1000;
    q->delay_ms = number(how, "initialDelaySeconds", 0) * 1000;
    q->successes = number(how, "successThreshold", 1);
    q->failures = number(how, "failureThreshold", 3);
    q->grace_s = number(how, "terminationGracePeriodSeconds", -1);
}

void prober_begin(struct container *c, const struct json *pod, const struct json *container)
{
    struct prober *prober = calloc(1, sizeof(*prober));
    bool any = false;
    (void)pod;
    MUST(prober != NULL);
    prober_end(c);
    prober->c = c;
    for (size_t i = 0; i < ASKS; i++) {
        const struct json *how = json_get(container, str_from_z(asks[i].field));
        struct question *q = &prober->questions[i];
        q->prober = prober;
        q->ask = (enum ask)i;
        prober->wanted[i] = how != NULL;
        any |= how != NULL;
        if (how != NULL)
            read_question(q, how);
    }
    if (!any) {
        free(prober);
        return;
    }
    c->prober = prober;
    if (prober->wanted[ASK_STARTUP])
        ask_in(&prober->questions[ASK_STARTUP], prober->questions[ASK_STARTUP].delay_ms);
    else
        begin_after_startup(prober);
}

void prober_free(struct prober *prober)
{
    if (prober == NULL)
        return;
    for (size_t i = 0; i < ASKS; i++) {
        timer_stop(&prober->questions[i].timer);
        probe_forget(prober->questions[i].probe);
    }
    free(prober);
}

void prober_end(struct container *c)
{
    prober_free(c->prober);
    c->prober = NULL;
}
