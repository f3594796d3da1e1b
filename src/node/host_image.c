/* host_image.c - images by the pod's pull policy, and file systems made of them. */
#include "base/file.h"
#include "node/host_priv.h"
#include "node/image_pull.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct getting {
    struct images_call call;
    struct image_pull pull;
    struct image_want want; /* In the arena. */
    bool asked;             /* The registry, and it could not be reached. */
    struct host *host;
    struct step *step;
    struct image_got *got;
    struct arena arena;
    struct reference reference;
    str_t ref, policy;
    msec_t began_ms;
};

static void end(struct getting *g, const char *reason)
{
    struct step *step = g->step;
    step->reason = reason;
    images_call_done(&g->call);
    images_call_done(&g->pull.call);
    arena_done(&g->arena);
    free(g);
    step->done(step);
}

static char *copy(str_t text)
{
    char *at = strndup(text.at, text.len);
    MUST(at != NULL);
    return at;
}

static void found(struct getting *g, const struct image *image)
{
    AUTO(buf_done) struct buf config = {0};
    json_write(image->config, &config);
    *g->got = (struct image_got){
        .name = copy(image->name),
        .id = copy(image->id),
        .key = copy(image->manifest),
        .config = copy(buf_str(&config)),
        .bytes = image->bytes,
        .pulled = image != g->call.found,
        .took_ms = loop_now_ms(g->host->settings.loop) - g->began_ms,
    };
    end(g, NULL);
}

static void looked(struct images_call *call);

static void refuse_pull(struct getting *g)
{
    g->step->r = g->pull.call.r;
    g->step->err = g->pull.call.err;
    end(g, "ErrImagePull");
}

/*
 * A registry that says no is believed. One that cannot be reached is no reason not to run what is
 * here: where a kubelet lets the pod wait, `Always` means "the newest that can be had".
 */
static void pulled(struct image_pull *pull)
{
    struct getting *g = CONTAINER_OF(pull, struct getting, pull);
    if (pull->call.r == 0) {
        found(g, pull->call.found);
    } else if (pull->call.r == ERR_IO && str_eq(g->policy, STR("Always"))) {
        g->asked = true;
        images_look(g->host->settings.images, &g->call, reference_name(&g->reference, &g->arena),
                    looked);
    } else {
        refuse_pull(g);
    }
}

static void pull(struct getting *g)
{
    if (g->got->pulling != NULL)
        g->got->pulling(g->got);
    image_pull_run(&g->pull, g->host->settings.images, g->host->configs, &g->want, pulled);
}

static void looked(struct images_call *call)
{
    struct getting *g = CONTAINER_OF(call, struct getting, call);
    struct step *step = g->step;
    if (call->r == 0) {
        found(g, g->call.found);
    } else if (g->asked) {
        refuse_pull(g);
    } else if (call->r != ERR_NOT_FOUND) {
        step->r = call->r;
        step->err = call->err;
        end(g, "ImageInspectError");
    } else if (str_eq(g->policy, STR("Never"))) {
        step->r = err_set(&step->err, ERR_NOT_FOUND,
                          "Container image \"" STR_F "\" is not present with pull policy of Never",
                          STR_A(g->ref));
        end(g, "ErrImageNeverPull");
    } else {
        pull(g);
    }
}

static void refused(struct post *post);

struct refusal { /* Told at the end of the turn: done() is not called from within. */
    struct post post;
    struct getting *g;
};

static void refused(struct post *post)
{
    struct refusal *refusal = CONTAINER_OF(post, struct refusal, post);
    struct getting *g = refusal->g;
    free(refusal);
    end(g, "InvalidImageName");
}

static void refuse(struct getting *g, const struct err *err)
{
    struct refusal *refusal = calloc(1, sizeof(*refusal));
    MUST(refusal != NULL);
    g->step->r = err_set(&g->step->err, ERR_INVALID,
                         "Failed to apply default image tag \"" STR_F
                         "\": couldn't parse image name \"" STR_F "\": %s",
                         STR_A(g->ref), STR_A(g->ref), err->text);
    refusal->g = g;
    refusal->post.run = refused;
    loop_later(g->host->settings.loop, &refusal->post);
}

static void image(void *self, struct step *step, const struct image_want *want,
                  struct image_got *got)
{
    struct host *host = self;
    struct getting *g = calloc(1, sizeof(*g));
    struct err err;
    MUST(g != NULL);
    *g = (struct getting){.host = host, .step = step, .got = got};
    g->ref = arena_str(&g->arena, want->ref);
    g->policy = arena_str(&g->arena, want->policy);
    g->want = (struct image_want){.uid = arena_str(&g->arena, want->uid),
                                  .ns = arena_str(&g->arena, want->ns),
                                  .ref = g->ref};
    if (want->secrets != NULL)
        g->want.secrets = json_clone(want->secrets, &g->arena);
    g->began_ms = loop_now_ms(host->settings.loop);
    if (reference_parse(g->ref, &g->reference, &err) < 0)
        refuse(g, &err);
    else if (str_eq(g->policy, STR("Always")))
        pull(g); /* The registry says what the name means now. */
    else
        images_look(host->settings.images, &g->call, reference_name(&g->reference, &g->arena),
                    looked);
}

/* --- file systems --- */

struct mounting {
    struct images_call call;
    struct step *step;
};

static void mounted(struct images_call *call)
{
    struct mounting *m = CONTAINER_OF(call, struct mounting, call);
    struct step *step = m->step;
    step->r = call->r;
    step->err = call->err;
    images_call_done(call);
    free(m);
    step->done(step);
}

static struct mounting *mounting_new(struct step *step)
{
    struct mounting *m = calloc(1, sizeof(*m));
    MUST(m != NULL);
    m->step = step;
    return m;
}

static void rootfs(void *self, struct step *step, str_t image_key, str_t path)
{
    const struct host *host = self;
    images_mount(host->settings.images, &mounting_new(step)->call, image_key, path, mounted);
}

static void rootfs_gone(void *self, struct step *step, str_t path)
{
    const struct host *host = self;
    images_unmount(host->settings.images, &mounting_new(step)->call, path, mounted);
}

/* --- what is in use --- */

struct used {
    struct arena *arena;
    str_t *at;
    size_t n, cap;
};

static void use(struct used *used, const char *dir, const char *name)
{
    const char *dot = strrchr(name, '.');
    str_t text;
    struct err err;
    const char *path = arena_printf(used->arena, "%s/%s/manifest", dir, name).at;
    if (dot == NULL || strcmp(dot, ".own") != 0 ||
        file_read(used->arena, path, DIGEST_BYTES, &text, &err) < 0)
        return;
    if (used->n == used->cap) {
        size_t cap = used->cap == 0 ? 16 : used->cap * 2;
        str_t *more = arena_array(used->arena, str_t, cap);
        if (used->n > 0)
            memcpy(more, used->at, used->n * sizeof(*more));
        used->at = more;
        used->cap = cap;
    }
    used->at[used->n++] = text;
}

size_t host_images_used(void *self, struct arena *arena, str_t **manifests)
{
    const struct host *host = self;
    struct used used = {.arena = arena};
    DIR *pods = opendir(host->pods_dir);
    const struct dirent *pod, *entry;
    while (pods != NULL && (pod = readdir(pods)) != NULL) {
        const char *path = arena_printf(arena, "%s/%s/rootfs", host->pods_dir, pod->d_name).at;
        DIR *roots = opendir(path);
        while (roots != NULL && (entry = readdir(roots)) != NULL)
            use(&used, path, entry->d_name);
        if (roots != NULL)
            closedir(roots);
    }
    if (pods != NULL)
        closedir(pods);
    *manifests = used.at;
    return used.n;
}

void host_image_fill(struct host *host)
{
    host->ops.image = image;
    host->ops.rootfs = rootfs;
    host->ops.rootfs_gone = rootfs_gone;
}
