/* volumes_test.c - what containers really see of their pod's volumes, and what they cannot do. */
#include "base/file.h"
#include "node/volume.h"
#include "testkit/test.h"
#include "tests/runtime/ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct volumes {
    struct ground g;
    struct arena arena;
    char pod[96], store[96];
    struct json *spec;
    struct volume_needs needs;
    struct volume_input in;
};

static struct json *parse(struct volumes *v, const char *text)
{
    struct json *json = NULL;
    struct err err;
    char *copy = arena_bytes(&v->arena, strlen(text) + 1);
    memcpy(copy, text, strlen(text));
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    MUST(json_parse(str_from_z(copy), &v->arena, &json, &err) == 0);
    return json;
}

static bool open_volumes(struct volumes *v)
{
    *v = (struct volumes){0};
    if (!ground_open(&v->g))
        return false;
    snprintf(v->pod, sizeof(v->pod), "%s/rootfs.pod", v->g.dir); /* Counted with the rootfs. */
    snprintf(v->store, sizeof(v->store), "%s/store", v->g.dir);
    return true;
}

static void close_volumes(struct volumes *v)
{
    char command[256];
    if (!CHECK_INT(volumes_clear(v->pod, &v->g.err), 0))
        printf("%s\n", v->g.err.text);
    snprintf(command, sizeof(command), "rm -rf %s %s", v->pod, v->store);
    CHECK_INT(system(command), 0); /* NOLINT */
    ground_close(&v->g);
    arena_done(&v->arena);
}

/* All needs are answered by one object: of tests there is one of each. */
static bool make(struct volumes *v, const char *object)
{
    const struct json *answer = parse(v, object);
    volume_needs(v->spec, &v->arena, &v->needs);
    for (size_t i = 0; i < v->needs.n; i++) {
        v->needs.at[i].object = answer;
        v->needs.at[i].token = STR("jwt");
    }
    v->in.pod = v->spec;
    v->in.needs = &v->needs;
    v->in.dir = v->pod;
    v->in.store = v->store;
    v->in.wall_ms += 1000;
    if (CHECK_INT(volumes_make(&v->in, &v->g.err), 0))
        return true;
    printf("%s\n", v->g.err.text);
    return false;
}

static bool mounts(struct volumes *v, const char *container, struct container_spec *spec)
{
    struct container_mount *at;
    struct volume_mounts_input in = {
        .pod = v->spec, .container = parse(v, container), .dir = v->pod};
    int r = volume_mounts(&in, &v->arena, &at, &spec->n_mounts, &v->g.err);
    if (!CHECK_INT(r, 0))
        printf("%s\n", v->g.err.text);
    spec->mounts = r == 0 ? at : NULL;
    return r == 0;
}

static bool has(str_t text, const char *part)
{
    bool found = memmem(text.at, text.len, part, strlen(part)) != NULL;
    if (!found)
        printf("no '%s' in: " STR_F "\n", part, STR_A(text));
    return found;
}

/* Until the container's log has it. */
static void wait_for(struct volumes *v, const char *word)
{
    for (;;) {
        AUTO(arena_done) struct arena arena = {0};
        str_t log = ground_log(&v->g, &arena);
        if (memmem(log.at, log.len, word, strlen(word)) != NULL)
            return;
        (void)loop_turn(v->g.loop, 5, &v->g.err);
    }
}

static const char pod_text[] =
    "{'metadata':{'name':'p','uid':'u','labels':{'a':'b'}},'spec':{'securityContext':{'fsGroup':"
    "2000},'containers':[{'name':'app','securityContext':{'runAsUser':1000}}],'volumes':["
    "{'name':'conf','configMap':{'name':'c'}},{'name':'key','secret':{'secretName':'s',"
    "'defaultMode':256}},{'name':'scratch','emptyDir':{}},{'name':'mem','emptyDir':{'medium':"
    "'Memory','sizeLimit':'1Mi'}},{'name':'all','projected':{'sources':[{'serviceAccountToken':"
    "{'path':'token'}},{'downwardAPI':{'items':[{'path':'labels','fieldRef':{'fieldPath':"
    "'metadata.labels'}}]}}]}},{'name':'host','hostPath':{'path':'%s/host'}}]}}";

TEST(a_container_sees_its_volumes_and_their_changes)
{
    struct volumes v;
    static const uint32_t groups[] = {2000};
    char host[128], inner[160];
    if (!open_volumes(&v))
        return;
    v.spec = parse(&v, arena_printf(&v.arena, pod_text, v.g.rootfs).at);
    snprintf(host, sizeof(host), "%s/host", v.g.rootfs);
    snprintf(inner, sizeof(inner), "%s/inner", host);
    CHECK(mkdir(host, 0777) == 0 && mkdir(inner, 0777) == 0);
    CHECK(mount("tmpfs", inner, "tmpfs", 0, "mode=777") == 0);
    struct container_spec spec = ground_spec(
        &v.g, "app",
        SHELL("cat /conf/a /scratch/deep/b /key/a /all/token /all/labels; ls -lnL /key/ /all/;"
              "echo >/conf/new && echo wrote-conf; echo >/key/new && echo wrote-key;"
              "echo kept >/scratch/f; cat /scratch/f; ls -ln /scratch;"
              "dd if=/dev/zero of=/mem/big bs=1k count=2000 2>&1; ls -ln /mem;"
              "echo >/ro/f && echo wrote-ro; echo >/ro/inner/f && echo wrote-inner;"
              "cat /one; echo ready;"
              "while grep -q Zm /conf/a; do :; done; cat /conf/a /one; echo over"));
    spec.uid = 1000;
    spec.gid = 1000;
    spec.groups = groups;
    spec.n_groups = 1;
    if (make(&v, "{'data':{'a':'Zmlyc3Q=','b':'Zmlyc3Q='}}") &&
        mounts(&v,
               "{'name':'app','volumeMounts':[{'name':'conf','mountPath':'/conf'},{'name':'conf',"
               "'mountPath':'/one','subPath':'a'},{'name':'conf','mountPath':'/scratch/deep'},"
               "{'name':'key','mountPath':'/key'},{'name':'all','mountPath':'/all'},{'name':"
               "'scratch','mountPath':'/scratch'},{'name':'mem','mountPath':'/mem'},{'name':'host',"
               "'mountPath':'/ro','readOnly':true,'recursiveReadOnly':'IfPossible'}]}",
               &spec) &&
        ground_up(&v.g, &spec)) {
        wait_for(&v, "ready");
        (void)make(&v, "{'data':{'a':'c2Vjb25k','b':'c2Vjb25k'}}");
        (void)ground_exit(&v.g, "app");
        str_t log = ground_log(&v.g, &v.arena);
        /* Of a ConfigMap as it is, of a Secret decoded. */
        CHECK(has(log, "Zmlyc3Q=Zmlyc3Q=firstjwta=\"b\""));
        CHECK(has(log, "-r--r-----    1 0        2000             5"));
        CHECK(has(log, "-rw-r-----    1 1000     2000             3"));
        CHECK(has(log, "can't create /conf/new: Read-only file system"));
        CHECK(has(log, "can't create /key/new: Read-only file system"));
        CHECK(has(log, "\nkept\n") && has(log, "1000     2000             5"));
        CHECK(has(log, "No space left on device") && has(log, "1000     2000       1048576"));
        CHECK(has(log, "can't create /ro/f: Read-only file system"));
        CHECK(has(log, "can't create /ro/inner/f: Read-only file system"));
        CHECK(has(log, "c2Vjb25kZmlyc3Q=over")); /* A subPath stays as it was. */
    }
    CHECK_INT(ground_delete(&v.g, "app"), 0);
    CHECK_INT(umount2(inner, MNT_DETACH), 0);
    CHECK(rmdir(inner) == 0 && rmdir(host) == 0);
    close_volumes(&v);
}

/* A link that a container made leads where it leads in the container, not here. */
TEST(a_container_cannot_lead_its_next_run_out_of_a_volume)
{
    struct volumes v;
    char secret[128];
    if (!open_volumes(&v))
        return;
    v.spec = parse(&v, "{'metadata':{'name':'p','uid':'u'},'spec':{'volumes':[{'name':'e',"
                       "'emptyDir':{}}]}}");
    snprintf(secret, sizeof(secret), "%s/store", v.g.dir);
    CHECK(mkdir(secret, 0755) == 0);
    struct container_spec spec = ground_spec(&v.g, "one", SHELL("touch /e/mine; echo made"));
    if (make(&v, "{}") &&
        mounts(&v, "{'name':'a','volumeMounts':[{'name':'e','mountPath':'/e','subPath':'x/y'}]}",
               &spec) &&
        ground_up(&v.g, &spec)) {
        (void)ground_exit(&v.g, "one");
        CHECK(has(ground_log(&v.g, &v.arena), "made\n"));
    }
    CHECK_INT(ground_delete(&v.g, "one"), 0);
    char from[200];
    snprintf(from, sizeof(from), "%s/empty/e/x/y/mine", v.pod);
    CHECK(unlink(from) == 0);
    snprintf(from, sizeof(from), "%s/empty/e/x/y", v.pod);
    CHECK(rename(from, arena_printf(&v.arena, "%s.was", from).at) == 0);
    CHECK(symlink(secret, from) == 0);
    struct container_mount *at;
    size_t n;
    struct volume_mounts_input in = {
        .pod = v.spec,
        .container = parse(
            &v, "{'name':'a','volumeMounts':[{'name':'e','mountPath':'/e','subPath':'x/y'}]}"),
        .dir = v.pod};
    CHECK_INT(volume_mounts(&in, &v.arena, &at, &n, &v.g.err), ERR_INVALID);
    CHECK_STR(str_from_z(v.g.err.text),
              "failed to prepare subPath for volumeMount \"e\" of container \"a\"");
    close_volumes(&v);
}
