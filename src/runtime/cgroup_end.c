/* cgroup_end.c - killing, removing, counting: what is done to groups that are there. */
#include "base/file.h"
#include "runtime/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

enum { DEPTH_MAX = 16, ROUNDS_MAX = 200, ROUND_MS = 5, STAT_BYTES_MAX = 64 * 1024 };

/* Calls for each directory below, deepest first, then for itself. Links are not followed. */
static void each_below(const char *path, int depth, struct arena *arena,
                       void (*visit)(const char *path, struct arena *arena, size_t *count),
                       size_t *count)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            each_below(arena_printf(arena, "%s/%s", path, entry->d_name).at, depth + 1, arena,
                       visit, count);
    if (dir != NULL)
        closedir(dir);
    visit(path, arena, count);
}

static void kill_in(const char *path, struct arena *arena, size_t *count)
{
    char pids[16 * 1024];
    int fd = open(arena_printf(arena, "%s/cgroup.procs", path).at, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, pids, sizeof(pids) - 1);
    if (fd >= 0)
        close(fd);
    pids[n > 0 ? n : 0] = '\0';
    char *end;
    for (char *at = pids; *at != '\0'; at = end + (*end == '\n')) {
        long pid = strtol(at, &end, 10);
        if (end == at || *end != '\n')
            return; /* Cut: the next round has it. */
        *count += 1;
        if (pid > 1)
            (void)kill((pid_t)pid, SIGKILL);
    }
}

static void remove_one(const char *path, struct arena *arena, size_t *count)
{
    if (rmdir(path) == 0 || errno == ENOENT)
        return;
    /* Where v2 was taken out of sight crun has written to a file of that name. */
    (void)unlink(arena_printf(arena, "%s/cgroup.procs", path).at);
    if (rmdir(path) < 0 && errno != ENOENT)
        *count += 1;
}

int group_kill(const struct cgroups *cgroups, str_t group, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *path = group_file(cgroups, "pids", group, "", &arena).at;
    if (!group_name_ok(group))
        return err_set(err, ERR_INVALID, "'" STR_F "' is no name of a group", STR_A(group));
    if (cgroups->v2) {
        int fd =
            open(group_file(cgroups, "", group, "cgroup.kill", &arena).at, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) { /* Linux 5.14 */
            (void)!write(fd, "1", 1);
            close(fd);
        }
    }
    /* Who forks while we look is found in the next round. */
    for (int i = 0; i < ROUNDS_MAX; i++) {
        size_t alive = 0;
        each_below(path, 0, &arena, kill_in, &alive);
        if (alive == 0)
            return 0;
        (void)poll(NULL, 0, ROUND_MS);
    }
    return err_set(err, ERR_BUSY, "processes in '%s' do not end", path);
}

/* One hierarchy, after everything in it was killed. */
static int remove_tree(const char *path, struct arena *arena, struct err *err)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        size_t left = 0;
        if (access(path, F_OK) < 0)
            return 0;
        each_below(path, 0, arena, remove_one, &left);
        if (left == 0)
            return 0;
        (void)poll(NULL, 0, ROUND_MS);
    }
    return err_set(err, ERR_BUSY, "the cgroup '%s' cannot be removed", path);
}

int group_remove(const struct cgroups *cgroups, str_t group, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    int r = group_kill(cgroups, group, err);
    if (r < 0 || cgroups->v2)
        return r < 0 ? r : remove_tree(group_file(cgroups, "", group, "", &arena).at, &arena, err);
    /* In every hierarchy, also those that only crun and runc use. */
    DIR *dir = opendir(CGROUPS);
    struct dirent *entry;
    while (r == 0 && dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            r = remove_tree(group_file(cgroups, entry->d_name, group, "", &arena).at, &arena, err);
    if (dir != NULL)
        closedir(dir);
    return r;
}

int group_list(const struct cgroups *cgroups, str_t group, struct arena *arena, struct texts *names,
               struct err *err)
{
    enum { NAMES_MAX = 100000 };
    if (!group_name_ok(group))
        return err_set(err, ERR_INVALID, "'" STR_F "' is no name of a group", STR_A(group));
    const char *path = group_file(cgroups, "memory", group, "", arena).at;
    DIR *dir = opendir(path);
    *names = (struct texts){0};
    if (dir == NULL)
        return 0;
    struct dirent *entry;
    size_t cap = 0, n = 0;
    str_t *at = NULL;
    while ((entry = readdir(dir)) != NULL && n < NAMES_MAX) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        if (n == cap) {
            str_t *more = arena_array(arena, str_t, cap = cap == 0 ? 16 : 2 * cap);
            if (n > 0)
                memcpy(more, at, n * sizeof(*at));
            at = more;
        }
        at[n++] = arena_str(arena, str_from_z(entry->d_name));
    }
    closedir(dir);
    *names = (struct texts){at, n};
    return 0;
}

/* --- counting --- */

static str_t read_file(str_t path, char *to, size_t max)
{
    int fd = open(path.at, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, to, max);
    if (fd >= 0)
        close(fd);
    return (str_t){to, n > 0 ? (size_t)n : 0};
}

/* The number behind `word` at the start of a line; `word` "" : the first number. */
static uint64_t number_of(str_t text, str_t word)
{
    while (text.len > 0) {
        str_t line, name, value;
        (void)str_cut(text, '\n', &line, &text);
        bool named = str_cut(line, ' ', &name, &value);
        int64_t number;
        if (word.len == 0 && str_to_i64(line, &number))
            return (uint64_t)number;
        if (named && str_eq(name, word) && str_to_i64(value, &number))
            return (uint64_t)number;
    }
    return 0;
}

int group_stats(const struct cgroups *cgroups, str_t group, struct group_stats *stats,
                struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    bool v2 = cgroups->v2;
    const struct {
        const char *controller, *file;
        str_t word;
    } rows[] = {
        {"cpuacct", v2 ? "cpu.stat" : "cpuacct.usage", v2 ? STR("usage_usec") : STR("")},
        {"memory", v2 ? "memory.current" : "memory.usage_in_bytes", STR("")},
        {"memory", "memory.stat", v2 ? STR("inactive_file") : STR("total_inactive_file")},
        {"pids", "pids.current", STR("")},
        {"memory", v2 ? "memory.events" : "memory.oom_control", STR("oom_kill")},
    };
    uint64_t numbers[ARRAY_LEN(rows)];
    char *text = arena_bytes(&arena, STAT_BYTES_MAX);
    if (!group_name_ok(group))
        return err_set(err, ERR_INVALID, "'" STR_F "' is no name of a group", STR_A(group));
    str_t own = group_file(cgroups, "cpuacct", group, "", &arena);
    if (access(own.at, F_OK) < 0)
        return err_set(err, ERR_NOT_FOUND, "no group '" STR_F "'", STR_A(group));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        str_t path = group_file(cgroups, rows[i].controller, group, rows[i].file, &arena);
        numbers[i] = number_of(read_file(path, text, STAT_BYTES_MAX), rows[i].word);
    }
    *stats = (struct group_stats){
        .cpu_usec = v2 ? numbers[0] : numbers[0] / 1000,
        .memory_used = numbers[1],
        .memory_bytes = numbers[1] > numbers[2] ? numbers[1] - numbers[2] : 0,
        .pids = numbers[3],
        .oom_kills = numbers[4],
    };
    return 0;
}
