/* expand.c - one pass from the left; what was put in is not looked at again. */
#include "node/expand.h"

#include "base/buf.h"

#include <string.h>

static size_t *slot_of(const struct variables *vars, str_t name)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.at[i]) * 1099511628211U;
    size_t mask = vars->cap * 2 - 1, place = hash & mask;
    while (vars->slots[place] != 0 && !str_eq(vars->at[vars->slots[place] - 1].name, name))
        place = (place + 1) & mask;
    return &vars->slots[place];
}

static void grow(struct variables *vars, struct arena *arena)
{
    size_t cap = vars->cap == 0 ? 32 : vars->cap * 2;
    struct variable *at = arena_array(arena, struct variable, cap);
    if (vars->n > 0)
        memcpy(at, vars->at, vars->n * sizeof(*at));
    vars->at = at;
    vars->cap = cap;
    vars->slots = arena_array(arena, size_t, cap * 2);
    for (size_t i = 0; i < vars->n; i++)
        *slot_of(vars, at[i].name) = i + 1;
}

void variables_set(struct variables *vars, str_t name, str_t value, struct arena *arena)
{
    if (vars->n == vars->cap)
        grow(vars, arena);
    size_t *slot = slot_of(vars, name);
    if (*slot == 0)
        *slot = ++vars->n;
    vars->at[*slot - 1] = (struct variable){name, value};
}

const str_t *variables_get(const struct variables *vars, str_t name)
{
    for (; vars != NULL; vars = vars->below) {
        size_t slot = vars->cap == 0 ? 0 : *slot_of(vars, name);
        if (slot != 0)
            return &vars->at[slot - 1].value;
    }
    return NULL;
}

/* What begins with the dollar at `at`: adds what it stands for, returns how long it is. */
static size_t expand_one(str_t at, const struct variables *vars, struct buf *out)
{
    if (at.len >= 2 && at.at[1] == '$') {
        buf_add_char(out, '$');
        return 2;
    }
    const char *end = at.len >= 2 && at.at[1] == '(' ? memchr(at.at, ')', at.len) : NULL;
    if (end == NULL) {
        buf_add_char(out, '$');
        return 1;
    }
    size_t len = (size_t)(end - at.at) + 1;
    const str_t *value = variables_get(vars, (str_t){at.at + 2, len - 3});
    buf_add(out, value != NULL ? *value : (str_t){at.at, len});
    return len;
}

str_t expand(str_t text, const struct variables *vars, struct arena *arena)
{
    if (text.len == 0 || memchr(text.at, '$', text.len) == NULL)
        return text;
    AUTO(buf_done) struct buf out = {0};
    for (size_t i = 0; i < text.len;) {
        if (text.at[i] == '$')
            i += expand_one((str_t){text.at + i, text.len - i}, vars, &out);
        else
            buf_add_char(&out, text.at[i++]);
    }
    return arena_str(arena, buf_str(&out));
}
