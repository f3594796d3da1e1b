/* crilog_fuzz.c - bytes of a log file, whole and cut in two anywhere: the same text comes out. */
#include "runtime/crilog.h"
#include "testkit/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2)
        return 0;
    struct crilog_want want = {
        .tail = -1,
        .timestamps = (bytes[0] & 1) != 0,
        .since_ns = (bytes[0] & 2) != 0 ? 1700000000000000000 : 0,
        .limit_bytes = (bytes[0] & 4) != 0 ? 1 + bytes[1] : 0,
        .streams = (bytes[0] >> 3) & 3,
    };
    str_t text = {(const char *)bytes + 2, n - 2};
    size_t cut = text.len == 0 ? 0 : bytes[1] % text.len;
    AUTO(buf_done) struct buf once = {0};
    AUTO(buf_done) struct buf twice = {0};
    struct crilog *log = crilog_new(&want);
    crilog_feed(log, text, &once);
    crilog_close(log);
    log = crilog_new(&want);
    crilog_feed(log, (str_t){text.at, cut}, &twice);
    crilog_feed(log, (str_t){text.at + cut, text.len - cut}, &twice);
    crilog_close(log);
    MUST(str_eq(buf_str(&once), buf_str(&twice)));
    MUST(want.limit_bytes == 0 || once.len <= want.limit_bytes);
    return 0;
}
