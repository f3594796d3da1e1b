/*
 * volume.c - needs are listed and taken by the same walk over the volumes, so that each answer
 * finds its question by its place alone.
 */
#include "node/volume.h"

#include "base/file.h"
#include "kube/quantity.h"
#include "node/volume_priv.h"
#include "node/volume_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK_NEXT ".next" /* No volume has such a name. */

enum { TOKEN_SECONDS = 3600 };

/* Enough for what one pod may name; what an update writes is there twice for a moment. */
#define MEMORY_OPTIONS "mode=755,size=256m,nr_inodes=65536"

const struct json *volume_source(const struct json *volume)
{
    JSON_EACH(volume, member)
    if (!str_eq(member->key, STR("name")))
        return member;
    return NULL;
}

static bool is_source(const struct json *source, const char *kind)
{
    return source != NULL && str_eq(source->key, str_from_z(kind));
}

bool volume_is_on_disk(const struct json *source)
{
    bool empty =
        source == NULL || is_source(source, "emptyDir"); /* What one without a source is. */
    return empty && json_get_text(source, STR("medium")).len == 0;
}

bool volume_is_files(const struct json *source)
{
    return is_source(source, "configMap") || is_source(source, "secret") ||
           is_source(source, "downwardAPI") || is_source(source, "projected");
}

static bool is_element(str_t name, size_t max)
{
    if (name.len == 0 || name.len > max || name.at[0] == '.')
        return false;
    return memchr(name.at, '/', name.len) == NULL && memchr(name.at, '\0', name.len) == NULL;
}

bool volume_name_fits(str_t name)
{
    return is_element(name, VOLUME_NAME_MAX);
}

bool volume_handle_fits(str_t handle)
{
    return is_element(handle, NAME_MAX - 1); /* Made with a dot in front. */
}

/* --- needs --- */

static struct volume_need *add_need(struct volume_needs *out, struct arena *arena,
                                    enum volume_need_kind kind, str_t name)
{
    if ((out->n & (out->n - 1)) == 0) { /* Full at each power of two. */
        struct volume_need *at =
            arena_array(arena, struct volume_need, out->n == 0 ? 1 : out->n * 2);
        if (out->n > 0)
            memcpy(at, out->at, out->n * sizeof(*at));
        out->at = at;
    }
    struct volume_need *need = &out->at[out->n++];
    *need = (struct volume_need){.kind = kind, .name = name};
    return need;
}

static void add_source(const struct json *pod, str_t volume, const struct json *source,
                       struct arena *arena, struct volume_needs *out)
{
    struct volume_need *need = NULL;
    if (is_source(source, "configMap")) {
        need = add_need(out, arena, NEED_CONFIG_MAP, json_get_text(source, STR("name")));
    } else if (is_source(source, "secret")) {
        str_t name = json_get_text(source, STR("secretName")); /* In projected ones: `name`. */
        need = add_need(out, arena, NEED_SECRET,
                        name.len > 0 ? name : json_get_text(source, STR("name")));
    } else if (is_source(source, "persistentVolumeClaim")) {
        need = add_need(out, arena, NEED_CLAIM, json_get_text(source, STR("claimName")));
    } else if (is_source(source, "ephemeral")) {
        str_t own = json_text(json_at(pod, "metadata.name"), STR(""));
        need = add_need(out, arena, NEED_CLAIM,
                        arena_printf(arena, STR_F "-" STR_F, STR_A(own), STR_A(volume)));
    } else if (is_source(source, "serviceAccountToken")) {
        need = add_need(out, arena, NEED_TOKEN, json_get_text(source, STR("audience")));
        need->seconds = TOKEN_SECONDS;
        (void)json_to_i64(json_get(source, STR("expirationSeconds")), &need->seconds);
    }
    if (need != NULL)
        need->optional = json_is_true(json_get(source, STR("optional")));
}

static void add_volume(const struct json *pod, const struct json *volume, struct arena *arena,
                       struct volume_needs *out)
{
    const struct json *source = volume_source(volume);
    str_t name = json_get_text(volume, STR("name"));
    add_source(pod, name, source, arena, out);
    if (is_source(source, "projected"))
        JSON_EACH(json_get(source, STR("sources")), one)
    add_source(pod, name, volume_source(one), arena, out);
}

void volume_needs(const struct json *pod, struct arena *arena, struct volume_needs *out)
{
    *out = (struct volume_needs){0};
    JSON_EACH(json_at(pod, "spec.volumes"), volume)
    add_volume(pod, volume, arena, out);
}

const struct volume_need *making_next(struct making *m, enum volume_need_kind kind)
{
    MUST(m->next < m->in->needs->n && m->in->needs->at[m->next].kind == kind);
    return &m->in->needs->at[m->next++];
}

/* --- making --- */

int volume_dir(int at, const char *name, mode_t mode, int *fd, struct err *err)
{
    if (mkdirat(at, name, mode) < 0 && errno != EEXIST)
        return err_errno(err, "make the directory '%s' of a pod", name);
    *fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *fd < 0 ? err_errno(err, "open the directory '%s' of a pod", name) : 0;
}

/*
 * One for all of a pod: each mount is copied for every container that starts. And a new directory
 * costs 0.4 ms on ext4, but nothing here.
 */
int making_volumes(struct making *m, struct err *err)
{
    if (m->volumes >= 0)
        return 0;
    int r = volume_dir(m->pod, "volumes", 0755, &m->volumes, err);
    if (r < 0 || tree_is_mount(m->volumes))
        return r;
    str_t path = arena_printf(m->arena, "%s/volumes", m->in->dir);
    if (mount("tmpfs", path.at, "tmpfs", MS_NOSUID | MS_NODEV, MEMORY_OPTIONS) < 0)
        return err_errno(err, "mount a tmpfs");
    close(m->volumes);
    return volume_dir(m->pod, "volumes", 0755, &m->volumes, err);
}

int volume_link(struct making *m, str_t name, str_t to, struct err *err)
{
    const char *own = arena_printf(m->arena, STR_F, STR_A(name)).at;
    const char *target = arena_printf(m->arena, STR_F, STR_A(to)).at;
    int r = making_volumes(m, err);
    if (r < 0 || volume_is_linked(m, name, to))
        return r;
    (void)unlinkat(m->volumes, LINK_NEXT, 0);
    if (symlinkat(target, m->volumes, LINK_NEXT) < 0 ||
        renameat(m->volumes, LINK_NEXT, m->volumes, own) < 0)
        return err_errno(err, "link the volume");
    return 0;
}

bool volume_is_linked(struct making *m, str_t name, str_t to)
{
    char known[PATH_MAX];
    const char *own = arena_printf(m->arena, STR_F, STR_A(name)).at;
    ssize_t n = readlinkat(m->volumes, own, known, sizeof(known));
    return n >= 0 && str_eq((str_t){known, (size_t)n}, to);
}

static int own_dir(int dir, int64_t gid, struct err *err)
{
    if (gid >= 0 && (fchown(dir, (uid_t)-1, (gid_t)gid) < 0 || fchmod(dir, 02755) < 0))
        return err_errno(err, "applyFSGroup failed");
    return 0;
}

static int make_files(struct making *m, str_t name, const struct json *source, struct err *err)
{
    AUTO(volume_files_done) struct volume_files files = {0};
    AUTO(fd_close) int dir = -1;
    int r = volume_content(m, source, &files, err);
    if (r == 0)
        r = making_volumes(m, err);
    if (r == 0)
        r = volume_dir(m->volumes, arena_printf(m->arena, STR_F, STR_A(name)).at, 0755, &dir, err);
    if (r == 0)
        r = own_dir(dir, m->gid, err);
    if (r == 0)
        r = volume_files_write(dir, &files, m->gid, m->in->wall_ms, err);
    return r;
}

static int make_volume(struct making *m, const struct json *volume, struct err *err)
{
    const struct json *source = volume_source(volume);
    str_t name = json_get_text(volume, STR("name"));
    int r;
    if (!volume_name_fits(name))
        return err_set(err, ERR_INVALID, "invalid name of a volume");
    if (is_source(source, "persistentVolumeClaim") || is_source(source, "ephemeral"))
        return volume_claim(m, name, source, err); /* In words of its own. */
    if (volume_is_files(source))
        r = make_files(m, name, source, err);
    else if (source == NULL || is_source(source, "emptyDir")) /* What one without a source is. */
        r = volume_empty(m, name, source, err);
    else if (is_source(source, "hostPath"))
        r = volume_host_path(m, name, source, err);
    else
        r = err_set(err, ERR_INVALID, "no volume plugin matched: " STR_F " is not supported here",
                    STR_A(source->key));
    return r < 0 ? err_wrap(err, "MountVolume.SetUp failed for volume \"" STR_F "\" ", STR_A(name))
                 : 0;
}

/* Each takes its own needs, also one that fails before it asks for them all. */
static int make_all(struct making *m, struct err *err)
{
    struct err own;
    int r = 0;
    size_t end = 0;
    JSON_EACH(json_at(m->in->pod, "spec.volumes"), volume)
    {
        struct volume_needs needs = {0};
        add_volume(m->in->pod, volume, m->arena, &needs);
        m->next = end;
        end += needs.n;
        if (make_volume(m, volume, r == 0 ? err : &own) < 0 && r == 0)
            r = err->code;
    }
    return r;
}

/* What the pod says of who its files are for. */
static void read_owner(struct making *m)
{
    const struct json *security = json_at(m->in->pod, "spec.securityContext");
    static const char *const lists[] = {"spec.initContainers", "spec.containers"};
    m->gid = m->uid = -1;
    if (!json_to_i64(json_get(security, STR("fsGroup")), &m->gid) || m->gid > UINT32_MAX - 1)
        m->gid = -1;
    m->on_mismatch =
        str_eq(json_get_text(security, STR("fsGroupChangePolicy")), STR("OnRootMismatch"));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_at(m->in->pod, lists[i]), container)
        {
            int64_t uid = -1;
            const struct json *own = json_at(container, "securityContext.runAsUser");
            (void)json_to_i64(own != NULL ? own : json_get(security, STR("runAsUser")), &uid);
            if (uid < 0 || uid > UINT32_MAX - 1 || (m->uid >= 0 && m->uid != uid)) {
                m->uid = -1;
                return;
            }
            m->uid = uid;
        }
}

int volumes_make(const struct volume_input *in, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(fd_close) int pod = -1;
    struct making m = {.in = in, .arena = &arena, .volumes = -1, .empty = -1};
    int r = volume_dir(AT_FDCWD, in->dir, 0750, &pod, err);
    if (r < 0)
        return r;
    m.pod = pod;
    read_owner(&m);
    r = make_all(&m, err);
    fd_close(&m.volumes);
    fd_close(&m.empty);
    return r;
}

/* --- the way out --- */

int volumes_clear(const char *dir, struct err *err)
{
    static const char *const parts[] = {"subpaths", "volumes", "empty"};
    AUTO(arena_done) struct arena arena = {0};
    AUTO(fd_close) int pod = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r = 0;
    if (pod < 0)
        return errno == ENOENT ? 0 : err_errno(err, "open '%s'", dir);
    for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++)
        r = tree_unmount(arena_printf(&arena, "%s/%s", dir, parts[i]).at, err);
    for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++)
        r = tree_remove(pod, parts[i], err);
    return r < 0 ? err_wrap(err, "remove the volumes of '%s'", dir) : 0;
}

bool volumes_over(const struct json *pod, const char *dir, struct arena *arena, str_t *message)
{
    AUTO(fd_close) int top = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    JSON_EACH(json_at(pod, "spec.volumes"), volume)
    {
        const struct json *source = json_get(volume, STR("emptyDir"));
        str_t name = json_get_text(volume, STR("name"));
        quantity_t limit;
        uint64_t bytes;
        if (!quantity_parse(json_get_text(source, STR("sizeLimit")), &limit) || limit.nano <= 0 ||
            json_get_text(source, STR("medium")).len > 0 || !volume_name_fits(name))
            continue;
        AUTO(fd_close)
        int fd = tree_open(top, arena_printf(arena, "empty/" STR_F, STR_A(name)).at,
                           O_RDONLY | O_DIRECTORY);
        __int128 most = limit.nano / 1000000000;
        if (fd < 0 || tree_usage(fd, most > INT64_MAX ? INT64_MAX : (uint64_t)most, &bytes,
                                 &(struct err){0}) < 0)
            continue;
        if (bytes > most) {
            str_t shown = quantity_text(limit, arena);
            *message = arena_printf(
                arena, "Usage of EmptyDir volume \"" STR_F "\" exceeds the limit \"" STR_F "\". ",
                STR_A(name), STR_A(shown));
            return true;
        }
    }
    return false;
}
