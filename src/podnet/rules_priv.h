/* rules_priv.h - the part of the table that says who may pass. */
#pragma once

#include "podnet/rules.h"

void rules_add_policies(const struct rules_net *net, const struct rules *rules, struct buf *text);
