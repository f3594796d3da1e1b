/*
 * unpack.c - two readers in a row: the outer one takes the compression off, what comes out is
 * hashed, and the inner one reads it as tar. It is written by a thread of its own whose working
 * directory is the layer, so that all names are relative and libarchive's checks for links hold.
 */
#include "images/unpack.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/tree.h"
#include "images/blob.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

enum { PIECE = 64 * 1024, OPAQUE_MAX = 65536 };

struct unpacking {
    int fd;  /* The blob. */
    int dir; /* Where it goes. */
    struct archive *outer, *inner, *disk;
    EVP_MD_CTX *hash;
    char piece[PIECE];
    int64_t bytes, entries;
    struct buf opaque; /* Directories, each with a NUL behind it. */
    size_t n_opaque;
    char digest[DIGEST_BYTES];
    int r;
    struct err err;
};

/* --- from compressed bytes to plain ones --- */

static la_ssize_t read_plain(struct archive *inner, void *self, const void **bytes)
{
    struct unpacking *u = self;
    la_ssize_t n = archive_read_data(u->outer, u->piece, sizeof(u->piece));
    if (n < 0) {
        archive_set_error(inner, EIO, "%s", archive_error_string(u->outer));
        return ARCHIVE_FATAL;
    }
    u->bytes += n;
    if (u->bytes > LAYER_BYTES_MAX) {
        archive_set_error(inner, EFBIG, "layer is too large");
        return ARCHIVE_FATAL;
    }
    MUST(EVP_DigestUpdate(u->hash, u->piece, (size_t)n) == 1);
    *bytes = u->piece;
    return n;
}

static int broken(struct unpacking *u, struct archive *archive)
{
    const char *why = archive_error_string(archive);
    return err_set(&u->err, ERR_INVALID, "layer cannot be read: %s",
                   why != NULL ? why : "it ends too early");
}

static int open_readers(struct unpacking *u)
{
    struct archive_entry *entry;
    u->outer = archive_read_new();
    u->inner = archive_read_new();
    MUST(u->outer != NULL && u->inner != NULL);
    (void)archive_read_support_filter_gzip(u->outer);
    (void)archive_read_support_filter_zstd(u->outer);
    (void)archive_read_support_format_raw(u->outer);
    (void)archive_read_support_format_empty(u->outer);
    (void)archive_read_support_format_tar(u->inner);
    (void)archive_read_support_format_empty(u->inner);
    if (archive_read_open_fd(u->outer, u->fd, PIECE) != ARCHIVE_OK)
        return broken(u, u->outer);
    int r = archive_read_next_header(u->outer, &entry);
    if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
        return broken(u, u->outer);
    if (archive_read_open(u->inner, u, NULL, read_plain, NULL) != ARCHIVE_OK)
        return broken(u, u->inner);
    return 0;
}

/* --- names --- */

/* Relative, without "./"; NULL: it wants to leave. */
static const char *inside(const char *name)
{
    if (name == NULL)
        return NULL;
    for (bool more = true; more;) {
        more = false;
        if (name[0] == '/' || (name[0] == '.' && name[1] == '/')) {
            name += name[0] == '/' ? 1 : 2;
            more = true;
        }
    }
    for (const char *at = name; *at != '\0';) {
        const char *end = strchrnul(at, '/');
        if (end - at == 2 && at[0] == '.' && at[1] == '.')
            return NULL;
        at = *end == '/' ? end + 1 : end;
    }
    return name[0] == '\0' ? "." : name;
}

/* "a/.wh.b" becomes "a/b" that overlayfs takes for removed. 0: nothing is to be written. */
static int white_out(struct unpacking *u, struct archive_entry *entry, const char *name)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    str_t above = {name, (size_t)(base - name)};
    if (strcmp(base, OPAQUE) == 0) {
        if (u->n_opaque == OPAQUE_MAX)
            return err_set(&u->err, ERR_INVALID, "layer has too many opaque directories");
        buf_add(&u->opaque, above.len > 0 ? above : STR("."));
        buf_add_char(&u->opaque, '\0');
        u->n_opaque++;
        return 0;
    }
    if (strncmp(base, WHITEOUT WHITEOUT, 2 * strlen(WHITEOUT)) == 0)
        return 0; /* Of AUFS; nobody reads it. */
    str_t hidden = arena_printf(&arena, STR_F "%s", STR_A(above), base + strlen(WHITEOUT));
    if (hidden.len == above.len || inside(hidden.at) == NULL)
        return 0;
    archive_entry_clear(entry);
    archive_entry_set_pathname(entry, hidden.at);
    archive_entry_set_filetype(entry, AE_IFCHR);
    archive_entry_set_perm(entry, 0);
    archive_entry_set_rdev(entry, 0);
    return 1;
}

/* What overlayfs would believe is not the layer's to say. */
static void drop_attributes(struct archive_entry *entry)
{
    struct archive_entry *kept = archive_entry_new();
    const char *name;
    const void *value;
    size_t n;
    MUST(kept != NULL);
    (void)archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &n) == ARCHIVE_OK)
        if (strncmp(name, "trusted.", 8) != 0 && strncmp(name, "user.overlay.", 13) != 0)
            archive_entry_xattr_add_entry(kept, name, value, n);
    archive_entry_xattr_clear(entry);
    (void)archive_entry_xattr_reset(kept);
    while (archive_entry_xattr_next(kept, &name, &value, &n) == ARCHIVE_OK)
        archive_entry_xattr_add_entry(entry, name, value, n);
    archive_entry_free(kept);
}

/* < 0: refused; 0: nothing to write; 1: as it is now. */
static int prepare(struct unpacking *u, struct archive_entry *entry)
{
    const char *given = archive_entry_pathname(entry);
    const char *link = archive_entry_hardlink(entry);
    AUTO(arena_done) struct arena arena = {0};
    const char *name = inside(given);
    if (name == NULL)
        return err_set(&u->err, ERR_INVALID, "layer has an entry outside of itself: '%s'",
                       given != NULL ? given : "");
    name = arena_printf(&arena, "%s", name).at; /* What follows changes the entry. */
    if (link != NULL) {
        const char *to = inside(link);
        if (to == NULL)
            return err_set(&u->err, ERR_INVALID, "layer has a link outside of itself: '%s'", link);
        archive_entry_set_hardlink(entry, arena_printf(&arena, "%s", to).at);
    }
    const char *slash = strrchr(name, '/');
    if (strncmp(slash != NULL ? slash + 1 : name, WHITEOUT, strlen(WHITEOUT)) == 0)
        return white_out(u, entry, name);
    archive_entry_set_pathname(entry, name);
    if (archive_entry_xattr_count(entry) > 0)
        drop_attributes(entry);
    return 1;
}

/* --- writing --- */

static int write_failed(struct unpacking *u, const char *name)
{
    const char *why = archive_error_string(u->disk);
    bool space = archive_errno(u->disk) == ENOSPC;
    return err_set(&u->err, space ? ERR_BUSY : ERR_INVALID, "layer cannot be written: %s: %s",
                   name != NULL ? name : "", why != NULL ? why : "not known why");
}

static int write_data(struct unpacking *u, const char *name)
{
    const void *bytes;
    size_t n;
    la_int64_t at;
    int r;
    while ((r = archive_read_data_block(u->inner, &bytes, &n, &at)) == ARCHIVE_OK)
        if (archive_write_data_block(u->disk, bytes, n, at) < ARCHIVE_WARN)
            return write_failed(u, name);
    return r == ARCHIVE_EOF ? 0 : broken(u, u->inner);
}

static int write_all(struct unpacking *u)
{
    struct archive_entry *entry;
    int r;
    while ((r = archive_read_next_header(u->inner, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
        if (++u->entries > LAYER_ENTRIES_MAX)
            return err_set(&u->err, ERR_INVALID, "layer has too many entries");
        int wanted = prepare(u, entry);
        if (wanted < 0)
            return wanted;
        if (wanted == 0)
            continue;
        if (archive_write_header(u->disk, entry) < ARCHIVE_WARN)
            return write_failed(u, archive_entry_pathname(entry));
        bool whole = archive_entry_filetype(entry) == AE_IFREG && archive_entry_size(entry) > 0;
        if (whole && write_data(u, archive_entry_pathname(entry)) < 0)
            return u->err.code;
        if (archive_write_finish_entry(u->disk) < ARCHIVE_WARN)
            return write_failed(u, archive_entry_pathname(entry));
    }
    if (r != ARCHIVE_EOF)
        return broken(u, u->inner);
    return archive_write_close(u->disk) < ARCHIVE_WARN ? write_failed(u, NULL) : 0;
}

/* Behind the last entry there may be more; it counts for the digest. */
static int read_rest(struct unpacking *u)
{
    const void *bytes;
    la_ssize_t n;
    while ((n = read_plain(u->inner, u, &bytes)) > 0)
        continue;
    return n < 0 ? broken(u, u->outer) : 0;
}

/* The directory `path` below the layer's, made with those above it where a layer has none. -1 */
static int open_made(const struct unpacking *u, const char *path)
{
    int above = dup(u->dir);
    str_t part, rest = str_from_z(path);
    for (bool more = true; above >= 0 && more;) {
        char name[NAME_MAX + 1];
        more = str_cut(rest, '/', &part, &rest);
        if (part.len == 0 || str_eq(part, STR(".")))
            continue;
        (void)snprintf(name, sizeof(name), STR_F, STR_A(part));
        if (part.len <= NAME_MAX)
            (void)mkdirat(above, name, 0755); /* Is it something else, opening it fails. */
        int fd = part.len > NAME_MAX ? -1 : tree_open(above, name, O_RDONLY | O_DIRECTORY);
        close(above);
        above = fd;
    }
    return above;
}

/* Also where the layer has nothing but the marker: then what is below it is hidden all the same. */
static void set_opaque(struct unpacking *u)
{
    const char *at = u->opaque.at;
    for (size_t i = 0; i < u->n_opaque; i++, at += strlen(at) + 1) {
        int fd = open_made(u, at);
        if (fd < 0)
            continue; /* It is a file or a link here, and hides what is below by that. */
        if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0 && u->r == 0)
            u->r = err_errno(&u->err, "mark '%s' as opaque", at);
        close(fd);
    }
}

static void finish_digest(struct unpacking *u)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    MUST(EVP_DigestFinal_ex(u->hash, bytes, &n) == 1);
    memcpy(u->digest, "sha256:", 8);
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(u->digest + 7 + (size_t)i * 2, 3, "%02x", bytes[i]);
}

static void *run(void *self)
{
    struct unpacking *u = self;
    int flags = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;
    if (unshare(CLONE_FS) < 0 || fchdir(u->dir) < 0) {
        u->r = err_errno(&u->err, "enter the layer's directory");
        return NULL;
    }
    (void)umask(022); /* Ours alone, since CLONE_FS. */
    u->hash = EVP_MD_CTX_new();
    u->disk = archive_write_disk_new();
    MUST(u->hash != NULL && u->disk != NULL);
    MUST(EVP_DigestInit_ex(u->hash, EVP_sha256(), NULL) == 1);
    (void)archive_write_disk_set_options(u->disk, flags);
    u->r = open_readers(u);
    if (u->r == 0)
        u->r = write_all(u);
    if (u->r == 0)
        u->r = read_rest(u);
    finish_digest(u);
    if (u->r == 0)
        set_opaque(u);
    archive_read_free(u->inner);
    archive_read_free(u->outer);
    archive_write_free(u->disk);
    EVP_MD_CTX_free(u->hash);
    buf_done(&u->opaque);
    return NULL;
}

/* --- a layer's place --- */

void layer_name(str_t diff_id, char name[LAYER_NAME_BYTES])
{
    MUST(digest_is_valid(diff_id));
    (void)snprintf(name, LAYER_NAME_BYTES, "%.16s", diff_id.at + 7);
}

bool layer_is_there(const char *dir, str_t diff_id)
{
    AUTO(arena_done) struct arena arena = {0};
    char name[LAYER_NAME_BYTES];
    str_t id;
    struct err err;
    layer_name(diff_id, name);
    return access(arena_printf(&arena, "%s/layers/%s", dir, name).at, F_OK) == 0 &&
           file_read(&arena, arena_printf(&arena, "%s/layers/%s.id", dir, name).at, DIGEST_BYTES,
                     &id, &err) == 0 &&
           str_eq(id, diff_id);
}

/* First who it is, then the tree: a tree without that is of nobody. */
static int settle(const char *dir, const char *made, str_t diff_id, int fd, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    char name[LAYER_NAME_BYTES];
    layer_name(diff_id, name);
    str_t to = arena_printf(&arena, "%s/layers/%s", dir, name);
    if (syncfs(fd) < 0)
        return err_errno(err, "sync a layer");
    if (file_write(arena_printf(&arena, STR_F ".id", STR_A(to)).at, 0644, diff_id, err) < 0)
        return err->code;
    if (rename(made, to.at) < 0) {
        if (errno != EEXIST && errno != ENOTEMPTY)
            return err_errno(err, "rename '%s' to '%s'", made, to.at);
        return layer_is_there(dir, diff_id)
                   ? 0 /* Somebody else was faster. */
                   : err_set(err, ERR_EXISTS, "another layer has the name %s", name);
    }
    return file_sync_dir(arena_printf(&arena, "%s/layers", dir).at, err);
}

static int unpack_to(const char *made, int fd, str_t diff_id, int *dir, struct err *err)
{
    struct unpacking *u = calloc(1, sizeof(*u));
    pthread_t thread;
    MUST(u != NULL);
    *dir = open(made, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    u->fd = fd;
    u->dir = *dir;
    int r = *dir < 0 ? err_errno(err, "open '%s'", made) : 0;
    if (r == 0 && pthread_create(&thread, NULL, run, u) != 0)
        r = err_set(err, ERR_BUSY, "no thread can be started to unpack a layer");
    if (r == 0) {
        MUST(pthread_join(thread, NULL) == 0);
        r = u->r;
        if (r < 0)
            *err = u->err;
        else if (!str_eq(str_from_z(u->digest), diff_id))
            r = err_set(err, ERR_INVALID, "layer is %s, not " STR_F, u->digest, STR_A(diff_id));
    }
    free(u);
    return r;
}

int layer_unpack(const char *dir, str_t blob, str_t diff_id, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    uint64_t bytes;
    int fd, made_fd = -1;
    if (layer_is_there(dir, diff_id))
        return 0;
    if (blob_open(dir, blob, &fd, &bytes, err) < 0)
        return err->code;
    str_t made = arena_printf(&arena, "%s/tmp/layer-XXXXXX", dir);
    int r = mkdtemp((char *)made.at) == NULL ? err_errno(err, "make '%s'", made.at) : 0;
    if (r == 0 && chmod(made.at, 0755) < 0)
        r = err_errno(err, "chmod '%s'", made.at);
    if (r == 0)
        r = unpack_to(made.at, fd, diff_id, &made_fd, err);
    if (r == 0)
        r = settle(dir, made.at, diff_id, made_fd, err);
    if (made_fd >= 0)
        close(made_fd);
    close(fd);
    struct err ignored;
    (void)tree_remove(AT_FDCWD, made.at, &ignored); /* What is still there is of a failure. */
    return r;
}

int layer_remove(const char *dir, const char *name, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t path = arena_printf(&arena, "%s/layers/%s", dir, name);
    str_t gone = arena_printf(&arena, "%s/tmp/gone-XXXXXX", dir);
    if (unlink(arena_printf(&arena, STR_F ".id", STR_A(path)).at) < 0 && errno != ENOENT)
        return err_errno(err, "remove '%s.id'", path.at);
    if (mkdtemp((char *)gone.at) == NULL)
        return err_errno(err, "make '%s'", gone.at);
    /* In one step: settle() takes what is in its place for whole. */
    int r = rename(path.at, gone.at) < 0 && errno != ENOENT
                ? err_errno(err, "rename '%s' to '%s'", path.at, gone.at)
                : 0;
    struct err ignored;
    int removed = tree_remove(AT_FDCWD, gone.at, r == 0 ? err : &ignored);
    return r < 0 ? r : removed;
}
