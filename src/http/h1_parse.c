/* h1_parse.c - one pass over lines that are known to end with CRLF, and one table of characters. */
#include "http/h1_parse.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    METHOD_LEN_MAX = 32,
    EMPTY_LINES_MAX = 3,
    CHUNK_LINE_MAX = 4096,
    EXTENSION_BYTES_MAX =
        16 * 1024, /* Of one body: a byte a chunk costs us more than the sender. */
    TRAILER_BYTES_MAX = 8192,
};

enum { T = 1 /* token */, G = 2 /* target */, H = 4 /* name of a host */, V = 8 /* field value */ };

/* clang-format off */
static const uint8_t chars[256] = {
    ['\t'] = V, [' '] = V, ['!'] = T|G|H|V, ['"'] = G|V, ['#'] = T|V, ['$' ... '%'] = T|G|V,
    ['&' ... '\''] = T|G|H|V, ['(' ... ')'] = G|H|V, ['*' ... '+'] = T|G|H|V, [','] = G|V,
    ['-' ... '.'] = T|G|H|V, ['/'] = G|V, ['0' ... '9'] = T|G|H|V, [':'] = G|V, [';'] = G|H|V,
    ['<'] = G|V, ['='] = G|H|V, ['>' ... '@'] = G|V, ['A' ... 'Z'] = T|G|H|V,
    ['[' ... ']'] = G|V, ['^'] = T|G|V, ['_'] = T|G|H|V, ['`'] = T|G|V, ['a' ... 'z'] = T|G|H|V,
    ['{'] = G|V, ['|'] = T|G|V, ['}'] = G|V, ['~'] = T|G|H|V, [0x80 ... 0xff] = V,
};
/* clang-format on */

static bool all_are(str_t text, unsigned class)
{
    for (size_t i = 0; i < text.len; i++)
        if (!(chars[(unsigned char)text.at[i]] & class))
            return false;
    return true;
}

bool http_is_token(str_t text)
{
    return text.len > 0 && all_are(text, T);
}

bool http_is_field_value(str_t text)
{
    return all_are(text, V);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_is_target(str_t text)
{
    if (text.len == 0 || !all_are(text, G))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '%' &&
            (text.len - i < 3 || hex_digit(text.at[i + 1]) < 0 || hex_digit(text.at[i + 2]) < 0))
            return false;
    return true;
}

static str_t after(str_t text, size_t n)
{
    return (str_t){text.at + n, text.len - n};
}

static bool is_port(str_t text)
{
    int64_t port;
    return text.len > 0 && text.len <= 5 && text.at[0] != '-' && str_to_i64(text, &port) &&
           port <= 65535;
}

bool http_is_host(str_t host)
{
    str_t name, port;
    if (host.len > 0 && host.at[0] == '[') {
        char address[INET6_ADDRSTRLEN];
        struct in6_addr v6;
        if (!str_cut(after(host, 1), ']', &name, &port) || name.len >= sizeof(address))
            return false;
        memcpy(address, name.at, name.len);
        address[name.len] = '\0';
        return inet_pton(AF_INET6, address, &v6) == 1 && memchr(name.at, '\0', name.len) == NULL &&
               (port.len == 0 || (port.at[0] == ':' && is_port(after(port, 1))));
    }
    bool has_port = str_cut(host, ':', &name, &port);
    return name.len > 0 && all_are(name, H) && (!has_port || is_port(port));
}

static str_t trim(str_t text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = after(text, 1);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool http_list_has(str_t list, str_t token)
{
    str_t item;
    while (list.len > 0) {
        str_cut(list, ',', &item, &list);
        if (http_name_eq(trim(item), token))
            return true;
    }
    return false;
}

/* --- lines --- */

static int too_long(str_t bytes)
{
    /* Still in the request line: it is the target that is too long. */
    return memchr(bytes.at, '\n', bytes.len) == NULL ? -414 : -431;
}

int h1_head_len(str_t bytes, size_t *scanned)
{
    size_t limit = bytes.len < HTTP_HEAD_BYTES_MAX ? bytes.len : HTTP_HEAD_BYTES_MAX;
    /* No line will come from who says hello in TLS. */
    if (bytes.len > 0 && !(chars[(unsigned char)bytes.at[0]] & T) && bytes.at[0] != '\r')
        return -400;
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

/* "HTTP/1.x", or why not. */
static int read_version(str_t text, int *version)
{
    if (text.len != 8 || !str_starts(text, STR("HTTP/")) || text.at[6] != '.' || text.at[5] < '0' ||
        text.at[5] > '9' || text.at[7] < '0' || text.at[7] > '9')
        return -400;
    if (text.at[5] != '1')
        return -505;
    *version = text.at[7] == '0' ? 10 : 11;
    return 0;
}

/* --- fields --- */

struct reader {
    struct h1_head *head;
    str_t host;
    unsigned n_hosts;
    unsigned codings;
    bool keep_alive;
    bool expect_continue, expect_other;
};

static int read_connection(struct reader *r, str_t value)
{
    r->head->close |= http_list_has(value, STR("close"));
    r->keep_alive |= http_list_has(value, STR("keep-alive"));
    r->head->upgrade |= http_list_has(value, STR("upgrade"));
    return 0;
}

static int read_content_length(struct reader *r, str_t value)
{
    if (r->head->content_length >= 0 || value.len == 0 || value.at[0] == '-' ||
        !str_to_i64(value, &r->head->content_length))
        return -400;
    return 0;
}

/* Only `chunked`. A coding we do not know is 501, something that is no coding is 400. */
static int read_transfer_encoding(struct reader *r, str_t value)
{
    if (r->codings++ > 0 || r->head->version == 10)
        return -400;
    r->head->chunked = http_name_eq(value, STR("chunked"));
    str_t rest = value, item;
    do {
        str_cut(rest, ',', &item, &rest);
        if (!http_is_token(trim(item)))
            return -400;
    } while (rest.len > 0);
    return 0;
}

static int read_host(struct reader *r, str_t value)
{
    r->host = value;
    r->n_hosts++;
    return 0;
}

static int read_expect(struct reader *r, str_t value)
{
    if (http_name_eq(value, STR("100-continue")))
        r->expect_continue = true;
    else
        r->expect_other = true;
    return 0;
}

/* The fields that decide how the message goes on. */
static const struct {
    str_t name;
    int (*read)(struct reader *r, str_t value);
} special_fields[] = {
    {STR("Host"), read_host},
    {STR("Expect"), read_expect},
    {STR("Connection"), read_connection},
    {STR("Content-Length"), read_content_length},
    {STR("Transfer-Encoding"), read_transfer_encoding},
};

static int field_line(struct reader *r, str_t line)
{
    struct h1_head *head = r->head;
    if (head->n_fields == HTTP_FIELDS_MAX)
        return -431;
    struct http_field *field = &head->fields[head->n_fields++];
    if (!str_cut(line, ':', &field->name, &field->value) || !http_is_token(field->name))
        return -400;
    field->value = trim(field->value);
    if (!http_is_field_value(field->value))
        return -400;
    for (size_t i = 0; i < ARRAY_LEN(special_fields); i++)
        if (http_name_eq(field->name, special_fields[i].name))
            return special_fields[i].read(r, field->value);
    return 0;
}

/* All fields of a head whose version is known. */
static int read_fields(struct reader *r, str_t rest)
{
    struct h1_head *head = r->head;
    head->n_fields = 0;
    head->content_length = -1;
    head->chunked = head->close = head->upgrade = false;
    for (;;) {
        str_t line;
        if (!next_line(&rest, &line))
            return -400;
        if (line.len == 0)
            break;
        int status = field_line(r, line);
        if (status < 0)
            return status;
    }
    head->close |= head->version == 10 && !r->keep_alive;
    if (r->codings > 0 && head->content_length >= 0)
        return -400;
    return r->codings > 0 && !head->chunked ? -501 : 0;
}

/* --- requests --- */

static int request_line(str_t line, struct h1_request *out)
{
    str_t rest, version;
    if (!str_cut(line, ' ', &out->method, &rest) || !str_cut(rest, ' ', &out->target, &version))
        return -400;
    if (!http_is_token(out->method) || out->method.len > METHOD_LEN_MAX ||
        !http_is_target(out->target))
        return -400;
    return read_version(version, &out->head.version);
}

/* "http://host/path": the host decides, and a Host field must say the same. */
static int absolute_target(struct h1_request *out, const struct reader *r)
{
    str_t scheme, rest;
    if (!str_cut(out->target, ':', &scheme, &rest) || !str_starts(rest, STR("//")) ||
        (!http_name_eq(scheme, STR("http")) && !http_name_eq(scheme, STR("https"))))
        return -400;
    rest = after(rest, 2);
    str_t authority = rest;
    for (size_t i = 0; i < rest.len && authority.len == rest.len; i++)
        if (rest.at[i] == '/' || rest.at[i] == '?')
            authority.len = i;
    if (!http_is_host(authority) || (r->n_hosts > 0 && !http_name_eq(authority, r->host)))
        return -400;
    out->host = authority;
    out->target = authority.len == rest.len ? STR("/") : after(rest, authority.len);
    return out->target.at[0] == '/' ? 0 : -400;
}

static int check_target(struct h1_request *out, const struct reader *r)
{
    if (str_eq(out->method, STR("CONNECT")))
        return -405;
    if (out->target.at[0] == '/')
        return 0;
    if (str_eq(out->target, STR("*")))
        return str_eq(out->method, STR("OPTIONS")) ? 0 : -400;
    return absolute_target(out, r);
}

int h1_parse_request(str_t head, struct h1_request *out)
{
    str_t rest = head, line;
    do
        if (!next_line(&rest, &line))
            return -400;
    while (line.len == 0);
    int status = request_line(line, out);
    if (status < 0)
        return status;
    struct reader r = {.head = &out->head};
    status = read_fields(&r, rest);
    if (status < 0)
        return status;
    if (r.n_hosts > 1 || (r.n_hosts == 0 && out->head.version == 11) ||
        (r.n_hosts == 1 && !http_is_host(r.host)))
        return -400;
    out->host = r.host;
    /* RFC 9110, 10.1.1: HTTP/1.0 does not know it. */
    out->expect_continue = r.expect_continue && out->head.version == 11;
    if (r.expect_other && out->head.version == 11)
        return -417;
    return check_target(out, &r);
}

/* --- responses --- */

static bool status_line(str_t line, struct h1_response *out)
{
    str_t version, code;
    int64_t status;
    if (!str_cut(line, ' ', &version, &line) || read_version(version, &out->head.version) < 0)
        return false;
    str_cut(line, ' ', &code, &out->reason); /* Many leave out the blank before no reason. */
    if (code.len != 3 || !str_to_i64(code, &status) || status < 100 || status > 599)
        return false;
    out->status = (int)status;
    return http_is_field_value(out->reason);
}

int h1_parse_response(str_t head, bool to_head, struct h1_response *out)
{
    str_t rest = head, line;
    if (!next_line(&rest, &line) || !status_line(line, out))
        return -502;
    struct reader r = {.head = &out->head};
    if (read_fields(&r, rest) < 0)
        return -502;
    int status = out->status;
    bool never_has_body = status < 200 || status == 204;
    if (never_has_body && out->head.chunked)
        return -502;
    if (to_head || never_has_body || status == 304)
        out->body = H1_NO_BODY;
    else if (out->head.chunked)
        out->body = H1_CHUNKED;
    else if (out->head.content_length >= 0)
        out->body = H1_LENGTH;
    else
        out->body = H1_UNTIL_CLOSE;
    out->head.close |= out->body == H1_UNTIL_CLOSE;
    return 0;
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
    for (int digit; i < 16 && (digit = hex_digit(bytes.at[i])) >= 0; i++)
        size = size * 16 + (uint64_t)digit;
    str_t extension = {bytes.at + i, (size_t)len - 2 - i};
    if (i == 0 || size > INT64_MAX || (extension.len > 0 && extension.at[0] != ';') ||
        !http_is_field_value(extension))
        return -400;
    chunks->line_bytes += (unsigned)extension.len;
    if (chunks->line_bytes > EXTENSION_BYTES_MAX)
        return -400;
    chunks->left = size;
    chunks->state = CHUNK_DATA;
    if (size == 0) {
        chunks->state = CHUNK_TRAILER;
        chunks->line_bytes = 0;
    }
    return len;
}

static ssize_t trailer_line(struct h1_chunks *chunks, str_t bytes)
{
    ssize_t len = line_len(bytes, TRAILER_BYTES_MAX);
    if (len <= 0)
        return len;
    chunks->line_bytes += (unsigned)len;
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
