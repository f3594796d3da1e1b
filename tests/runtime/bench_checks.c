/* bench_checks.c - CHECK() for programs that are no tests, such as the benchmark: says and goes on.
 */
#include "testkit/test.h"

#include <stdio.h>

bool test_check(bool ok, const char *what, const char *file, int line)
{
    if (!ok)
        printf("%s:%d: %s does not hold\n", file, line, what);
    return ok;
}

bool test_check_int(int64_t got, int64_t want, const char *what, const char *file, int line)
{
    if (got != want)
        printf("%s:%d: %s is %lld, not %lld\n", file, line, what, (long long)got, (long long)want);
    return got == want;
}
