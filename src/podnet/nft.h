/* nft.h - text for nftables, done by the kernel as one transaction. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* `text` is NUL-terminated by it. Any thread, one at a time; blocks. The error says what the
 * kernel lacks, if that is why. */
int nft_run(struct buf *text, struct err *err);
