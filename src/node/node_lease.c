/* node_lease.c - a small patch every ten seconds; a whole Lease when there is none. */
#include "node/node_lease.h"

#include "base/json.h"
#include "base/time.h"
#include "kinds/kinds.h"
#include "node/node_self.h"

static struct json *text_of(str_t text, struct arena *arena)
{
    return json_string(arena, text);
}

static struct json *owner(const struct node_lease *lease, struct arena *arena)
{
    struct json *ref = json_object(arena);
    json_add(ref, STR("apiVersion"), text_of(STR("v1"), arena));
    json_add(ref, STR("kind"), text_of(STR("Node"), arena));
    json_add(ref, STR("name"), text_of(str_from_z(lease->name), arena));
    json_add(ref, STR("uid"), text_of(str_from_z(lease->uid), arena));
    return json_add(json_array(arena), STR(""), ref);
}

static void make_body(struct node_lease *lease)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *tree = json_object(&arena), *meta = json_object(&arena);
    struct json *spec = json_object(&arena);
    str_t name = str_from_z(lease->name);
    if (!lease->made) {
        json_add(tree, STR("apiVersion"), text_of(STR("coordination.k8s.io/v1"), &arena));
        json_add(tree, STR("kind"), text_of(STR("Lease"), &arena));
        json_add(meta, STR("name"), text_of(name, &arena));
        json_add(meta, STR("namespace"), text_of(STR("kube-node-lease"), &arena));
        json_add(meta, STR("ownerReferences"), owner(lease, &arena));
        json_add(tree, STR("metadata"), meta);
        json_add(spec, STR("holderIdentity"), text_of(name, &arena));
        json_add(spec, STR("leaseDurationSeconds"), json_int(&arena, NODE_LEASE_S));
    }
    json_add(spec, STR("renewTime"),
             text_of(micro_time_text(loop_wall_ms(lease->loop), &arena), &arena));
    json_add(tree, STR("spec"), spec);
    lease->body.len = 0;
    json_write(tree, &lease->body);
}

static void lease_send(struct node_lease *lease);

static void renewed(struct remote_call *call, int r, const struct err *err)
{
    struct node_lease *lease = CONTAINER_OF(call, struct node_lease, call);
    bool was_made = lease->made;
    lease->busy = false;
    if (r == 0 || r == ERR_EXISTS)
        lease->made = true;
    else if (r == ERR_NOT_FOUND)
        lease->made = false;
    if (r == ERR_EXISTS || (r == ERR_NOT_FOUND && was_made)) {
        lease_send(lease);
        return;
    }
    if (r < 0 && !lease->said)
        log_error(lease->log, "lease not renewed", F_STR("error", str_from_z(err->text)));
    lease->said = r < 0;
}

static void lease_send(struct node_lease *lease)
{
    make_body(lease);
    lease->call = (struct remote_call){.verb = lease->made ? REMOTE_MERGE : REMOTE_CREATE,
                                       .kind = &kind_lease,
                                       .ns = STR("kube-node-lease"),
                                       .name = str_from_z(lease->name),
                                       .body = buf_str(&lease->body),
                                       .done = renewed};
    lease->busy = true;
    remote_send(lease->remote, &lease->call);
}

void node_lease_beat(struct node_lease *lease)
{
    if (!lease->busy && lease->uid[0] != '\0')
        lease_send(lease);
}

void node_lease_init(struct node_lease *lease, struct remote *remote, struct loop *loop,
                     const struct log *log, const char *name)
{
    *lease = (struct node_lease){.remote = remote,
                                 .loop = loop,
                                 .log = log,
                                 .name = name,
                                 .made = true}; /* More often than not. */
}

void node_lease_done(struct node_lease *lease)
{
    remote_cancel(&lease->call);
    buf_done(&lease->body);
}
