/* rules_copy.h - rules that live as long as an arena. */
#pragma once

#include "base/arena.h"
#include "podnet/rules.h"

void rules_copy(const struct rules *from, struct arena *arena, struct rules *to);
