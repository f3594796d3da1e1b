/* affinity.h - rules about where pods may run. */
#pragma once

#include "kinds/rules.h"

/* affinity, topologySpreadConstraints and the gates of a PodSpec. */
void placement_check(const struct json *spec, const struct place *at, struct field_errors *errors);
