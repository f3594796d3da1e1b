/* node_self.c - one write at a time: the Node itself, its labels, its status. */
#include "node/node_self.h"

#include "control/reflector.h"
#include "kinds/kinds.h"
#include "node/node_lease.h"
#include "node/node_status.h"

#include <stdlib.h>
#include <string.h>

enum { NEWS_MAX = 8 };

struct node_self {
    struct node_self_settings settings;
    struct arena arena; /* Of `machine`. */
    struct machine machine;
    struct machine_now now;
    struct pressures pressures;
    const char *not_ready;
    struct reflector *nodes; /* Ours alone. */
    struct node_lease lease;
    struct buf node; /* As the API has it, as far as we know; "" : there is none. */
    int64_t rv;
    struct timer beat;
    struct remote_call call;
    struct buf body;
    bool busy, started, told;
    msec_t status_ms; /* Written. */
};

static void keep_true(struct node_self *self);

/* --- what the API has --- */

/* By the watch or as an answer: whichever is newer. */
static void learn(struct node_self *self, str_t text)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *meta;
    struct err err;
    int64_t rv = 0;
    if (json_pick(text, STR("metadata"), &arena, &meta, &err) < 0)
        return;
    str_t uid = json_get_text(meta, STR("uid"));
    (void)!str_to_i64(json_get_text(meta, STR("resourceVersion")), &rv);
    if (self->node.len > 0 && rv < self->rv)
        return;
    self->rv = rv;
    self->node.len = 0;
    buf_add(&self->node, text);
    if (uid.len > 0 && uid.len < sizeof(self->lease.uid)) {
        bool first = self->lease.uid[0] == '\0';
        memcpy(self->lease.uid, uid.at, uid.len);
        self->lease.uid[uid.len] = '\0';
        if (first)
            node_lease_beat(&self->lease);
    }
}

static void on_set(void *of, const struct reflected *node, bool is_new)
{
    struct node_self *self = of;
    (void)is_new;
    learn(self, node->text);
    if (reflector_synced(self->nodes))
        keep_true(self);
}

static void on_gone(void *of, const struct reflected *node)
{
    struct node_self *self = of;
    (void)node;
    self->node.len = 0;
    self->rv = 0;
    self->lease.uid[0] = '\0';
    if (reflector_synced(self->nodes))
        keep_true(self);
}

static void on_synced(void *of)
{
    keep_true(of);
}

/* --- writing --- */

static struct node_facts facts_of(struct node_self *self)
{
    return (struct node_facts){
        .name = self->settings.name,
        .machine = &self->machine,
        .now = &self->now,
        .pressures = &self->pressures,
        .runtime = self->settings.runtime,
        .not_ready = self->not_ready,
        .mono_ms = loop_now_ms(self->settings.loop),
        .wall_ms = loop_wall_ms(self->settings.loop),
    };
}

static void written(struct remote_call *call, int r, const struct err *err)
{
    struct node_self *self = CONTAINER_OF(call, struct node_self, call);
    bool status = call->subresource != NULL;
    self->busy = false;
    if (r < 0) { /* Tried again with the next beat; what is not there comes by the watch. */
        if (r != ERR_EXISTS && r != ERR_NOT_FOUND)
            log_error(self->settings.log, "node not written",
                      F_STR("error", str_from_z(err->text)));
        return;
    }
    learn(self, call->answer);
    if (status && !self->told && self->settings.registered != NULL)
        self->settings.registered(self->settings.self);
    self->told = self->told || status;
    keep_true(self);
}

static void send(struct node_self *self, enum remote_verb verb, const char *subresource,
                 const struct json *body)
{
    self->body.len = 0;
    json_write(body, &self->body);
    self->call = (struct remote_call){.verb = verb,
                                      .kind = &kind_node,
                                      .name = str_from_z(self->settings.name),
                                      .subresource = subresource,
                                      .body = buf_str(&self->body),
                                      .done = written};
    self->busy = true;
    remote_send(self->settings.remote, &self->call);
}

static void tell(struct node_self *self, const char *reason, str_t message)
{
    str_t name = str_from_z(self->settings.name);
    struct event_about about = {.kind = "Node", .name = name, .uid = name};
    events_tell(self->settings.events, &about, false, reason, message);
}

/* "KubeletReady" is "NodeReady" in Events. */
static void tell_news(struct node_self *self, const struct json *before, const struct json *now)
{
    AUTO(arena_done) struct arena arena = {0};
    static const str_t kubelet = STR("Kubelet");
    str_t reasons[NEWS_MAX];
    size_t n = node_status_news(before, now, reasons, NEWS_MAX);
    if (!self->started)
        tell(self, "Starting", STR("Starting kubelet."));
    self->started = true;
    for (size_t i = 0; i < n; i++) {
        str_t rest = {reasons[i].at + kubelet.len, reasons[i].len - kubelet.len};
        str_t reason = arena_printf(&arena, "Node" STR_F, STR_A(rest));
        tell(self, reason.at,
             arena_printf(&arena, "Node %s status is now: " STR_F, self->settings.name,
                          STR_A(reason)));
    }
}

static void write_status(struct node_self *self, const struct json *node, struct arena *arena)
{
    const struct json *before = json_get(node, STR("status"));
    struct node_facts facts = facts_of(self);
    struct json *status = node_status(&facts, before, arena), *body = json_object(arena);
    bool is_due = facts.mono_ms - self->status_ms >= NODE_STATUS_MS || !self->told;
    if (!is_due && !node_status_changed(before, status))
        return;
    self->status_ms = facts.mono_ms;
    tell_news(self, before, status);
    json_add(body, STR("status"), status);
    send(self, REMOTE_STRATEGIC, "status", body);
}

static void keep_true(struct node_self *self)
{
    AUTO(arena_done) struct arena arena = {0};
    struct node_facts facts = facts_of(self);
    struct json *node = NULL, *body = json_object(&arena), *meta = json_object(&arena);
    struct err err;
    if (self->busy)
        return;
    if (self->node.len == 0) {
        send(self, REMOTE_CREATE, NULL, node_object(&facts, &arena));
        return;
    }
    if (json_parse(buf_str(&self->node), &arena, &node, &err) < 0)
        return;
    struct json *missing = node_labels_missing(&facts, node, &arena);
    if (missing == NULL) {
        write_status(self, node, &arena);
        return;
    }
    json_add(meta, STR("labels"), missing);
    json_add(body, STR("metadata"), meta);
    send(self, REMOTE_MERGE, NULL, body);
}

/* --- time --- */

static void look(struct node_self *self)
{
    struct err err;
    if (machine_look(self->settings.disk, &self->now, &err) < 0)
        log_error(self->settings.log, "machine not looked at",
                  F_STR("error", str_from_z(err.text)));
    else
        pressures_see(&self->pressures, &self->machine, &self->now,
                      loop_now_ms(self->settings.loop));
}

static void on_beat(struct timer *timer)
{
    struct node_self *self = CONTAINER_OF(timer, struct node_self, beat);
    timer_set(self->settings.loop, timer, NODE_BEAT_MS, on_beat);
    look(self);
    node_lease_beat(&self->lease);
    if (reflector_synced(self->nodes))
        keep_true(self);
}

/* --- a life --- */

int node_self_new(const struct node_self_settings *settings, struct node_self **out,
                  struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct node_self *self = calloc(1, sizeof(*self));
    MUST(self != NULL);
    self->settings = *settings;
    int r = machine_read(settings->disk, &self->arena, &self->machine, err);
    if (r < 0) {
        arena_done(&self->arena);
        free(self);
        return r;
    }
    look(self);
    node_lease_init(&self->lease, settings->remote, settings->loop, settings->log, settings->name);
    struct reflector_settings nodes = {
        .remote = settings->remote,
        .log = settings->log,
        .kind = &kind_node,
        .fields = arena_printf(&scratch, "metadata.name=%s", settings->name),
        .self = self,
        .set = on_set,
        .gone = on_gone,
        .synced = on_synced,
    };
    self->nodes = reflector_new(&nodes);
    timer_set(settings->loop, &self->beat, NODE_BEAT_MS, on_beat);
    *out = self;
    return 0;
}

void node_self_free(struct node_self *self)
{
    if (self == NULL)
        return;
    timer_stop(&self->beat);
    reflector_free(self->nodes);
    remote_cancel(&self->call);
    node_lease_done(&self->lease);
    buf_done(&self->node);
    buf_done(&self->body);
    arena_done(&self->arena);
    free(self);
}

void node_self_not_ready(struct node_self *self, const char *why)
{
    self->not_ready = why;
    if (reflector_synced(self->nodes))
        keep_true(self);
}

const char *node_self_address(const struct node_self *self)
{
    return self->now.address[0] != '\0' ? self->now.address : "127.0.0.1";
}

uint64_t node_self_memory_bytes(const struct node_self *self)
{
    return self->machine.memory_bytes;
}

uint64_t node_self_cpus(const struct node_self *self)
{
    return self->machine.cpus;
}
