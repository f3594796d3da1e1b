/* parts.c - from a manifest to what it names. */
#include "images/blob.h"
#include "images/images_priv.h"
#include "images/unpack.h"

int parts_resolve(const struct images *images, str_t *digest, struct arena *arena, struct err *err)
{
    struct manifest manifest;
    str_t text;
    if (blob_read(images->dir, *digest, arena, &text, err) < 0 ||
        manifest_parse(text, arena, &manifest, err) < 0)
        return err->code;
    if (!manifest.is_index)
        return 0;
    const struct blob_ref *own = manifest_choose(&manifest, machine_architecture());
    if (own == NULL)
        return err_set(err, ERR_NOT_FOUND, "image has nothing for linux/%s",
                       machine_architecture());
    *digest = own->digest;
    return 0;
}

int parts_read(const struct images *images, str_t manifest, struct arena *arena, struct parts *out,
               struct err *err)
{
    str_t text;
    if (blob_read(images->dir, manifest, arena, &text, err) < 0 ||
        manifest_parse(text, arena, &out->manifest, err) < 0)
        return err->code;
    if (out->manifest.is_index)
        return err_set(err, ERR_INVALID, STR_F " is an index of images", STR_A(manifest));
    if (blob_read(images->dir, out->manifest.config.digest, arena, &text, err) < 0 ||
        image_config_parse(text, arena, &out->config, err) < 0)
        return err->code;
    if (out->config.n_diff_ids != out->manifest.n_layers)
        return err_set(err, ERR_INVALID, "image has %zu layers and %zu diff_ids",
                       out->manifest.n_layers, out->config.n_diff_ids);
    return 0;
}

int parts_unpack(const struct images *images, const struct parts *parts, struct err *err)
{
    for (size_t i = 0; i < parts->manifest.n_layers; i++)
        if (layer_unpack(images->dir, parts->manifest.layers[i].digest, parts->config.diff_ids[i],
                         err) < 0)
            return err->code;
    return 0;
}

int image_read(struct images *images, str_t name, str_t target, struct arena *arena,
               struct image *out, struct err *err)
{
    struct parts parts = {0};
    str_t manifest = arena_str(arena, target);
    if (parts_resolve(images, &manifest, arena, err) < 0 ||
        parts_read(images, manifest, arena, &parts, err) < 0)
        return err->code;
    *out = (struct image){.name = arena_str(arena, name),
                          .id = parts.manifest.config.digest,
                          .manifest = manifest,
                          .target = arena_str(arena, target),
                          .config = parts.config.config,
                          .bytes = (uint64_t)parts.manifest.config.bytes};
    for (size_t i = 0; i < parts.manifest.n_layers; i++)
        out->bytes += (uint64_t)parts.manifest.layers[i].bytes;
    return 0;
}
