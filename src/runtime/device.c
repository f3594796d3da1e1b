/* device.c - devices by their paths on this machine, as OCI wants them: type and numbers. */
#include "runtime/runtime_priv.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { DEPTH_MAX = 4, DEVICES_MAX = 4096 };

struct devices {
    struct json *list, *rules;
    struct arena *arena;
    size_t n;
};

static void add(struct devices *all, str_t path, const struct stat *st, str_t access)
{
    struct json *device = json_object(all->arena), *rule = json_object(all->arena);
    str_t type = S_ISBLK(st->st_mode) ? STR("b") : STR("c");
    enum { PERMISSIONS = 07777 };
    json_add(device, STR("path"), json_string(all->arena, path));
    json_add(device, STR("type"), json_string(all->arena, type));
    json_add(device, STR("major"), json_int(all->arena, major(st->st_rdev)));
    json_add(device, STR("minor"), json_int(all->arena, minor(st->st_rdev)));
    json_add(device, STR("fileMode"), json_int(all->arena, st->st_mode & PERMISSIONS));
    json_add(device, STR("uid"), json_int(all->arena, st->st_uid));
    json_add(device, STR("gid"), json_int(all->arena, st->st_gid));
    json_add(all->list, STR(""), device);
    json_add(rule, STR("allow"), json_bool(all->arena, true));
    json_add(rule, STR("type"), json_string(all->arena, type));
    json_add(rule, STR("major"), json_int(all->arena, major(st->st_rdev)));
    json_add(rule, STR("minor"), json_int(all->arena, minor(st->st_rdev)));
    json_add(rule, STR("access"), json_string(all->arena, access));
    json_add(all->rules, STR(""), rule);
    all->n++;
}

/* Directories that are file systems of their own in a container, and the terminal of its own. */
static bool is_own(const char *name)
{
    static const char *const own[] = {"pts", "shm", "mqueue", "fd", "console", "ptmx", "tty"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    return name[0] == '.';
}

static void add_below(struct devices *all, const char *path, int depth)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    struct dirent *entry;
    struct stat st;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        str_t child = arena_printf(all->arena, "%s/%s", path, entry->d_name);
        if (is_own(entry->d_name) || all->n >= DEVICES_MAX || lstat(child.at, &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode))
            add_below(all, child.at, depth + 1);
        else if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))
            add(all, child, &st, STR("rwm"));
    }
    if (dir != NULL)
        closedir(dir);
}

int devices_of(const struct container_spec *spec, struct oci_host *host, struct arena *arena,
               struct err *err)
{
    struct devices all = {json_array(arena), json_array(arena), arena, 0};
    if (spec->privileged)
        add_below(&all, "/dev", 0);
    for (size_t i = 0; i < spec->n_devices; i++) {
        const struct container_device *want = &spec->devices[i];
        const char *path = arena_printf(arena, STR_F, STR_A(want->path)).at;
        struct stat st;
        if (stat(path, &st) < 0)
            return err_errno(err, "device '%s'", path);
        if (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode))
            return err_set(err, ERR_INVALID, "'%s' is not a device", path);
        add(&all, want->target.len > 0 ? want->target : want->path, &st,
            want->access.len > 0 ? want->access : STR("rwm"));
    }
    host->devices = all.list;
    host->dev_rules = spec->privileged ? NULL : all.rules; /* Everything is allowed then. */
    return 0;
}
