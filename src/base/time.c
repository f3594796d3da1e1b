/* time.c - the fields of RFC 3339 by their fixed places; the rest is timegm(). */
#include "base/time.h"

#include <time.h>

str_t time_text(msec_t wall_ms, struct arena *arena)
{
    time_t at = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&at, &tm);
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

str_t micro_time_text(msec_t wall_ms, struct arena *arena)
{
    str_t text = time_text(wall_ms, arena);
    return arena_printf(arena, STR_F ".%06dZ", (int)text.len - 1, text.at,
                        (int)(wall_ms % 1000) * 1000);
}

static bool number_at(str_t text, size_t at, size_t len, int *out)
{
    int64_t value;
    if (at + len > text.len || !str_to_i64((str_t){text.at + at, len}, &value) || value < 0)
        return false;
    *out = (int)value;
    return true;
}

bool time_parse(str_t text, msec_t *wall_ms)
{
    struct tm tm = {0};
    if (text.len < 20 || !number_at(text, 0, 4, &tm.tm_year) ||
        !number_at(text, 5, 2, &tm.tm_mon) || !number_at(text, 8, 2, &tm.tm_mday) ||
        !number_at(text, 11, 2, &tm.tm_hour) || !number_at(text, 14, 2, &tm.tm_min) ||
        !number_at(text, 17, 2, &tm.tm_sec) || text.at[4] != '-' || text.at[7] != '-' ||
        (text.at[10] | 32) != 't' || text.at[13] != ':' || text.at[16] != ':')
        return false;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    size_t at = 19;
    msec_t ms = 0, scale = 100;
    if (text.at[at] == '.')
        for (at++; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++, scale /= 10)
            ms += (text.at[at] - '0') * scale;
    int hours = 0, minutes = 0;
    bool zulu = at + 1 == text.len && (text.at[at] | 32) == 'z';
    if (!zulu && (at + 6 != text.len || (text.at[at] != '+' && text.at[at] != '-') ||
                  text.at[at + 3] != ':' || !number_at(text, at + 1, 2, &hours) ||
                  !number_at(text, at + 4, 2, &minutes)))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    msec_t offset = (msec_t)(hours * 60 + minutes) * 60000 * (!zulu && text.at[at] == '-' ? -1 : 1);
    *wall_ms = (msec_t)timegm(&tm) * 1000 + ms - offset;
    return true;
}
