/* h1_parse.c - one pass over lines that are known to end with CRLF. */
#include "http/h1_parse.h"

#include <string.h>

enum { METHOD_LEN_MAX = 32, EMPTY_LINES_MAX = 3, CHUNK_LINE_MAX = 4096, TRAILER_BYTES_MAX = 8192 };

/* 1: may stand in a token (RFC 9110, 5.6.2). */
static const bool token_char[256] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1,
    ['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1,  ['~'] = 1, ['0'] = 1,
    ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1,  ['7'] = 1, ['8'] = 1,
    ['9'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1,  ['F'] = 1, ['G'] = 1,
    ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1,  ['N'] = 1, ['O'] = 1,
    ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1,  ['V'] = 1, ['W'] = 1,
    ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1,  ['d'] = 1, ['e'] = 1,
    ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1,  ['l'] = 1, ['m'] = 1,
    ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1,  ['t'] = 1, ['u'] = 1,
    ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1,
};

bool http_is_token(str_t text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!token_char[(unsigned char)text.at[i]])
            return false;
    return text.len > 0;
}

bool http_is_field_value(str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static int too_long(str_t bytes)
{
    /* Still in the request line: it is the target that is too long. */
    return memchr(bytes.at, '\n', bytes.len) == NULL ? -414 : -431;
}

int h1_head_len(str_t bytes, size_t *scanned)
{
    size_t limit = bytes.len < HTTP_HEAD_BYTES_MAX ? bytes.len : HTTP_HEAD_BYTES_MAX;
    while (*scanned < limit) {
        const char *lf = memchr(bytes.at + *scanned, '\n', limit - *scanned);
        if (lf == NULL) {
            *scanned = limit;
            break;
        }
        size_t at = (size_t)(lf - bytes.at);
        if (at == 0 || bytes.at[at - 1] != '\r')
            return -400;
        *scanned = at + 1;
        bool empty = at == 1 || bytes.at[at - 2] == '\n';
        if (!empty)
            continue;
        /* Empty lines before anything else do not end the head. */
        bool only_empty = true;
        for (size_t i = 0; i <= at && only_empty; i++)
            only_empty = bytes.at[i] == '\r' || bytes.at[i] == '\n';
        if (only_empty && at >= (size_t)2 * EMPTY_LINES_MAX)
            return -400;
        if (!only_empty)
            return (int)at + 1;
    }
    return bytes.len >= HTTP_HEAD_BYTES_MAX ? too_long((str_t){bytes.at, limit}) : 0;
}

static bool next_line(str_t *rest, str_t *line)
{
    if (!str_cut(*rest, '\n', line, rest) || line->len == 0)
        return false;
    line->len--; /* h1_head_len() saw the CR. */
    return memchr(line->at, '\r', line->len) == NULL;
}

static str_t trim(str_t text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = (str_t){text.at + 1, text.len - 1};
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool is_port(str_t text)
{
    int64_t port;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.len == 0 || (text.len <= 5 && str_to_i64(text, &port) && port <= 65535);
}

/* uri-host [":" port] (RFC 9110, 7.2), without user information. */
static bool is_host(str_t host)
{
    if (host.len > 0 && host.at[0] == '[') {
        const char *end = memchr(host.at, ']', host.len);
        if (end == NULL || end - host.at < 3)
            return false;
        for (const char *c = host.at + 1; c < end; c++)
            if (memchr("0123456789abcdefABCDEF:.", *c, 24) == NULL)
                return false;
        str_t after = {end + 1, host.len - (size_t)(end + 1 - host.at)};
        return after.len == 0 ||
               (after.at[0] == ':' && is_port((str_t){after.at + 1, after.len - 1}));
    }
    str_t name, port;
    str_cut(host, ':', &name, &port);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];
        bool ok = token_char[c] || memchr("()=;", c, 4) != NULL;
        if (!ok || c == '#' || c == '^' || c == '`' || c == '|')
            return false;
    }
    return is_port(port);
}

static int request_line(str_t line, struct h1_request *out)
{
    str_t rest, version;
    if (!str_cut(line, ' ', &out->method, &rest) || !str_cut(rest, ' ', &out->target, &version))
        return -400;
    if (!http_is_token(out->method) || out->method.len > METHOD_LEN_MAX || out->target.len == 0)
        return -400;
    for (size_t i = 0; i < out->target.len; i++)
        if ((unsigned char)out->target.at[i] < 0x21 || (unsigned char)out->target.at[i] > 0x7e)
            return -400;
    if (version.len != 8 || !str_starts(version, STR("HTTP/")) || version.at[6] != '.' ||
        version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' || version.at[7] > '9')
        return -400;
    if (version.at[5] != '1')
        return -505;
    out->version = version.at[7] == '0' ? 10 : 11;
    return 0;
}

static bool list_has(str_t list, str_t token)
{
    str_t item;
    while (list.len > 0) {
        str_cut(list, ',', &item, &list);
        if (http_name_eq(trim(item), token))
            return true;
    }
    return false;
}

static int content_length(str_t value, struct h1_request *out)
{
    if (out->content_length >= 0 || value.len == 0 || value.at[0] == '-' ||
        !str_to_i64(value, &out->content_length))
        return -400;
    return 0;
}

/* The fields that decide how the message goes on. `seen_host` counts. */
static int special_field(const struct http_field *field, struct h1_request *out, int *seen_host)
{
    str_t value = field->value;
    switch (field->name.len) {
    case 4:
        if (!http_name_eq(field->name, STR("Host")))
            return 0;
        out->host = value;
        return ++*seen_host > 1 || !is_host(value) ? -400 : 0;
    case 6:
        if (!http_name_eq(field->name, STR("Expect")))
            return 0;
        out->expect_continue = http_name_eq(value, STR("100-continue"));
        return out->expect_continue ? 0 : -417;
    case 10:
        if (!http_name_eq(field->name, STR("Connection")))
            return 0;
        out->close = out->close || list_has(value, STR("close"));
        if (out->version == 10 && list_has(value, STR("keep-alive")))
            out->close = false;
        out->upgrade = out->upgrade || list_has(value, STR("upgrade"));
        return 0;
    case 14:
        return http_name_eq(field->name, STR("Content-Length")) ? content_length(value, out) : 0;
    case 17:
        if (!http_name_eq(field->name, STR("Transfer-Encoding")))
            return 0;
        if (out->chunked || out->version == 10)
            return -400;
        out->chunked = http_name_eq(value, STR("chunked"));
        return out->chunked ? 0 : -501;
    default:
        return 0;
    }
}

static int field_line(str_t line, struct h1_request *out, int *seen_host)
{
    if (out->n_fields == HTTP_FIELDS_MAX)
        return -431;
    struct http_field *field = &out->fields[out->n_fields++];
    if (!str_cut(line, ':', &field->name, &field->value) || !http_is_token(field->name))
        return -400;
    field->value = trim(field->value);
    if (!http_is_field_value(field->value))
        return -400;
    return special_field(field, out, seen_host);
}

static int check_target(struct h1_request *out)
{
    if (str_eq(out->method, STR("CONNECT")))
        return -405;
    if (out->target.at[0] == '/')
        return 0;
    if (str_eq(out->target, STR("*")))
        return str_eq(out->method, STR("OPTIONS")) ? 0 : -400;
    str_t rest = out->target;
    size_t scheme = str_starts(rest, STR("http://"))    ? 7
                    : str_starts(rest, STR("https://")) ? 8
                                                        : 0;
    if (scheme == 0)
        return -400;
    rest = (str_t){rest.at + scheme, rest.len - scheme};
    str_t authority = rest;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] != '/' && rest.at[i] != '?')
            continue;
        authority.len = i;
        break;
    }
    if (out->version == 11 && !http_name_eq(authority, out->host))
        return -400;
    if (authority.len == 0 || !is_host(authority))
        return -400;
    out->host = authority;
    out->target = (str_t){rest.at + authority.len, rest.len - authority.len};
    if (out->target.len == 0)
        out->target = STR("/");
    return out->target.at[0] == '/' ? 0 : -400;
}

int h1_parse_request(str_t head, struct h1_request *out)
{
    out->n_fields = 0;
    out->content_length = -1;
    out->host = (str_t){0};
    out->chunked = out->expect_continue = out->upgrade = false;
    str_t rest = head, line;
    do
        if (!next_line(&rest, &line))
            return -400;
    while (line.len == 0);
    int r = request_line(line, out);
    if (r < 0)
        return r;
    out->close = out->version == 10;
    int seen_host = 0;
    for (;;) {
        if (!next_line(&rest, &line))
            return -400;
        if (line.len == 0)
            break;
        r = field_line(line, out, &seen_host);
        if (r < 0)
            return r;
    }
    if (out->version == 11 && seen_host != 1)
        return -400;
    if (out->chunked && out->content_length >= 0)
        return -400;
    return check_target(out);
}

/* --- chunks --- */

/* A line with its CRLF: its length, 0 if it is not there yet, -400 if it is too long or broken. */
static ssize_t line_len(str_t bytes, size_t max)
{
    const char *lf = memchr(bytes.at, '\n', bytes.len < max ? bytes.len : max);
    if (lf == NULL)
        return bytes.len >= max ? -400 : 0;
    size_t len = (size_t)(lf - bytes.at) + 1;
    if (len < 2 || lf[-1] != '\r' || memchr(bytes.at, '\r', len - 2) != NULL)
        return -400;
    return (ssize_t)len;
}

static ssize_t chunk_size(struct h1_chunks *chunks, str_t bytes)
{
    ssize_t len = line_len(bytes, CHUNK_LINE_MAX);
    if (len <= 0)
        return len;
    uint64_t size = 0;
    size_t i = 0;
    for (; i < 16; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        if (c >= '0' && c <= '9')
            size = size * 16 + (c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            size = size * 16 + (uint64_t)((c | 32) - 'a' + 10);
        else
            break;
    }
    str_t extension = {bytes.at + i, (size_t)len - 2 - i};
    if (i == 0 || size > INT64_MAX || (extension.len > 0 && extension.at[0] != ';') ||
        !http_is_field_value(extension))
        return -400;
    chunks->left = size;
    chunks->state = size == 0 ? CHUNK_TRAILER : CHUNK_DATA;
    return len;
}

static ssize_t trailer_line(struct h1_chunks *chunks, str_t bytes)
{
    ssize_t len = line_len(bytes, TRAILER_BYTES_MAX);
    if (len <= 0)
        return len;
    chunks->line_bytes += (size_t)len;
    if (chunks->line_bytes > TRAILER_BYTES_MAX)
        return -400;
    str_t name, value;
    if (len == 2)
        chunks->state = CHUNK_DONE;
    else if (!str_cut((str_t){bytes.at, (size_t)len - 2}, ':', &name, &value) ||
             !http_is_token(name) || !http_is_field_value(value))
        return -400;
    return len;
}

ssize_t h1_chunk_next(struct h1_chunks *chunks, str_t bytes, str_t *data)
{
    *data = (str_t){0};
    if (bytes.len == 0)
        return 0;
    switch (chunks->state) {
    case CHUNK_SIZE:
        return chunk_size(chunks, bytes);
    case CHUNK_DATA:
        *data = (str_t){bytes.at, bytes.len < chunks->left ? bytes.len : (size_t)chunks->left};
        chunks->left -= data->len;
        if (chunks->left == 0)
            chunks->state = CHUNK_DATA_END;
        return (ssize_t)data->len;
    case CHUNK_DATA_END:
        if (bytes.at[0] != '\r' || (bytes.len > 1 && bytes.at[1] != '\n'))
            return -400;
        if (bytes.len < 2)
            return 0;
        chunks->state = CHUNK_SIZE;
        return 2;
    case CHUNK_TRAILER:
        return trailer_line(chunks, bytes);
    case CHUNK_DONE:
        return 0;
    }
    return -400;
}
