/* cron.c - a schedule as five sets of numbers. */
#include "kinds/cron.h"

#include <string.h>

enum { FIELDS = 5, TEXT_MAX = 256 };

struct range {
    const char *what;
    int least, most;
    const char *names; /* Three letters each, from `least` on. */
};

static const struct range ranges[FIELDS] = {
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day of month", 1, 31, ""},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, 7, "sunmontuewedthufrisat"},
};

static bool number(str_t text, const struct range *range, int *out)
{
    int64_t value;
    if (str_to_i64(text, &value)) {
        *out = (int)(value < 0 || value > 1000 ? -1 : value);
        return *out >= 0;
    }
    for (size_t i = 0; text.len == 3 && range->names[3 * i] != '\0'; i++)
        if (strncasecmp(text.at, range->names + 3 * i, 3) == 0) {
            *out = range->least + (int)i;
            return true;
        }
    return false;
}

/* One of the parts between commas: "*", "5", "1-5", and any of them with "/2". */
static int part(str_t text, const struct range *range, uint64_t *bits, bool *any, struct err *err)
{
    str_t span, step_text, from_text, to_text;
    int from = range->least, to = range->most, step = 1;
    bool stepped = str_cut(text, '/', &span, &step_text);
    if (stepped && (!number(step_text, range, &step) || step < 1))
        return err_set(err, ERR_INVALID, "step of range should be a positive number: " STR_F,
                       STR_A(text));
    if (str_eq(span, STR("*")) || str_eq(span, STR("?"))) {
        *any = *any || !stepped;
    } else {
        bool ranged = str_cut(span, '-', &from_text, &to_text);
        if (!number(from_text, range, &from) || (ranged && !number(to_text, range, &to)))
            return err_set(err, ERR_INVALID, "failed to parse int from " STR_F ": invalid syntax",
                           STR_A(span));
        if (!ranged && !stepped)
            to = from;
    }
    if (from < range->least)
        return err_set(err, ERR_INVALID, "beginning of range (%d) below minimum (%d): " STR_F, from,
                       range->least, STR_A(text));
    if (to > range->most)
        return err_set(err, ERR_INVALID, "end of range (%d) above maximum (%d): " STR_F, to,
                       range->most, STR_A(text));
    if (from > to)
        return err_set(err, ERR_INVALID, "beginning of range (%d) beyond end of range (%d): " STR_F,
                       from, to, STR_A(text));
    for (int value = from; value <= to; value += step)
        *bits |= UINT64_C(1) << value;
    return 0;
}

static int field(str_t text, const struct range *range, uint64_t *bits, bool *any, struct err *err)
{
    int r = 0;
    *bits = 0;
    *any = false;
    do {
        str_t one;
        str_cut(text, ',', &one, &text);
        r = part(one, range, bits, any, err);
    } while (r == 0 && text.len > 0);
    return r;
}

static str_t macro_of(str_t text)
{
    static const struct {
        str_t name, means;
    } macros[] = {
        {STR("@yearly"), STR("0 0 1 1 *")},  {STR("@annually"), STR("0 0 1 1 *")},
        {STR("@monthly"), STR("0 0 1 * *")}, {STR("@weekly"), STR("0 0 * * 0")},
        {STR("@daily"), STR("0 0 * * *")},   {STR("@midnight"), STR("0 0 * * *")},
        {STR("@hourly"), STR("0 * * * *")},
    };
    for (size_t i = 0; i < ARRAY_LEN(macros); i++)
        if (str_eq(text, macros[i].name))
            return macros[i].means;
    return text;
}

/* "1h30m10s", at least a second. */
static int every(str_t text, struct cron *cron, struct err *err)
{
    msec_t total = 0;
    size_t i = 0;
    while (i < text.len) {
        size_t from = i;
        int64_t value;
        while (i < text.len && text.at[i] >= '0' && text.at[i] <= '9')
            i++;
        if (i == from || i == text.len || !str_to_i64((str_t){text.at + from, i - from}, &value) ||
            value > 1000000)
            return err_set(err, ERR_INVALID, "failed to parse duration @every " STR_F, STR_A(text));
        char unit = text.at[i++];
        msec_t ms = unit == 'h' ? 3600000 : unit == 'm' ? 60000 : unit == 's' ? 1000 : 0;
        if (ms == 0)
            return err_set(err, ERR_INVALID, "failed to parse duration @every " STR_F, STR_A(text));
        total += value * ms;
    }
    if (total < 1000)
        return err_set(err, ERR_INVALID, "failed to parse duration @every " STR_F, STR_A(text));
    cron->every_ms = total;
    return 0;
}

static size_t split(str_t text, str_t words[FIELDS + 1])
{
    size_t n = 0;
    while (text.len > 0 && n <= FIELDS) {
        str_t word;
        str_cut(text, ' ', &word, &text);
        if (word.len > 0)
            words[n++] = word;
    }
    return n;
}

int cron_parse(str_t text, struct cron *cron, struct err *err)
{
    str_t words[FIELDS + 1];
    *cron = (struct cron){0};
    if (text.len > TEXT_MAX)
        return err_set(err, ERR_INVALID, "the schedule is too long");
    if (str_starts(text, STR("@every ")))
        return every((str_t){text.at + 7, text.len - 7}, cron, err);
    if (str_starts(text, STR("TZ=")) || str_starts(text, STR("CRON_TZ=")))
        return err_set(err, ERR_INVALID,
                       "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    str_t plain = macro_of(text);
    if (plain.len > 0 && plain.at[0] == '@')
        return err_set(err, ERR_INVALID, "unrecognized descriptor: " STR_F, STR_A(text));
    size_t n = split(plain, words);
    if (n != FIELDS)
        return err_set(err, ERR_INVALID, "expected exactly 5 fields, found %zu: [" STR_F "]", n,
                       STR_A(text));
    bool ignored;
    uint64_t *const sets[FIELDS] = {&cron->minutes, &cron->hours, &cron->days, &cron->months,
                                    &cron->weekdays};
    bool *const anys[FIELDS] = {&ignored, &ignored, &cron->any_day, &ignored, &cron->any_weekday};
    int r = 0;
    for (size_t i = 0; i < FIELDS && r == 0; i++)
        r = field(words[i], &ranges[i], sets[i], anys[i], err);
    if (cron->weekdays & (UINT64_C(1) << 7))
        cron->weekdays |= 1; /* Sunday has two numbers. */
    return r;
}
