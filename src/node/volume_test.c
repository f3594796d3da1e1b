/* volume_test.c - volumes of every kind, as root, in a mount namespace of the test's own. */
#include "base/file.h"
#include "node/volume.h"
#include "node/volume_keeper.h"
#include "testkit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLEANUP "external-provisioner.volume.kubernetes.io/finalizer"

struct place {
    struct arena arena;
    char dir[32], pod[64], store[64];
    const struct json *objects; /* {"configmaps": {name: object}, "secrets": ..., ...} */
    struct volume_needs needs;
    struct volume_input in;
    struct err err;
};

/* False: not as root, nothing can be mounted. */
static bool place_open(struct place *p)
{
    static bool alone;
    *p = (struct place){.dir = "/tmp/davy-volumes-XXXXXX"};
    if (!alone && (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
                   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)) {
        printf("skipped: no mounts\n");
        return false;
    }
    alone = true;
    MUST(mkdtemp(p->dir) != NULL);
    (void)snprintf(p->pod, sizeof(p->pod), "%s/uid", p->dir);
    (void)snprintf(p->store, sizeof(p->store), "%s/store/volumes", p->dir);
    return true;
}

static size_t mounts_below(const char *dir)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    str_t text, line;
    size_t n = 0;
    MUST(file_read(&arena, "/proc/self/mountinfo", 1 << 24, &text, &err) == 0);
    while (text.len > 0) {
        (void)str_cut(text, '\n', &line, &text);
        n += memmem(line.at, line.len, dir, strlen(dir)) != NULL;
    }
    return n;
}

/* Nothing may be left: neither mounts nor files below the pod's directory. */
static void place_close(struct place *p)
{
    char command[64];
    CHECK_INT(volumes_clear(p->pod, &p->err), 0);
    CHECK_INT(volumes_clear(p->pod, &p->err), 0);
    CHECK_INT(mounts_below(p->dir), 0);
    CHECK(rmdir(p->pod) == 0 || errno == ENOENT);
    (void)snprintf(command, sizeof(command), "rm -r %s", p->dir);
    CHECK_INT(system(command), 0);
    arena_done(&p->arena);
}

static struct json *parse(struct place *p, const char *text)
{
    struct json *json;
    /* Single quotes are easier to read here. */
    char *copy = arena_bytes(&p->arena, strlen(text) + 1);
    memcpy(copy, text, strlen(text));
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    if (json_parse(str_from_z(copy), &p->arena, &json, &p->err) < 0)
        printf("%s\n", p->err.text);
    MUST(json != NULL);
    return json;
}

static void answer(struct place *p, struct volume_need *need)
{
    static const char *const lists[] = {"configmaps", "secrets", "claims", "tokens"};
    const struct json *list = json_get(p->objects, str_from_z(lists[need->kind]));
    if (need->kind == NEED_TOKEN) {
        need->token = json_get_text(list, need->name);
        return;
    }
    need->object = json_get(list, need->name);
    if (need->kind == NEED_CLAIM)
        need->bound = json_get(json_get(p->objects, STR("volumes")),
                               json_text(json_at(need->object, "spec.volumeName"), STR("")));
}

/* `spec` is that of the pod, `objects` what the API has. */
static int make(struct place *p, const char *spec, const char *objects)
{
    const struct json *pod =
        parse(p, arena_printf(&p->arena,
                              "{'metadata':{'name':'web','namespace':'shop','uid':'u1','labels':"
                              "{'app':'web'}},'spec':%s}",
                              spec)
                     .at);
    p->objects = parse(p, objects);
    volume_needs(pod, &p->arena, &p->needs);
    for (size_t i = 0; i < p->needs.n; i++)
        answer(p, &p->needs.at[i]);
    p->in.pod = pod;
    p->in.needs = &p->needs;
    p->in.dir = p->pod;
    p->in.store = p->store;
    p->in.wall_ms += 1000;
    p->err.text[0] = '\0';
    return volumes_make(&p->in, &p->err);
}

static str_t path_of(struct place *p, const char *below)
{
    str_t path = arena_printf(&p->arena, "%s/empty/%s", p->pod, below), top, rest;
    (void)str_cut(str_from_z(below), '/', &top, &rest);
    str_t own = arena_printf(&p->arena, "%s/empty/" STR_F, p->pod, STR_A(top));
    return access(own.at, F_OK) == 0 ? path
                                     : arena_printf(&p->arena, "%s/volumes/%s", p->pod, below);
}

static str_t content(struct place *p, const char *below)
{
    str_t text;
    struct err err;
    if (file_read(&p->arena, path_of(p, below).at, 1 << 20, &text, &err) < 0)
        return STR("<none>");
    return text;
}

static struct stat meta_of(struct place *p, const char *below)
{
    struct stat meta = {0};
    CHECK(stat(path_of(p, below).at, &meta) == 0);
    return meta;
}

static unsigned mode_of(struct place *p, const char *below)
{
    return meta_of(p, below).st_mode & 07777;
}

static str_t link_of(struct place *p, const char *below)
{
    char to[PATH_MAX];
    ssize_t n = readlink(path_of(p, below).at, to, sizeof(to));
    return n < 0 ? STR("<none>") : arena_str(&p->arena, (str_t){to, (size_t)n});
}

/* --- ConfigMaps, Secrets, tokens, the pod itself --- */

static const char web_map[] = "{'configmaps':{'web':{'data':{'a.conf':'one','b.conf':'two'},"
                              "'binaryData':{'bin':'AAEC'}}}}";

TEST(volume_of_a_config_map)
{
    struct place p;
    static const char spec[] = "{'volumes':[{'name':'c','configMap':{'name':'web'}}]}";
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p, spec, web_map), 0);
    CHECK_STR(content(&p, "c/a.conf"), "one");
    CHECK_INT(content(&p, "c/bin").len, 3);
    CHECK_INT(mode_of(&p, "c/a.conf"), 0644);
    CHECK_STR(link_of(&p, "c/a.conf"), "..data/a.conf");
    str_t was = link_of(&p, "c/..data");
    CHECK(str_starts(was, STR("..1970_01_01_00_00_01.")));

    /* What did not change is not touched, what did is swapped, and of the old nothing is left. */
    CHECK_INT(make(&p, spec, web_map), 0);
    CHECK(str_eq(was, link_of(&p, "c/..data")));
    CHECK_INT(make(&p, spec, "{'configmaps':{'web':{'data':{'b.conf':'2','new':'3'}}}}"), 0);
    CHECK(!str_eq(was, link_of(&p, "c/..data")));
    CHECK_STR(content(&p, "c/b.conf"), "2");
    CHECK_STR(content(&p, "c/new"), "3");
    CHECK_STR(link_of(&p, "c/a.conf"), "<none>");
    CHECK(access(path_of(&p, arena_printf(&p.arena, "c/" STR_F, STR_A(was)).at).at, F_OK) < 0);

    /* Deleted while it is in use: an error, and the files stay. */
    CHECK_INT(make(&p, spec, "{}"), ERR_NOT_FOUND);
    CHECK_STR(str_from_z(p.err.text),
              "MountVolume.SetUp failed for volume \"c\" : configmap \"web\" not found");
    CHECK_STR(content(&p, "c/new"), "3");
    place_close(&p);
}

TEST(volume_of_a_config_map_changes_at_once)
{
    struct place p;
    static const char spec[] = "{'volumes':[{'name':'c','configMap':{'name':'web'}}]}";
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p, spec, web_map), 0);
    /* Who holds the directory of the old files goes on to see all of them as they were. */
    int old = open(path_of(&p, "c/..data").at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = openat(old, "a.conf", O_RDONLY | O_CLOEXEC);
    CHECK_INT(make(&p, spec, "{'configmaps':{'web':{'data':{'a.conf':'changed'}}}}"), 0);
    char text[16] = {0};
    CHECK_INT(read(file, text, sizeof(text)), 3);
    CHECK_STR(content(&p, "c/a.conf"), "changed");
    close(old);
    close(file);

    /* Half made by a process that was killed: removed by the next change. */
    CHECK(mkdir(path_of(&p, "c/..2020_01_01_00_00_00.x").at, 0755) == 0);
    CHECK(symlink("nowhere", path_of(&p, "c/..data_tmp").at) == 0);
    CHECK_INT(make(&p, spec, web_map), 0);
    CHECK(access(path_of(&p, "c/..2020_01_01_00_00_00.x").at, F_OK) < 0);
    CHECK_STR(content(&p, "c/a.conf"), "one");
    place_close(&p);
}

TEST(volume_items_modes_and_what_is_optional)
{
    struct place p;
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p,
                   "{'volumes':[{'name':'c','configMap':{'name':'web','defaultMode':256,'items':["
                   "{'key':'a.conf','path':'deep/er/a'},{'key':'b.conf','path':'b','mode':511}]}},"
                   "{'name':'o','configMap':{'name':'gone','optional':true}},"
                   "{'name':'k','configMap':{'name':'web','optional':true,'items':["
                   "{'key':'zzz','path':'z'},{'key':'a.conf','path':'a'}]}}]}",
                   web_map),
              0);
    CHECK_STR(content(&p, "c/deep/er/a"), "one");
    CHECK_INT(mode_of(&p, "c/deep/er/a"), 0400);
    CHECK_INT(mode_of(&p, "c/b"), 0777);
    CHECK_STR(link_of(&p, "c/deep"), "..data/deep");
    CHECK_STR(content(&p, "c/bin"), "<none>");
    CHECK_STR(content(&p, "k/a"), "one");
    CHECK_STR(content(&p, "k/z"), "<none>");
    CHECK(meta_of(&p, "o/..data").st_mode != 0);

    CHECK_INT(make(&p,
                   "{'volumes':[{'name':'c','configMap':{'name':'web','items':["
                   "{'key':'zzz','path':'z'}]}}]}",
                   web_map),
              ERR_NOT_FOUND);
    CHECK_STR(str_from_z(p.err.text), "MountVolume.SetUp failed for volume \"c\" : references "
                                      "non-existent config key: zzz");
    place_close(&p);
}

TEST(volume_paths_that_lead_out_are_refused)
{
    static const char *const paths[] = {"../x",  "/etc/x", "a/../../x", "..data", "..x", "a//b",
                                        "a/./b", "",       ".",         "a/",     "..",  "a/.."};
    struct place p;
    if (!place_open(&p))
        return;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const char *spec = arena_printf(&p.arena,
                                        "{'volumes':[{'name':'c','configMap':{'name':'web',"
                                        "'items':[{'key':'a.conf','path':'%s'}]}}]}",
                                        paths[i])
                               .at;
        if (!test_check(make(&p, spec, web_map) == ERR_INVALID, paths[i], __FILE__, __LINE__))
            return;
    }
    CHECK_INT(make(&p, "{'volumes':[{'name':'c','configMap':{'name':'web'}}]}",
                   "{'configmaps':{'web':{'data':{'../../../x':'1'}}}}"),
              ERR_INVALID);
    CHECK_INT(make(&p, "{'volumes':[{'name':'../x','emptyDir':{}}]}", "{}"), ERR_INVALID);
    CHECK_INT(
        make(&p, "{'volumes':[{'name':'..','emptyDir':{}},{'name':'ok','emptyDir':{}}]}", "{}"),
        ERR_INVALID);
    CHECK_INT(mode_of(&p, "ok"), 0777); /* Others are made all the same. */
    place_close(&p);
}

TEST(volume_of_a_secret_is_never_on_disk)
{
    struct place p;
    struct statfs fs;
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p,
                   "{'securityContext':{'fsGroup':2000},'volumes':[{'name':'s','secret':"
                   "{'secretName':'key','defaultMode':256}}]}",
                   "{'secrets':{'key':{'data':{'tls.key':'c2VjcmV0'}}}}"),
              0);
    CHECK_STR(content(&p, "s/tls.key"), "secret");
    CHECK(statfs(path_of(&p, "s/tls.key").at, &fs) == 0 && fs.f_type == 0x01021994); /* tmpfs */
    CHECK_INT(mode_of(&p, "s/tls.key"), 0440);
    CHECK_INT(meta_of(&p, "s/tls.key").st_gid, 2000);
    CHECK_INT(meta_of(&p, "s").st_gid, 2000);
    CHECK_INT(mode_of(&p, "s/..data"), 02755);
    place_close(&p);
}

TEST(volume_of_several_sources)
{
    struct place p;
    static const char volumes[] =
        "'volumes':[{'name':'all','projected':{'defaultMode':420,'sources':["
        "{'serviceAccountToken':{'path':'token','expirationSeconds':3607}},"
        "{'configMap':{'name':'web','items':[{'key':'a.conf','path':'ca'}]}},"
        "{'secret':{'name':'key'}},{'downwardAPI':{'items':["
        "{'path':'ns','fieldRef':{'fieldPath':'metadata.namespace'}},"
        "{'path':'l/abels','mode':256,'fieldRef':{'fieldPath':'metadata.labels'}},"
        "{'path':'cpu','resourceFieldRef':{'containerName':'a','resource':'limits.cpu',"
        "'divisor':'1m'}}]}}]}}]}";
    static const char objects[] =
        "{'tokens':{'':'jwt'},'configmaps':{'web':{'data':{'a.conf':'one'}}},"
        "'secrets':{'key':{'data':{'k':'dg=='}}}}";
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p,
                   arena_printf(&p.arena,
                                "{'containers':[{'name':'a','securityContext':{'runAsUser':1001},"
                                "'resources':{'limits':{'cpu':'250m'}}}],%s",
                                volumes)
                       .at,
                   objects),
              0);
    CHECK_INT(p.needs.n, 3);
    CHECK_INT(p.needs.at[0].seconds, 3607);
    CHECK_STR(content(&p, "all/token"), "jwt");
    CHECK_INT(mode_of(&p, "all/token"), 0600); /* All run as this user, so for nobody else. */
    CHECK_INT(meta_of(&p, "all/token").st_uid, 1001);
    CHECK_STR(content(&p, "all/ca"), "one");
    CHECK_STR(content(&p, "all/k"), "v");
    CHECK_STR(content(&p, "all/ns"), "shop");
    CHECK_STR(content(&p, "all/l/abels"), "app=\"web\"");
    CHECK_INT(mode_of(&p, "all/l/abels"), 0400);
    CHECK_STR(content(&p, "all/cpu"), "250");
    CHECK_INT(make(&p,
                   arena_printf(&p.arena,
                                "{'containers':[{'name':'a','securityContext':{'runAsUser':1001}},"
                                "{'name':'b'}],%s",
                                volumes)
                       .at,
                   objects),
              0);
    CHECK_INT(mode_of(&p, "all/token"), 0644);
    CHECK_INT(meta_of(&p, "all/token").st_uid, 0);
    place_close(&p);
}

/* --- places --- */

TEST(volume_empty_dirs)
{
    struct place p;
    struct statfs fs;
    str_t message;
    static const char spec[] =
        "{'securityContext':{'fsGroup':2000},'volumes':[{'name':'e','emptyDir':{'sizeLimit':"
        "'1Mi'}},{'name':'m','emptyDir':{'medium':'Memory','sizeLimit':'2Mi'}},{'name':'n'}]}";
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p, spec, "{}"), 0);
    CHECK_INT(mode_of(&p, "e"), 02777);
    CHECK_INT(meta_of(&p, "e").st_gid, 2000);
    CHECK_INT(mode_of(&p, "m"), 02777);
    CHECK(statfs(path_of(&p, "m").at, &fs) == 0 && fs.f_type == 0x01021994);
    CHECK_INT(fs.f_blocks * (size_t)fs.f_bsize, 2 << 20);
    CHECK_INT(mode_of(&p, "n"), 02777);

    /* Its containers do with it what they like; nothing of it is undone. */
    CHECK(chmod(path_of(&p, "e").at, 0700) == 0);
    CHECK(symlink("/etc", path_of(&p, "e/etc").at) == 0);
    CHECK_INT(file_write(path_of(&p, "m/f").at, 0644, STR("x"), &p.err), 0);
    CHECK_INT(make(&p, spec, "{}"), 0);
    CHECK_INT(mode_of(&p, "e"), 0700);
    CHECK_STR(content(&p, "m/f"), "x");
    CHECK_INT(mounts_below(p.dir), 2);

    CHECK(!volumes_over(p.in.pod, p.pod, &p.arena, &message));
    char *much = arena_bytes(&p.arena, 1 << 20);
    CHECK_INT(file_write(path_of(&p, "e/f").at, 0644, (str_t){much, 1 << 20}, &p.err), 0);
    CHECK(volumes_over(p.in.pod, p.pod, &p.arena, &message));
    CHECK_STR(message, "Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\". ");
    place_close(&p);
    CHECK(access("/etc/passwd", F_OK) == 0);
}

TEST(volume_host_paths)
{
    struct place p;
    static const struct {
        const char *type, *path, *error;
    } rows[] = {
        {"", "dir", NULL},
        {"", "made/on/the/way", NULL},
        {"Directory", "dir", NULL},
        {"Directory", "none", " is not a directory"},
        {"Directory", "file", " is not a directory"},
        {"DirectoryOrCreate", "x/y", NULL},
        {"DirectoryOrCreate", "file", " is not a directory"},
        {"File", "file", NULL},
        {"File", "dir", " is not a file"},
        {"FileOrCreate", "newfile", NULL},
        {"FileOrCreate", "dir", " is not a file"},
        {"Socket", "file", " is not a socket file"},
        {"CharDevice", "file", " is not a character device"},
        {"BlockDevice", "file", " is not a block device"},
    };
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p, "{}", "{}"), 0);
    CHECK(mkdir(arena_printf(&p.arena, "%s/dir", p.dir).at, 0755) == 0);
    CHECK_INT(file_write(arena_printf(&p.arena, "%s/file", p.dir).at, 0644, STR("x"), &p.err), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        str_t path = arena_printf(&p.arena, "%s/%s", p.dir, rows[i].path);
        const char *spec =
            arena_printf(&p.arena,
                         "{'volumes':[{'name':'h','hostPath':{'path':'%s','type':'%s'}}]}", path.at,
                         rows[i].type)
                .at;
        int r = make(&p, spec, "{}");
        CHECK_INT(r, rows[i].error == NULL ? 0 : ERR_INVALID);
        str_t want = arena_printf(&p.arena,
                                  "MountVolume.SetUp failed for volume \"h\" : hostPath type check "
                                  "failed: %s%s",
                                  path.at, rows[i].error);
        if (rows[i].error != NULL)
            CHECK(str_eq(str_from_z(p.err.text), want));
        else
            CHECK(str_eq(link_of(&p, "h"), path) && access(path.at, F_OK) == 0);
    }
    CHECK_INT(make(&p,
                   "{'volumes':[{'name':'h','hostPath':{'path':'/dev/null','type':'CharDevice'}}]}",
                   "{}"),
              0);
    CHECK_INT(make(&p, "{'volumes':[{'name':'h','nfs':{'path':'/x','server':'y'}}]}", "{}"),
              ERR_INVALID);
    place_close(&p);
    CHECK(access("/dev/null", F_OK) == 0);
}

static const char claim_objects[] =
    "{'claims':{'data':{'metadata':{'uid':'c1'},'spec':{'volumeName':'pv1'},"
    "'status':{'phase':'Bound'}},'web-own':{'metadata':{'uid':'c2','ownerReferences':["
    "{'uid':'%s','controller':true}]},'spec':{'volumeName':'pv2'},'status':{'phase':'Bound'}}},"
    "'volumes':{'pv1':{'metadata':{'name':'pv1'},'spec':{'csi':{'driver':'davy.dev/local',"
    "'volumeHandle':'%s'},'claimRef':{'uid':'c1'}}},'pv2':{'metadata':{'name':'pv2'},'spec':"
    "{'hostPath':{'path':'%s'},'claimRef':{'uid':'c2'}}}}}";

TEST(volume_of_a_claim)
{
    struct place p;
    if (!place_open(&p))
        return;
    static const char spec[] =
        "{'securityContext':{'fsGroup':2000,'fsGroupChangePolicy':'OnRootMismatch'},'volumes':["
        "{'name':'d','persistentVolumeClaim':{'claimName':'data'}},{'name':'own','ephemeral':"
        "{'volumeClaimTemplate':{}}}]}";
    const char *objects = arena_printf(&p.arena, claim_objects, "u1", "pv1", p.dir).at;
    CHECK_INT(make(&p, spec, objects), 0);
    str_t place = arena_printf(&p.arena, "%s/pv1", p.store);
    CHECK(str_eq(link_of(&p, "d"), place));
    CHECK_INT(mode_of(&p, "d"), 02777);
    CHECK_INT(meta_of(&p, "d").st_gid, 2000);
    CHECK(str_eq(link_of(&p, "own"), str_from_z(p.dir)));
    CHECK_INT(file_write(path_of(&p, "d/kept").at, 0600, STR("x"), &p.err), 0);

    /* The next pod finds what is there; its root is the group's already, so all is left alone. */
    CHECK_INT(volumes_clear(p.pod, &p.err), 0);
    CHECK_INT(make(&p, spec, objects), 0);
    CHECK_STR(content(&p, "d/kept"), "x");
    CHECK_INT(mode_of(&p, "d/kept"), 0600);
    CHECK_INT(volumes_clear(p.pod, &p.err), 0);
    static const char always[] = "{'securityContext':{'fsGroup':2000},'volumes':[{'name':'d',"
                                 "'persistentVolumeClaim':{'claimName':'data'}}]}";
    CHECK_INT(make(&p, always, objects), 0);
    CHECK_INT(mode_of(&p, "d/kept"), 0660);
    place_close(&p);
}

TEST(volume_of_a_claim_that_is_not_ready)
{
    struct place p;
    if (!place_open(&p))
        return;
    static const char spec[] =
        "{'volumes':[{'name':'d','persistentVolumeClaim':{'claimName':'data'}}]}";
    CHECK_INT(make(&p, spec, "{}"), ERR_NOT_FOUND);
    CHECK_STR(str_from_z(p.err.text),
              "error processing PVC shop/data: failed to fetch PVC from API server: "
              "persistentvolumeclaims \"data\" not found");
    CHECK_INT(make(&p, spec, "{'claims':{'data':{'status':{'phase':'Pending'}}}}"), ERR_NOT_FOUND);
    CHECK_STR(str_from_z(p.err.text), "error processing PVC shop/data: PVC is not bound");
    /* Somebody else's claim of that name, and a volume that is another's. */
    CHECK_INT(make(&p, "{'volumes':[{'name':'own','ephemeral':{'volumeClaimTemplate':{}}}]}",
                   arena_printf(&p.arena, claim_objects, "u2", "pv1", p.dir).at),
              ERR_NOT_FOUND);
    CHECK_INT(make(&p, spec,
                   "{'claims':{'data':{'metadata':{'uid':'c9'},'spec':{'volumeName':'v'},'status':"
                   "{'phase':'Bound'}}},'volumes':{'v':{'spec':{'hostPath':{'path':'/'},"
                   "'claimRef':{'uid':'c1'}}}}}"),
              ERR_NOT_FOUND);
    static const char *const handles[] = {"../x", "/etc", "a/b", "", ".", "..", ".x"};
    for (size_t i = 0; i < ARRAY_LEN(handles); i++)
        CHECK_INT(make(&p, spec, arena_printf(&p.arena, claim_objects, "u1", handles[i], p.dir).at),
                  ERR_INVALID);
    CHECK(access(p.store, F_OK) < 0);
    /* A place that is not in the store is never made. */
    CHECK_INT(make(&p, spec,
                   "{'claims':{'data':{'metadata':{'uid':'c1'},'spec':{'volumeName':'v'},'status':"
                   "{'phase':'Bound'}}},'volumes':{'v':{'metadata':{'name':'v'},'spec':{'local':"
                   "{'path':'/nowhere/v'},'claimRef':{'uid':'c1'}}}}}"),
              ERR_NOT_FOUND);
    CHECK_STR(str_from_z(p.err.text), "MountVolume.SetUp failed for volume \"v\" : path "
                                      "\"/nowhere/v\" does not exist");
    place_close(&p);
}

/* --- mounts --- */

static int mounts(struct place *p, const char *container, struct container_mount **at, size_t *n)
{
    struct variables env = {0};
    static const struct container_mount own[] = {{.target = STR("/etc/hosts"), .source = STR("/h")},
                                                 {.target = STR("/dev/shm"), .source = STR("/s")}};
    variables_set(&env, STR("POD"), STR("web-0"), &p->arena);
    struct volume_mounts_input in = {.pod = p->in.pod,
                                     .container = parse(p, container),
                                     .dir = p->pod,
                                     .env = &env,
                                     .own = own,
                                     .n_own = ARRAY_LEN(own)};
    *n = 0;
    p->err.text[0] = '\0';
    return volume_mounts(&in, &p->arena, at, n, &p->err);
}

TEST(mounts_of_a_container_outer_first)
{
    struct place p;
    struct container_mount *at;
    size_t n;
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p,
                   "{'volumes':[{'name':'c','configMap':{'name':'web'}},{'name':'e','emptyDir':{}},"
                   "{'name':'h','hostPath':{'path':'/usr'}}]}",
                   web_map),
              0);
    CHECK_INT(mounts(&p,
                     "{'name':'a','volumeMounts':[{'name':'e','mountPath':'/data/in/ner'},"
                     "{'name':'c','mountPath':'/etc/hosts','subPath':'a.conf'},"
                     "{'name':'h','mountPath':'data//in/','readOnly':true,"
                     "'recursiveReadOnly':'Enabled'},"
                     "{'name':'h','mountPath':'/h','mountPropagation':'HostToContainer'}]}",
                     &at, &n),
              0);
    CHECK_INT(n, 5);
    if (n != 5)
        return;
    CHECK_STR(at[0].target, "/h");
    CHECK_STR(at[0].source, "/usr");
    CHECK_STR(at[0].options, "rslave");
    CHECK(!at[0].read_only);
    CHECK_STR(at[1].target, "/etc/hosts");
    CHECK(at[1].read_only); /* Whatever is said, files of objects are. */
    CHECK_STR(at[2].target, "/data/in");
    CHECK(at[2].read_only);
    CHECK_STR(at[2].options, "rro");
    CHECK_STR(at[3].target, "/dev/shm");
    CHECK_STR(at[4].target, "/data/in/ner");
    CHECK(str_eq(at[4].source, path_of(&p, "e")));
    CHECK_INT(mounts(&p, "{'name':'a','volumeMounts':[{'name':'z','mountPath':'/z'}]}", &at, &n),
              ERR_INVALID);
    CHECK_STR(str_from_z(p.err.text), "cannot find volume \"z\" to mount into container \"a\"");
    place_close(&p);
}

TEST(mounts_of_a_sub_path_stay_in_the_volume)
{
    struct place p;
    struct container_mount *at;
    size_t n;
    static const char *const bad[] = {"out",   "out/passwd", "up",      "up/x",
                                      "../..", "dangling",   "abs/new", "loop"};
    if (!place_open(&p))
        return;
    CHECK_INT(make(&p,
                   "{'securityContext':{'fsGroup':2000},'volumes':[{'name':'e','emptyDir':{}}]}",
                   "{}"),
              0);
    CHECK(symlink("/etc", path_of(&p, "e/out").at) == 0);
    CHECK(symlink("../..", path_of(&p, "e/up").at) == 0);
    CHECK(symlink("not/there", path_of(&p, "e/dangling").at) == 0);
    CHECK(symlink("/tmp", path_of(&p, "e/abs").at) == 0);
    CHECK(symlink("loop", path_of(&p, "e/loop").at) == 0);
    CHECK(mkdir(path_of(&p, "e/v1").at, 0755) == 0);
    CHECK(symlink("v1", path_of(&p, "e/current").at) == 0);
    CHECK_INT(file_write(path_of(&p, "e/v1/f").at, 0644, STR("inside"), &p.err), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *container =
            arena_printf(&p.arena,
                         "{'name':'a','volumeMounts':[{'name':'e','mountPath':'/d','subPath':"
                         "'%s'}]}",
                         bad[i])
                .at;
        if (!test_check(mounts(&p, container, &at, &n) == ERR_INVALID, bad[i], __FILE__, __LINE__))
            return;
        CHECK(memmem(p.err.text, strlen(p.err.text), " for volumeMount \"e\" of container \"a\"",
                     37) != NULL);
    }
    CHECK_INT(mounts_below(p.dir), 0);

    static const char good[] =
        "{'name':'a','volumeMounts':[{'name':'e','mountPath':'/d','subPath':'current/f'},"
        "{'name':'e','mountPath':'/n','subPathExpr':'logs/$(POD)/x'}]}";
    for (int again = 0; again < 2; again++) { /* As when the container starts once more. */
        CHECK_INT(mounts(&p, good, &at, &n), 0);
        CHECK_INT(mounts_below(p.dir), 2);
    }
    /* What it is later does not matter any more. */
    str_t text = STR("");
    CHECK(unlink(path_of(&p, "e/current").at) == 0);
    CHECK(symlink("/etc", path_of(&p, "e/current").at) == 0);
    CHECK_INT(file_read(&p.arena, at[0].source.at, 100, &text, &p.err), 0);
    CHECK_STR(text, "inside");
    CHECK_INT(mode_of(&p, "e/logs/web-0/x"), 02777);
    CHECK_INT(meta_of(&p, "e/logs/web-0").st_gid, 2000);
    CHECK_INT(mounts(&p,
                     "{'name':'a','volumeMounts':[{'name':'e','mountPath':'/d','subPathExpr':"
                     "'$(NONE)'}]}",
                     &at, &n),
              ERR_INVALID);
    place_close(&p);
}

/* --- kill -9 --- */

/* Makes volumes in a child that is killed at its n-th system call. False: it had ended before. */
static bool dies_at(struct place *p, const char *spec, const char *objects, int n)
{
    int status;
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        _exit(make(p, spec, objects) == 0 ? 0 : 1);
    }
    MUST(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    for (int i = 0; i < n && WIFSTOPPED(status); i++) {
        MUST(ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0);
        MUST(waitpid(child, &status, 0) == child);
    }
    bool dies = WIFSTOPPED(status);
    if (dies) {
        MUST(kill(child, SIGKILL) == 0);
        MUST(waitpid(child, &status, 0) == child);
    }
    return dies;
}

TEST(volumes_are_whole_after_a_kill_at_any_call)
{
    static const char spec[] =
        "{'securityContext':{'fsGroup':2000},'volumes':[{'name':'c','configMap':{'name':'web'}},"
        "{'name':'e','emptyDir':{}},{'name':'m','emptyDir':{'medium':'Memory'}},{'name':'d',"
        "'persistentVolumeClaim':{'claimName':'data'}}]}";
    static const char changed[] = "{'configmaps':{'web':{'data':{'a.conf':'2','x':'3'}}},%s}";
    struct place p;
    int n = 0;
    if (!place_open(&p))
        return;
    const char *claims = arena_printf(&p.arena, claim_objects, "u1", "pv1", p.dir).at + 1;
    claims = arena_printf(&p.arena, "%.*s", (int)strlen(claims) - 1, claims).at;
    const char *first =
        arena_printf(&p.arena, "{'configmaps':{'web':{'data':{'a.conf':'1'}}},%s}", claims).at;
    const char *second = arena_printf(&p.arena, changed, claims).at;
    for (bool more = true; more; n++) { /* Made for the first time. */
        more = dies_at(&p, spec, first, n);
        CHECK_INT(make(&p, spec, first), 0);
        CHECK_STR(content(&p, "c/a.conf"), "1");
        CHECK(mode_of(&p, "e") == 02777 && mode_of(&p, "m") == 02777 && mode_of(&p, "d") == 02777);
        CHECK_INT(volumes_clear(p.pod, &p.err), 0);
        CHECK_INT(mounts_below(p.dir), 0);
    }
    CHECK(n > 100);
    n = 0;
    for (bool more = true; more; n++) { /* Changed while in use. */
        CHECK_INT(make(&p, spec, first), 0);
        more = dies_at(&p, spec, second, n);
        str_t text = content(&p, "c/a.conf"); /* The old or the new, never neither. */
        CHECK(str_eq(text, STR("1")) || str_eq(text, STR("2")));
        CHECK_INT(make(&p, spec, second), 0);
        CHECK_STR(content(&p, "c/x"), "3");
    }
    CHECK(n > 50);
    place_close(&p);
}

/* --- the way out of provisioned ones --- */

TEST(volumes_go_when_their_claims_are_gone)
{
    static const struct {
        const char *driver, *node, *phase, *policy, *finalizer;
        bool ending;
        enum volume_end end;
    } rows[] = {
        {"davy.dev/local", "n1", "Released", "Delete", CLEANUP, false, VOLUME_EMPTY},
        {"davy.dev/local", "n1", "Released", "Delete", "other", false, VOLUME_DELETE},
        {"davy.dev/local", "n1", "Released", "Delete", "other", true, VOLUME_STAYS},
        {"davy.dev/local", "n1", "Released", "Retain", CLEANUP, false, VOLUME_STAYS},
        {"davy.dev/local", "n1", "Released", "Retain", CLEANUP, true, VOLUME_LET_GO},
        {"davy.dev/local", "n1", "Bound", "Delete", CLEANUP, false, VOLUME_STAYS},
        {"davy.dev/local", "n1", "Bound", "Delete", CLEANUP, true, VOLUME_STAYS},
        {"davy.dev/local", "n1", "Available", "Delete", CLEANUP, false, VOLUME_STAYS},
        {"davy.dev/local", "n1", "Available", "Delete", CLEANUP, true, VOLUME_EMPTY},
        {"davy.dev/local", "n2", "Released", "Delete", CLEANUP, false, VOLUME_STAYS},
        {"example.com/x", "n1", "Released", "Delete", CLEANUP, true, VOLUME_STAYS},
    };
    struct place p = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *text =
            arena_printf(
                &p.arena,
                "{'metadata':{'finalizers':['%s']%s},'spec':{'csi':{'driver':'%s'},"
                "'persistentVolumeReclaimPolicy':'%s','nodeAffinity':{'required':{"
                "'nodeSelectorTerms':[{'matchExpressions':[{'key':'kubernetes.io/hostname',"
                "'values':['%s']}]}]}}},'status':{'phase':'%s'}}",
                rows[i].finalizer, rows[i].ending ? ",'deletionTimestamp':'x'" : "", rows[i].driver,
                rows[i].policy, rows[i].node, rows[i].phase)
                .at;
        if (!CHECK_INT(volume_end_of(parse(&p, text), STR("n1")), rows[i].end))
            printf("row %zu\n", i);
    }
    arena_done(&p.arena);
}
