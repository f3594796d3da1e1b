/* save.c - an image as the file that `docker load` takes, and images_import() too. */
#include "images/blob.h"
#include "images/images_priv.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static int failed(struct archive *tar, struct err *err)
{
    return err_set(err, ERR_IO, "archive cannot be written: %s", archive_error_string(tar));
}

static int begin(struct archive *tar, const char *name, uint64_t bytes, struct err *err)
{
    struct archive_entry *entry = archive_entry_new();
    MUST(entry != NULL);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)bytes);
    int r = archive_write_header(tar, entry) == ARCHIVE_OK ? 0 : failed(tar, err);
    archive_entry_free(entry);
    return r;
}

static int add_text(struct archive *tar, const char *name, str_t text, struct err *err)
{
    if (begin(tar, name, text.len, err) < 0)
        return err->code;
    return archive_write_data(tar, text.at, text.len) == (la_ssize_t)text.len ? 0
                                                                              : failed(tar, err);
}

static int add_blob(const struct images *images, struct archive *tar, const char *name,
                    str_t digest, struct err *err)
{
    uint64_t bytes;
    int fd;
    ssize_t n = 0;
    if (blob_open(images->dir, digest, &fd, &bytes, err) < 0)
        return err->code;
    char *piece = malloc(PIECE);
    MUST(piece != NULL);
    int r = begin(tar, name, bytes, err);
    while (r == 0 && (n = read(fd, piece, PIECE)) > 0)
        if (archive_write_data(tar, piece, (size_t)n) != n)
            r = failed(tar, err);
    if (r == 0 && n < 0)
        r = err_errno(err, "read blob " STR_F, STR_A(digest));
    free(piece);
    close(fd);
    return r;
}

static str_t layer_file(str_t digest, struct arena *arena)
{
    return arena_printf(arena, "%.*s/layer.tar", (int)digest.len - 7, digest.at + 7);
}

static str_t list_of(const struct parts *parts, str_t name, struct arena *arena, struct buf *out)
{
    const struct blob_ref *config = &parts->manifest.config;
    struct json *list = json_array(arena), *one = json_object(arena), *layers = json_array(arena),
                *names = json_array(arena);
    str_t config_file =
        arena_printf(arena, "%.*s.json", (int)config->digest.len - 7, config->digest.at + 7);
    for (size_t i = 0; i < parts->manifest.n_layers; i++)
        json_add(layers, STR(""),
                 json_string(arena, layer_file(parts->manifest.layers[i].digest, arena)));
    if (!digest_is_valid(name))
        json_add(names, STR(""), json_string(arena, name));
    json_add(one, STR("Config"), json_string(arena, config_file));
    json_add(one, STR("RepoTags"), names);
    json_add(one, STR("Layers"), layers);
    json_write(json_add(list, STR(""), one), out);
    return config_file;
}

static int write_all(const struct images *images, struct archive *tar, str_t name,
                     const struct parts *parts, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf list = {0};
    str_t config_file = list_of(parts, name, &arena, &list);
    int r = add_blob(images, tar, config_file.at, parts->manifest.config.digest, err);
    for (size_t i = 0; i < parts->manifest.n_layers && r == 0; i++) {
        str_t digest = parts->manifest.layers[i].digest;
        bool twice = false;
        for (size_t j = 0; j < i; j++)
            twice = twice || str_eq(parts->manifest.layers[j].digest, digest);
        if (!twice)
            r = add_blob(images, tar, layer_file(digest, &arena).at, digest, err);
    }
    return r < 0 ? r : add_text(tar, "manifest.json", buf_str(&list), err);
}

int archive_save(struct images *images, str_t name, str_t manifest, const char *path,
                 struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct parts parts;
    if (parts_read(images, manifest, &arena, &parts, err) < 0)
        return err->code;
    struct archive *tar = archive_write_new();
    MUST(tar != NULL);
    (void)archive_write_set_format_pax_restricted(tar);
    int r = archive_write_open_filename(tar, path) == ARCHIVE_OK ? 0 : failed(tar, err);
    if (r == 0)
        r = write_all(images, tar, name, &parts, err);
    if (r == 0 && archive_write_close(tar) != ARCHIVE_OK)
        r = failed(tar, err);
    archive_write_free(tar);
    if (r < 0)
        (void)unlink(path);
    return r;
}
