/* logs.c - one write() a line, so that lines of several processes do not mix. */
#include "supervise/logs.h"

#include "base/arena.h"
#include "base/clock.h"
#include "kube/meta.h"

#include <unistd.h>

static void write_line(const struct log *log, str_t line)
{
    (void)log;
    AUTO(arena_done) struct arena arena = {0};
    struct clock *clock = system_clock();
    str_t text = arena_printf(&arena, "time=" STR_F " " STR_F "\n",
                              STR_A(micro_time_text(clock->wall_ms(clock), &arena)), STR_A(line));
    ssize_t n = write(STDERR_FILENO, text.at, text.len);
    (void)n; /* There is nobody left to tell. */
}

const struct log stderr_log = {.write = write_line, .least = LOG_INFO};
