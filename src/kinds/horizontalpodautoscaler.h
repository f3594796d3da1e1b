/* horizontalpodautoscaler.h - the rules of both versions of HorizontalPodAutoscaler. */
#pragma once

#include "kinds/rules.h"

void hpa_check(const struct json *object, const struct json *old, struct field_errors *errors);
