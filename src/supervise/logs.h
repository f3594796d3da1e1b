/* logs.h - the root of all logs: lines on stderr, with the time. */
#pragma once

#include "base/log.h"

extern const struct log stderr_log;
