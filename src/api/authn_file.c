/* authn_file.c - tokens from a file: lines of `token,user,uid,"group1,group2"`, as CSV (RFC 4180).
 */
#include "api/api_priv.h"
#include "api/authn.h"
#include "base/map.h"

#include <stdlib.h>

enum { COLUMNS_MAX = 4, COLUMNS_MIN = 3 };

struct row {
    struct map_node node;
    str_t column[COLUMNS_MAX];
    size_t n;
};

struct token_file {
    struct map rows;
    struct arena arena;
};

/* One value, quotes taken off; `rest` begins behind its comma. False: not CSV. */
static bool take_value(str_t *rest, struct arena *arena, str_t *value, bool *more)
{
    size_t i = 0;
    if (rest->len == 0 || rest->at[0] != '"') {
        while (i < rest->len && rest->at[i] != ',') {
            if (rest->at[i++] == '"')
                return false;
        }
        *value = arena_str(arena, (str_t){rest->at, i});
    } else {
        char *out = arena_bytes(arena, rest->len);
        size_t n = 0;
        for (i = 1;; i++) {
            if (i >= rest->len)
                return false;
            if (rest->at[i] == '"' && (i + 1 == rest->len || rest->at[i + 1] != '"'))
                break;
            i += rest->at[i] == '"' ? 1 : 0;
            out[n++] = rest->at[i];
        }
        *value = (str_t){out, n};
        i++;
        if (i < rest->len && rest->at[i] != ',')
            return false;
    }
    *more = i < rest->len;
    *rest = *more ? (str_t){rest->at + i + 1, rest->len - i - 1} : STR("");
    return true;
}

static int read_line(struct token_file *file, str_t line, size_t number, struct err *err)
{
    struct row *row = arena_new(&file->arena, struct row);
    bool more = true;
    str_t value;
    while (more) {
        if (!take_value(&line, &file->arena, &value, &more))
            return err_set(err, ERR_INVALID, "line %zu of the token file has a stray quote",
                           number);
        if (row->n == COLUMNS_MAX)
            return err_set(err, ERR_INVALID, "line %zu of the token file has more than %d columns",
                           number, COLUMNS_MAX);
        row->column[row->n++] = str_trim(value);
    }
    if (row->n < COLUMNS_MIN)
        return err_set(err, ERR_INVALID,
                       "line %zu of the token file must have at least 3 columns (token, user name, "
                       "user uid), found %zu",
                       number, row->n);
    if (row->column[0].len == 0 || row->column[1].len == 0)
        return err_set(err, ERR_INVALID, "line %zu of the token file has no %s", number,
                       row->column[0].len == 0 ? "token" : "user name");
    if (map_find(&file->rows, row->column[0]) != NULL)
        return err_set(err, ERR_INVALID, "line %zu of the token file has a token again", number);
    map_add(&file->rows, row->column[0], &row->node);
    return 0;
}

int token_file_read(str_t text, struct token_file **out, struct err *err)
{
    struct token_file *file = calloc(1, sizeof(*file));
    MUST(file != NULL);
    str_t line;
    int r = 0;
    for (size_t number = 1; r == 0 && text.len > 0; number++) {
        str_cut(text, '\n', &line, &text);
        if (line.len > 0 && line.at[line.len - 1] == '\r')
            line.len--;
        line = str_trim(line);
        if (line.len > 0 && line.at[0] != '#')
            r = read_line(file, line, number, err);
    }
    if (r < 0)
        token_file_free(file);
    else
        *out = file;
    return r;
}

void token_file_free(struct token_file *file)
{
    if (file == NULL)
        return;
    map_done(&file->rows);
    arena_done(&file->arena);
    free(file);
}

bool token_file_user(const struct token_file *file, str_t token, struct user *user)
{
    struct map_node *node = map_find(&file->rows, token);
    if (node == NULL)
        return false;
    const struct row *row = CONTAINER_OF(node, struct row, node);
    str_t group, rest = row->column[3];
    *user = (struct user){.name = row->column[1], .uid = row->column[2]};
    while (rest.len > 0) {
        str_cut(rest, ',', &group, &rest);
        group = str_trim(group);
        if (group.len > 0)
            user_add_group(user, group);
    }
    return true;
}
