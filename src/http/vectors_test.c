/*
 * vectors_test.c - requests that servers read in different ways, and what ours makes of each.
 *
 * The cases are not part of the project: $VECTORS names the folder they are in. They say what a
 * proxy should do; "200" there is a request that reached the origin, here one that reached the
 * handler.
 */
#include "http/fixture.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS_MAX = 8 };

static const struct fixture blank;

static void read_file(const char *dir, str_t name, struct buf *out)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/http/" STR_F, dir, STR_A(name));
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return;
    size_t n;
    while ((n = fread(buf_room(out, 65536), 1, 65536, file)) > 0)
        out->len += n;
    (void)fclose(file);
}

static void answer(struct exchange *x, str_t body)
{
    (void)body;
    http_answer_text(x, 200, STR("text/plain"), STR("ok"));
}

static void handle(void *self, struct exchange *x)
{
    (void)self;
    if (x->method == HTTP_TRACE || x->method == HTTP_CONNECT)
        http_answer_text(x, 405, STR("text/plain"), STR("no"));
    else
        http_collect(x, 1 << 20, answer);
}

/* Of text that ends with a line. */
static int64_t number_at(const char *text)
{
    int64_t number = 0;
    return str_to_i64((str_t){text, strspn(text, "0123456789")}, &number) ? number : -1;
}

/* The final statuses of all that was heard; our answers have a Content-Length. */
static size_t statuses(str_t heard, bool to_head, int *out)
{
    size_t n = 0;
    while (heard.len > 0 && n < ANSWERS_MAX) {
        const char *end = memmem(heard.at, heard.len, "\r\n\r\n", 4);
        if (!CHECK(end != NULL && str_starts(heard, STR("HTTP/1.1 "))))
            break;
        size_t head = (size_t)(end - heard.at) + 4;
        int status = (int)number_at(heard.at + 9);
        const char *length = memmem(heard.at, head, "Content-Length: ", 16);
        size_t body = length == NULL || to_head ? 0 : (size_t)number_at(length + 16);
        if (status >= 200)
            out[n++] = status;
        if (!CHECK(head + body <= heard.len))
            break;
        heard = (str_t){heard.at + head + body, heard.len - head - body};
    }
    return n;
}

static bool is_wanted(str_t wanted, const int *seen, size_t n)
{
    size_t at = 0;
    while (wanted.len > 0) {
        str_t word;
        int64_t status = 0;
        str_cut(wanted, ',', &word, &wanted);
        if (str_eq(word, STR("none")) || str_eq(word, STR("close")))
            continue;
        if (at == n)
            return false;
        bool refused = str_eq(word, STR("4xx")) && seen[at] >= 400 && seen[at] < 500;
        if (!refused && (!str_to_i64(word, &status) || status != seen[at]))
            return false;
        at++;
    }
    return at == n;
}

static void check_case(struct fixture *f, const char *dir, str_t row)
{
    str_t cells[4], file_name, one;
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        str_cut(row, '\t', &cells[i], &row);
    AUTO(buf_done) struct buf request = {0};
    struct client client;
    int seen[ANSWERS_MAX];
    file_name = arena_printf(&f->arena, "cases/" STR_F, STR_A(cells[1]));
    read_file(dir, file_name, &request);
    if (!CHECK(request.len > 0))
        return;
    client_dial(&client, f);
    client_say(&client, buf_str(&request));
    for (int i = 0; i < 5000 && client.to_say.len > 0 && !client.closed; i++)
        fixture_turns(f, 1);
    client_finish(&client);
    (void)client_hear(&client, NULL);
    size_t n = statuses(buf_str(&client.heard), str_starts(buf_str(&request), STR("HEAD ")), seen);
    client_done(&client);
    bool ok = false;
    for (str_t rest = cells[3]; rest.len > 0;) {
        str_cut(rest, '|', &one, &rest);
        ok |= is_wanted(one, seen, n);
    }
    if (!CHECK(ok))
        printf(STR_F ": " STR_F " wanted, %zu answers, the first %d\n", STR_A(cells[1]),
               STR_A(cells[3]), n, n > 0 ? seen[0] : 0);
}

TEST(what_servers_read_in_different_ways_is_read_as_preferred)
{
    const char *dir = getenv("VECTORS");
    AUTO(buf_done) struct buf table = {0};
    if (dir != NULL)
        read_file(dir, STR("expected.tsv"), &table);
    if (table.len == 0) {
        printf("skipped: $VECTORS is not here\n");
        return;
    }
    struct fixture f = blank;
    fixture_start(&f, handle);
    str_t rest = buf_str(&table), row;
    str_cut(rest, '\n', &row, &rest); /* Names of columns. */
    size_t n = 0;
    while (rest.len > 0) {
        str_cut(rest, '\n', &row, &rest);
        check_case(&f, dir, row);
        n++;
    }
    CHECK(n > 50);
    fixture_end(&f);
}
