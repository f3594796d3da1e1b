/*
 * spdy_heads.c - names and values of a stream's head: counted, and deflated with a dictionary that
 * both sides know (SPDY/3, 2.6.10.1). One stream of compression for each direction, for the life of
 * the connection.
 */
#include "base/buf.h"
#include "http/spdy.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LENGTH_BYTES = 4, DICTIONARY_BYTES = 1423, STEP_BYTES = 512 };

/* Each with its length before it; together with the tail they are the dictionary. */
static const char *const words[] = {
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
};

static const char tail[] =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, "
    "Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
    "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

struct spdy_heads {
    z_stream in, out;
    struct buf dictionary;
};

static void add_number(struct buf *out, size_t n)
{
    char bytes[LENGTH_BYTES] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    buf_add(out, (str_t){bytes, sizeof(bytes)});
}

struct spdy_heads *spdy_heads_new(void)
{
    struct spdy_heads *heads = calloc(1, sizeof(*heads));
    MUST(heads != NULL);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        add_number(&heads->dictionary, strlen(words[i]));
        buf_add(&heads->dictionary, str_from_z(words[i]));
    }
    buf_add(&heads->dictionary, ((str_t){tail, sizeof(tail) - 1}));
    MUST(heads->dictionary.len == DICTIONARY_BYTES);
    MUST(inflateInit(&heads->in) == Z_OK && deflateInit(&heads->out, Z_BEST_SPEED) == Z_OK);
    MUST(deflateSetDictionary(&heads->out, (const Bytef *)heads->dictionary.at, DICTIONARY_BYTES) ==
         Z_OK);
    return heads;
}

void spdy_heads_free(struct spdy_heads *heads)
{
    if (heads == NULL)
        return;
    inflateEnd(&heads->in);
    deflateEnd(&heads->out);
    buf_done(&heads->dictionary);
    free(heads);
}

void spdy_heads_write(struct spdy_heads *heads, const struct http_field *fields, size_t n,
                      struct buf *out)
{
    AUTO(buf_done) struct buf plain = {0};
    add_number(&plain, n);
    for (size_t i = 0; i < n; i++) {
        add_number(&plain, fields[i].name.len);
        buf_add(&plain, fields[i].name);
        add_number(&plain, fields[i].value.len);
        buf_add(&plain, fields[i].value);
    }
    z_stream *z = &heads->out;
    z->next_in = (Bytef *)plain.at;
    z->avail_in = (uInt)plain.len;
    do {
        z->next_out = (Bytef *)buf_room(out, STEP_BYTES);
        z->avail_out = STEP_BYTES;
        MUST(deflate(z, Z_SYNC_FLUSH) != Z_STREAM_ERROR);
        out->len += STEP_BYTES - z->avail_out;
    } while (z->avail_out == 0);
}

static int inflate_block(struct spdy_heads *heads, str_t block, struct buf *plain, struct err *err)
{
    z_stream *z = &heads->in;
    z->next_in = (Bytef *)block.at;
    z->avail_in = (uInt)block.len;
    for (;;) {
        z->next_out = (Bytef *)buf_room(plain, STEP_BYTES);
        z->avail_out = STEP_BYTES;
        int r = inflate(z, Z_SYNC_FLUSH);
        plain->len += STEP_BYTES - z->avail_out;
        if (r == Z_NEED_DICT)
            r = inflateSetDictionary(z, (const Bytef *)heads->dictionary.at, DICTIONARY_BYTES);
        if (r != Z_OK && r != Z_BUF_ERROR)
            return err_set(err, ERR_INVALID, "a head that cannot be inflated");
        if (plain->len > SPDY_HEAD_BYTES_MAX)
            return err_set(err, ERR_INVALID, "a head of more than %d bytes", SPDY_HEAD_BYTES_MAX);
        if (z->avail_in == 0 && z->avail_out > 0)
            return 0;
        if (r == Z_BUF_ERROR)
            return err_set(err, ERR_INVALID, "a head that does not end");
    }
}

static bool take_number(str_t *rest, size_t *out)
{
    const unsigned char *at = (const unsigned char *)rest->at;
    if (rest->len < LENGTH_BYTES)
        return false;
    *out = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    *rest = (str_t){rest->at + LENGTH_BYTES, rest->len - LENGTH_BYTES};
    return true;
}

static bool take_text(str_t *rest, str_t *out)
{
    size_t n;
    if (!take_number(rest, &n) || n > rest->len)
        return false;
    *out = (str_t){rest->at, n};
    *rest = (str_t){rest->at + n, rest->len - n};
    return true;
}

int spdy_heads_read(struct spdy_heads *heads, str_t block, struct arena *arena,
                    struct http_field *fields, size_t *n, struct err *err)
{
    AUTO(buf_done) struct buf plain = {0};
    size_t count;
    *n = 0;
    int r = inflate_block(heads, block, &plain, err);
    if (r < 0)
        return r;
    str_t rest = arena_str(arena, buf_str(&plain));
    if (!take_number(&rest, &count) || count > SPDY_FIELDS_MAX)
        return err_set(err, ERR_INVALID, "a head with too many fields");
    for (size_t i = 0; i < count; i++)
        if (!take_text(&rest, &fields[i].name) || !take_text(&rest, &fields[i].value))
            return err_set(err, ERR_INVALID, "a head that is cut short");
    *n = count;
    return 0;
}
