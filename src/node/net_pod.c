/* net_pod.c - hostNetwork needs no network; the others get one of podnet. */
#include "node/net_pod.h"

#include "base/file.h"

#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static void told(struct post *post)
{
    struct net_pod_call *call = CONTAINER_OF(post, struct net_pod_call, post);
    call->done(call);
}

static void end(struct net_pod_call *call, struct loop *loop)
{
    call->post.run = told;
    loop_later(loop, &call->post);
}

void net_pod_add(struct podnet *podnet, struct loop *loop, struct net_pod_call *call,
                 const struct json *pod, struct ground *out,
                 void (*done)(struct net_pod_call *call))
{
    (void)podnet, (void)out;
    *call = (struct net_pod_call){.done = done};
    if (!json_is_true(json_at(pod, "spec.hostNetwork")))
        call->r = err_set(&call->err, ERR_INVALID,
                          "pods have no network of their own here: set hostNetwork");
    end(call, loop);
}

void net_pod_remove(struct podnet *podnet, struct loop *loop, struct net_pod_call *call, str_t uid,
                    void (*done)(struct net_pod_call *call))
{
    (void)podnet, (void)uid;
    *call = (struct net_pod_call){.done = done};
    end(call, loop);
}

void net_pod_call_done(struct net_pod_call *call)
{
    arena_done(&call->arena);
}

static int copy_file(const char *from, const char *to, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text = STR("");
    if (access(from, R_OK) == 0 && file_read(&arena, from, FILE_BYTES_MAX, &text, err) < 0)
        return err->code;
    return file_write(to, 0644, text, err);
}

int net_pod_files(const struct json *pod, const struct net_pod_call *call,
                  const struct ground *ground, const char *dir, const char *node, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t hostname = arena_printf(&arena, "%s\n", ground->hostname);
    (void)pod, (void)call, (void)node;
    int r = file_write(arena_printf(&arena, "%s/hostname", dir).at, 0644, hostname, err);
    if (r == 0)
        r = copy_file("/etc/hosts", arena_printf(&arena, "%s/hosts", dir).at, err);
    if (r == 0)
        r = copy_file("/etc/resolv.conf", arena_printf(&arena, "%s/resolv.conf", dir).at, err);
    return r;
}
