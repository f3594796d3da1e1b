/*
 * volume_place.c - volumes that are places: fresh ones, ones of this machine, and those that a
 * claim was given.
 */
#include "base/file.h"
#include "kube/quantity.h"
#include "node/make.h"
#include "node/volume_priv.h"
#include "node/volume_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT ".new" /* No volume has such a name. */

static const char *z(struct making *m, str_t text)
{
    return arena_printf(m->arena, STR_F, STR_A(text)).at;
}

/* --- emptyDir --- */

/*
 * Made aside and renamed: once it is there it is as its containers left it. PostgreSQL, for one,
 * takes the mode of its directory into its own hands.
 */
static int make_empty(struct making *m, const char *name, struct err *err)
{
    struct stat meta;
    int r = m->empty >= 0 ? 0 : volume_dir(m->pod, "empty", 0755, &m->empty, err);
    if (r < 0 || fstatat(m->empty, name, &meta, AT_SYMLINK_NOFOLLOW) == 0)
        return r;
    r = tree_remove(m->empty, NEXT, err);
    if (r < 0)
        return r;
    if (mkdirat(m->empty, NEXT, 0700) < 0)
        return err_errno(err, "make a directory");
    AUTO(fd_close) int fd = tree_open(m->empty, NEXT, O_RDONLY | O_DIRECTORY);
    if (fd < 0 || (m->gid >= 0 && fchown(fd, (uid_t)-1, (gid_t)m->gid) < 0) ||
        fchmod(fd, m->gid >= 0 ? 02777 : 0777) < 0 || renameat(m->empty, NEXT, m->empty, name) < 0)
        return err_errno(err, "make a directory");
    return 0;
}

/* As kubelet sizes it: no more than the limit, nor than the pod or the node may use at all. */
static uint64_t memory_size(struct making *m, const struct json *source)
{
    quantity_t limit;
    uint64_t most = make_pod_resources(m->in->pod).memory_bytes;
    if (most == 0 && m->in->downward.memory_bytes > 0)
        most = (uint64_t)m->in->downward.memory_bytes;
    if (!quantity_parse(json_get_text(source, STR("sizeLimit")), &limit) || limit.nano <= 0)
        return most;
    __int128 bytes = limit.nano / 1000000000;
    return most != 0 && bytes > most ? most : bytes > INT64_MAX ? INT64_MAX : (uint64_t)bytes;
}

static str_t fs_options(struct making *m, const struct json *source, bool huge)
{
    str_t side, page;
    quantity_t bytes;
    AUTO(buf_done) struct buf out = {0};
    buf_printf(&out, "mode=%s", m->gid >= 0 ? "2777" : "777");
    if (m->gid >= 0)
        buf_printf(&out, ",gid=%lld", (long long)m->gid);
    if (huge && str_cut(json_get_text(source, STR("medium")), '-', &side, &page) &&
        quantity_parse(page, &bytes))
        buf_printf(&out, ",pagesize=%lld", (long long)(bytes.nano / 1000000000));
    uint64_t size = huge ? 0 : memory_size(m, source);
    if (size > 0)
        buf_printf(&out, ",size=%llu", (unsigned long long)size);
    return arena_printf(m->arena, STR_F, STR_A(buf_str(&out)));
}

int volume_empty(struct making *m, str_t name, const struct json *source, struct err *err)
{
    str_t medium = json_get_text(source, STR("medium"));
    bool huge = str_starts(medium, STR("HugePages"));
    const char *type = huge ? "hugetlbfs" : "tmpfs";
    if (medium.len > 0 && !huge && !str_eq(medium, STR("Memory")))
        return err_set(err, ERR_INVALID, "unknown storage medium \"" STR_F "\"", STR_A(medium));
    if (medium.len == 0)
        return make_empty(m, z(m, name), err);
    AUTO(fd_close) int fd = -1;
    int r = making_volumes(m, err);
    if (r == 0)
        r = volume_dir(m->volumes, z(m, name), 0755, &fd, err);
    if (r < 0)
        return r;
    if (tree_is_mount(fd))
        return 0;
    str_t path = arena_printf(m->arena, "%s/volumes/" STR_F, m->in->dir, STR_A(name));
    if (mount(type, path.at, type, MS_NODEV, fs_options(m, source, huge).at) < 0)
        return err_errno(err, "mount a %s", type);
    return 0;
}

/* --- hostPath --- */

enum make_kind { MAKE_NOTHING, MAKE_DIR, MAKE_FILE };

static const struct {
    const char *name;
    mode_t type; /* 0: whatever it is. */
    enum make_kind missing;
    const char *what;
} host_types[] = {
    {"", 0, MAKE_DIR, NULL}, /* As the runtimes below kubelet do. */
    {"DirectoryOrCreate", S_IFDIR, MAKE_DIR, "directory"},
    {"Directory", S_IFDIR, MAKE_NOTHING, "directory"},
    {"FileOrCreate", S_IFREG, MAKE_FILE, "file"},
    {"File", S_IFREG, MAKE_NOTHING, "file"},
    {"Socket", S_IFSOCK, MAKE_NOTHING, "socket file"},
    {"CharDevice", S_IFCHR, MAKE_NOTHING, "character device"},
    {"BlockDevice", S_IFBLK, MAKE_NOTHING, "block device"},
};

static int make_dirs(char *path, mode_t mode)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        int r = mkdir(path, 0755);
        *at = '/';
        if (r < 0 && errno != EEXIST)
            return -1;
    }
    return mkdir(path, mode) < 0 && errno != EEXIST ? -1 : 0;
}

static int make_missing(struct making *m, enum make_kind kind, str_t path, struct err *err)
{
    char *own = arena_bytes(m->arena, path.len + 1);
    memcpy(own, path.at, path.len);
    if (kind == MAKE_DIR && make_dirs(own, 0755) < 0)
        return err_errno(err, "make '" STR_F "'", STR_A(path));
    if (kind != MAKE_FILE)
        return 0;
    AUTO(fd_close) int fd = open(own, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd < 0 ? err_errno(err, "make '" STR_F "'", STR_A(path)) : 0;
}

static int host_check(struct making *m, str_t path, str_t type, struct err *err)
{
    struct stat meta = {0};
    size_t i = 0;
    while (i < ARRAY_LEN(host_types) && !str_eq(type, str_from_z(host_types[i].name)))
        i++;
    if (i == ARRAY_LEN(host_types))
        return err_set(err, ERR_INVALID, STR_F " is an invalid volume type", STR_A(type));
    if (path.len == 0 || path.at[0] != '/' || memchr(path.at, '\0', path.len) != NULL)
        return err_set(err, ERR_INVALID, "\"" STR_F "\" is no absolute path", STR_A(path));
    if (stat(z(m, path), &meta) < 0 && errno == ENOENT) {
        int r = make_missing(m, host_types[i].missing, path, err);
        if (r < 0)
            return r;
        (void)stat(z(m, path), &meta);
    }
    if (host_types[i].type != 0 && (meta.st_mode & S_IFMT) != host_types[i].type)
        return err_set(err, ERR_INVALID, "hostPath type check failed: " STR_F " is not a %s",
                       STR_A(path), host_types[i].what);
    return 0;
}

int volume_host_path(struct making *m, str_t name, const struct json *source, struct err *err)
{
    str_t path = json_get_text(source, STR("path"));
    int r = host_check(m, path, json_get_text(source, STR("type")), err);
    return r < 0 ? r : volume_link(m, name, path, err);
}

/* --- claims --- */

static int claim_error(struct making *m, const struct volume_need *need, const char *why,
                       struct err *err)
{
    str_t ns = json_text(json_at(m->in->pod, "metadata.namespace"), STR(""));
    return err_set(err, ERR_NOT_FOUND, "error processing PVC " STR_F "/" STR_F ": %s", STR_A(ns),
                   STR_A(need->name), why);
}

/* A generic ephemeral volume must not take a claim that somebody else made. */
static bool is_owner(const struct json *pod, const struct json *claim)
{
    str_t uid = json_text(json_at(pod, "metadata.uid"), STR(""));
    JSON_EACH(json_at(claim, "metadata.ownerReferences"), owner)
    if (json_is_true(json_get(owner, STR("controller"))) &&
        str_eq(json_get_text(owner, STR("uid")), uid))
        return true;
    return false;
}

static int check_claim(struct making *m, const struct volume_need *need, bool ephemeral,
                       struct err *err)
{
    const struct json *claim = need->object;
    str_t volume = json_text(json_at(claim, "spec.volumeName"), STR(""));
    str_t mode = json_text(json_at(claim, "spec.volumeMode"), STR(""));
    str_t uid = json_text(json_at(claim, "metadata.uid"), STR(""));
    const char *why = NULL;
    if (claim == NULL)
        why = arena_printf(m->arena,
                           "failed to fetch PVC from API server: persistentvolumeclaims \"" STR_F
                           "\" not found",
                           STR_A(need->name))
                  .at;
    else if (ephemeral && !is_owner(m->in->pod, claim))
        why = "PVC was not created for the pod (the pod is not owner)";
    else if (volume.len == 0 ||
             !str_eq(json_text(json_at(claim, "status.phase"), STR("")), STR("Bound")))
        why = "PVC is not bound";
    else if (need->bound == NULL)
        why = arena_printf(m->arena,
                           "failed to fetch PV " STR_F
                           " from API server: persistentvolumes \"" STR_F "\" not found",
                           STR_A(volume), STR_A(volume))
                  .at;
    else if (!str_eq(json_text(json_at(need->bound, "spec.claimRef.uid"), STR("")), uid))
        why = arena_printf(m->arena, "PV " STR_F " is not bound to the PVC", STR_A(volume)).at;
    else if (str_eq(mode, STR("Block")))
        why = "volumeMode Block is not supported here";
    return why == NULL ? 0 : claim_error(m, need, why, err);
}

/* The directory of a volume of ours comes with its first pod. */
static int make_own_place(struct making *m, str_t name, struct err *err)
{
    char *store = arena_bytes(m->arena, strlen(m->in->store) + 1);
    memcpy(store, m->in->store, strlen(m->in->store));
    if (make_dirs(store, 0711) < 0)
        return err_errno(err, "make '%s'", store);
    AUTO(fd_close) int dir = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_errno(err, "open '%s'", store);
    const char *own = z(m, name);
    const char *next = arena_printf(m->arena, ".%s", own).at;
    if (faccessat(dir, own, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    /* Another pod of the claim may be at the same: whoever is first, it is there. */
    if ((mkdirat(dir, next, 0700) < 0 && errno != EEXIST) ||
        (fchmodat(dir, next, 0777, 0) < 0 && errno != ENOENT) ||
        (renameat2(dir, next, dir, own, RENAME_NOREPLACE) < 0 && errno != EEXIST &&
         errno != ENOENT))
        return err_errno(err, "make the directory of a volume");
    return 0;
}

static int own_volume(struct making *m, const char *path, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "open '%s'", path);
    if (m->on_mismatch && tree_owned(fd, (uint32_t)m->gid, false))
        return 0;
    return tree_own(fd, (uint32_t)m->gid, false, err);
}

/* `path`, which is there, is the volume's; its group is given once for each pod. */
static int take_place(struct making *m, str_t name, str_t path, bool read_only, struct err *err)
{
    int r = 0;
    if (m->gid >= 0 && !read_only && !volume_is_linked(m, name, path))
        r = own_volume(m, z(m, path), err);
    return r < 0 ? r : volume_link(m, name, path, err);
}

static int place_local(struct making *m, str_t name, const struct json *volume, bool read_only,
                       struct err *err)
{
    str_t path = json_text(json_at(volume, "spec.local.path"), STR(""));
    struct stat meta;
    if (path.len == 0 || path.at[0] != '/' || memchr(path.at, '\0', path.len) != NULL)
        return err_set(err, ERR_INVALID, "\"" STR_F "\" is no absolute path", STR_A(path));
    if (stat(z(m, path), &meta) < 0)
        return err_set(err, ERR_NOT_FOUND, "path \"" STR_F "\" does not exist", STR_A(path));
    return take_place(m, name, path, read_only, err);
}

/* One of the provisioner: it says no path, so that the data directory can be moved. */
static int place_own(struct making *m, str_t name, const struct json *volume, bool read_only,
                     struct err *err)
{
    str_t driver = json_text(json_at(volume, "spec.csi.driver"), STR(""));
    str_t handle = json_text(json_at(volume, "spec.csi.volumeHandle"), STR(""));
    if (!str_eq(driver, STR(VOLUME_PROVISIONER)) || m->in->store[0] == '\0')
        return err_set(err, ERR_INVALID,
                       "driver name " STR_F " not found in the list of registered CSI drivers",
                       STR_A(driver));
    if (!volume_handle_fits(handle))
        return err_set(err, ERR_INVALID, "\"" STR_F "\" is no volume of ours", STR_A(handle));
    int r = make_own_place(m, handle, err);
    str_t path = arena_printf(m->arena, "%s/" STR_F, m->in->store, STR_A(handle));
    return r < 0 ? r : take_place(m, name, path, read_only, err);
}

int volume_claim(struct making *m, str_t name, const struct json *source, struct err *err)
{
    const struct volume_need *need = making_next(m, NEED_CLAIM);
    bool ephemeral = str_eq(source->key, STR("ephemeral"));
    bool read_only = json_is_true(json_get(source, STR("readOnly")));
    int r = check_claim(m, need, ephemeral, err);
    if (r < 0)
        return r;
    const struct json *host = json_at(need->bound, "spec.hostPath");
    if (json_at(need->bound, "spec.local") != NULL)
        r = place_local(m, name, need->bound, read_only, err);
    else if (json_at(need->bound, "spec.csi") != NULL)
        r = place_own(m, name, need->bound, read_only, err);
    else if (host != NULL)
        r = volume_host_path(m, name, host, err);
    else
        r = err_set(err, ERR_INVALID, "no volume plugin matched");
    str_t volume = json_text(json_at(need->bound, "metadata.name"), STR(""));
    return r < 0
               ? err_wrap(err, "MountVolume.SetUp failed for volume \"" STR_F "\" ", STR_A(volume))
               : 0;
}
