/* h1_parse_test.c - heads and chunks as tables: what is read, what is refused, at every cut. */
#include "base/buf.h"
#include "http/h1_parse.h"
#include "testkit/test.h"

#include <string.h>

static int parse_request(str_t text, struct h1_request *out)
{
    size_t scanned = 0;
    int len = h1_head_len(text, &scanned);
    if (len <= 0)
        return len == 0 ? -1 : len;
    return h1_parse_request((str_t){text.at, (size_t)len}, out);
}

static int parse_response(const char *text, bool to_head, struct h1_response *out)
{
    size_t scanned = 0;
    int len = h1_head_len(str_from_z(text), &scanned);
    return len <= 0 ? -1 : h1_parse_response((str_t){text, (size_t)len}, to_head, out);
}

#define HOST "Host: a\r\n"

TEST(a_request_is_read_field_by_field)
{
    struct h1_request r = {0};
    str_t text =
        STR("\r\n\r\nPOST /p?q=%20 HTTP/1.7\r\nhOsT: a.b:80\r\nX-Two: \t a  b \t\r\nEmpty:\r\n"
            "Content-Length: 007\r\nExpect: 100-Continue\r\n"
            "Connection: x,\tUpgrade , close\r\nUtf: \xc3\xa9\r\n\r\nbody");
    CHECK_INT(parse_request(text, &r), 0);
    CHECK_STR(r.method, "POST");
    CHECK_STR(r.target, "/p?q=%20");
    CHECK_STR(r.host, "a.b:80");
    CHECK_INT(r.head.version, 11);
    CHECK_INT((int64_t)r.head.n_fields, 7);
    CHECK_STR(r.head.fields[1].value, "a  b");
    CHECK_STR(r.head.fields[2].value, "");
    CHECK_INT(r.head.content_length, 7);
    CHECK(r.expect_continue && r.head.upgrade && r.head.close && !r.head.chunked);

    CHECK_INT(parse_request(STR("GET HTTPS://[::1]:8/x HTTP/1.1\r\nHost: [::1]:8\r\n\r\n"), &r), 0);
    CHECK_STR(r.target, "/x");
    CHECK_STR(r.host, "[::1]:8");
    CHECK_INT(parse_request(STR("GET http://a HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), &r), 0);
    CHECK_STR(r.target, "/");
    CHECK(r.head.version == 10 && r.head.close && !r.expect_continue);
    CHECK_INT(parse_request(STR("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), &r), 0);
    CHECK(!r.head.close);
    CHECK_INT(parse_request(STR("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n"), &r), 0);
    CHECK(r.head.close);
    CHECK_INT(parse_request(STR("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), &r), 0);
    CHECK_INT(parse_request(STR("get / HTTP/1.1\r\n" HOST "\r\n"), &r), 0);
    CHECK_STR(r.method, "get"); /* Methods have a case. */
}

TEST(requests_that_could_be_read_two_ways_are_refused)
{
    static const struct {
        str_t text;
        int status;
    } rows[] = {
        {STR("GET / HTTP/1.1\r\n"), -1}, /* Not whole yet. */
        {STR("GET / HTTP/1.1\n" HOST "\r\n"), -400},
        {STR("\n\nGET / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR(" GET / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET / HTTP/1.1 \r\n" HOST "\r\n"), -400},
        {STR("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET /\r\n" HOST "\r\n"), -400},
        {STR("GET / http/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET / HTTP/01.1\r\n" HOST "\r\n"), -400},
        {STR("GET / HTTP/2.0\r\n" HOST "\r\n"), -505},
        {STR("G\0T / HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET /\x80 HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET /a#b HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET /%4 HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET /%zz HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET a HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET http:///x HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET http://b/ HTTP/1.0\r\n" HOST "\r\n"), -400},
        {STR("GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"), -400},
        {STR("GET / HTTP/1.1\r\nHost:\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\nHost: a:\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\nHost: [:1]\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST ": empty\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n Folded: a\r\n" HOST "\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "A: b\r\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "A: \0\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Expect: magic\r\n\r\n"), -417},
        {STR("GET / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Content-Length: -0\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n"), -501},
        {STR("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"), -501},
        {STR("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: ,chunked\r\n\r\n"), -400},
        {STR("GET / HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
         -400},
        {STR("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\n"),
         -400},
        {STR("GET / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), -400},
        {STR("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), -405},
        {STR("AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDDE / HTTP/1.1\r\n" HOST "\r\n"), -400},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct h1_request r;
        int status = parse_request(rows[i].text, &r);
        if (!CHECK_INT(status, rows[i].status))
            test_check_str(rows[i].text, STR(""), "the request", __FILE__, __LINE__);
    }
}

TEST(the_end_of_a_head_is_found_wherever_it_is_cut)
{
    str_t text = STR("\r\nGET / HTTP/1.1\r\n" HOST "A: b\r\n\r\n");
    size_t scanned = 0;
    for (size_t n = 0; n < text.len; n++)
        CHECK_INT(h1_head_len((str_t){text.at, n}, &scanned), 0);
    CHECK_INT(h1_head_len(text, &scanned), (int64_t)text.len);

    AUTO(buf_done) struct buf long_one = {0};
    while (long_one.len < HTTP_HEAD_BYTES_MAX)
        buf_add_char(&long_one, 'a');
    scanned = 0;
    CHECK_INT(h1_head_len((str_t){long_one.at, long_one.len - 1}, &scanned), 0);
    CHECK_INT(h1_head_len(buf_str(&long_one), &scanned), -414);
    long_one.at[100] = '\r';
    long_one.at[101] = '\n';
    scanned = 0;
    CHECK_INT(h1_head_len(buf_str(&long_one), &scanned), -431);
    memcpy(long_one.at + long_one.len - 4, "\r\n\r\n", 4);
    scanned = 0;
    CHECK_INT(h1_head_len(buf_str(&long_one), &scanned), HTTP_HEAD_BYTES_MAX);
}

TEST(responses_say_how_their_body_ends)
{
    static const struct {
        const char *text;
        bool to_head;
        int result;
        enum h1_body body;
        bool close;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false, 0, H1_LENGTH, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, 0, H1_NO_BODY, false},
        {"HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n", false, 0, H1_CHUNKED, false},
        {"HTTP/1.1 200 \r\n\r\n", false, 0, H1_UNTIL_CLOSE, true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", false, 0, H1_LENGTH, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, 0, H1_NO_BODY, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", false, 0, H1_NO_BODY, false},
        {"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\n\r\n", false, 0, H1_NO_BODY, false},
        {"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", false, -502, 0,
         false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", false, -502,
         0, false},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1 20 OK\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1 -20 OK\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1 099 OK\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1 600 OK\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1  200 OK\r\n\r\n", false, -502, 0, false},
        {"HTTP/2 200 OK\r\n\r\n", false, -502, 0, false},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", false, -502, 0, false},
        {"HTTP/1.1 200 O\rK\r\n\r\n", false, -502, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct h1_response r;
        int result = parse_response(rows[i].text, rows[i].to_head, &r);
        bool right = CHECK_INT(result, rows[i].result) &&
                     (result < 0 ||
                      (CHECK_INT(r.body, rows[i].body) && CHECK_INT(r.head.close, rows[i].close)));
        if (!right)
            test_check_str(str_from_z(rows[i].text), STR(""), "the response", __FILE__, __LINE__);
    }
}

/* The body of `text`, fed so many bytes at a time; -1 in *end: refused, 0: unfinished. */
static void feed(str_t text, size_t at_once, struct buf *body, int *end)
{
    struct h1_chunks chunks = {0};
    size_t at = 0, have = 0;
    for (;;) {
        str_t data;
        ssize_t used = h1_chunk_next(&chunks, (str_t){text.at + at, have - at}, &data);
        *end = used < 0 ? -1 : chunks.state == CHUNK_DONE ? (int)(at + (size_t)used) : 0;
        if (*end != 0)
            return;
        buf_add(body, data);
        at += (size_t)used;
        if (used == 0 && have == text.len)
            return;
        if (used == 0)
            have = have + at_once < text.len ? have + at_once : text.len;
    }
}

TEST(chunks_are_read_the_same_however_they_arrive)
{
    static const struct {
        str_t text;
        int end;
        str_t body;
    } rows[] = {
        {STR("3\r\nabc\r\n0\r\n\r\nGET"), 13, STR("abc")},
        {STR("3;a=\"b\"\r\nabc\r\n0A\r\n0123456789\r\n000\r\nA: b\r\nC:\r\n\r\n"), 47,
         STR("abc0123456789")},
        {STR("3\r\nabc\r\n0\r\n"), 0, STR("abc")},
        {STR("\r\n"), -1, STR("")},
        {STR("3\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR("+3\r\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR(" 3\r\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR("3 \r\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR("0x3\r\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR("3\r\nabcd\r\n0\r\n\r\n"), -1, STR("abc")},
        {STR("3\r\nabc\n0\r\n\r\n"), -1, STR("abc")},
        {STR("3;a\rb\r\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR("3;a\nb\r\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR("8000000000000000\r\n"), -1, STR("")},
        {STR("00000000000000003\r\nabc\r\n0\r\n\r\n"), -1, STR("")},
        {STR("0\r\nA : b\r\n\r\n"), -1, STR("")},
        {STR("0\r\n b\r\n\r\n"), -1, STR("")},
        {STR("0\r\nA: b\n\r\n"), -1, STR("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t at_once = 1; at_once <= rows[i].text.len; at_once++) {
            AUTO(buf_done) struct buf body = {0};
            int end;
            feed(rows[i].text, at_once, &body, &end);
            if (!CHECK_INT(end, rows[i].end) || !CHECK(str_eq(buf_str(&body), rows[i].body)))
                test_check_str(rows[i].text, STR(""), "the chunks", __FILE__, __LINE__);
        }
}

TEST(extensions_and_trailers_have_limits)
{
    struct h1_chunks chunks = {0};
    AUTO(buf_done) struct buf line = {0};
    buf_add(&line, STR("1;"));
    while (line.len < 4000)
        buf_add_char(&line, 'x');
    buf_add(&line, STR("\r\na\r\n"));
    str_t data;
    int chunks_read = 0;
    for (ssize_t used = 1; used > 0 && chunks_read < 100; chunks_read++)
        for (size_t at = 0; at < line.len && used > 0; at += (size_t)used)
            used = h1_chunk_next(&chunks, (str_t){line.at + at, line.len - at}, &data);
    CHECK_INT(chunks_read, 5);

    chunks = (struct h1_chunks){.state = CHUNK_TRAILER};
    ssize_t used = 1;
    int lines = 0;
    for (; used > 0 && lines < 10000; lines++)
        used = h1_chunk_next(&chunks, STR("Name: value\r\n"), &data);
    CHECK_INT(used, -400);
    CHECK(lines < 1000);
}
