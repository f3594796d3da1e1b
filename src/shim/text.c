/* text.c - numbers, times and small files, without stdio. */
#include "shim/shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS_A_DAY = 86400, NS = 1000000000, BOOT_ID = 36 };

void line_add(struct line *line, const char *text)
{
    size_t n = strlen(text), room = sizeof(line->at) - 1 - line->n;
    if (n > room)
        n = room;
    memcpy(line->at + line->n, text, n);
    line->n += n;
    line->at[line->n] = '\0';
}

static void add_digits(struct line *line, uint64_t number, int least)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    for (; number > 0 || least > 0; number /= 10, least--)
        digits[--at] = (char)('0' + number % 10);
    line_add(line, digits + at);
}

void line_add_number(struct line *line, int64_t number)
{
    if (number < 0)
        line_add(line, "-");
    add_digits(line, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 1);
}

/* Days since 1970 to a date of the Gregorian calendar, counted in eras of 400 years from March. */
static void add_date(struct line *line, int64_t days)
{
    int64_t z = days + 719468, era = z / 146097, day = z - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    int64_t month = (5 * day + 2) / 153;
    add_digits(line, (uint64_t)(year + era * 400 + (month >= 10)), 4);
    line_add(line, "-");
    add_digits(line, (uint64_t)(month < 10 ? month + 3 : month - 9), 2);
    line_add(line, "-");
    add_digits(line, (uint64_t)(day - (153 * month + 2) / 5 + 1), 2);
}

void line_add_time(struct line *line, int64_t unix_ns)
{
    uint64_t seconds = (uint64_t)unix_ns / NS, of_day = seconds % SECONDS_A_DAY;
    add_date(line, (int64_t)(seconds / SECONDS_A_DAY));
    line_add(line, "T");
    add_digits(line, of_day / 3600, 2);
    line_add(line, ":");
    add_digits(line, of_day / 60 % 60, 2);
    line_add(line, ":");
    add_digits(line, of_day % 60, 2);
    line_add(line, ".");
    add_digits(line, (uint64_t)unix_ns % NS, 9);
    line_add(line, "Z");
}

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS + now.tv_nsec;
}

int64_t mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ssize_t file_get(const char *path, char *to, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, to, max - 1);
    close(fd);
    if (n >= 0)
        to[n] = '\0';
    return n;
}

bool fd_say(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, text, n);
        if (done <= 0)
            return false;
        text += done;
        n -= (size_t)done;
    }
    return true;
}

bool file_say(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fd_say(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    return ok;
}

bool file_put(const char *path, const char *text, size_t n)
{
    struct line aside = {.n = 0};
    line_add(&aside, path);
    line_add(&aside, ".new");
    int fd = open(aside.at, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* What is reserved stays. */
    bool ok = fd >= 0 && fd_say(fd, text, n) && ftruncate(fd, (off_t)n) == 0;
    if (fd >= 0)
        close(fd);
    return ok && rename(aside.at, path) == 0;
}

bool file_reserve(const char *path)
{
    char blanks[FILE_RESERVED];
    struct line aside = {.n = 0};
    memset(blanks, ' ', sizeof(blanks));
    line_add(&aside, path);
    line_add(&aside, ".new");
    int fd = open(aside.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fd_say(fd, blanks, sizeof(blanks));
    if (fd >= 0)
        close(fd);
    return ok;
}

bool identity_put(const char *path, pid_t pid)
{
    enum { FIELDS_BEFORE_START = 20 }; /* After the name, which may hold blanks. */
    struct line line = {.n = 0}, from = {.n = 0};
    char stat[1024], boot[64];
    line_add(&from, "/proc/");
    line_add_number(&from, pid);
    line_add(&from, "/stat");
    if (file_get(from.at, stat, sizeof(stat)) < 0 ||
        file_get("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) < BOOT_ID)
        return false;
    char *at = strrchr(stat, ')');
    for (int i = 0; i < FIELDS_BEFORE_START && at != NULL; i++)
        at = strchr(at + 1, ' ');
    char *end = at == NULL ? NULL : strchr(at + 1, ' ');
    if (end == NULL)
        return false;
    *end = '\0';
    line_add_number(&line, pid);
    line_add(&line, at); /* With the blank before it. */
    line_add(&line, " ");
    line_add(&line, boot);
    return file_put(path, line.at, line.n);
}
