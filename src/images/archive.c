/*
 * archive.c - a tar file with images in it. Whatever order its entries have: all of them become
 * blobs first, then the manifest says which of them are what.
 */
#include "base/map.h"
#include "images/blob.h"
#include "images/images_priv.h"
#include "images/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARCHIVE_ENTRIES_MAX = 100000, PIECE = 64 * 1024, LINKS_MAX = 16 };

#define TAR_LAYER "application/vnd.oci.image.layer.v1.tar"
#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"

struct entry {
    struct map_node node; /* Its name in the file. */
    str_t name;
    str_t digest; /* "" : a link. */
    str_t link;   /* To this entry. */
    uint64_t bytes;
};

struct reading {
    struct images *images;
    struct arena *arena;
    struct map entries;
    struct image *found;
    size_t n_found, cap;
    uint64_t bytes; /* Of all blobs so far. */
    struct err *err;
};

/* --- entries --- */

/* Without "./" and "..": "a/../b/c" is "b/c". */
static str_t plain_name(str_t name, struct arena *arena)
{
    char *out = arena_bytes(arena, name.len + 1);
    size_t n = 0;
    str_t part, rest = name;
    for (bool more = true; more;) {
        more = str_cut(rest, '/', &part, &rest);
        if (part.len == 0 || str_eq(part, STR(".")))
            continue;
        if (str_eq(part, STR(".."))) {
            while (n > 0 && out[--n] != '/')
                continue;
            continue;
        }
        if (n > 0)
            out[n++] = '/';
        memcpy(out + n, part.at, part.len);
        n += part.len;
    }
    return (str_t){out, n};
}

static int read_blob(struct reading *in, struct archive *tar, struct entry *entry)
{
    struct blob_writer writer;
    char *piece = malloc(PIECE), digest[DIGEST_BYTES];
    la_ssize_t n;
    MUST(piece != NULL);
    int r = blob_begin(in->images->dir, &writer, in->err);
    while (r == 0 && (n = archive_read_data(tar, piece, PIECE)) != 0) {
        in->bytes += n > 0 ? (uint64_t)n : 0;
        if (n < 0)
            r = err_set(in->err, ERR_INVALID, "archive cannot be read: %s",
                        archive_error_string(tar));
        else if (in->bytes > (uint64_t)LAYER_BYTES_MAX)
            r = err_set(in->err, ERR_INVALID, "archive is too large");
        else
            r = blob_add(&writer, piece, (size_t)n, in->err);
    }
    free(piece);
    entry->bytes = writer.bytes;
    if (r == 0)
        r = blob_end(in->images->dir, &writer, STR(""), digest, in->err);
    blob_drop(&writer);
    if (r == 0)
        entry->digest = arena_str(in->arena, str_from_z(digest));
    return r;
}

static int add_entry(struct reading *in, struct archive *tar, struct archive_entry *header)
{
    const char *name = archive_entry_pathname(header), *hard = archive_entry_hardlink(header);
    const char *soft = archive_entry_symlink(header);
    struct entry *entry = arena_new(in->arena, struct entry);
    if (name == NULL ||
        (hard == NULL && soft == NULL && archive_entry_filetype(header) != AE_IFREG))
        return 0;
    entry->name = plain_name(str_from_z(name), in->arena);
    /* A few bytes that say that they are gigabytes; no program writes images so. */
    if (archive_entry_sparse_count(header) > 0)
        return err_set(in->err, ERR_INVALID, "archive has a sparse file: '" STR_F "'",
                       STR_A(entry->name));
    if (map_find(&in->entries, entry->name) != NULL)
        return err_set(in->err, ERR_INVALID, "archive has '" STR_F "' twice", STR_A(entry->name));
    if (hard != NULL) {
        entry->link = plain_name(str_from_z(hard), in->arena);
    } else if (soft != NULL) {
        size_t above = entry->name.len;
        while (above > 0 && entry->name.at[above - 1] != '/')
            above--;
        str_t to = arena_printf(in->arena, "%.*s%s", (int)above, entry->name.at, soft);
        entry->link = plain_name(to, in->arena);
    } else if (read_blob(in, tar, entry) < 0) {
        return in->err->code;
    }
    map_add(&in->entries, entry->name, &entry->node);
    return 0;
}

static int read_entries(struct reading *in, const char *path)
{
    struct archive *tar = archive_read_new();
    struct archive_entry *header;
    MUST(tar != NULL);
    (void)archive_read_support_filter_gzip(tar);
    (void)archive_read_support_filter_zstd(tar);
    (void)archive_read_support_format_tar(tar);
    int r = 0, got = archive_read_open_filename(tar, path, PIECE);
    for (size_t n = 0; r == 0 && got == ARCHIVE_OK; n++) {
        got = archive_read_next_header(tar, &header);
        if (got == ARCHIVE_WARN)
            got = ARCHIVE_OK;
        if (n == ARCHIVE_ENTRIES_MAX)
            r = err_set(in->err, ERR_INVALID, "archive has too many entries");
        else if (got == ARCHIVE_OK)
            r = add_entry(in, tar, header);
    }
    if (r == 0 && got != ARCHIVE_EOF)
        r = err_set(in->err, ERR_INVALID, "'%s' cannot be read as a tar archive: %s", path,
                    archive_error_string(tar));
    archive_read_free(tar);
    return r;
}

static const struct entry *entry_find(const struct reading *in, str_t name)
{
    for (int i = 0; i < LINKS_MAX; i++) {
        struct map_node *node = map_find(&in->entries, plain_name(name, in->arena));
        if (node == NULL)
            return NULL;
        const struct entry *entry = CONTAINER_OF(node, struct entry, node);
        if (entry->digest.len > 0)
            return entry;
        name = entry->link;
    }
    return NULL;
}

static int entry_need(struct reading *in, str_t name, const struct entry **out)
{
    *out = entry_find(in, name);
    return *out != NULL ? 0
                        : err_set(in->err, ERR_INVALID, "archive has no '" STR_F "'", STR_A(name));
}

/* --- images --- */

static struct image *found_add(struct reading *in)
{
    if (in->n_found == in->cap) {
        size_t cap = in->cap == 0 ? 4 : in->cap * 2;
        struct image *more = arena_array(in->arena, struct image, cap);
        if (in->n_found > 0)
            memcpy(more, in->found, in->n_found * sizeof(*more));
        in->found = more;
        in->cap = cap;
    }
    return &in->found[in->n_found++];
}

/* Complete, layers and all, before it gets its name. */
static int name_it(struct reading *in, str_t manifest, str_t given)
{
    AUTO(arena_done) struct arena arena = {0};
    struct parts parts;
    struct reference reference;
    str_t name = manifest;
    if (parts_read(in->images, manifest, &arena, &parts, in->err) < 0 ||
        parts_unpack(in->images, &parts, in->err) < 0)
        return in->err->code;
    if (given.len > 0) {
        if (reference_parse(given, &reference, in->err) < 0)
            return err_wrap(in->err, "name '" STR_F "'", STR_A(given));
        reference.digest[0] = '\0';
        if (reference.tag[0] == '\0')
            memcpy(reference.tag, "latest", sizeof("latest"));
        name = reference_name(&reference, &arena);
    }
    const char *z = arena_printf(&arena, STR_F, STR_A(manifest)).at;
    if (names_set(&in->images->names, name, z, wall_now_ms(), in->err) < 0)
        return in->err->code;
    return image_read(in->images, name, manifest, in->arena, found_add(in), in->err);
}

static const char *layer_type(const struct images *images, const struct entry *layer)
{
    unsigned char magic[4] = {0};
    uint64_t bytes;
    struct err err;
    int fd;
    if (blob_open(images->dir, layer->digest, &fd, &bytes, &err) == 0) {
        (void)!read(fd, magic, sizeof(magic));
        close(fd);
    }
    if (magic[0] == 0x1f && magic[1] == 0x8b)
        return TAR_LAYER "+gzip";
    if (magic[0] == 0x28 && magic[1] == 0xb5 && magic[2] == 0x2f && magic[3] == 0xfd)
        return TAR_LAYER "+zstd";
    return TAR_LAYER;
}

static int read_docker_one(struct reading *in, const struct archived *archived)
{
    AUTO(buf_done) struct buf text = {0};
    struct arena *arena = in->arena;
    const struct entry *config, *layer;
    struct blob_ref *layers = arena_array(arena, struct blob_ref, archived->n_layers + 1);
    char digest[DIGEST_BYTES];
    if (entry_need(in, archived->config, &config) < 0)
        return in->err->code;
    for (size_t i = 0; i < archived->n_layers; i++) {
        if (entry_need(in, archived->layers[i], &layer) < 0)
            return in->err->code;
        layers[i] = (struct blob_ref){layer->digest, (int64_t)layer->bytes,
                                      str_from_z(layer_type(in->images, layer))};
    }
    struct blob_ref own = {config->digest, (int64_t)config->bytes, STR(CONFIG_TYPE)};
    json_write(manifest_make(&own, layers, archived->n_layers, arena), &text);
    if (blob_put(in->images->dir, buf_str(&text), digest, in->err) < 0)
        return in->err->code;
    str_t manifest = arena_str(arena, str_from_z(digest));
    if (archived->n_names == 0)
        return name_it(in, manifest, STR(""));
    for (size_t i = 0; i < archived->n_names; i++)
        if (name_it(in, manifest, archived->names[i]) < 0)
            return in->err->code;
    return 0;
}

static int read_docker(struct reading *in, const struct entry *list)
{
    struct archived *archived;
    size_t n;
    str_t text;
    if (blob_read(in->images->dir, list->digest, in->arena, &text, in->err) < 0 ||
        archive_manifest_parse(text, in->arena, &archived, &n, in->err) < 0)
        return in->err->code;
    for (size_t i = 0; i < n; i++)
        if (read_docker_one(in, &archived[i]) < 0)
            return in->err->code;
    return 0;
}

static int read_layout(struct reading *in, const struct entry *index)
{
    struct json *tree;
    str_t text;
    if (blob_read(in->images->dir, index->digest, in->arena, &text, in->err) < 0 ||
        json_parse(text, in->arena, &tree, in->err) < 0)
        return err_wrap(in->err, "index.json");
    JSON_EACH(json_get(tree, STR("manifests")), one)
    {
        const struct json *notes = json_get(one, STR("annotations"));
        str_t digest = json_get_text(one, STR("digest"));
        str_t name = json_get_text(notes, STR("io.containerd.image.name"));
        if (name.len == 0)
            name = json_get_text(notes, STR("org.opencontainers.image.ref.name"));
        if (!digest_is_valid(digest))
            return err_set(in->err, ERR_INVALID, "index.json: a manifest has no sha256 digest");
        if (parts_resolve(in->images, &digest, in->arena, in->err) < 0 ||
            name_it(in, digest, name) < 0)
            return in->err->code;
    }
    return 0;
}

int archive_import(struct images *images, const char *path, struct arena *arena, struct image **out,
                   size_t *n, struct err *err)
{
    struct reading in = {.images = images, .arena = arena, .err = err};
    int r = read_entries(&in, path);
    const struct entry *docker = r < 0 ? NULL : entry_find(&in, STR("manifest.json"));
    const struct entry *layout = r < 0 ? NULL : entry_find(&in, STR("index.json"));
    if (r == 0 && docker != NULL)
        r = read_docker(&in, docker);
    else if (r == 0 && layout != NULL)
        r = read_layout(&in, layout);
    else if (r == 0)
        r = err_set(err, ERR_INVALID,
                    "'%s' is neither of `docker save` nor an OCI layout: it has no manifest.json "
                    "and no index.json",
                    path);
    if (r == 0 && in.n_found == 0)
        r = err_set(err, ERR_INVALID, "'%s' names no image", path);
    map_done(&in.entries);
    *out = in.found;
    *n = in.n_found;
    return r;
}
