/* program.c - finding crun or runc, and calling them. */
#include "base/file.h"
#include "runtime/runtime_priv.h"
#include "runtime/spawn.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VERSION_MS = 10000, VERSION_BYTES = 512, ARGS_MAX = 20 };

static const char *find_in_path(const char *name, struct arena *arena)
{
    static const char *const dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                       "/usr/bin",        "/sbin",          "/bin"};
    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0 ? name : NULL;
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        const char *path = arena_printf(arena, "%s/%s", dirs[i], name).at;
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

int program_find(const char *wanted, struct arena *arena, bool *crun, const char **path,
                 struct err *err)
{
    const char *found = find_in_path(wanted[0] != '\0' ? wanted : "crun", arena);
    if (found == NULL && wanted[0] == '\0')
        found = find_in_path("runc", arena);
    if (found == NULL)
        return err_set(err, ERR_NOT_FOUND, "no '%s' to run containers with; install crun",
                       wanted[0] != '\0' ? wanted : "crun' or 'runc");
    const char *slash = strrchr(found, '/');
    *crun = strstr(slash == NULL ? found : slash, "crun") != NULL;
    if (path != NULL)
        *path = found;
    return 0;
}

int program_version(const char *path, struct arena *arena, str_t *version, struct err *err)
{
    const char *const args[] = {path, "--version", NULL};
    struct spawn spawn = {.args = args};
    str_t output, name, rest;
    int status;
    int r = spawn_run(&spawn, VERSION_MS, VERSION_BYTES, arena, &output, &status, err);
    if (r < 0)
        return r;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_IO, "'%s --version' fails: " STR_F, path, STR_A(output));
    (void)str_cut(output, '\n', &output, &rest); /* "crun version 1.8.1" */
    (void)str_cut(output, ' ', &name, &rest);
    (void)str_cut(rest, ' ', &output, &rest);
    *version = arena_printf(arena, STR_F " " STR_F, STR_A(name), STR_A(rest));
    return 0;
}

int program_call(const struct runtime *runtime, const char *const *args, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *all[ARGS_MAX] = {runtime->program, "--root", runtime->root, "--log-format",
                                 "json",           "--log",  "/dev/stderr"};
    size_t n = 7;
    for (; *args != NULL && n < ARGS_MAX - 1; args++)
        all[n++] = *args;
    struct spawn spawn = {.args = all};
    str_t output;
    int status;
    int r = spawn_run(&spawn, PROGRAM_MS_MAX, WORDS_MAX, &arena, &output, &status, err);
    if (r < 0)
        return r;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    str_t words = runtime_words(output, output.len > 0 ? output : STR("no reason given"), &arena);
    return err_set(err, ERR_IO, STR_F, STR_A(words));
}
