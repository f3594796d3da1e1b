/* main.c - the `davy` command: a table of words, and what each does. */
#include "api/audit.h"
#include "base/file.h"
#include "cli/build.h"
#include "cli/image.h"
#include "cli/program.h"
#include "kube/meta.h"
#include "node/node.h"
#include "store/store.h"
#include "supervise/home.h"
#include "supervise/roles.h"
#include "supervise/settings.h"
#include "supervise/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, PURGE_WAIT_MS = 50 };

struct options {
    str_t dir; /* Absolute. */
    const char *listen, *roles, *role, *binary, *token_file, *audit_policy, *node_name, *output;
    const char *pod_cidr, *bridge, *api_door, *registry_port, *image_gc;
    unsigned image_gc_percent;
    bool ports_auto;
    const char *words[4]; /* What is no option. */
    size_t n_words;
    char **argv;
    struct arena *arena;
};

struct command {
    const char *name;
    const char *usage;
    const char *help;
    int (*run)(const struct options *options);
};

static int fail(const struct err *err)
{
    fprintf(stderr, "davy: %s\n", err->text);
    return 1;
}

/* --- commands --- */

static bool listed(const char *const *list, str_t word)
{
    for (; *list != NULL; list++)
        if (str_eq(word, str_from_z(*list)))
            return true;
    return false;
}

static bool names(const char *roles, str_t wanted)
{
    str_t rest = str_from_z(roles), role;
    while (rest.len > 0) {
        str_cut(rest, ',', &role, &rest);
        if (str_eq(role, wanted))
            return true;
    }
    return false;
}

static int check_roles(const char *roles, struct err *err)
{
    str_t rest = str_from_z(roles), role;
    while (rest.len > 0) {
        str_cut(rest, ',', &role, &rest);
        if (listed(roles_later, role))
            return err_set(err, ERR_INVALID,
                           "role '" STR_F "' is not in this build; built: control, node",
                           STR_A(role));
        if (!listed(roles_built, role))
            return err_set(err, ERR_INVALID, "there is no role '" STR_F "'; built: control, node",
                           STR_A(role));
    }
    return 0;
}

/* Which of them `davy serve` starts. */
static int choose_roles(const struct options *o, enum node_wish *node, struct err *err)
{
    int r = o->roles == NULL ? 0 : check_roles(o->roles, err);
    *node = o->roles == NULL ? NODE_IF_ROOT : names(o->roles, STR("node")) ? NODE_ON : NODE_OFF;
    if (r == 0 && o->roles != NULL && !names(o->roles, STR("control")))
        return err_set(err, ERR_INVALID, "--roles=%s: 'control' has to be among them", o->roles);
    if (r == 0 && *node == NODE_ON && geteuid() != 0)
        return err_set(err, ERR_FORBIDDEN,
                       "--roles=%s: the role 'node' makes containers, for which it must be root",
                       o->roles);
    return r;
}

/* As kubelet does: what the machine calls itself, in small letters. */
static int check_node_name(const char **name, struct arena *arena, struct err *err)
{
    char host[HOST_NAME_MAX + 1] = "";
    if (*name == NULL) {
        if (gethostname(host, sizeof(host) - 1) < 0)
            return err_errno(err, "ask for the machine's name");
        for (char *at = host; *at != '\0'; at++)
            if (*at >= 'A' && *at <= 'Z')
                *at = (char)(*at - 'A' + 'a');
        *name = arena_printf(arena, "%s", host).at;
    }
    if (!is_dns_subdomain(str_from_z(*name)))
        return err_set(err, ERR_INVALID, "'%s' cannot be a node's name; --node-name gives another",
                       *name);
    return 0;
}

/* We are a child of `davy serve`. */
static int run_role(const struct options *o, const char *node_name)
{
    struct err err;
    struct stat door;
    if (check_roles(o->role, &err) < 0)
        return fail(&err);
    if (fstat(FD_LOCAL, &door) < 0 || !S_ISSOCK(door.st_mode)) {
        (void)err_set(&err, ERR_INVALID,
                      "a role is started by 'davy serve', which hands it its sockets; "
                      "--roles=%s picks it",
                      o->role);
        return fail(&err);
    }
    struct role_settings settings = {.dir = o->dir,
                                     .arena = o->arena,
                                     .node_name = node_name,
                                     .pod_cidr = o->pod_cidr,
                                     .bridge = o->bridge,
                                     .api_door = o->api_door,
                                     .image_gc_percent = o->image_gc_percent,
                                     .token_file = o->token_file,
                                     .audit_policy = o->audit_policy};
    return strcmp(o->role, "node") == 0 ? node_run(&settings) : control_run(&settings);
}

/* -1: nobody has named one. */
static int read_port(const char *text, int *port, struct err *err)
{
    int64_t number = -1;
    if (text != NULL && (!str_to_i64(str_from_z(text), &number) || number > UINT16_MAX))
        return err_set(err, ERR_INVALID, "--registry-port=%s: a port is 1 to 65535; 0 is none",
                       text);
    *port = (int)number;
    return 0;
}

static int run_serve(const struct options *o)
{
    struct err err;
    const char *node_name = o->node_name;
    enum node_wish node;
    int registry_port;
    if (check_node_name(&node_name, o->arena, &err) < 0)
        return fail(&err);
    if (o->role != NULL)
        return run_role(o, node_name);
    if (choose_roles(o, &node, &err) < 0 || read_port(o->registry_port, &registry_port, &err) < 0)
        return fail(&err);
    struct supervisor_settings settings = {.dir = o->dir,
                                           .node = node,
                                           .node_name = node_name,
                                           .pod_cidr = o->pod_cidr,
                                           .bridge = o->bridge,
                                           .ports_auto = o->ports_auto,
                                           .registry_port = registry_port,
                                           .image_gc_percent = o->image_gc_percent,
                                           .listen = o->listen,
                                           .argv = o->argv,
                                           .token_file = o->token_file,
                                           .audit_policy = o->audit_policy,
                                           .arena = o->arena};
    return supervisor_run(&settings);
}

static int ask(const struct options *o, str_t command, bool expect_ok)
{
    struct err err;
    str_t answer;
    if (supervisor_ask(o->dir, command, o->arena, &answer, &err) < 0)
        return fail(&err);
    bool ok = !expect_ok || str_eq(answer, STR("ok\n"));
    if (!expect_ok || !ok)
        fprintf(ok ? stdout : stderr, "%s" STR_F, ok ? "" : "davy: ", STR_A(answer));
    return ok && answer.len > 0 ? 0 : 1;
}

static int run_status(const struct options *o)
{
    return ask(o, STR("status"), false);
}

static int run_stop(const struct options *o)
{
    return ask(o, STR("stop"), true);
}

static int run_upgrade(const struct options *o)
{
    char path[PATH_MAX];
    const char *binary = o->binary != NULL ? o->binary : "/proc/self/exe";
    struct err err;
    if (realpath(binary, path) == NULL) {
        err_errno(&err, "find '%s'", binary);
        return fail(&err);
    }
    if (program_check(path, &err) < 0)
        return fail(&err);
    return ask(o, arena_printf(o->arena, "upgrade %s", path), true);
}

static int lock_store(const char *store, struct err *err)
{
    char path[PATH_MAX + 8];
    (void)snprintf(path, sizeof(path), "%s/lock", store);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(err, "open '%s'", path);
    bool free_ = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return free_ ? 0 : err_set(err, ERR_BUSY, "a davy uses this state; stop it first");
}

/* What is there is moved aside, not removed. */
static int restore(const struct options *o, const char *file, struct err *err)
{
    struct home home = {o->dir, o->arena};
    const char *store = home_path(&home, "store");
    struct clock *clock = system_clock();
    int r = home_make(&home, err);
    if (r == 0)
        r = lock_store(store, err);
    if (r < 0)
        return r;
    const char *old = arena_printf(o->arena, "%s.before-restore-%lld", store,
                                   (long long)(clock->wall_ms(clock) / 1000))
                          .at;
    if (rename(store, old) < 0 || mkdir(store, 0700) < 0)
        return err_errno(err, "move '%s' aside", store);
    r = store_restore(str_from_z(file), str_from_z(store), err);
    if (r < 0)
        return err_wrap(err, "restore (the state of before is in '%s')", old);
    (void)rmdir(old); /* Only if there was nothing in it. */
    return 0;
}

static int run_backup(const struct options *o)
{
    struct err err;
    struct home home = {o->dir, o->arena};
    const char *word = o->n_words > 0 ? o->words[0] : "";
    int r;
    if (o->n_words != 2 || (strcmp(word, "create") != 0 && strcmp(word, "restore") != 0)) {
        fprintf(stderr, "davy: usage: davy backup create|restore FILE [--data DIR]\n");
        return EXIT_USAGE;
    }
    if (strcmp(word, "create") == 0)
        r = store_copy(str_from_z(home_path(&home, "store")), str_from_z(o->words[1]), &err);
    else
        r = restore(o, o->words[1], &err);
    return r < 0 ? fail(&err) : 0;
}

static int run_image(const struct options *o)
{
    return image_command(o->dir, o->words, o->n_words, o->output, o->arena);
}

static int run_build(const struct options *o)
{
    return build_command(o->argv, o->arena);
}

static int run_purge(const struct options *o)
{
    struct err err;
    struct home home = {o->dir, o->arena};
    int r = lock_store(home_path(&home, "store"), &err);
    for (int i = 0; r == ERR_BUSY && i < STOP_MS / PURGE_WAIT_MS; i++) { /* One that is ending. */
        (void)poll(NULL, 0, PURGE_WAIT_MS);
        r = lock_store(home_path(&home, "store"), &err);
    }
    if (r == 0)
        r = node_purge(o->dir.at, o->pod_cidr, o->bridge, &err);
    return r < 0 ? fail(&err) : 0;
}

static int run_keys(const struct options *o)
{
    struct err err;
    struct home home = {o->dir, o->arena};
    if (o->n_words != 1 || strcmp(o->words[0], "rotate") != 0) {
        fprintf(stderr, "davy: usage: davy keys rotate [--data DIR]\n");
        return EXIT_USAGE;
    }
    return store_rotate_key(str_from_z(home_path(&home, "store")), &err) < 0 ? fail(&err) : 0;
}

static int run_audit(const struct options *o)
{
    struct err err;
    struct home home = {o->dir, o->arena};
    size_t lines;
    if (o->n_words != 1 || strcmp(o->words[0], "verify") != 0) {
        fprintf(stderr, "davy: usage: davy audit verify [--data DIR]\n");
        return EXIT_USAGE;
    }
    if (audit_verify(str_from_z(home_path(&home, "audit")), &lines, &err) < 0)
        return fail(&err);
    printf("%zu lines, each as it was written\n", lines);
    return 0;
}

static int run_kubeconfig(const struct options *o)
{
    struct home home = {o->dir, o->arena};
    struct err err;
    str_t text;
    if (home_read(&home, "run/admin.kubeconfig", &text, &err) < 0)
        return fail(&err);
    fwrite(text.at, 1, text.len, stdout);
    return 0;
}

static int run_config(const struct options *o)
{
    AUTO(buf_done) struct buf out = {0};
    (void)o;
    settings_print(&out);
    fwrite(out.at, 1, out.len, stdout);
    return 0;
}

static int run_version(const struct options *o)
{
    (void)o;
    printf("davy " DAVY_VERSION "\n");
    return 0;
}

static int run_help(const struct options *o);

/* clang-format off */
static const struct command commands[] = {
    {"serve", "[--data DIR] [--ports auto] [--listen ADDRESS] [--roles=control,node]\n"
     "        [--node-name NAME] [--pod-cidr 10.88.0.0/16] [--bridge davy0]\n"
     "        [--registry-port PORT] [--image-gc-threshold PERCENT]\n"
     "        [--token-auth-file FILE] [--audit-policy-file FILE]",
     "run Davy", run_serve},
    {"status", "[--data DIR]",
     "is it ready, and where are its doors", run_status},
    {"stop", "[--data DIR]",
     "end it cleanly", run_stop},
    {"upgrade", "[--data DIR] [--binary PATH]",
     "go on with another binary, sockets kept", run_upgrade},
    {"image", image_usage,
     "images of this machine, to and from files", run_image},
    {"build", build_usage,
     "an image of a Dockerfile, by buildah", run_build},
    {"purge", "[--data DIR] [--pod-cidr 10.88.0.0/16] [--bridge davy0]",
     "end the containers that a Davy which was stopped has left running", run_purge},
    {"backup", "create|restore FILE [--data DIR]",
     "the whole state to or from one file", run_backup},
    {"keys", "rotate [--data DIR]",
     "a new key for what is encrypted at rest; stop Davy first", run_keys},
    {"audit", "verify [--data DIR]",
     "was the record of who did what changed", run_audit},
    {"kubeconfig", "[--data DIR]",
     "print the administrator's kubeconfig", run_kubeconfig},
    {"config", "",
     "print ports, paths and limits", run_config},
    {"version", "",
     "print the version", run_version},
    {"help", "",
     "print this", run_help},
};
/* clang-format on */

static int run_help(const struct options *o)
{
    (void)o;
    printf("usage: davy COMMAND\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        printf("  %s %s\n        %s\n", commands[i].name, commands[i].usage, commands[i].help);
    return 0;
}

/* --- arguments --- */

/* "--name=value" or "--name value". */
static bool option(char **argv, int *i, const char *name, const char **value)
{
    size_t len = strlen(name);
    if (strncmp(argv[*i], name, len) != 0)
        return false;
    if (argv[*i][len] == '=') {
        *value = argv[*i] + len + 1;
        return true;
    }
    if (argv[*i][len] != '\0' || argv[*i + 1] == NULL)
        return false;
    *value = argv[++*i];
    return true;
}

static int bad_usage(const char *word)
{
    fprintf(stderr, "davy: '%s' is not understood; see 'davy help'\n", word);
    return EXIT_USAGE;
}

static int parse(int argc, char **argv, struct options *o)
{
    const char *data = getenv("DAVY_DATA"), *ports = NULL;
    o->listen = DEFAULT_HOST;
    o->pod_cidr = DEFAULT_POD_CIDR;
    o->bridge = DEFAULT_BRIDGE;
    for (int i = 2; i < argc; i++) {
        if (option(argv, &i, "--data", &data) || option(argv, &i, "--ports", &ports) ||
            option(argv, &i, "--listen", &o->listen) || option(argv, &i, "--roles", &o->roles) ||
            option(argv, &i, "--role", &o->role) ||
            option(argv, &i, "--node-name", &o->node_name) ||
            option(argv, &i, "--pod-cidr", &o->pod_cidr) ||
            option(argv, &i, "--bridge", &o->bridge) ||
            option(argv, &i, "--api-door", &o->api_door) ||
            option(argv, &i, "--registry-port", &o->registry_port) ||
            option(argv, &i, "--image-gc-threshold", &o->image_gc) ||
            option(argv, &i, "--token-auth-file", &o->token_file) ||
            option(argv, &i, "--audit-policy-file", &o->audit_policy) ||
            option(argv, &i, "--binary", &o->binary) || option(argv, &i, "--output", &o->output) ||
            option(argv, &i, "-o", &o->output))
            continue;
        if ((argv[i][0] == '-' && argv[i][1] != '\0') || o->n_words == ARRAY_LEN(o->words))
            return bad_usage(argv[i]);
        o->words[o->n_words++] = argv[i];
    }
    int64_t percent = IMAGE_GC_PERCENT;
    if (o->image_gc != NULL &&
        (!str_to_i64(str_from_z(o->image_gc), &percent) || percent < 1 || percent > 100))
        return bad_usage(o->image_gc);
    o->image_gc_percent = (unsigned)percent;
    if (ports != NULL && strcmp(ports, "auto") != 0 && strcmp(ports, "default") != 0)
        return bad_usage(ports);
    o->ports_auto = ports != NULL && strcmp(ports, "auto") == 0;
    if (data == NULL)
        data = DEFAULT_DATA;
    char cwd[PATH_MAX];
    if (data[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
        o->dir = str_from_z(data);
    else
        o->dir = arena_printf(o->arena, "%s/%s", cwd, data);
    return 0;
}

int main(int argc, char **argv)
{
    AUTO(arena_done) struct arena arena = {0};
    struct options options = {.arena = &arena, .argv = argv};
    const char *word = argc > 1 ? argv[1] : "help";
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(word, commands[i].name) != 0)
            continue;
        bool own = commands[i].run == run_build; /* Its options may be there many times. */
        int code = own ? 0 : parse(argc, argv, &options);
        return code != 0 ? code : commands[i].run(&options);
    }
    return bad_usage(word);
}
