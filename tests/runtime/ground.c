/* ground.c - the fixture, and the counting of what must not be left. */
#include "tests/runtime/ground.h"

#include "base/buf.h"
#include "base/file.h"
#include "runtime/wire.h"
#include "testkit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/davy-test"

static char dir[64]; /* The one directory of this process, with the pinned namespace. */

/* On a machine with systemd: as the daemon does, below a scope that is made for pods. */
static bool in_scope(void)
{
    const char *cgroups = getenv("CGROUPS");
    return cgroups != NULL && strcmp(cgroups, "scope") == 0;
}

static const char *root_name(void)
{
    static char name[64]; /* Children that a test forks have the same. */
    if (in_scope())
        return "/davy.slice/davy-pods.scope";
    if (name[0] == '\0')
        snprintf(name, sizeof(name), ROOT "-%d", (int)getpid());
    return name;
}

static bool enter(void)
{
    struct err err;
    const char *program = getenv("PROGRAM");
    if (dir[0] != '\0')
        return true;
    if (geteuid() != 0 || getenv("SHIM") == NULL || access("/bin/busybox", X_OK) < 0 ||
        unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    const char *cgroups = getenv("CGROUPS");
    if (cgroups != NULL && strcmp(cgroups, "v2") == 0 &&
        (umount2("/sys/fs/cgroup", MNT_DETACH) < 0 ||
         mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0))
        return false;
    snprintf(dir, sizeof(dir), "/tmp/davy-runtime-XXXXXX");
    if (mkdtemp(dir) == NULL || mount("tmpfs", dir, "tmpfs", 0, "mode=755") < 0)
        return false;
    char state[96];
    snprintf(state, sizeof(state), "%s/state", dir);
    if (!CHECK_INT(runtime_enter(state, program == NULL ? "" : program, &err), 0))
        printf("%s\n", err.text);
    return true;
}

static void make_rootfs(const char *path)
{
    static const char *const dirs[] = {"",     "/bin", "/proc", "/sys", "/dev",
                                       "/tmp", "/etc", "/run",  "/vol"};
    static const char *const names[] = {
        "sh",   "cat",  "echo", "sleep", "true",  "false", "id",   "yes",   "tail",    "kill",
        "stty", "grep", "ls",   "dd",    "mount", "ps",    "head", "touch", "unshare", "hostname"};
    char at[256];
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        snprintf(at, sizeof(at), "%s%s", path, dirs[i]);
        (void)mkdir(at, 0755);
    }
    snprintf(at, sizeof(at), "cp /bin/busybox %s/bin/busybox", path);
    CHECK_INT(system(at), 0); /* NOLINT */
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(at, sizeof(at), "%s/bin/%s", path, names[i]);
        (void)symlink("busybox", at);
    }
}

static void on_exit_of(void *self, str_t id, const struct container_exit *exit)
{
    struct ground *ground = self;
    struct ended *ended = &ground->ended[ground->n_ended++ % ARRAY_LEN(ground->ended)];
    memset(ended, 0, sizeof(*ended));
    memcpy(ended->id, id.at, id.len);
    ended->exit = *exit;
}

bool ground_has_limits(void)
{
    struct stat st;
    char controllers[256] = {0};
    if (stat("/sys/fs/cgroup/cgroup.controllers", &st) < 0)
        return true; /* v1 */
    int fd = open("/sys/fs/cgroup/cgroup.controllers", O_RDONLY | O_CLOEXEC);
    (void)!read(fd, controllers, sizeof(controllers) - 1);
    close(fd);
    return strstr(controllers, "memory") != NULL;
}

static bool open_runtime(struct ground *ground)
{
    const char *program = getenv("PROGRAM");
    struct runtime_settings settings = {
        .loop = ground->loop,
        .pool = ground->pool,
        .dir = ground->state,
        .shim = getenv("SHIM"),
        .program = program == NULL ? "" : program,
        .cgroup_root = in_scope() ? "" : root_name(),
        .seccomp_file = "",
        .exited = on_exit_of,
        .self = ground,
    };
    int r = runtime_open(&settings, &ground->runtime, &ground->err);
    if (r < 0)
        printf("%s: %s\n", r == ERR_NOT_FOUND ? "skipped" : "runtime_open", ground->err.text);
    return r == 0;
}

bool ground_open(struct ground *ground)
{
    *ground = (struct ground){0};
    if (!enter()) {
        printf("skipped: needs root and busybox-static\n");
        return false;
    }
    memcpy(ground->dir, dir, sizeof(dir));
    snprintf(ground->state, sizeof(ground->state), "%s/state", dir);
    snprintf(ground->rootfs, sizeof(ground->rootfs), "%s/rootfs", dir);
    snprintf(ground->log, sizeof(ground->log), "%s/0.log", dir);
    if (access(ground->rootfs, F_OK) < 0)
        make_rootfs(ground->rootfs);
    CHECK_INT(loop_new(system_clock(), &ground->loop, &ground->err), 0);
    CHECK_INT(pool_new(ground->loop, 4, &ground->pool, &ground->err), 0);
    return CHECK(open_runtime(ground));
}

void ground_reopen(struct ground *ground)
{
    runtime_close(ground->runtime);
    CHECK(open_runtime(ground));
}

/* --- counting --- */

static size_t count_lines(const char *path, const char *with)
{
    char line[4096];
    size_t n = 0;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        n += strstr(line, with) != NULL;
    if (file != NULL)
        fclose(file);
    return n;
}

static size_t count_processes(const char *with)
{
    size_t n = 0;
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        char path[300], words[4096];
        snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        int fd = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? open(path, O_RDONLY) : -1;
        ssize_t got = fd < 0 ? 0 : read(fd, words, sizeof(words));
        if (fd >= 0)
            close(fd);
        n += got > 0 && memmem(words, (size_t)got, with, strlen(with)) != NULL;
    }
    if (proc != NULL)
        closedir(proc);
    return n;
}

static size_t count_entries(const char *path)
{
    size_t n = 0;
    DIR *at = opendir(path);
    struct dirent *entry;
    while (at != NULL && (entry = readdir(at)) != NULL)
        n += entry->d_name[0] != '.';
    if (at != NULL)
        closedir(at);
    return n;
}

/* Directories below ROOT-PID/NAME of all hierarchies. */
static size_t count_groups(void)
{
    static const char *const names[] = {"other", "pods"};
    size_t n = 0;
    bool v2 = access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0;
    DIR *all = opendir("/sys/fs/cgroup");
    struct dirent *entry, *below;
    while (all != NULL && (entry = readdir(all)) != NULL)
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            char path[600];
            if (v2 && strncmp(entry->d_name, root_name() + 1, strlen(entry->d_name)) != 0)
                continue;
            snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/%s", v2 ? "" : entry->d_name,
                     root_name(), names[i]);
            DIR *dir_of = entry->d_name[0] == '.' ? NULL : opendir(path);
            while (dir_of != NULL && (below = readdir(dir_of)) != NULL)
                n += below->d_type == DT_DIR && below->d_name[0] != '.' && below->d_name[0] != '_';
            if (dir_of != NULL)
                closedir(dir_of);
        }
    if (all != NULL)
        closedir(all);
    return n;
}

size_t ground_count(const struct ground *ground, const char *what)
{
    char oci[128];
    snprintf(oci, sizeof(oci), "%s/.oci", ground->state);
    if (strcmp(what, "mounts") == 0)
        return count_lines("/proc/self/mountinfo", ground->rootfs);
    if (strcmp(what, "processes") == 0)
        return count_processes(ground->state);
    if (strcmp(what, "groups") == 0)
        return count_groups();
    return count_entries(ground->state) + count_entries(oci);
}

void ground_close(struct ground *ground)
{
    static const char *const what[] = {"mounts", "processes", "groups", "files"};
    for (int turn = 0; turn < 400 && ground_count(ground, "processes") > 0; turn++)
        (void)loop_turn(ground->loop, 5, &ground->err);
    for (size_t i = 0; i < ARRAY_LEN(what); i++)
        if (!CHECK_INT((int64_t)ground_count(ground, what[i]), 0))
            printf("left: %s\n", what[i]);
    (void)runtime_group_remove(ground->runtime, STR("other"), &ground->err);
    (void)runtime_group_remove(ground->runtime, STR("pods"), &ground->err);
    runtime_close(ground->runtime);
    pool_free(ground->pool);
    loop_free(ground->loop);
    char path[400];
    snprintf(path, sizeof(path), "/sys/fs/cgroup%s", root_name());
    (void)rmdir(path); /* v2 */
    DIR *all = opendir("/sys/fs/cgroup");
    struct dirent *entry;
    while (all != NULL && (entry = readdir(all)) != NULL) {
        snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s", entry->d_name, root_name());
        (void)rmdir(path);
    }
    if (all != NULL)
        closedir(all);
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof(path), i == 0 ? "%s" : "%s.%d", ground->log, i);
        (void)unlink(path);
    }
}

__attribute__((destructor)) static void leave(void)
{
    char state[96];
    struct err err;
    if (dir[0] == '\0')
        return;
    snprintf(state, sizeof(state), "%s/state", dir);
    (void)runtime_leave(state, &err);
    (void)umount2(dir, MNT_DETACH);
    (void)rmdir(dir);
}

/* --- verbs --- */

struct container_spec ground_spec(const struct ground *ground, const char *id, struct texts args)
{
    static const str_t env[] = {STR("PATH=/bin"), STR("GREETING=hello")};
    return (struct container_spec){
        .id = str_from_z(id),
        .label = STR("of a test"),
        .rootfs = str_from_z(ground->rootfs),
        .args = args,
        .env = {env, ARRAY_LEN(env)},
        .hostname = STR("box"),
        .caps = 0x800405fb,
        .seccomp = SECCOMP_DEFAULT,
        .log = str_from_z(ground->log),
        .oom_score_adj = 500,
    };
}

static bool told;

static void call_told(struct runtime_call *call)
{
    (void)call;
    told = true;
}

static int wait_for(struct ground *ground, struct runtime_call *call)
{
    while (!told)
        (void)loop_turn(ground->loop, 1000, &ground->err);
    if (call->r < 0)
        ground->err = call->err;
    if (call->r == ERR_BUSY || call->r == ERR_INTERNAL)
        printf("%s\n", call->err.text);
    return call->r;
}

int ground_create(struct ground *ground, const struct container_spec *spec)
{
    struct runtime_call call;
    told = false;
    runtime_create(ground->runtime, &call, spec, call_told);
    return wait_for(ground, &call);
}

int ground_start(struct ground *ground, const char *id)
{
    struct runtime_call call;
    told = false;
    runtime_start(ground->runtime, &call, str_from_z(id), call_told);
    return wait_for(ground, &call);
}

int ground_delete(struct ground *ground, const char *id)
{
    struct runtime_call call;
    told = false;
    runtime_delete(ground->runtime, &call, str_from_z(id), call_told);
    return wait_for(ground, &call);
}

int ground_exec(struct ground *ground, const char *id, const struct exec_spec *exec, int *fd)
{
    struct runtime_call call;
    told = false;
    runtime_exec(ground->runtime, &call, str_from_z(id), exec, call_told);
    int r = wait_for(ground, &call);
    *fd = call.fd;
    return r;
}

static void run_told(struct runtime_run *run)
{
    (void)run;
    told = true;
}

int ground_run(struct ground *ground, const char *id, const struct exec_spec *exec, msec_t limit,
               struct runtime_run *run)
{
    told = false;
    runtime_run(ground->runtime, run, str_from_z(id), exec, limit, run_told);
    while (!told)
        (void)loop_turn(ground->loop, 1000, &ground->err);
    return run->r;
}

bool ground_up(struct ground *ground, const struct container_spec *spec)
{
    char id[CONTAINER_ID_MAX + 1] = {0};
    memcpy(id, spec->id.at, spec->id.len);
    bool ok = CHECK_INT(ground_create(ground, spec), 0) && CHECK_INT(ground_start(ground, id), 0);
    if (!ok)
        printf("%s\n", ground->err.text);
    return ok;
}

const struct container_exit *ground_exit(struct ground *ground, const char *id)
{
    for (;;) {
        for (size_t i = ground->n_ended; i > 0; i--) {
            struct ended *ended = &ground->ended[(i - 1) % ARRAY_LEN(ground->ended)];
            if (strcmp(ended->id, id) == 0)
                return &ended->exit;
        }
        (void)loop_turn(ground->loop, 1000, &ground->err);
    }
}

str_t ground_log(const struct ground *ground, struct arena *arena)
{
    str_t text, line, field;
    struct err err;
    AUTO(buf_done) struct buf out = {0};
    if (file_read(arena, ground->log, 1 << 20, &text, &err) < 0)
        return STR("");
    while (text.len > 0) {
        (void)str_cut(text, '\n', &line, &text);
        for (int i = 0; i < 3; i++)
            (void)str_cut(line, ' ', &field, &line);
        buf_add(&out, line);
        buf_add_char(&out, '\n');
    }
    return arena_str(arena, buf_str(&out));
}

/* --- frames --- */

size_t frame_read(int fd, char *frame)
{
    struct pollfd slot = {fd, POLLIN, 0};
    while (poll(&slot, 1, -1) < 0 && errno == EINTR)
        ;
    ssize_t n = recv(fd, frame, WIRE_FRAME_MAX, 0);
    return n > 0 ? (size_t)n : 0;
}

int frames_to_end(int fd, char *output, size_t max, size_t *n)
{
    static char frame[WIRE_FRAME_MAX];
    size_t got;
    *n = 0;
    while ((got = frame_read(fd, frame)) > 0) {
        struct wire_exit how;
        if (frame[0] == WIRE_EXIT) {
            memcpy(&how, frame + 1, sizeof(how));
            return how.code;
        }
        if (frame[0] != WIRE_STDOUT && frame[0] != WIRE_STDERR)
            continue;
        size_t part = got - 1 < max - *n ? got - 1 : max - *n;
        memcpy(output + *n, frame + 1, part);
        *n += part;
    }
    return -1;
}
