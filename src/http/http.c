/* http.c - what is the same in every version: fields, decoding, reasons, the short answers. */
#include "http/exchange_priv.h"
#include "http/h1_parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

bool http_name_eq(str_t a, str_t b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

str_t http_get(const struct exchange *x, str_t name)
{
    for (size_t i = 0; i < x->n_fields; i++)
        if (http_name_eq(x->fields[i].name, name))
            return x->fields[i].value;
    return STR("");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_decode(str_t text, bool plus_is_blank, struct arena *arena, str_t *out)
{
    char *to = arena_bytes(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.at[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        to[n++] = c;
    }
    *out = (str_t){to, n};
    return true;
}

bool http_query_get(const struct exchange *x, str_t name, str_t *value)
{
    str_t rest = x->query, pair, key, text;
    while (rest.len > 0) {
        str_cut(rest, '&', &pair, &rest);
        str_cut(pair, '=', &key, &text);
        if (http_decode(key, true, x->arena, &key) && str_eq(key, name))
            return http_decode(text, true, x->arena, value);
    }
    return false;
}

void http_collect(struct exchange *x, size_t bytes_max,
                  void (*done)(struct exchange *x, str_t body))
{
    x->ops->collect(x, bytes_max, done);
}

void http_receive(struct exchange *x, void (*piece)(struct exchange *x, str_t bytes),
                  void (*end)(struct exchange *x))
{
    x->ops->receive(x, piece, end);
}

void http_consumed(struct exchange *x, size_t n)
{
    x->ops->consumed(x, n);
}

void http_answer(struct exchange *x, int status, const struct http_field *fields, size_t n_fields,
                 struct http_bytes body)
{
    x->ops->begin(x, status, fields, n_fields, true, body.bytes.len);
    x->ops->write(x, body);
    x->ops->end(x, NULL, 0);
}

void http_answer_text(struct exchange *x, int status, str_t content_type, str_t body)
{
    struct http_field type = {STR("Content-Type"), content_type};
    http_answer(x, status, &type, 1, (struct http_bytes){.bytes = body});
}

void http_begin(struct exchange *x, int status, const struct http_field *fields, size_t n_fields)
{
    x->ops->begin(x, status, fields, n_fields, false, 0);
}

void http_begin_sized(struct exchange *x, int status, const struct http_field *fields,
                      size_t n_fields, size_t body_bytes)
{
    x->ops->begin(x, status, fields, n_fields, true, body_bytes);
}

void http_write(struct exchange *x, struct http_bytes bytes)
{
    x->ops->write(x, bytes);
}

void http_flush(struct exchange *x)
{
    x->ops->flush(x);
}

void http_end(struct exchange *x, const struct http_field *trailers, size_t n_trailers)
{
    x->ops->end(x, trailers, n_trailers);
}

size_t http_waiting(const struct exchange *x)
{
    return x->ops->waiting(x);
}

void http_abort(struct exchange *x)
{
    x->ops->abort(x);
}

bool http_upgrade(struct exchange *x, str_t protocol, const struct http_field *fields,
                  size_t n_fields)
{
    return http_list_has(x->offer, protocol) && x->ops->upgrade(x, protocol, fields, n_fields);
}

enum http_method http_method_of(str_t text)
{
    static const str_t names[] = {
        [HTTP_GET] = STR("GET"),         [HTTP_HEAD] = STR("HEAD"),
        [HTTP_POST] = STR("POST"),       [HTTP_PUT] = STR("PUT"),
        [HTTP_PATCH] = STR("PATCH"),     [HTTP_DELETE] = STR("DELETE"),
        [HTTP_OPTIONS] = STR("OPTIONS"), [HTTP_CONNECT] = STR("CONNECT"),
        [HTTP_TRACE] = STR("TRACE"),
    };
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(names[i], text))
            return (enum http_method)i;
    return HTTP_OTHER;
}

str_t http_clean_value(str_t value, struct arena *arena)
{
    if (http_is_field_value(value))
        return value;
    char *clean = arena_bytes(arena, value.len);
    for (size_t i = 0; i < value.len; i++)
        clean[i] = (char)(http_is_field_value((str_t){value.at + i, 1}) ? value.at[i] : ' ');
    return (str_t){clean, value.len};
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].reason;
    return "";
}

void http_date(int64_t unix_s, char *out)
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t at = (time_t)unix_s;
    struct tm tm;
    gmtime_r(&at, &tm);
    int n =
        snprintf(out, 30, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", &days[(size_t)tm.tm_wday * 3],
                 tm.tm_mday % 100, &months[(size_t)tm.tm_mon * 3], (tm.tm_year + 1900) % 10000,
                 tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
    MUST(n == 29);
}
