/* make_test.c - what the runtime is asked for, from pods and images. */
#include "node/make.h"
#include "runtime/caps.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(json_parse(str_from_z(text), arena, &json, &err) == 0);
    return json;
}

/* An image's root with two files; the test removes it. */
struct root {
    char dir[32];
};

static void put(const struct root *root, const char *name, const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/%s", root->dir, name);
    FILE *file = fopen(path, "w");
    MUST(file != NULL && fputs(text, file) >= 0);
    MUST(fclose(file) == 0);
}

static void root_new(struct root *root)
{
    *root = (struct root){"/tmp/davy-root-XXXXXX"};
    char etc[64];
    MUST(mkdtemp(root->dir) != NULL);
    (void)snprintf(etc, sizeof(etc), "%s/etc", root->dir);
    MUST(mkdir(etc, 0755) == 0);
    put(root, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n::\napp:x:1001:1002::/home/app:\n");
    put(root, "etc/group", "root:x:0:\nwww:x:33:app\nlog:x:44:other,app\nnot:x:45:ap\n");
}

static void root_done(const struct root *root)
{
    static const char *const all[] = {"etc/passwd", "etc/group", "etc", ""};
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root->dir, all[i]);
        CHECK(remove(path) == 0);
    }
}

static int make(const char *pod, const char *container, const char *image, const struct root *root,
                struct arena *arena, struct container_spec *out, struct err *err)
{
    struct variables *env = arena_new(arena, struct variables);
    variables_set(env, STR("A"), STR("1"), arena);
    struct make_input in = {.pod = parse(pod, arena),
                            .container = parse(container, arena),
                            .image = parse(image, arena),
                            .id = STR("x"),
                            .rootfs = str_from_z(root->dir),
                            .env = env,
                            .hostname = STR("web-1"),
                            .memory_bytes = 1 << 30,
                            .net = STR("/run/net"),
                            .seccomp_dir = STR("/s")};
    return make_container(&in, arena, out, err);
}

static str_t joined(const struct texts *texts, struct arena *arena)
{
    str_t all = STR("");
    for (size_t i = 0; i < texts->n; i++)
        all = arena_printf(arena, STR_F "%s" STR_F, STR_A(all), i > 0 ? " " : "",
                           STR_A(texts->at[i]));
    return all;
}

#define IMAGE "{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\"],\"User\":\"app\",\"WorkingDir\":\"/w\"}"

TEST(make_commands)
{
    AUTO(arena_done) struct arena arena = {0};
    struct root root;
    struct container_spec spec;
    struct err err;
    root_new(&root);
    CHECK_INT(make("{}", "{}", IMAGE, &root, &arena, &spec, &err), 0);
    CHECK_STR(joined(&spec.args, &arena), "/e c");
    CHECK_STR(spec.cwd, "/w");
    CHECK_INT(make("{}", "{\"args\":[\"$(A)\"]}", IMAGE, &root, &arena, &spec, &err), 0);
    CHECK_STR(joined(&spec.args, &arena), "/e 1");
    CHECK_INT(make("{}", "{\"command\":[\"x\"],\"workingDir\":\"/o\"}", IMAGE, &root, &arena, &spec,
                   &err),
              0);
    CHECK_STR(joined(&spec.args, &arena), "x");
    CHECK_STR(spec.cwd, "/o");
    CHECK_STR(joined(&spec.env, &arena),
              "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOSTNAME=web-1 "
              "HOME=/home/app A=1");
    CHECK_INT(make("{}", "{}", "{}", &root, &arena, &spec, &err), ERR_INVALID);
    root_done(&root);
}

TEST(make_users)
{
    AUTO(arena_done) struct arena arena = {0};
    struct root root;
    struct container_spec spec;
    struct err err;
    root_new(&root);
    CHECK_INT(make("{\"spec\":{\"securityContext\":{\"fsGroup\":7,\"supplementalGroups\":[33,9]}}}",
                   "{}", IMAGE, &root, &arena, &spec, &err),
              0);
    CHECK(spec.uid == 1001 && spec.gid == 1002 && spec.n_groups == 4);
    CHECK(spec.groups[0] == 33 && spec.groups[1] == 44 && spec.groups[2] == 9);
    CHECK(spec.groups[3] == 7);
    CHECK_INT(make("{\"spec\":{\"securityContext\":{\"runAsUser\":5,\"runAsGroup\":6}}}",
                   "{\"securityContext\":{\"runAsUser\":8}}", IMAGE, &root, &arena, &spec, &err),
              0);
    CHECK(spec.uid == 8 && spec.gid == 6);
    CHECK_INT(make("{}", "{}", "{\"Cmd\":[\"c\"],\"User\":\"ghost\"}", &root, &arena, &spec, &err),
              ERR_NOT_FOUND);
    CHECK_STR(str_from_z(err.text),
              "unable to find user ghost: no matching entries in passwd file");
    CHECK_INT(
        make("{}", "{}", "{\"Cmd\":[\"c\"],\"User\":\"1001:www\"}", &root, &arena, &spec, &err), 0);
    CHECK(spec.uid == 1001 && spec.gid == 33 && spec.n_groups == 0);
    root_done(&root);
}

TEST(make_refuses_root_when_told)
{
    AUTO(arena_done) struct arena arena = {0};
    struct root root;
    struct container_spec spec;
    struct err err;
    root_new(&root);
    const char *pod = "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"uid\":\"u\"},\"spec\":{"
                      "\"securityContext\":{\"runAsNonRoot\":true}}}";
    CHECK_INT(make(pod, "{\"name\":\"c\"}", "{\"Cmd\":[\"c\"]}", &root, &arena, &spec, &err),
              ERR_INVALID);
    CHECK_STR(str_from_z(err.text), "container has runAsNonRoot and image will run as root (pod: "
                                    "\"p_n(u)\", container: c)");
    CHECK_INT(make(pod, "{\"name\":\"c\"}", IMAGE, &root, &arena, &spec, &err), ERR_INVALID);
    CHECK_STR(str_from_z(err.text),
              "container has runAsNonRoot and image has non-numeric user (app), cannot verify user "
              "is non-root (pod: \"p_n(u)\", container: c)");
    CHECK_INT(
        make(pod, "{\"securityContext\":{\"runAsUser\":3}}", IMAGE, &root, &arena, &spec, &err), 0);
    root_done(&root);
}

TEST(make_capabilities_and_filters)
{
    AUTO(arena_done) struct arena arena = {0};
    struct root root;
    struct container_spec spec;
    struct err err;
    root_new(&root);
    CHECK_INT(make("{}", "{}", IMAGE, &root, &arena, &spec, &err), 0);
    CHECK(spec.caps == CAPS_DEFAULT && spec.seccomp == SECCOMP_DEFAULT && spec.new_privileges);
    CHECK(spec.namespaces[NS_NET].mode == NS_PATH && spec.namespaces[NS_PID].mode == NS_NEW);
    CHECK_INT(
        make("{\"spec\":{\"hostNetwork\":true}}",
             "{\"securityContext\":{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"NET_ADMIN\""
             "]},\"allowPrivilegeEscalation\":false,\"readOnlyRootFilesystem\":true,"
             "\"seccompProfile\":{\"type\":\"Localhost\",\"localhostProfile\":\"a/b.json\"}}}",
             IMAGE, &root, &arena, &spec, &err),
        0);
    CHECK(spec.caps == caps_bit(STR("NET_ADMIN")) && !spec.new_privileges);
    CHECK(spec.rootfs_read_only && spec.namespaces[NS_NET].mode == NS_HOST);
    CHECK_STR(spec.seccomp_file, "/s/a/b.json");
    CHECK_INT(make("{}",
                   "{\"securityContext\":{\"seccompProfile\":{\"type\":\"Localhost\","
                   "\"localhostProfile\":\"../b.json\"}}}",
                   IMAGE, &root, &arena, &spec, &err),
              ERR_INVALID);
    root_done(&root);
}

TEST(make_limits)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct json *pod = parse(
        "{\"status\":{\"qosClass\":\"Burstable\"},\"spec\":{\"initContainers\":[{\"resources\":{"
        "\"limits\":{\"cpu\":\"2\",\"memory\":\"1Mi\"}}}],\"containers\":[{\"resources\":{"
        "\"limits\":{\"cpu\":\"500m\",\"memory\":\"64Mi\"},\"requests\":{\"cpu\":\"250m\","
        "\"memory\":\"256Mi\"}}},{\"resources\":{\"limits\":{\"cpu\":\"1\"}}}]}}",
        &arena);
    struct container_resources sum = make_pod_resources(pod);
    CHECK_INT(sum.cpu_millis, 2000);
    CHECK_INT(sum.memory_bytes, 0);
    CHECK_INT(sum.cpu_shares, 2048);
    const struct json *first = json_first(json_at(pod, "spec.containers"));
    CHECK_INT(make_oom_score(pod, first, (uint64_t)1 << 30), 750);
    CHECK_INT(make_amount(first, "limits", "memory"), (int64_t)64 * 1024 * 1024 * 1000);
    CHECK_INT(make_oom_score(parse("{\"status\":{\"qosClass\":\"Guaranteed\"}}", &arena), first, 1),
              -997);
}
