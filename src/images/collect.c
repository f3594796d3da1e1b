/*
 * collect.c - room is made when the disk is nearly full: first what no name needs, then the images
 * that were used longest ago. What a container stands on stays, and so does what is new.
 */
#include "images/images_priv.h"

#include <stdlib.h>
#include <sys/statvfs.h>

enum { ROUND_MAX = 10000 };

struct candidate {
    struct named *named;
    bool used;
};

/* As df has it: of what others than root may use. */
static int percent_used(const struct images *images, unsigned *percent, struct err *err)
{
    struct statvfs st;
    if (statvfs(images->dir, &st) < 0)
        return err_errno(err, "ask how full the disk of '%s' is", images->dir);
    uint64_t used = st.f_blocks - st.f_bfree, all = used + st.f_bavail;
    *percent = all == 0 ? 0 : (unsigned)((used * 100 + all - 1) / all);
    return 0;
}

static bool is_used(const struct images *images, const char *target, const str_t *used, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err ignored;
    str_t manifest = str_from_z(target);
    (void)parts_resolve(images, &manifest, &arena, &ignored);
    for (size_t i = 0; i < n; i++)
        if (str_eq(used[i], manifest))
            return true;
    return false;
}

static int by_use(const void *a, const void *b)
{
    int64_t first = ((const struct candidate *)a)->named->used_ms;
    int64_t second = ((const struct candidate *)b)->named->used_ms;
    return first < second ? -1 : first > second;
}

/* Of those that containers stand on it is noted that they were used just now. */
static size_t candidates(struct images *images, const str_t *used, size_t n_used, int64_t now_ms,
                         struct arena *arena, struct candidate **out)
{
    struct named *all;
    size_t n = names_all(&images->names, arena, &all), kept = 0;
    *out = arena_array(arena, struct candidate, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (is_used(images, all[i].manifest, used, n_used))
            names_use(&images->names, str_from_z(all[i].name), now_ms);
        else
            (*out)[kept++] = (struct candidate){.named = &all[i]};
    }
    qsort(*out, kept, sizeof(**out), by_use);
    return kept;
}

int store_collect(struct images *images, const struct images_budget *budget, const str_t *used,
                  size_t n_used, struct arena *arena, struct collected *out, struct err *err)
{
    struct candidate *all;
    unsigned percent;
    int64_t now_ms = wall_now_ms();
    size_t n = candidates(images, used, n_used, now_ms, arena, &all);
    out->found = arena_array(arena, struct image, n + 1);
    if (percent_used(images, &percent, err) < 0)
        return err->code;
    if (percent <= budget->high_percent)
        return 0;
    int r = store_prune(images, used, n_used, &out->freed, err);
    for (size_t i = 0; r == 0 && i < n && i < ROUND_MAX; i++) {
        struct image *gone = &out->found[out->n];
        struct named *named = all[i].named;
        if ((r = percent_used(images, &percent, err)) < 0 || percent <= budget->low_percent)
            break;
        if (now_ms - named->used_ms < budget->age_min_ms)
            break; /* So are all that follow. */
        gone->name = str_from_z(named->name);
        gone->used_ms = named->used_ms;
        r = names_set(&images->names, gone->name, NULL, 0, err);
        if (r == 0)
            r = store_prune(images, used, n_used, &out->freed, err);
        if (r == 0)
            out->n++;
    }
    return r;
}
