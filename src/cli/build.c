/* build.c - buildah is run word for word, without a shell; what it prints is what people see. */
#include "cli/build.h"

#include "base/file.h"
#include "base/tree.h"
#include "cli/build_stages.h"
#include "cli/local.h"
#include "images/reference.h"
#include "supervise/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, WORDS_MAX = 256, LISTS_BYTES_MAX = 64 << 20, EXIT_NOT_FOUND = 127 };

extern char **environ;

const char build_usage[] =
    "[CONTEXT] [--file FILE] [--tag NAME] [--target STAGE] [--build-arg K=V]\n"
    "        [--secret id=ID,src=FILE] [--no-cache] [--network host|none] [--data DIR]";

struct words {
    const char *at[WORDS_MAX + 1];
    size_t n;
};

struct build {
    struct arena *arena;
    const char *data, *file, *tag, *target, *network, *context;
    struct words passed; /* As they are, to buildah. */
    const char *root, *temporary, *registries;
    str_t name;
};

static int fail(const struct err *err)
{
    fprintf(stderr, "davy: %s\n", err->text);
    return 1;
}

static void add(struct words *words, const char *word)
{
    MUST(words->n < WORDS_MAX);
    words->at[words->n++] = word;
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

static bool pass(struct build *b, char **argv, int *i)
{
    static const char *const repeated[] = {"--build-arg", "--secret", "--label"};
    const char *value;
    for (size_t at = 0; at < ARRAY_LEN(repeated); at++)
        if (b->passed.n + 2 < WORDS_MAX / 2 && option(argv, i, repeated[at], &value)) {
            add(&b->passed, repeated[at]);
            add(&b->passed, value);
            return true;
        }
    if (strcmp(argv[*i], "--no-cache") != 0 || b->passed.n + 1 >= WORDS_MAX / 2)
        return false;
    add(&b->passed, "--no-cache");
    return true;
}

static int read_arguments(struct build *b, char **argv)
{
    for (int i = 2; argv[i] != NULL; i++) {
        if (option(argv, &i, "--data", &b->data) || option(argv, &i, "--file", &b->file) ||
            option(argv, &i, "-f", &b->file) || option(argv, &i, "--tag", &b->tag) ||
            option(argv, &i, "-t", &b->tag) || option(argv, &i, "--target", &b->target) ||
            option(argv, &i, "--network", &b->network) || pass(b, argv, &i))
            continue;
        if ((argv[i][0] == '-' && argv[i][1] != '\0') || b->context != NULL) {
            fprintf(stderr, "davy: '%s' is not understood; davy build %s\n", argv[i], build_usage);
            return EXIT_USAGE;
        }
        b->context = argv[i];
    }
    if (b->context == NULL)
        b->context = ".";
    if (b->file == NULL)
        b->file = arena_printf(b->arena, "%s/Dockerfile", b->context).at;
    return 0;
}

/* --- buildah --- */

/* Its exit code; 127 if it is not there. Its output is ours, or nobody's. */
static int run(const struct words *words, bool quiet)
{
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status = 0;
    MUST(posix_spawn_file_actions_init(&files) == 0);
    if (quiet)
        MUST(posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ==
             0);
    int r = posix_spawnp(&pid, words->at[0], &files, NULL, (char *const *)words->at, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    if (r != 0)
        return EXIT_NOT_FOUND;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static struct words buildah(const struct build *b)
{
    struct words words = {0};
    static const char *const driver[] = {"--storage-driver", "overlay"};
    add(&words, "buildah");
    add(&words, "--root");
    add(&words, b->root);
    add(&words, "--runroot");
    add(&words, arena_printf(b->arena, "%s/state", b->temporary).at);
    add(&words, driver[0]);
    add(&words, driver[1]);
    add(&words, "--registries-conf");
    add(&words, b->registries);
    return words;
}

static bool has_runc(void)
{
    return access("/usr/sbin/runc", X_OK) == 0 || access("/usr/bin/runc", X_OK) == 0;
}

/* crun cannot make containers where cgroups are of both versions; without runc it is a chroot. */
static int build_target(const struct build *b, const char *target, const char *iidfile, bool quiet)
{
    struct words words = buildah(b);
    add(&words, "build");
    add(&words, "--layers");
    add(&words, "--force-rm");
    add(&words, "--format");
    add(&words, "docker"); /* The other one has no HEALTHCHECK. */
    add(&words, "--isolation");
    add(&words, has_runc() ? "oci" : "chroot");
    if (has_runc()) {
        add(&words, "--runtime");
        add(&words, "runc");
    }
    add(&words, "--network");
    add(&words, b->network != NULL ? b->network : "host");
    add(&words, "--iidfile");
    add(&words, iidfile);
    add(&words, "--file");
    add(&words, b->file);
    if (target != NULL) {
        add(&words, "--target");
        add(&words, target);
    }
    if (quiet)
        add(&words, "--quiet");
    for (size_t i = 0; i < b->passed.n; i++)
        if (!quiet || strcmp(b->passed.at[i], "--no-cache") != 0)
            add(&words, b->passed.at[i]);
    add(&words, b->context);
    return run(&words, quiet);
}

/* --- where it works --- */

/* The node's registry has all its images under their whole names. */
static int write_registries(struct build *b, struct err *err)
{
    AUTO(buf_done) struct buf out = {0};
    struct json *ends;
    str_t text;
    const char *path = arena_printf(b->arena, "%s/run/endpoints.json", b->data).at;
    if (file_read(b->arena, path, DOCKERFILE_BYTES_MAX, &text, err) < 0 ||
        json_parse(text, b->arena, &ends, err) < 0)
        return err_wrap(err, "no davy is running with '%s'", b->data);
    buf_add(&out, STR("unqualified-search-registries = [\"docker.io\"]\n"
                      "short-name-mode = \"permissive\"\n"));
    str_t url = json_get_text(ends, STR("registry"));
    if (str_starts(url, STR("http://"))) {
        str_t at = {url.at + 7, url.len - 7};
        buf_printf(&out,
                   "[[registry]]\nlocation = \"docker.io\"\n"
                   "[[registry.mirror]]\nlocation = \"" STR_F "/docker.io\"\ninsecure = true\n"
                   "[[registry]]\nlocation = \"" STR_F "\"\ninsecure = true\n",
                   STR_A(at), STR_A(at));
        str_t host, port;
        if (str_cut(at, ':', &host, &port))
            buf_printf(&out, "[[registry]]\nlocation = \"localhost:" STR_F "\"\ninsecure = true\n",
                       STR_A(port));
    }
    b->registries = arena_printf(b->arena, "%s/registries.conf", b->temporary).at;
    return file_write(b->registries, 0600, buf_str(&out), err);
}

/* What buildah mounts is seen by nobody else, and gone with us however we end; so is its list. */
static int leave(struct err *err)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        return err_errno(err, "have mounts of our own");
    return 0;
}

static int make_places(struct build *b, struct err *err)
{
    struct reference reference;
    char *path = (char *)arena_printf(b->arena, "%s/run/build-XXXXXX", b->data).at;
    b->root = arena_printf(b->arena, "%s/build", b->data).at;
    if (geteuid() != 0)
        return err_set(err, ERR_FORBIDDEN, "building images needs root");
    if (b->tag != NULL) {
        if (reference_parse(str_from_z(b->tag), &reference, err) < 0)
            return err_wrap(err, "--tag %s", b->tag);
        b->name = reference_name(&reference, b->arena);
    }
    if (leave(err) < 0)
        return err->code;
    if (mkdir(b->root, 0700) < 0 && errno != EEXIST)
        return err_errno(err, "make '%s'", b->root);
    if (mkdtemp(path) == NULL)
        return err_errno(err, "make '%s'", path);
    b->temporary = path;
    return write_registries(b, err);
}

/* --- sizes --- */

static int read_list(const struct build *b, const char *name, struct json **out, struct err *err)
{
    str_t text;
    const char *path = arena_printf(b->arena, "%s/overlay-%s/%s.json", b->root, name, name).at;
    if (file_read(b->arena, path, LISTS_BYTES_MAX, &text, err) < 0)
        return err->code;
    return json_parse(text, b->arena, out, err);
}

static bool size_of(const struct build *b, const char *iidfile, int64_t *bytes)
{
    struct json *images = NULL, *layers = NULL;
    struct err ignored;
    str_t id;
    if (read_list(b, "images", &images, &ignored) < 0 ||
        read_list(b, "layers", &layers, &ignored) < 0 ||
        file_read(b->arena, iidfile, DIGEST_BYTES, &id, &ignored) < 0)
        return false;
    if (str_starts(id, STR("sha256:")))
        id = (str_t){id.at + 7, id.len - 7};
    return build_size(images, layers, id, bytes);
}

static void print_stage(const char *name, int64_t bytes)
{
    printf("  %-20s %8.1f MB\n", name, (double)bytes / 1e6);
}

/* Stages below the last are in the cache: to build each by itself costs a look at it. */
static void print_sizes(const struct build *b, const char *iidfile)
{
    struct build_stage stages[BUILD_STAGES_MAX];
    struct err ignored;
    str_t text;
    int64_t before = 0, after, bytes;
    if (!size_of(b, iidfile, &after) ||
        file_read(b->arena, b->file, DOCKERFILE_BYTES_MAX, &text, &ignored) < 0)
        return;
    size_t n = build_stages(text, b->arena, stages);
    printf("stages:\n");
    for (size_t i = 0; i + 1 < n; i++) {
        const char *own = arena_printf(b->arena, "%s/stage-%zu", b->temporary, i).at;
        const char *number = arena_printf(b->arena, "%zu", i).at;
        str_t name = stages[i].name;
        const char *target = name.len > 0 ? arena_printf(b->arena, STR_F, STR_A(name)).at : number;
        if (b->target != NULL && strcmp(b->target, target) == 0)
            break;
        if (build_target(b, target, own, true) != 0 || !size_of(b, own, &bytes))
            continue;
        print_stage(target, bytes);
        before = bytes > before ? bytes : before;
    }
    print_stage(b->target != NULL ? b->target : "(last)", after);
    if (before > after)
        printf("before %.1f MB, after %.1f MB: %.1f %% less\n", (double)before / 1e6,
               (double)after / 1e6, 100.0 * (double)(before - after) / (double)before);
    else
        printf("%.1f MB\n", (double)after / 1e6);
}

/* --- into the store --- */

static int land(struct build *b, const char *iidfile, struct err *err)
{
    str_t id;
    const char *path = arena_printf(b->arena, "%s/image.tar", b->temporary).at;
    if (file_read(b->arena, iidfile, DIGEST_BYTES, &id, err) < 0)
        return err->code;
    struct words words = buildah(b);
    add(&words, "push");
    add(&words, "--quiet");
    add(&words, arena_printf(b->arena, STR_F, STR_A(id)).at);
    add(&words, arena_printf(b->arena, "docker-archive:%s%s" STR_F, path,
                             b->name.len > 0 ? ":" : "", STR_A(b->name))
                    .at);
    if (run(&words, true) != 0)
        return err_set(err, ERR_IO, "buildah could not write the image");
    str_t escaped = local_escape(str_from_z(path), b->arena);
    struct local_question question = {
        .dir = str_from_z(b->data),
        .socket = "run/node.sock",
        .method = STR("POST"),
        .target = arena_printf(b->arena, "/images/import?path=" STR_F, STR_A(escaped))};
    if (local_ask(&question, b->arena, err) < 0)
        return err->code;
    if (question.status != 200)
        return err_set(err, ERR_IO, STR_F,
                       STR_A(json_text(json_get(question.json, STR("error")),
                                       STR("the node did not take the image"))));
    JSON_EACH(json_get(question.json, STR("images")), image)
    printf("built " STR_F "\n", STR_A(json_get_text(image, STR("name"))));
    return 0;
}

static int build(struct build *b)
{
    struct err err;
    if (make_places(b, &err) < 0)
        return fail(&err);
    const char *iidfile = arena_printf(b->arena, "%s/id", b->temporary).at;
    int code = build_target(b, b->target, iidfile, false);
    if (code == EXIT_NOT_FOUND) {
        fprintf(stderr, "davy: buildah is not installed: apt-get install buildah\n");
        return 1;
    }
    if (code != 0) {
        fprintf(stderr, "davy: buildah could not build the image\n");
        return 1;
    }
    (void)fflush(stdout);
    if (land(b, iidfile, &err) < 0)
        return fail(&err);
    print_sizes(b, iidfile);
    return 0;
}

int build_command(char **argv, struct arena *arena)
{
    struct build b = {.arena = arena, .data = getenv("DAVY_DATA")};
    char data[PATH_MAX];
    struct err ignored;
    if (b.data == NULL)
        b.data = DEFAULT_DATA;
    int code = read_arguments(&b, argv);
    if (code != 0)
        return code;
    if (realpath(b.data, data) != NULL)
        b.data = data;
    code = build(&b);
    if (b.temporary != NULL)
        (void)tree_remove(AT_FDCWD, b.temporary, &ignored);
    return code;
}
