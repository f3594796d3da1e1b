/* volume_content.c - from ConfigMaps, Secrets, tokens and the pod itself to files and modes. */
#include "codec/base64.h"
#include "node/volume_priv.h"

#include <string.h>

/* Where files of one source go: a whole volume, or a part of a projected one. */
struct content {
    struct making *m;
    struct volume_files *files;
    int64_t mode; /* defaultMode */
};

static uint32_t mode_of(const struct content *c, const struct json *item)
{
    int64_t mode = c->mode;
    (void)json_to_i64(json_get(item, STR("mode")), &mode);
    return (uint32_t)mode & 0777;
}

static int add_file(const struct content *c, str_t path, str_t bytes, uint32_t mode,
                    struct err *err)
{
    struct volume_file file = {.bytes = bytes, .mode = mode, .uid = -1};
    return volume_files_add(c->files, path, file, c->m->arena, err);
}

/* --- ConfigMaps and Secrets --- */

/* `data` and `binaryData`; of a Secret all is base64, of a ConfigMap the second. */
struct values {
    const struct json *object;
    struct json_index data, binary;
    bool secret;
};

static void values_init(struct values *values, const struct json *object, bool secret,
                        struct arena *arena)
{
    values->object = object;
    values->secret = secret;
    json_index_init(&values->data, json_get(object, STR("data")), arena);
    json_index_init(&values->binary, json_get(object, STR("binaryData")), arena);
}

static int value_bytes(const struct json *value, bool encoded, struct arena *arena, str_t *bytes,
                       struct err *err)
{
    *bytes = json_text(value, STR(""));
    return encoded ? base64_decode(*bytes, arena, bytes, err) : 0;
}

/* ERR_NOT_FOUND: there is no such key. */
static int value_get(const struct values *values, str_t key, struct arena *arena, str_t *bytes,
                     struct err *err)
{
    const struct json *plain = json_index_get(&values->data, key);
    const struct json *binary = json_index_get(&values->binary, key);
    if (plain != NULL)
        return value_bytes(plain, values->secret, arena, bytes, err);
    if (binary != NULL)
        return value_bytes(binary, true, arena, bytes, err);
    return err_set(err, ERR_NOT_FOUND, "references non-existent %s key: " STR_F,
                   values->secret ? "secret" : "config", STR_A(key));
}

static int add_every(const struct content *c, const struct values *values, const char *field,
                     bool encoded, struct err *err)
{
    JSON_EACH(json_get(values->object, str_from_z(field)), value)
    {
        str_t bytes;
        int r = value_bytes(value, encoded, c->m->arena, &bytes, err);
        if (r == 0)
            r = add_file(c, value->key, bytes, (uint32_t)c->mode & 0777, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_items(const struct content *c, const struct values *values, const struct json *items,
                     bool optional, struct err *err)
{
    JSON_EACH(items, item)
    {
        str_t bytes;
        int r = value_get(values, json_get_text(item, STR("key")), c->m->arena, &bytes, err);
        if (r == ERR_NOT_FOUND && optional)
            continue;
        if (r == 0)
            r = add_file(c, json_get_text(item, STR("path")), bytes, mode_of(c, item), err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_object(const struct content *c, const struct json *source, bool secret,
                      struct err *err)
{
    const struct volume_need *need = making_next(c->m, secret ? NEED_SECRET : NEED_CONFIG_MAP);
    const struct json *items = json_get(source, STR("items"));
    struct values values;
    if (need->object == NULL && need->optional)
        return 0;
    if (need->object == NULL)
        return err_set(err, ERR_NOT_FOUND, "%s \"" STR_F "\" not found",
                       secret ? "secret" : "configmap", STR_A(need->name));
    values_init(&values, need->object, secret, c->m->arena);
    if (json_first(items) != NULL)
        return add_items(c, &values, items, need->optional, err);
    int r = add_every(c, &values, "binaryData", true, err);
    return r < 0 ? r : add_every(c, &values, "data", secret, err);
}

/* --- the pod itself --- */

static int add_downward(const struct content *c, const struct json *source, struct err *err)
{
    struct downward from = c->m->in->downward;
    from.pod = c->m->in->pod;
    JSON_EACH(json_get(source, STR("items")), item)
    {
        str_t value = STR("");
        const struct json *field = json_get(item, STR("fieldRef"));
        int r = field != NULL ? downward_field(&from, json_get_text(field, STR("fieldPath")),
                                               c->m->arena, &value, err)
                              : downward_resource(&from, json_get(item, STR("resourceFieldRef")),
                                                  NULL, c->m->arena, &value, err);
        if (r == 0)
            r = add_file(c, json_get_text(item, STR("path")), value, mode_of(c, item), err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Only for whom it is meant: of the group, or of the one user that all containers run as. */
static int add_token(const struct content *c, const struct json *source, struct err *err)
{
    const struct making *m = c->m;
    const struct volume_need *need = making_next(c->m, NEED_TOKEN);
    struct volume_file file = {.bytes = need->token,
                               .mode = m->uid >= 0 || m->gid >= 0 ? 0600 : (uint32_t)c->mode & 0777,
                               .uid = m->uid};
    if (need->token.len == 0)
        return err_set(err, ERR_NOT_FOUND, "failed to fetch token: there is none for the pod");
    return volume_files_add(c->files, json_get_text(source, STR("path")), file, m->arena, err);
}

/* --- all kinds --- */

static int add_part(const struct content *c, const struct json *source, struct err *err)
{
    if (source == NULL)
        return 0;
    if (str_eq(source->key, STR("configMap")))
        return add_object(c, source, false, err);
    if (str_eq(source->key, STR("secret")))
        return add_object(c, source, true, err);
    if (str_eq(source->key, STR("downwardAPI")))
        return add_downward(c, source, err);
    if (str_eq(source->key, STR("serviceAccountToken")))
        return add_token(c, source, err);
    return err_set(err, ERR_INVALID, STR_F " is not supported here", STR_A(source->key));
}

int volume_content(struct making *m, const struct json *source, struct volume_files *files,
                   struct err *err)
{
    struct content c = {.m = m, .files = files, .mode = CONFIG_MODE};
    (void)json_to_i64(json_get(source, STR("defaultMode")), &c.mode);
    if (!str_eq(source->key, STR("projected")))
        return add_part(&c, source, err);
    JSON_EACH(json_get(source, STR("sources")), one)
    {
        int r = add_part(&c, volume_source(one), err);
        if (r < 0)
            return r;
    }
    return 0;
}
