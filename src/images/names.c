/* names.c - a sorted array, and the file it is written to before it is changed. */
#include "images/names.h"

#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 << 20 };

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static struct named *find(const struct names *names, const char *name)
{
    struct named wanted = {.name = (char *)name};
    return names->n == 0 ? NULL
                         : bsearch(&wanted, names->at, names->n, sizeof(*names->at), by_name);
}

static void add(struct names *names, str_t name, str_t manifest, int64_t used_ms)
{
    struct named *more = reallocarray(names->at, names->n + 1, sizeof(*more));
    MUST(more != NULL && manifest.len < DIGEST_BYTES);
    names->at = more;
    struct named *one = &names->at[names->n++];
    *one = (struct named){.name = strndup(name.at, name.len), .used_ms = used_ms};
    MUST(one->name != NULL);
    memcpy(one->manifest, manifest.at, manifest.len);
    qsort(names->at, names->n, sizeof(*names->at), by_name);
}

int names_open(struct names *names, const char *dir, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *path = arena_printf(&arena, "%s/names.json", dir).at;
    struct json *tree;
    str_t text;
    *names = (struct names){.dir = dir};
    MUST(pthread_mutex_init(&names->lock, NULL) == 0);
    MUST(pthread_mutex_init(&names->writing, NULL) == 0);
    if (access(path, F_OK) < 0)
        return 0;
    if (file_read(&arena, path, FILE_BYTES_MAX, &text, err) < 0)
        return err->code;
    if (json_parse(text, &arena, &tree, err) < 0)
        return err_wrap(err, "names of images, '%s'", path);
    JSON_EACH(tree, entry)
    {
        int64_t used_ms = 0;
        str_t manifest = json_get_text(entry, STR("manifest"));
        (void)json_to_i64(json_get(entry, STR("used_ms")), &used_ms);
        if (digest_is_valid(manifest))
            add(names, entry->key, manifest, used_ms);
    }
    return 0;
}

void names_close(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->at[i].name);
    free(names->at);
    (void)pthread_mutex_destroy(&names->lock);
    (void)pthread_mutex_destroy(&names->writing);
}

bool names_find(struct names *names, str_t name, char manifest[DIGEST_BYTES])
{
    AUTO(arena_done) struct arena arena = {0};
    const char *z = arena_printf(&arena, STR_F, STR_A(name)).at;
    (void)pthread_mutex_lock(&names->lock);
    const struct named *named = find(names, z);
    if (named != NULL)
        memcpy(manifest, named->manifest, DIGEST_BYTES);
    (void)pthread_mutex_unlock(&names->lock);
    return named != NULL;
}

void names_use(struct names *names, str_t name, int64_t now_ms)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *z = arena_printf(&arena, STR_F, STR_A(name)).at;
    (void)pthread_mutex_lock(&names->lock);
    struct named *named = find(names, z);
    if (named != NULL)
        named->used_ms = now_ms;
    (void)pthread_mutex_unlock(&names->lock);
}

size_t names_all(struct names *names, struct arena *arena, struct named **out)
{
    (void)pthread_mutex_lock(&names->lock);
    size_t n = names->n;
    *out = arena_array(arena, struct named, n + 1);
    for (size_t i = 0; i < n; i++) {
        (*out)[i] = names->at[i];
        (*out)[i].name = (char *)arena_str(arena, str_from_z(names->at[i].name)).at;
    }
    (void)pthread_mutex_unlock(&names->lock);
    return n;
}

/* --- changes --- */

/* All there are, but for `name`, which is `manifest` now. */
static int write_file(struct names *names, str_t name, const char *manifest, int64_t now_ms,
                      struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text = {0};
    struct json *tree = json_object(&arena);
    struct named *all;
    size_t n = names_all(names, &arena, &all);
    for (size_t i = 0; i <= n; i++) {
        struct named last = {.used_ms = now_ms};
        const struct named *one = i < n ? &all[i] : &last;
        str_t key = i < n ? str_from_z(all[i].name) : name;
        const char *digest = i < n ? all[i].manifest : manifest;
        if (digest == NULL || (i < n && str_eq(key, name)))
            continue;
        struct json *entry = json_object(&arena);
        json_add(entry, STR("manifest"), json_string(&arena, str_from_z(digest)));
        json_add(entry, STR("used_ms"), json_int(&arena, one->used_ms));
        json_add(tree, key, entry);
    }
    json_write(tree, &text);
    return file_write(arena_printf(&arena, "%s/names.json", names->dir).at, 0600, buf_str(&text),
                      err);
}

static void change(struct names *names, const char *name, const char *manifest, int64_t now_ms)
{
    (void)pthread_mutex_lock(&names->lock);
    struct named *named = find(names, name);
    if (named != NULL) {
        free(named->name);
        *named = names->at[--names->n];
        if (names->n > 0)
            qsort(names->at, names->n, sizeof(*names->at), by_name);
    }
    if (manifest != NULL)
        add(names, str_from_z(name), str_from_z(manifest), now_ms);
    (void)pthread_mutex_unlock(&names->lock);
}

int names_set(struct names *names, str_t name, const char *manifest, int64_t now_ms,
              struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    char before[DIGEST_BYTES];
    const char *z = arena_printf(&arena, STR_F, STR_A(name)).at;
    (void)pthread_mutex_lock(&names->writing);
    int r = 0;
    if (manifest == NULL && !names_find(names, name, before))
        r = err_set(err, ERR_NOT_FOUND, "no image has the name %s", z);
    if (r == 0)
        r = write_file(names, name, manifest, now_ms, err);
    if (r == 0)
        change(names, z, manifest, now_ms);
    (void)pthread_mutex_unlock(&names->writing);
    return r;
}
