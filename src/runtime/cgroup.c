/* cgroup.c - which kind there is, where our root is, and one group's files. */
#include "runtime/cgroup.h"

#include "base/file.h"
#include "runtime/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"
#define SCOPE "/davy.slice/davy-pods.scope"

enum { FILE_BYTES_MAX = 1 << 20 };

/* What v1 needs made here; crun and runc make the rest when a container comes. */
static const char *const controllers_v1[] = {"memory", "cpu", "cpuacct", "pids", "cpuset"};

bool group_name_ok(str_t group)
{
    if (group.len == 0 || group.len > GROUP_NAME_MAX)
        return false;
    bool more = true;
    while (more) {
        str_t part;
        more = str_cut(group, '/', &part, &group);
        if (part.len == 0 || part.len > 255 || part.at[0] == '.')
            return false;
        for (size_t i = 0; i < part.len; i++) {
            char c = part.at[i];
            bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
            if (!ok)
                return false;
        }
    }
    return true;
}

uint64_t group_weight(uint64_t shares)
{
    shares = shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
    return 1 + (shares - 2) * 9999 / 262142;
}

uint64_t group_quota_usec(uint64_t cpu_millis)
{
    uint64_t quota = cpu_millis * GROUP_PERIOD_USEC / 1000;
    return quota < 1000 ? 1000 : quota;
}

str_t group_file(const struct cgroups *cgroups, const char *controller, str_t group,
                 const char *file, struct arena *arena)
{
    const char *slash = cgroups->v2 ? "" : "/", *tree = cgroups->v2 ? "" : controller;
    return arena_printf(arena, CGROUPS "%s%s%s%s" STR_F "%s%s", slash, tree, cgroups->root,
                        group.len > 0 ? "/" : "", STR_A(group), file[0] != '\0' ? "/" : "", file);
}

static int put(str_t path, str_t text, struct err *err)
{
    int fd = open(path.at, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, text.at, text.len);
    int r = n < 0 ? err_errno(err, "write '" STR_F "' to '%s'", STR_A(text), path.at) : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

/* --- opening --- */

static bool has_file(const char *path)
{
    return access(path, F_OK) == 0;
}

/* The keeper moves into the scope's leaf and then hands controllers down: that is when it is made.
 */
static int scope_open(const char *shim, struct err *err)
{
    const char *const args[] = {"/usr/bin/systemd-run",
                                "--quiet",
                                "--collect",
                                "--scope",
                                "--unit=davy-pods",
                                "--slice=davy.slice",
                                "-p",
                                "Delegate=yes",
                                "--",
                                shim,
                                "keeper",
                                NULL};
    struct spawn spawn = {.args = args};
    pid_t pid;
    if (has_file(CGROUPS SCOPE "/keeper"))
        return 0;
    int r = spawn_start(&spawn, &pid, err);
    for (int i = 0; r == 0 && i < 500; i++) {
        if (has_file(CGROUPS SCOPE "/keeper"))
            return 0;
        (void)spawn_wait(pid, 10);
    }
    return r < 0 ? r : err_set(err, ERR_TIMEOUT, "systemd made no scope for pods");
}

/* Along the path every group hands down what the next one needs. */
static void hand_down(const struct cgroups *cgroups, str_t group, struct arena *arena)
{
    static const char *const wanted[] = {"+cpu", "+memory", "+pids", "+io", "+cpuset"};
    str_t path = group_file(cgroups, "", group, "cgroup.subtree_control", arena);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        (void)put(path, str_from_z(wanted[i]),
                  &(struct err){0}); /* What fails shows where it is used. */
}

int cgroups_open(struct cgroups *cgroups, const char *root, const char *shim, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct statfs fs;
    if (statfs(CGROUPS, &fs) < 0)
        return err_errno(err, "look at " CGROUPS);
    *cgroups = (struct cgroups){.v2 = fs.f_type == CGROUP2_SUPER_MAGIC};
    bool scope = root[0] == '\0' && cgroups->v2 && has_file("/run/systemd/system");
    int r = scope ? scope_open(shim, err) : 0;
    if (r < 0)
        return r;
    (void)snprintf(cgroups->root, sizeof(cgroups->root), "%s",
                   root[0] != '\0' ? root
                   : scope         ? SCOPE
                                   : "/davy");
    if (cgroups->v2 && !scope)
        put(STR(CGROUPS "/cgroup.subtree_control"), STR("+cpu +memory +pids"), &(struct err){0});
    r = group_make(cgroups, STR("other"), NULL, err);
    const char *swap = cgroups->v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
    cgroups->swap = has_file(group_file(cgroups, "memory", STR("other"), swap, &arena).at);
    return r;
}

/* --- making --- */

/* A cpuset of v1 takes nobody in before it has processors and memory: those of the one above. */
static void cpuset_fill(const struct cgroups *cgroups, str_t group, struct arena *arena)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    size_t end = group.len;
    while (end > 0 && group.at[end - 1] != '/')
        end--;
    str_t above = {group.at, end > 0 ? end - 1 : 0};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        str_t own = STR("");
        str_t path = group_file(cgroups, "cpuset", group, files[i], arena);
        char text[256];
        int fd = open(path.at, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
        if (fd >= 0)
            close(fd);
        own.len = n > 0 ? (size_t)n : 0;
        if (own.len > 1)
            continue;
        fd = open(group_file(cgroups, "cpuset", above, files[i], arena).at, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text));
        if (fd >= 0)
            close(fd);
        str_t from = {text, n > 0 ? (size_t)n : 0};
        if (from.len > 0)
            (void)put(path, from, &(struct err){0});
    }
}

static int make_one(const struct cgroups *cgroups, const char *controller, str_t group,
                    struct arena *arena, struct err *err)
{
    str_t path = group_file(cgroups, controller, group, "", arena);
    if (mkdir(path.at, 0755) < 0 && errno != EEXIST)
        return err_errno(err, "make the cgroup '%s'", path.at);
    if (strcmp(controller, "cpuset") == 0 && !cgroups->v2)
        cpuset_fill(cgroups, group, arena);
    return 0;
}

/* The root and each part of the name, from above. */
static int make_path(const struct cgroups *cgroups, const char *controller, str_t group,
                     struct arena *arena, struct err *err)
{
    int r = make_one(cgroups, controller, STR(""), arena, err);
    for (size_t i = 1; i <= group.len && r == 0; i++) {
        if (i < group.len && group.at[i] != '/')
            continue;
        if (cgroups->v2) {
            size_t above = i;
            while (above > 0 && group.at[above - 1] != '/')
                above--;
            hand_down(cgroups, (str_t){group.at, above > 0 ? above - 1 : 0}, arena);
        }
        r = make_one(cgroups, controller, (str_t){group.at, i}, arena, err);
    }
    return r;
}

static int limits_v1(const struct cgroups *cgroups, str_t group,
                     const struct container_resources *want, struct arena *arena, struct err *err)
{
    const struct {
        const char *controller, *file;
        str_t text;
    } rows[] = {
        {"memory", "memory.limit_in_bytes",
         want->memory_bytes == 0
             ? STR("-1")
             : arena_printf(arena, "%llu", (unsigned long long)want->memory_bytes)},
        {"cpu", "cpu.cfs_quota_us",
         want->cpu_millis == 0
             ? STR("-1")
             : arena_printf(arena, "%llu", (unsigned long long)group_quota_usec(want->cpu_millis))},
        {"cpu", "cpu.shares",
         arena_printf(arena, "%llu",
                      (unsigned long long)(want->cpu_shares == 0 ? 1024 : want->cpu_shares))},
        {"pids", "pids.max",
         want->pids == 0 ? STR("max")
                         : arena_printf(arena, "%llu", (unsigned long long)want->pids)},
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++)
        r = put(group_file(cgroups, rows[i].controller, group, rows[i].file, arena), rows[i].text,
                err);
    return r;
}

static int limits_v2(const struct cgroups *cgroups, str_t group,
                     const struct container_resources *want, struct arena *arena, struct err *err)
{
    const struct {
        const char *file;
        bool wanted;
        str_t text;
    } rows[] = {
        {"memory.max", want->memory_bytes > 0,
         arena_printf(arena, "%llu", (unsigned long long)want->memory_bytes)},
        {"cpu.max", want->cpu_millis > 0,
         arena_printf(arena, "%llu %d", (unsigned long long)group_quota_usec(want->cpu_millis),
                      GROUP_PERIOD_USEC)},
        {"cpu.weight", want->cpu_shares > 0,
         arena_printf(arena, "%llu", (unsigned long long)group_weight(want->cpu_shares))},
        {"pids.max", want->pids > 0, arena_printf(arena, "%llu", (unsigned long long)want->pids)},
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++) {
        str_t path = group_file(cgroups, "", group, rows[i].file, arena);
        if (!rows[i].wanted && !has_file(path.at))
            continue;
        str_t none = strcmp(rows[i].file, "cpu.weight") == 0 ? STR("100") : STR("max");
        r = put(path, rows[i].wanted ? rows[i].text : none, err);
    }
    return r;
}

int group_make(const struct cgroups *cgroups, str_t group,
               const struct container_resources *resources, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    if (!group_name_ok(group))
        return err_set(err, ERR_INVALID, "'" STR_F "' is no name of a group", STR_A(group));
    int r = 0;
    size_t n = cgroups->v2 ? 1 : ARRAY_LEN(controllers_v1);
    for (size_t i = 0; i < n && r == 0; i++)
        r = make_path(cgroups, controllers_v1[i], group, &arena, err);
    if (r < 0 || resources == NULL)
        return r;
    return cgroups->v2 ? limits_v2(cgroups, group, resources, &arena, err)
                       : limits_v1(cgroups, group, resources, &arena, err);
}
