/*
 * registry_manifest.c - a manifest that comes in is checked, unpacked if it is an image for this
 * machine, and only then has its name: what has a name can be run.
 */
#include "images/registry_priv.h"

#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"

/* --- out --- */

static bool resolve(struct visit *visit, str_t *digest)
{
    char found[DIGEST_BYTES];
    const struct images *images = visit->registry->settings.images;
    if (digest_is_valid(visit->reference)) {
        *digest = visit->reference;
        return blob_is_there(images->dir, visit->reference);
    }
    struct names *names = &visit->registry->settings.images->names;
    str_t whole = arena_printf(&visit->arena, STR_F ":" STR_F, STR_A(visit->repository),
                               STR_A(visit->reference));
    if (!names_find(names, visit_name(visit, visit->reference), found) &&
        !names_find(names, whole, found)) /* As a mirror: "docker.io/library/web". */
        return false;
    *digest = arena_str(&visit->arena, str_from_z(found));
    return true;
}

static void unknown(struct visit *visit)
{
    visit_fail(visit, 404, "MANIFEST_UNKNOWN", "manifest unknown");
}

/* It is written down in it; if not, its form says what it is. */
static str_t type_of(const struct manifest *manifest)
{
    if (manifest->media_type.len > 0)
        return manifest->media_type;
    return manifest->is_index ? STR(OCI_INDEX) : STR(OCI_MANIFEST);
}

static void get_work(struct visit *visit)
{
    struct manifest manifest;
    struct err err;
    const struct images *images = visit->registry->settings.images;
    if (!resolve(visit, &visit->digest) ||
        blob_read(images->dir, visit->digest, &visit->arena, &visit->text, &err) < 0 ||
        manifest_parse(visit->text, &visit->arena, &manifest, &err) < 0)
        unknown(visit);
    else
        visit->type = type_of(&manifest);
}

static void get_tell(struct visit *visit)
{
    struct exchange *x = visit->x;
    struct http_field fields[] = {
        {STR("Content-Type"), arena_str(x->arena, visit->type)},
        {STR("Docker-Content-Digest"), arena_str(x->arena, visit->digest)},
    };
    http_answer(x, 200, fields, ARRAY_LEN(fields),
                (struct http_bytes){.bytes = arena_str(x->arena, visit->text)});
}

/* --- in --- */

static bool needs(struct visit *visit, const struct blob_ref *ref)
{
    if (blob_is_there(visit->registry->settings.images->dir, ref->digest))
        return true;
    str_t text =
        arena_printf(&visit->arena, "blob unknown to registry: " STR_F, STR_A(ref->digest));
    visit_fail(visit, 404, "MANIFEST_BLOB_UNKNOWN", text.at);
    return false;
}

static bool all_is_there(struct visit *visit, const struct manifest *manifest)
{
    if (!manifest->is_index && !needs(visit, &manifest->config))
        return false;
    for (size_t i = 0; i < manifest->n_layers; i++)
        if (!needs(visit, &manifest->layers[i]))
            return false;
    return true;
}

/* Other things than images are kept in registries too: charts, signatures. */
static bool is_image(const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_layers; i++) {
        str_t type = manifest->layers[i].media_type;
        if (type.len > 0 && !str_starts(type, STR("application/vnd.oci.image.layer.")) &&
            !str_starts(type, STR("application/vnd.docker.image.rootfs.")))
            return false;
    }
    str_t type = manifest->config.media_type;
    return type.len == 0 || str_eq(type, STR("application/vnd.oci.image.config.v1+json")) ||
           str_eq(type, STR("application/vnd.docker.container.image.v1+json"));
}

static int unpack(struct visit *visit, const struct manifest *manifest, struct err *err)
{
    struct images *images = visit->registry->settings.images;
    struct image_config config;
    str_t text;
    if (manifest->is_index || !is_image(manifest))
        return 0; /* What is in an index came before it. */
    struct parts parts = {.manifest = *manifest};
    if (blob_read(images->dir, manifest->config.digest, &visit->arena, &text, err) < 0 ||
        image_config_parse(text, &visit->arena, &config, err) < 0)
        return err->code;
    bool foreign = config.architecture.len > 0 &&
                   !str_eq(config.architecture, str_from_z(machine_architecture()));
    if (foreign)
        return 0;
    if (config.n_diff_ids != manifest->n_layers)
        return err_set(err, ERR_INVALID, "image has %zu layers and %zu diff_ids",
                       manifest->n_layers, config.n_diff_ids);
    parts.config = config;
    return parts_unpack(images, &parts, err);
}

/* The index has the name now, and keeps them. */
static void forget_parts(struct visit *visit, const struct manifest *index)
{
    struct err ignored;
    for (size_t i = 0; i < index->n_layers; i++) {
        str_t name = visit_name(visit, index->layers[i].digest);
        (void)names_set(&visit->registry->settings.images->names, name, NULL, 0, &ignored);
    }
}

static void put_checked(struct visit *visit, const struct manifest *manifest)
{
    struct images *images = visit->registry->settings.images;
    char digest[DIGEST_BYTES];
    struct err err;
    str_t wanted = digest_is_valid(visit->reference) ? visit->reference : STR("");
    if (!all_is_there(visit, manifest))
        return;
    if (unpack(visit, manifest, &err) < 0) {
        visit_fail(visit, err.code == ERR_INVALID ? 400 : 500, "MANIFEST_INVALID", err.text);
        return;
    }
    struct blob_writer writer;
    int r = blob_begin(images->dir, &writer, &err);
    if (r == 0 && (r = blob_add(&writer, visit->body.at, visit->body.len, &err)) == 0)
        r = blob_end(images->dir, &writer, wanted, digest, &err);
    blob_drop(&writer);
    if (r == 0)
        r = names_set(&images->names, visit_name(visit, visit->reference), digest, wall_now_ms(),
                      &err);
    if (r < 0) {
        visit_fail(visit, r == ERR_INVALID ? 400 : 500,
                   r == ERR_INVALID ? "DIGEST_INVALID" : "UNKNOWN", err.text);
        return;
    }
    visit->digest = arena_str(&visit->arena, str_from_z(digest));
    if (manifest->is_index)
        forget_parts(visit, manifest);
}

static void put_work(struct visit *visit)
{
    struct images *images = visit->registry->settings.images;
    struct manifest manifest;
    struct err err;
    if (manifest_parse(visit->body, &visit->arena, &manifest, &err) < 0) {
        visit_fail(visit, 400, "MANIFEST_INVALID", err.text);
        return;
    }
    (void)pthread_rwlock_rdlock(&images->blobs);
    put_checked(visit, &manifest);
    (void)pthread_rwlock_unlock(&images->blobs);
}

static void put_tell(struct visit *visit)
{
    struct exchange *x = visit->x;
    str_t digest = arena_str(x->arena, visit->digest);
    struct http_field fields[] = {
        {STR("Location"), arena_printf(x->arena, "/v2/" STR_F "/manifests/" STR_F,
                                       STR_A(visit->repository), STR_A(digest))},
        {STR("Docker-Content-Digest"), digest},
    };
    registry_answer(x, 201, fields, ARRAY_LEN(fields));
}

static void put_body(struct exchange *x, str_t body)
{
    struct visit *visit = x->self;
    visit->body = arena_str(&visit->arena, body);
    visit_run(visit, put_work, put_tell);
}

/* --- gone --- */

static void delete_work(struct visit *visit)
{
    struct images *images = visit->registry->settings.images;
    struct named *all;
    struct err err;
    size_t n = names_all(&images->names, &visit->arena, &all), gone = 0;
    bool by_digest = digest_is_valid(visit->reference);
    str_t prefix =
        arena_printf(&visit->arena, "%s/" STR_F, visit->registry->name, STR_A(visit->repository));
    str_t name = visit_name(visit, visit->reference);
    for (size_t i = 0; i < n; i++) {
        str_t own = str_from_z(all[i].name);
        bool here = str_starts(own, prefix) && own.len > prefix.len &&
                    (own.at[prefix.len] == ':' || own.at[prefix.len] == '@');
        bool meant = by_digest ? here && str_eq(str_from_z(all[i].manifest), visit->reference)
                               : str_eq(own, name);
        if (!meant)
            continue;
        if (names_set(&images->names, own, NULL, 0, &err) < 0 && err.code != ERR_NOT_FOUND) {
            visit_fail(visit, 500, "UNKNOWN", err.text);
            return;
        }
        gone++;
    }
    if (gone == 0)
        unknown(visit);
}

static void delete_tell(struct visit *visit)
{
    registry_answer(visit->x, 202, NULL, 0);
}

void registry_manifest(struct registry *registry, struct exchange *x,
                       const struct registry_route *route)
{
    if (x->method == HTTP_GET || x->method == HTTP_HEAD)
        visit_run(visit_new(registry, x, route), get_work, get_tell);
    else if (x->method == HTTP_PUT && visit_new(registry, x, route) != NULL)
        http_collect(x, MANIFEST_BYTES_MAX, put_body);
    else if (x->method == HTTP_DELETE)
        visit_run(visit_new(registry, x, route), delete_work, delete_tell);
    else
        registry_refuse(x, 405, "UNSUPPORTED", "the operation is unsupported");
}
