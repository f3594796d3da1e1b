/* reference.c - what is read of a name, from the left: registry, repository, tag, digest. */
#include "images/reference.h"

#include <string.h>

enum { SHA256_DIGITS = 64 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool digest_is_valid(str_t text)
{
    if (!str_starts(text, STR("sha256:")) || text.len != 7 + SHA256_DIGITS)
        return false;
    for (size_t i = 7; i < text.len; i++)
        if (!is_digit(text.at[i]) && !(text.at[i] >= 'a' && text.at[i] <= 'f'))
            return false;
    return true;
}

bool tag_is_valid(str_t tag)
{
    if (tag.len == 0 || tag.len >= TAG_BYTES || tag.at[0] == '.' || tag.at[0] == '-')
        return false;
    for (size_t i = 0; i < tag.len; i++) {
        char c = tag.at[i];
        if (!is_digit(c) && !is_lower(c) && !is_upper(c) && c != '_' && c != '.' && c != '-')
            return false;
    }
    return true;
}

/* Between letters and digits: one dot, one or two underscores, any number of dashes. */
static bool part_is_valid(str_t part)
{
    size_t i = 0;
    while (i < part.len) {
        size_t from = i;
        while (i < part.len && (is_digit(part.at[i]) || is_lower(part.at[i])))
            i++;
        if (i == from)
            return false;
        if (i == part.len)
            return true;
        char c = part.at[i];
        from = i;
        while (i < part.len && part.at[i] == c)
            i++;
        bool fine = c == '-' || (c == '.' && i - from == 1) || (c == '_' && i - from <= 2);
        if (!fine)
            return false;
    }
    return false;
}

bool repository_is_valid(str_t text)
{
    str_t part, rest = text;
    if (text.len == 0 || text.len >= REPOSITORY_BYTES)
        return false;
    for (bool more = true; more;) {
        more = str_cut(rest, '/', &part, &rest);
        if (!part_is_valid(part))
            return false;
    }
    return true;
}

static bool registry_is_valid(str_t text)
{
    str_t host, port;
    bool has_port = str_cut(text, ':', &host, &port);
    if (host.len == 0 || text.len >= REGISTRY_BYTES || (has_port && port.len == 0))
        return false;
    for (size_t i = 0; has_port && i < port.len; i++)
        if (!is_digit(port.at[i]))
            return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.at[i];
        bool inner = i > 0 && i + 1 < host.len && host.at[i - 1] != '.' && (c == '.' || c == '-');
        if (!is_digit(c) && !is_lower(c) && !is_upper(c) && !inner)
            return false;
    }
    return true;
}

/* Is the part before the first slash a registry, or the beginning of a repository? */
static bool names_registry(str_t first)
{
    for (size_t i = 0; i < first.len; i++)
        if (first.at[i] == '.' || first.at[i] == ':' || is_upper(first.at[i]))
            return true;
    return str_eq(first, STR("localhost"));
}

static void set(char *to, str_t text)
{
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
}

static int refuse(struct err *err, str_t repository)
{
    for (size_t i = 0; i < repository.len; i++)
        if (is_upper(repository.at[i]))
            return err_set(err, ERR_INVALID,
                           "invalid reference format: repository name (" STR_F
                           ") must be lowercase",
                           STR_A(repository));
    return err_set(err, ERR_INVALID, "invalid reference format");
}

/* The tag is behind the last colon, if no slash follows it. */
static void cut_tag(str_t text, str_t *repository, str_t *tag)
{
    *repository = text;
    *tag = STR("");
    for (size_t i = text.len; i > 0 && text.at[i - 1] != '/'; i--)
        if (text.at[i - 1] == ':') {
            *repository = (str_t){text.at, i - 1};
            *tag = (str_t){text.at + i, text.len - i};
            return;
        }
}

int reference_parse(str_t text, struct reference *out, struct err *err)
{
    str_t name, digest, first, rest, repository, tag;
    bool with_digest = str_cut(text, '@', &name, &digest);
    bool slash = str_cut(name, '/', &first, &rest);
    str_t registry = STR("docker.io");
    *out = (struct reference){0};
    if (text.len >= IMAGE_NAME_BYTES - 16 || (with_digest && !digest_is_valid(digest)))
        return err_set(err, ERR_INVALID, "invalid reference format");
    if (slash && names_registry(first)) {
        registry = first;
        name = rest;
    }
    cut_tag(name, &repository, &tag);
    bool with_tag = repository.len < name.len;
    if (str_eq(registry, STR("index.docker.io")))
        registry = STR("docker.io");
    if (!registry_is_valid(registry) || !repository_is_valid(repository) ||
        (with_tag && !tag_is_valid(tag)))
        return refuse(err, repository);
    bool official =
        str_eq(registry, STR("docker.io")) && memchr(repository.at, '/', repository.len) == NULL;
    if (official && repository.len + sizeof("library/") > REPOSITORY_BYTES)
        return refuse(err, repository);
    set(out->registry, registry);
    set(out->repository, official ? STR("library/") : STR(""));
    set(out->repository + strlen(out->repository), repository);
    if (with_tag)
        set(out->tag, tag);
    else if (!with_digest)
        set(out->tag, STR("latest"));
    if (with_digest)
        set(out->digest, digest);
    return 0;
}

str_t reference_name(const struct reference *reference, struct arena *arena)
{
    bool digest = reference->digest[0] != '\0';
    return arena_printf(arena, "%s/%s%s%s", reference->registry, reference->repository,
                        digest ? "@" : ":", digest ? reference->digest : reference->tag);
}
