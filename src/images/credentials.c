/* credentials.c - keys are taken apart into host, port and path, and matched part by part. */
#include "images/credentials.h"

#include "codec/base64.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { CREDENTIALS_BYTES_MAX = 1 << 20, HOST_PART_BYTES = 256 };

struct place { /* "*.example.com:5000/team" */
    str_t host, port, path;
};

struct candidate {
    str_t key;
    const struct json *entry;
};

static str_t without(str_t text, str_t prefix)
{
    return str_starts(text, prefix) ? (str_t){text.at + prefix.len, text.len - prefix.len} : text;
}

/* The part after a key's host, where "/v1/" and "/v2/" are of the protocol and not of a name. */
static struct place place_of(str_t text)
{
    struct place out;
    text = without(without(text, STR("https://")), STR("http://"));
    str_t authority, rest;
    bool slash = str_cut(text, '/', &authority, &rest);
    out.path = slash ? (str_t){rest.at - 1, rest.len + 1} : STR("");
    if (str_starts(out.path, STR("/v1/")) || str_starts(out.path, STR("/v2/")))
        out.path = (str_t){out.path.at + 3, out.path.len - 3};
    if (out.path.len == 1)
        out.path = STR("");
    str_cut(authority, ':', &out.host, &out.port);
    return out;
}

static bool part_matches(str_t glob, str_t part)
{
    char pattern[HOST_PART_BYTES], text[HOST_PART_BYTES];
    if (glob.len >= sizeof(pattern) || part.len >= sizeof(text))
        return false;
    if (str_eq(glob, part))
        return true;
    for (size_t i = 0, stars = 0; i < glob.len; i++) {
        stars += glob.at[i] == '*';
        if (glob.at[i] == '\0' || stars > 2) /* More only cost time. */
            return false;
    }
    memcpy(pattern, glob.at, glob.len);
    memcpy(text, part.at, part.len);
    pattern[glob.len] = text[part.len] = '\0';
    return fnmatch(pattern, text, 0) == 0;
}

static bool host_matches(str_t glob, str_t host)
{
    for (bool more = true; more;) {
        str_t glob_part, part;
        more = str_cut(glob, '.', &glob_part, &glob);
        bool more_host = str_cut(host, '.', &part, &host);
        if (more != more_host || !part_matches(glob_part, part))
            return false;
    }
    return true;
}

static bool place_matches(const struct place *key, const struct place *image)
{
    return str_eq(key->port, image->port) && str_starts(image->path, key->path) &&
           host_matches(key->host, image->host);
}

/* The most exact first: of two that match, the longer text is behind in the order of bytes. */
static int by_key(const void *a, const void *b)
{
    return -str_cmp(((const struct candidate *)a)->key, ((const struct candidate *)b)->key);
}

/* "user:password" in base64, with or without its padding. */
static bool read_auth(str_t auth, struct arena *arena, struct credential *out)
{
    struct err err;
    str_t plain;
    size_t missing = (4 - auth.len % 4) % 4;
    str_t padded = arena_printf(arena, STR_F "%.*s", STR_A(auth), (int)missing, "===");
    if (base64_decode(padded, arena, &plain, &err) < 0 ||
        !str_cut(plain, ':', &out->user, &out->password))
        return false;
    while (out->password.len > 0 && out->password.at[out->password.len - 1] == '\0')
        out->password.len--; /* Docker for Windows ended it so. */
    return true;
}

/* With a blank line or a NUL in it, it would be another header field. */
static bool is_clean(str_t text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
            return false;
    return true;
}

static bool read_entry(const struct json *entry, struct arena *arena, struct credential *out)
{
    str_t auth = json_get_text(entry, STR("auth"));
    *out = (struct credential){json_get_text(entry, STR("username")),
                               json_get_text(entry, STR("password"))};
    if (auth.len > 0 && !read_auth(auth, arena, out))
        return false;
    return (out->user.len > 0 || out->password.len > 0) && is_clean(out->user) &&
           is_clean(out->password);
}

int credentials_find(str_t text, const struct reference *reference, struct arena *arena,
                     struct credential **out, size_t *n, struct err *err)
{
    struct json *tree;
    *n = 0;
    if (text.len > CREDENTIALS_BYTES_MAX)
        return err_set(err, ERR_INVALID, "credentials are larger than %d bytes",
                       CREDENTIALS_BYTES_MAX);
    if (json_parse(text, arena, &tree, err) < 0)
        return err_wrap(err, "credentials");
    if (tree->type != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "credentials are no object");
    const struct json *auths = json_get(tree, STR("auths"));
    if (auths == NULL)
        auths = tree;
    size_t n_keys = 0;
    struct candidate *keys = arena_array(arena, struct candidate, json_count(auths) + 1);
    str_t whole = arena_printf(arena, "%s/%s", reference->registry, reference->repository);
    struct place image = place_of(whole);
    bool docker = str_eq(image.host, STR("docker.io"));
    JSON_EACH(auths, entry)
    {
        struct place key = place_of(entry->key);
        bool by_default = docker && str_eq(key.host, STR("index.docker.io")) && key.path.len == 0;
        if (by_default || place_matches(&key, &image))
            keys[n_keys++] = (struct candidate){entry->key, entry};
    }
    qsort(keys, n_keys, sizeof(*keys), by_key);
    *out = arena_array(arena, struct credential, CREDENTIALS_MAX);
    for (size_t i = 0; i < n_keys && *n < CREDENTIALS_MAX; i++)
        if (read_entry(keys[i].entry, arena, &(*out)[*n]))
            (*n)++;
    return 0;
}
