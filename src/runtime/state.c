/* state.c - reading and writing the files of state.h; what is not as expected counts as not there.
 */
#include "runtime/state.h"

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "runtime/cgroup.h"
#include "runtime/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024 };

bool container_id_ok(str_t id)
{
    return id.len <= CONTAINER_ID_MAX && group_name_ok(id) && memchr(id.at, '/', id.len) == NULL &&
           id.at[0] != '-' && id.at[0] != '_';
}

const char *state_path(const char *dir, str_t id, const char *file, struct arena *arena)
{
    return arena_printf(arena, "%s/" STR_F "%s%s", dir, STR_A(id), file[0] != '\0' ? "/" : "", file)
        .at;
}

int state_make(const char *dir, const struct container_spec *spec, str_t group, int *lock,
               struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    struct json *meta = json_object(&arena);
    if (mkdir(state_path(dir, spec->id, "", &arena), 0700) < 0) {
        if (errno == EEXIST)
            return err_set(err, ERR_EXISTS, "container '" STR_F "' is there already",
                           STR_A(spec->id));
        return err_errno(err, "make the directory of '" STR_F "'", STR_A(spec->id));
    }
    int fd = open(state_path(dir, spec->id, "lock", &arena), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (fd >= 0)
            close(fd);
        return err_errno(err, "lock container '" STR_F "'", STR_A(spec->id));
    }
    json_add(meta, STR("label"), json_string(&arena, spec->label));
    json_add(meta, STR("group"), json_string(&arena, group));
    json_write(meta, &text);
    const char *path = state_path(dir, spec->id, "meta.json", &arena);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = file < 0 ? -1 : write(file, text.at, text.len);
    if (file >= 0)
        close(file);
    if (n < 0) {
        close(fd);
        return err_errno(err, "write '%s'", path);
    }
    *lock = fd;
    return 0;
}

int state_meta(const char *dir, str_t id, struct arena *arena, str_t *label, str_t *group,
               struct err *err)
{
    str_t text;
    struct json *meta = NULL;
    *label = *group = STR("");
    if (access(state_path(dir, id, "", arena), F_OK) < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no container '" STR_F "'", STR_A(id));
    if (file_read(arena, state_path(dir, id, "meta.json", arena), FILE_BYTES_MAX, &text,
                  &(struct err){0}) == 0)
        (void)json_parse(text, arena, &meta, &(struct err){0});
    *label = json_get_text(meta, STR("label"));
    *group = json_get_text(meta, STR("group"));
    return 0;
}

bool state_is_locked(const char *dir, str_t id)
{
    AUTO(arena_done) struct arena arena = {0};
    int fd = open(state_path(dir, id, "lock", &arena), O_RDWR | O_CLOEXEC);
    bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
    if (fd >= 0)
        close(fd);
    return locked;
}

static bool read_small(const char *path, struct arena *arena, str_t *text)
{
    enum { SMALL = 4096 };
    int fd = open(path, O_RDONLY | O_CLOEXEC); /* Files of /proc have no size. */
    char *at = arena_bytes(arena, SMALL);
    ssize_t n = fd < 0 ? -1 : read(fd, at, SMALL);
    if (fd >= 0)
        close(fd);
    *text = (str_t){at, n > 0 ? (size_t)n : 0};
    return n > 0;
}

static bool number_of(str_t text, uint64_t *number)
{
    int64_t value;
    bool ok = str_to_i64(text, &value) && value >= 0;
    *number = ok ? (uint64_t)value : 0;
    return ok;
}

bool state_identity(const char *dir, str_t id, const char *file, struct identity *identity)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text, boot, pid, start, of_boot;
    uint64_t number;
    *identity = (struct identity){0};
    if (!read_small(state_path(dir, id, file, &arena), &arena, &text) ||
        !read_small("/proc/sys/kernel/random/boot_id", &arena, &boot) ||
        !str_cut(text, ' ', &pid, &text) || !str_cut(text, ' ', &start, &of_boot) ||
        !number_of(pid, &number) || !number_of(start, &identity->start))
        return false;
    identity->pid = (pid_t)number;
    identity->this_boot = str_starts(of_boot, boot) || str_starts(boot, of_boot);
    return number > 0;
}

/* When a process was started: field 22 of its stat, of which the name may hold blanks. */
static uint64_t start_of(pid_t pid)
{
    enum { FIELDS_BEFORE = 19 };
    AUTO(arena_done) struct arena arena = {0};
    str_t text;
    uint64_t start = 0;
    if (!read_small(arena_printf(&arena, "/proc/%d/stat", (int)pid).at, &arena, &text))
        return 0;
    const char *end = memrchr(text.at, ')', text.len);
    if (end == NULL || end + 2 >= text.at + text.len)
        return 0;
    text = (str_t){end + 2, (size_t)(text.at + text.len - end - 2)};
    for (int i = 0; i < FIELDS_BEFORE; i++) {
        str_t field;
        (void)str_cut(text, ' ', &field, &text);
    }
    (void)str_cut(text, ' ', &text, &(str_t){0});
    return number_of(text, &start) ? start : 0;
}

int identity_open(const struct identity *identity)
{
    if (identity->pid <= 0 || !identity->this_boot)
        return -1;
    int fd = pidfd_of(identity->pid);
    if (fd >= 0 && start_of(identity->pid) != identity->start) {
        close(fd);
        return -1;
    }
    return fd;
}

bool state_exit(const char *dir, str_t id, struct container_exit *exit)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text;
    struct json *json;
    int64_t code, number;
    *exit = (struct container_exit){0};
    if (!read_small(state_path(dir, id, "exit.json", &arena), &arena, &text) ||
        json_parse(text, &arena, &json, &(struct err){0}) < 0 ||
        !json_to_i64(json_get(json, STR("status")), &code) ||
        !json_to_i64(json_get(json, STR("signal")), &number))
        return false;
    exit->code = (int)code;
    exit->signal = (int)number;
    exit->oom = json_is_true(json_get(json, STR("oom")));
    (void)time_parse(json_get_text(json, STR("startedAt")), &exit->started_at_ms);
    return time_parse(json_get_text(json, STR("finishedAt")), &exit->finished_at_ms);
}

int64_t state_started_ms(const char *dir, str_t id)
{
    AUTO(arena_done) struct arena arena = {0};
    struct stat st;
    if (stat(state_path(dir, id, "started", &arena), &st) < 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

bool state_waits(const char *dir, str_t id)
{
    AUTO(arena_done) struct arena arena = {0};
    return access(arena_printf(&arena, "%s/.oci/" STR_F "/exec.fifo", dir, STR_A(id)).at, F_OK) ==
           0;
}

/* Of a directory of ours: files, and directories of files at most `depth` deep. */
static int remove_below(const char *path, int depth, struct arena *arena, struct err *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int r = 0;
    if (dir == NULL)
        return errno == ENOENT ? 0 : err_errno(err, "remove '%s'", path);
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        const char *child = arena_printf(arena, "%s/%s", path, entry->d_name).at;
        if (entry->d_type == DT_DIR && depth > 0)
            r = remove_below(child, depth - 1, arena, err);
        else if (unlink(child) < 0 && errno != ENOENT)
            r = err_errno(err, "remove '%s'", child);
    }
    closedir(dir);
    if (r == 0 && rmdir(path) < 0 && errno != ENOENT)
        r = err_errno(err, "remove '%s'", path);
    return r;
}

int state_remove(const char *dir, str_t id, struct err *err)
{
    enum { DEPTH = 2 };
    AUTO(arena_done) struct arena arena = {0};
    const char *oci = arena_printf(&arena, "%s/.oci/" STR_F, dir, STR_A(id)).at;
    int r = remove_below(oci, DEPTH, &arena, err);
    /* `meta.json` goes with the rest: what is left of a removal cut short is still removable. */
    return r < 0 ? r : remove_below(state_path(dir, id, "", &arena), DEPTH, &arena, err);
}

str_t runtime_words(str_t lines, str_t otherwise, struct arena *arena)
{
    str_t words = otherwise;
    while (lines.len > 0) {
        str_t line;
        struct json *json;
        (void)str_cut(lines, '\n', &line, &lines);
        if (json_parse(line, arena, &json, &(struct err){0}) == 0 &&
            !str_eq(json_get_text(json, STR("level")), STR("warning")) &&
            json_get_text(json, STR("msg")).len > 0)
            words = json_get_text(json, STR("msg"));
    }
    return words;
}
