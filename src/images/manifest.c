/* manifest.c - each reader takes what it needs and checks it at once. */
#include "images/manifest.h"

#include "images/reference.h"

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"

static int parse_object(str_t text, struct arena *arena, const char *what, struct json **out,
                        struct err *err)
{
    if (text.len > MANIFEST_BYTES_MAX)
        return err_set(err, ERR_INVALID, "%s is larger than %d bytes", what, MANIFEST_BYTES_MAX);
    if (json_parse(text, arena, out, err) < 0)
        return err_wrap(err, "%s", what);
    if ((*out)->type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "%s is not an object", what);
    return 0;
}

static int read_ref(const struct json *json, const char *what, struct blob_ref *out,
                    struct err *err)
{
    *out = (struct blob_ref){.digest = json_get_text(json, STR("digest")),
                             .media_type = json_get_text(json, STR("mediaType"))};
    if (!digest_is_valid(out->digest))
        return err_set(err, ERR_INVALID, "%s has no sha256 digest", what);
    if (!json_to_i64(json_get(json, STR("size")), &out->bytes) || out->bytes < 0)
        return err_set(err, ERR_INVALID, "%s has no size", what);
    return 0;
}

static int read_refs(const struct json *list, const char *what, struct arena *arena,
                     struct manifest *out, struct err *err)
{
    size_t n = json_count(list);
    if (n > LAYERS_MAX)
        return err_set(err, ERR_INVALID, "manifest has more than %d of %s", LAYERS_MAX, what);
    out->layers = arena_array(arena, struct blob_ref, n + 1);
    out->platforms = arena_array(arena, const struct json *, n + 1);
    JSON_EACH(list, item)
    {
        if (read_ref(item, what, &out->layers[out->n_layers], err) < 0)
            return err->code;
        out->platforms[out->n_layers++] = json_get(item, STR("platform"));
    }
    return 0;
}

static bool type_is_known(str_t type)
{
    static const char *const known[] = {
        "", OCI_MANIFEST, "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(type, str_from_z(known[i])))
            return true;
    return false;
}

int manifest_parse(str_t text, struct arena *arena, struct manifest *out, struct err *err)
{
    struct json *tree;
    *out = (struct manifest){0};
    if (parse_object(text, arena, "manifest", &tree, err) < 0)
        return err->code;
    out->media_type = json_get_text(tree, STR("mediaType"));
    if (!type_is_known(out->media_type))
        return err_set(err, ERR_INVALID, "manifest is of media type " STR_F ", which is not read",
                       STR_A(out->media_type));
    const struct json *manifests = json_get(tree, STR("manifests"));
    if (manifests != NULL) {
        out->is_index = true;
        return read_refs(manifests, "manifests", arena, out, err);
    }
    if (json_get(tree, STR("fsLayers")) != NULL)
        return err_set(err, ERR_INVALID, "manifest is of Docker's schema 1, which is not read");
    if (read_ref(json_get(tree, STR("config")), "config", &out->config, err) < 0)
        return err->code;
    return read_refs(json_get(tree, STR("layers")), "layers", arena, out, err);
}

const struct blob_ref *manifest_choose(const struct manifest *index, const char *architecture)
{
    for (size_t i = 0; i < index->n_layers; i++) {
        const struct json *platform = index->platforms[i];
        str_t os = json_get_text(platform, STR("os"));
        if (platform == NULL && index->n_layers == 1)
            return &index->layers[i];
        if ((os.len == 0 || str_eq(os, STR("linux"))) &&
            str_eq(json_get_text(platform, STR("architecture")), str_from_z(architecture)))
            return &index->layers[i];
    }
    return NULL;
}

static int read_texts(const struct json *list, const char *what, struct arena *arena, str_t **out,
                      size_t *n, struct err *err)
{
    if (json_count(list) > LAYERS_MAX)
        return err_set(err, ERR_INVALID, "more than %d %s", LAYERS_MAX, what);
    *out = arena_array(arena, str_t, json_count(list) + 1);
    *n = 0;
    JSON_EACH(list, item)
    {
        str_t text = json_text(item, STR(""));
        if (text.len == 0)
            return err_set(err, ERR_INVALID, "one of %s is empty or no text", what);
        (*out)[(*n)++] = text;
    }
    return 0;
}

int image_config_parse(str_t text, struct arena *arena, struct image_config *out, struct err *err)
{
    struct json *tree;
    *out = (struct image_config){0};
    if (parse_object(text, arena, "configuration of the image", &tree, err) < 0)
        return err->code;
    out->config = json_get(tree, STR("config"));
    if (out->config == NULL || out->config->type != JSON_OBJECT)
        out->config = json_object(arena);
    out->architecture = json_get_text(tree, STR("architecture"));
    out->os = json_get_text(tree, STR("os"));
    if (read_texts(json_at(tree, "rootfs.diff_ids"), "diff_ids", arena, &out->diff_ids,
                   &out->n_diff_ids, err) < 0)
        return err->code;
    for (size_t i = 0; i < out->n_diff_ids; i++)
        if (!digest_is_valid(out->diff_ids[i]))
            return err_set(err, ERR_INVALID, "a diff_id is no sha256 digest");
    return 0;
}

int archive_manifest_parse(str_t text, struct arena *arena, struct archived **out, size_t *n,
                           struct err *err)
{
    struct json *tree;
    if (text.len > MANIFEST_BYTES_MAX)
        return err_set(err, ERR_INVALID, "manifest.json is larger than %d bytes",
                       MANIFEST_BYTES_MAX);
    if (json_parse(text, arena, &tree, err) < 0)
        return err_wrap(err, "manifest.json");
    size_t count = tree->type == JSON_ARRAY ? json_count(tree) : 0;
    if (count == 0 || count > PLATFORMS_MAX)
        return err_set(err, ERR_INVALID, "manifest.json names no images, or too many");
    *out = arena_array(arena, struct archived, count);
    *n = 0;
    JSON_EACH(tree, item)
    {
        struct archived *one = &(*out)[(*n)++];
        one->config = json_get_text(item, STR("Config"));
        if (one->config.len == 0)
            return err_set(err, ERR_INVALID, "manifest.json: an image has no Config");
        if (read_texts(json_get(item, STR("Layers")), "Layers", arena, &one->layers, &one->n_layers,
                       err) < 0 ||
            read_texts(json_get(item, STR("RepoTags")), "RepoTags", arena, &one->names,
                       &one->n_names, err) < 0)
            return err_wrap(err, "manifest.json");
    }
    return 0;
}

static struct json *write_ref(const struct blob_ref *ref, struct arena *arena)
{
    struct json *out = json_object(arena);
    json_add(out, STR("mediaType"), json_string(arena, ref->media_type));
    json_add(out, STR("digest"), json_string(arena, ref->digest));
    json_add(out, STR("size"), json_int(arena, ref->bytes));
    return out;
}

struct json *manifest_make(const struct blob_ref *config, const struct blob_ref *layers, size_t n,
                           struct arena *arena)
{
    struct json *out = json_object(arena), *list = json_array(arena);
    json_add(out, STR("schemaVersion"), json_int(arena, 2));
    json_add(out, STR("mediaType"), json_string(arena, STR(OCI_MANIFEST)));
    json_add(out, STR("config"), write_ref(config, arena));
    for (size_t i = 0; i < n; i++)
        json_add(list, STR(""), write_ref(&layers[i], arena));
    return json_add(out, STR("layers"), list);
}

const char *machine_architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#else
#error "a machine that images are not known for"
#endif
}
