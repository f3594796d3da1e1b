/* build_stages.c - lines as Docker joins them; of all instructions only FROM counts. */
#include "cli/build_stages.h"

#include <strings.h>

enum { LAYERS_DEEP_MAX = 1000 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static str_t word_of(str_t *line)
{
    size_t n = 0;
    while (line->len > 0 && is_blank(line->at[0]))
        *line = (str_t){line->at + 1, line->len - 1};
    while (n < line->len && !is_blank(line->at[n]))
        n++;
    str_t word = {line->at, n};
    *line = (str_t){line->at + n, line->len - n};
    return word;
}

static bool word_is(str_t word, const char *wanted)
{
    str_t text = str_from_z(wanted);
    return word.len == text.len && strncasecmp(word.at, text.at, text.len) == 0;
}

static bool read_from(str_t line, struct arena *arena, struct build_stage *out)
{
    if (!word_is(word_of(&line), "FROM"))
        return false;
    str_t word = word_of(&line);
    while (str_starts(word, STR("--")))
        word = word_of(&line);
    out->base = arena_str(arena, word);
    out->name = word_is(word_of(&line), "AS") ? arena_str(arena, word_of(&line)) : STR("");
    return out->base.len > 0;
}

size_t build_stages(str_t dockerfile, struct arena *arena, struct build_stage *out)
{
    size_t n = 0;
    str_t rest = dockerfile;
    AUTO(buf_done) struct buf whole = {0};
    for (bool more = true; more && n < BUILD_STAGES_MAX;) {
        str_t line, first;
        more = str_cut(rest, '\n', &line, &rest);
        while (line.len > 0 && is_blank(line.at[line.len - 1]))
            line.len--;
        str_t look = line;
        first = word_of(&look);
        if (first.len > 0 && first.at[0] == '#')
            continue; /* Also between lines that are one. */
        bool goes_on = line.len > 0 && line.at[line.len - 1] == '\\';
        buf_add(&whole, goes_on ? (str_t){line.at, line.len - 1} : line);
        buf_add_char(&whole, ' ');
        if (goes_on && more)
            continue;
        n += read_from(buf_str(&whole), arena, &out[n]);
        whole.len = 0;
    }
    return n;
}

static const struct json *by_id(const struct json *list, str_t id)
{
    JSON_EACH(list, one)
    if (str_eq(json_get_text(one, STR("id")), id))
        return one;
    return NULL;
}

bool build_size(const struct json *images, const struct json *layers, str_t id, int64_t *bytes)
{
    const struct json *image = by_id(images, id);
    *bytes = 0;
    if (image == NULL)
        return false;
    str_t layer = json_get_text(image, STR("layer"));
    for (int i = 0; layer.len > 0 && i < LAYERS_DEEP_MAX; i++) {
        const struct json *one = by_id(layers, layer);
        int64_t own = 0;
        if (one == NULL)
            return false;
        (void)json_to_i64(json_get(one, STR("diff-size")), &own);
        *bytes += own;
        layer = json_get_text(one, STR("parent"));
    }
    return true;
}
