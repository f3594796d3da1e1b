/* blob.c - written aside while it is hashed, synced, then renamed to what it is. */
#include "images/blob.h"

#include "base/file.h"
#include "images/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOBS "blobs/sha256"

int blob_begin(const char *dir, struct blob_writer *writer, struct err *err)
{
    *writer = (struct blob_writer){.fd = -1};
    int n = snprintf(writer->path, sizeof(writer->path), "%s/tmp/blob-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof(writer->path))
        return err_set(err, ERR_INVALID, "path of images is too long");
    writer->fd = mkostemp(writer->path, O_CLOEXEC);
    if (writer->fd < 0)
        return err_errno(err, "make '%s'", writer->path);
    writer->hash = EVP_MD_CTX_new();
    MUST(writer->hash != NULL && EVP_DigestInit_ex(writer->hash, EVP_sha256(), NULL) == 1);
    return 0;
}

int blob_add(struct blob_writer *writer, const void *bytes, size_t n, struct err *err)
{
    const char *at = bytes;
    MUST(EVP_DigestUpdate(writer->hash, bytes, n) == 1);
    writer->bytes += n;
    while (n > 0) {
        ssize_t done = write(writer->fd, at, n);
        if (done < 0)
            return err_errno(err, "write '%s'", writer->path);
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

void blob_drop(struct blob_writer *writer)
{
    if (writer->fd < 0)
        return;
    close(writer->fd);
    writer->fd = -1;
    (void)unlink(writer->path);
    EVP_MD_CTX_free(writer->hash);
    writer->hash = NULL;
}

static void digest_text(struct blob_writer *writer, char digest[DIGEST_BYTES])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    MUST(EVP_DigestFinal_ex(writer->hash, bytes, &n) == 1);
    memcpy(digest, "sha256:", 8);
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(digest + 7 + (size_t)i * 2, 3, "%02x", bytes[i]);
}

static str_t path_of(const char *dir, str_t digest, struct arena *arena)
{
    MUST(digest_is_valid(digest));
    return arena_printf(arena, "%s/" BLOBS "/%.*s", dir, (int)digest.len - 7, digest.at + 7);
}

int blob_end(const char *dir, struct blob_writer *writer, str_t wanted, char digest[DIGEST_BYTES],
             struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    int r = 0;
    digest_text(writer, digest);
    if (wanted.len > 0 && !str_eq(str_from_z(digest), wanted))
        r = err_set(err, ERR_INVALID, "content is %s, not " STR_F, digest, STR_A(wanted));
    else if (fdatasync(writer->fd) < 0)
        r = err_errno(err, "sync '%s'", writer->path);
    str_t path = path_of(dir, str_from_z(digest), &arena);
    if (r == 0 && rename(writer->path, path.at) < 0)
        r = err_errno(err, "rename '%s' to '%s'", writer->path, path.at);
    if (r == 0)
        r = file_sync_dir(arena_printf(&arena, "%s/" BLOBS, dir).at, err);
    blob_drop(writer);
    return r;
}

int blob_put(const char *dir, str_t bytes, char digest[DIGEST_BYTES], struct err *err)
{
    struct blob_writer writer;
    if (blob_begin(dir, &writer, err) < 0)
        return err->code;
    if (blob_add(&writer, bytes.at, bytes.len, err) < 0) {
        blob_drop(&writer);
        return err->code;
    }
    return blob_end(dir, &writer, STR(""), digest, err);
}

int blob_open(const char *dir, str_t digest, int *fd, uint64_t *bytes, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct stat st;
    *fd = open(path_of(dir, digest, &arena).at, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "blob " STR_F " is not here", STR_A(digest));
    if (*fd < 0 || fstat(*fd, &st) < 0)
        return err_errno(err, "open blob " STR_F, STR_A(digest));
    *bytes = (uint64_t)st.st_size;
    return 0;
}

int blob_read(const char *dir, str_t digest, struct arena *arena, str_t *text, struct err *err)
{
    AUTO(arena_done) struct arena own = {0};
    if (!blob_is_there(dir, digest))
        return err_set(err, ERR_NOT_FOUND, "blob " STR_F " is not here", STR_A(digest));
    return file_read(arena, path_of(dir, digest, &own).at, MANIFEST_BYTES_MAX, text, err);
}

bool blob_is_there(const char *dir, str_t digest)
{
    AUTO(arena_done) struct arena arena = {0};
    return access(path_of(dir, digest, &arena).at, F_OK) == 0;
}

int blob_remove(const char *dir, str_t digest, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    if (unlink(path_of(dir, digest, &arena).at) < 0 && errno != ENOENT)
        return err_errno(err, "remove blob " STR_F, STR_A(digest));
    return 0;
}
