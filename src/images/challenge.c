/* challenge.c - scheme, then name="value" pairs with commas between; a word without "=" is the next
 * scheme. What does not fit ends the reading: what was understood so far counts. */
#include "images/challenge.h"

#include <string.h>
#include <strings.h>

struct reader {
    str_t rest;
    struct arena *arena;
};

static bool is_token(char c)
{
    return c > 0x20 && c < 0x7f && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

static void skip(struct reader *in, const char *set)
{
    while (in->rest.len > 0 && in->rest.at[0] != '\0' && strchr(set, in->rest.at[0]) != NULL)
        in->rest = (str_t){in->rest.at + 1, in->rest.len - 1};
}

static str_t token(struct reader *in)
{
    size_t n = 0;
    while (n < in->rest.len && is_token(in->rest.at[n]))
        n++;
    str_t out = {in->rest.at, n};
    in->rest = (str_t){in->rest.at + n, in->rest.len - n};
    return out;
}

static bool quoted(struct reader *in, str_t *out)
{
    char *text = arena_bytes(in->arena, in->rest.len + 1);
    size_t n = 0, i = 1;
    for (; i < in->rest.len && in->rest.at[i] != '"'; i++) {
        if (in->rest.at[i] == '\\' && i + 1 < in->rest.len)
            i++;
        if ((unsigned char)in->rest.at[i] < 0x20 || in->rest.at[i] == 0x7f)
            return false;
        text[n++] = in->rest.at[i];
    }
    if (i >= in->rest.len)
        return false;
    in->rest = (str_t){in->rest.at + i + 1, in->rest.len - i - 1};
    *out = (str_t){text, n};
    return true;
}

static bool name_is(str_t name, const char *wanted)
{
    return name.len == strlen(wanted) && strncasecmp(name.at, wanted, name.len) == 0;
}

static void set(struct challenge *out, str_t name, str_t value)
{
    if (name_is(name, "realm"))
        out->realm = value;
    else if (name_is(name, "service"))
        out->service = value;
    else if (name_is(name, "scope"))
        out->scope = value;
    else if (name_is(name, "error"))
        out->error = value;
}

/* The parameters behind a scheme; true: `next` is the scheme that follows. */
static bool parameters(struct reader *in, struct challenge *out, str_t *next)
{
    for (;;) {
        str_t value;
        skip(in, " \t,");
        str_t name = token(in);
        if (name.len == 0)
            return false;
        skip(in, " \t");
        if (in->rest.len == 0 || in->rest.at[0] != '=') {
            *next = name;
            return true;
        }
        skip(in, "=");
        skip(in, " \t");
        if (in->rest.len > 0 && in->rest.at[0] == '"') {
            if (!quoted(in, &value))
                return false;
        } else {
            value = token(in);
        }
        set(out, name, value);
    }
}

void challenge_parse(str_t field, struct arena *arena, struct challenge *out)
{
    struct reader in = {field, arena};
    *out = (struct challenge){0};
    skip(&in, " \t,");
    str_t scheme = token(&in);
    for (bool more = scheme.len > 0; more;) {
        struct challenge one = {0};
        if (name_is(scheme, "Bearer"))
            one.kind = CHALLENGE_BEARER;
        else if (name_is(scheme, "Basic"))
            one.kind = CHALLENGE_BASIC;
        more = parameters(&in, &one, &scheme);
        if (one.kind == CHALLENGE_BEARER && one.realm.len == 0)
            one.kind = CHALLENGE_NONE;
        if (one.kind > out->kind)
            *out = one;
    }
}
