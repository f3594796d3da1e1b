/* rollout.h - the table of Rollout. */
#pragma once

#include "kube/schema.h"

extern const struct schema rollout_schema;
