/* handover.c - one variable of the environment. */
#include "supervise/handover.h"

#include <stdlib.h>

#define VARIABLE "DAVY_SUPERVISOR_STATE"

enum { NUMBER_MAX = 1 << 30 };

void handover_put(struct buf *out, const char *name, int number)
{
    buf_printf(out, "%s%s %d", out->len > 0 ? " " : "", name, number);
}

bool handover_set(str_t text)
{
    AUTO(buf_done) struct buf copy = {0};
    if (text.len == 0)
        return unsetenv(VARIABLE) == 0;
    buf_add(&copy, text);
    buf_add_char(&copy, '\0');
    return setenv(VARIABLE, copy.at, 1) == 0;
}

bool handover_is_there(void)
{
    return getenv(VARIABLE) != NULL;
}

int handover_get(const char *name)
{
    const char *text = getenv(VARIABLE);
    str_t rest = str_from_z(text == NULL ? "" : text), word, number;
    int64_t value;
    while (rest.len > 0) {
        str_cut(rest, ' ', &word, &rest);
        str_cut(rest, ' ', &number, &rest);
        if (str_eq(word, str_from_z(name)) && str_to_i64(number, &value) && value >= 0 &&
            value < NUMBER_MAX)
            return (int)value;
    }
    return -1;
}
