/*
 * json_reader.c - JSON text to items, without recursion: a bit for each open container.
 *
 * A string's bytes are looked at eight at a time: a word without quote, backslash, control
 * character or high bit is plain text. Only strings with escapes are copied.
 */
#include "base/json_reader.h"

#include <string.h>

static int fail(const struct json_reader *p, const char *expected)
{
    int line = 1, column = 1;
    for (const char *c = p->start; c < p->at; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    if (p->at >= p->end)
        return err_set(p->err, ERR_INVALID, "unexpected end of JSON input, line %d column %d: %s",
                       line, column, expected);
    return err_set(p->err, ERR_INVALID, "invalid JSON, line %d column %d: %s", line, column,
                   expected);
}

static void skip_blank(struct json_reader *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

/* The bytes of `word` that are special in a string have their high bit set in the answer. */
static uint64_t special_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | (word - ones * 0x20) | word) &
           highs;
}

/* Moves to the next quote or backslash; everything before it is valid text. */
static int skip_plain(struct json_reader *p)
{
    while (p->at < p->end) {
        uint64_t word;
        while (p->end - p->at >= 8) {
            memcpy(&word, p->at, 8);
            uint64_t special = special_bytes(word);
            if (special != 0) {
                p->at += __builtin_ctzll(special) / 8;
                break;
            }
            p->at += 8;
        }
        if (p->at == p->end)
            break;
        unsigned char c = (unsigned char)*p->at;
        if (c == '"' || c == '\\')
            return 0;
        if (c < 0x20)
            return fail(p, "a control character in a string must be escaped");
        if (c < 0x80) {
            p->at++;
            continue;
        }
        size_t n = str_utf8_len((str_t){p->at, (size_t)(p->end - p->at)});
        if (n == 0)
            return fail(p, "a string must be valid UTF-8");
        p->at += n;
    }
    return fail(p, "a string must end with '\"'");
}

static int hex4(struct json_reader *p, uint32_t *out)
{
    if (p->end - p->at < 4)
        return fail(p, "four hexadecimal digits must follow '\\u'");
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        char c = *p->at;
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (uint32_t)((c | 32) - 'a' + 10);
        else
            return fail(p, "four hexadecimal digits must follow '\\u'");
        value = value * 16 + digit;
    }
    *out = value;
    return 0;
}

static size_t utf8_put(char *to, uint32_t rune)
{
    if (rune < 0x80) {
        to[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        to[0] = (char)(0xc0 | rune >> 6);
        to[1] = (char)(0x80 | (rune & 63));
        return 2;
    }
    if (rune < 0x10000) {
        to[0] = (char)(0xe0 | rune >> 12);
        to[1] = (char)(0x80 | (rune >> 6 & 63));
        to[2] = (char)(0x80 | (rune & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | rune >> 18);
    to[1] = (char)(0x80 | (rune >> 12 & 63));
    to[2] = (char)(0x80 | (rune >> 6 & 63));
    to[3] = (char)(0x80 | (rune & 63));
    return 4;
}

/* Behind "\u". A lone surrogate becomes U+FFFD, as in Go. */
static int unicode_escape(struct json_reader *p, uint32_t *rune)
{
    int r = hex4(p, rune);
    if (r < 0 || *rune < 0xd800 || *rune > 0xdfff)
        return r;
    uint32_t high = *rune, low = 0;
    *rune = 0xfffd;
    if (high > 0xdbff || p->end - p->at < 6 || p->at[0] != '\\' || p->at[1] != 'u')
        return 0;
    const char *before = p->at;
    p->at += 2;
    r = hex4(p, &low);
    if (r < 0)
        return r;
    if (low < 0xdc00 || low > 0xdfff)
        p->at = before; /* An escape of its own. */
    else
        *rune = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return 0;
}

/* At a backslash: writes what it means and moves behind it. */
static int escape(struct json_reader *p, char **to)
{
    static const char from[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    p->at++;
    if (p->at >= p->end)
        return fail(p, "an escape must follow '\\'");
    char c = *p->at++;
    if (c == 'u') {
        uint32_t rune = 0;
        int r = unicode_escape(p, &rune);
        if (r < 0)
            return r;
        *to += utf8_put(*to, rune);
        return 0;
    }
    const char *hit = memchr(from, c, sizeof(from) - 1);
    if (hit == NULL) {
        p->at--;
        return fail(p, "an unknown escape");
    }
    *(*to)++ = means[hit - from];
    return 0;
}

/* The rest of a string whose first escape is at p->at; `begin` is behind the opening quote. */
static int string_with_escapes(struct json_reader *p, const char *begin, str_t *out)
{
    const char *close = p->at;
    while (close < p->end && *close != '"')
        close += *close == '\\' && p->end - close > 1 ? 2 : 1;
    /* What an escape means is never longer than the escape. */
    char *copy = arena_bytes(p->arena, (size_t)(close - begin) + 4), *to = copy;
    const char *from = begin;
    for (;;) {
        memcpy(to, from, (size_t)(p->at - from));
        to += p->at - from;
        if (*p->at == '"')
            break;
        int r = escape(p, &to);
        if (r < 0)
            return r;
        from = p->at;
        r = skip_plain(p);
        if (r < 0)
            return r;
    }
    p->at++;
    *out = (str_t){copy, (size_t)(to - copy)};
    return 0;
}

/* At the opening quote. */
static int string(struct json_reader *p, str_t *out)
{
    const char *begin = ++p->at;
    int r = skip_plain(p);
    if (r < 0)
        return r;
    if (*p->at == '\\')
        return string_with_escapes(p, begin, out);
    *out = (str_t){begin, (size_t)(p->at - begin)};
    p->at++;
    return 0;
}

static bool digits(struct json_reader *p)
{
    const char *from = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > from;
}

static int number(struct json_reader *p, str_t *out)
{
    const char *from = p->at;
    if (*p->at == '-')
        p->at++;
    if (p->at < p->end && *p->at == '0')
        p->at++;
    else if (!digits(p))
        return fail(p, "a digit");
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        if (!digits(p))
            return fail(p, "a digit after the point");
    }
    if (p->at < p->end && (*p->at | 32) == 'e') {
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (!digits(p))
            return fail(p, "a digit of the exponent");
    }
    *out = (str_t){from, (size_t)(p->at - from)};
    return 0;
}

static int word(struct json_reader *p, str_t text)
{
    if ((size_t)(p->end - p->at) < text.len || memcmp(p->at, text.at, text.len) != 0)
        return fail(p, "a value");
    p->at += text.len;
    return 0;
}

static int scalar(struct json_reader *p, struct json_item *item)
{
    item->event = JSON_VALUE;
    switch (*p->at) {
    case '"':
        item->type = JSON_STRING;
        return string(p, &item->text);
    case 't':
        item->type = JSON_BOOL;
        item->boolean = true;
        return word(p, STR("true"));
    case 'f':
        item->type = JSON_BOOL;
        item->boolean = false;
        return word(p, STR("false"));
    case 'n':
        item->type = JSON_NULL;
        return word(p, STR("null"));
    default:
        item->type = JSON_NUMBER;
        if (*p->at != '-' && (*p->at < '0' || *p->at > '9'))
            return fail(p, "a value");
        return number(p, &item->text);
    }
}

/* At the first byte of a value. */
static int value(struct json_reader *p, struct json_item *item)
{
    if (p->at >= p->end)
        return fail(p, "a value");
    if (*p->at != '{' && *p->at != '[')
        return scalar(p, item);
    if (p->depth == JSON_DEPTH_MAX)
        return fail(p, "it is nested too deeply");
    item->event = JSON_OPEN;
    item->type = *p->at == '{' ? JSON_OBJECT : JSON_ARRAY;
    p->open[p->depth++] = (unsigned char)item->type;
    p->behind_member = false;
    p->at++;
    return 0;
}

static int member(struct json_reader *p, struct json_item *item)
{
    if (p->at >= p->end || *p->at != '"')
        return fail(p, "a key in quotes");
    int r = string(p, &item->key);
    if (r < 0)
        return r;
    skip_blank(p);
    if (p->at >= p->end || *p->at != ':')
        return fail(p, "':' after a key");
    p->at++;
    skip_blank(p);
    return value(p, item);
}

/* Outside of all containers: before the document, or behind it. */
static int outside(struct json_reader *p, struct json_item *item)
{
    skip_blank(p);
    if (!p->begun) {
        p->begun = true;
        item->key = (str_t){0};
        return value(p, item);
    }
    item->event = JSON_END;
    return p->at < p->end ? fail(p, "nothing may follow the document") : 0;
}

int json_next(struct json_reader *p, struct json_item *item)
{
    if (p->depth == 0)
        return outside(p, item);
    bool object = p->open[p->depth - 1] == JSON_OBJECT;
    skip_blank(p);
    if (p->at < p->end && *p->at == (object ? '}' : ']')) {
        p->at++;
        p->depth--;
        p->behind_member = true;
        item->event = JSON_CLOSE;
        return 0;
    }
    if (p->behind_member) {
        if (p->at >= p->end || *p->at != ',')
            return fail(p, object ? "',' or '}'" : "',' or ']'");
        p->at++;
        skip_blank(p);
    }
    p->behind_member = true; /* Unless value() opens a container. */
    if (object)
        return member(p, item);
    item->key = (str_t){0};
    return value(p, item);
}

int json_skip(struct json_reader *p)
{
    struct json_item item;
    unsigned outer = p->depth - 1;
    int r = 0;
    MUST(p->depth > 0);
    while (r == 0 && p->depth > outer)
        r = json_next(p, &item);
    return r;
}
