/* zone.c - names of time zones, as the database of IANA has them. */
#include "kinds/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DATABASE "/usr/share/zoneinfo"

enum { PART_MAX = 14, PARTS_MAX = 8, PATH_BYTES = 256 };

static bool is_zone_part(str_t part)
{
    if (part.len == 0 || part.len > PART_MAX || part.at[0] == '-' || str_eq(part, STR(".")) ||
        str_eq(part, STR("..")))
        return false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.at[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alpha && !(c >= '0' && c <= '9') && strchr("._-+", c) == NULL)
            return false;
    }
    return true;
}

bool is_zone_name(str_t name)
{
    str_t part, rest = name;
    for (size_t n = 0; n < PARTS_MAX; n++) {
        bool more = str_cut(rest, '/', &part, &rest);
        if (!is_zone_part(part))
            return false;
        if (!more)
            return true;
    }
    return false;
}

/* Beside zones the database holds folders and lists: a zone begins with its mark (RFC 9636). */
static bool is_zone_file(const char *path)
{
    static const char mark[] = {'T', 'Z', 'i', 'f'};
    char begin[sizeof(mark)];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, begin, sizeof(begin));
    close(fd);
    return n == (ssize_t)sizeof(mark) && memcmp(begin, mark, sizeof(mark)) == 0;
}

bool is_known_zone(str_t name)
{
    char path[PATH_BYTES];
    if (!is_zone_name(name))
        return false;
    if (str_eq(name, STR("UTC")) || access(DATABASE "/UTC", F_OK) != 0)
        return true;
    int len = snprintf(path, sizeof(path), DATABASE "/" STR_F, STR_A(name));
    return len > 0 && (size_t)len < sizeof(path) && is_zone_file(path);
}
