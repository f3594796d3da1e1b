/* registry_route.c - read from the right: a repository's name may have any words in it. */
#include "images/registry_route.h"

static str_t cut_last(str_t *path)
{
    size_t at = path->len;
    while (at > 0 && path->at[at - 1] != '/')
        at--;
    str_t last = {path->at + at, path->len - at};
    path->len = at > 0 ? at - 1 : 0;
    return last;
}

static enum registry_thing thing_of(str_t *rest, str_t *reference)
{
    str_t word;
    *reference = cut_last(rest);
    word = cut_last(rest);
    if (str_eq(word, STR("manifests")))
        return REGISTRY_MANIFEST;
    if (str_eq(word, STR("tags")) && str_eq(*reference, STR("list")))
        return REGISTRY_TAGS;
    if (str_eq(word, STR("blobs")))
        return str_eq(*reference, STR("uploads")) ? REGISTRY_UPLOADS : REGISTRY_BLOB;
    str_t above = *rest;
    if (str_eq(word, STR("uploads")) && str_eq(cut_last(&above), STR("blobs"))) {
        *rest = above;
        return reference->len == 0 ? REGISTRY_UPLOADS : REGISTRY_UPLOAD;
    }
    return REGISTRY_NOTHING;
}

static bool reference_fits(const struct registry_route *route)
{
    if (route->thing == REGISTRY_MANIFEST)
        return tag_is_valid(route->reference) || digest_is_valid(route->reference);
    return route->thing != REGISTRY_BLOB || digest_is_valid(route->reference);
}

struct registry_route registry_route(str_t path)
{
    struct registry_route out = {0};
    if (str_eq(path, STR("/v2/")) || str_eq(path, STR("/v2"))) {
        out.thing = REGISTRY_ROOT;
        return out;
    }
    if (!str_starts(path, STR("/v2/")))
        return out;
    str_t rest = {path.at + 4, path.len - 4};
    if (str_eq(rest, STR("_catalog"))) {
        out.thing = REGISTRY_CATALOG;
        return out;
    }
    out.thing = thing_of(&rest, &out.reference);
    out.repository = rest;
    if (out.thing != REGISTRY_NOTHING && !repository_is_valid(rest))
        out.thing = REGISTRY_BAD_NAME;
    else if (!reference_fits(&out))
        out.thing = REGISTRY_NOTHING;
    return out;
}

enum range_is range_parse(str_t field, uint64_t bytes, struct byte_range *out)
{
    str_t first, last;
    int64_t from = 0, to = 0;
    if (!str_starts(field, STR("bytes=")))
        return RANGE_NONE;
    field = (str_t){field.at + 6, field.len - 6};
    if (!str_cut(field, '-', &first, &last) || (first.len == 0 && last.len == 0))
        return RANGE_NONE;
    if ((first.len > 0 && !str_to_i64(first, &from)) || (last.len > 0 && !str_to_i64(last, &to)))
        return RANGE_NONE;
    if (first.len == 0) { /* So many from the end. */
        if (to == 0 || bytes == 0)
            return RANGE_BAD;
        *out = (struct byte_range){(uint64_t)to < bytes ? bytes - (uint64_t)to : 0, bytes};
        return RANGE_PART;
    }
    if (last.len > 0 && to < from)
        return RANGE_NONE;
    if ((uint64_t)from >= bytes)
        return RANGE_BAD;
    out->from = (uint64_t)from;
    out->end = last.len > 0 && (uint64_t)to < bytes ? (uint64_t)to + 1 : bytes;
    return RANGE_PART;
}
