/* volume.h - rules of a pod's volumes, and of the paths and references they share with containers.
 */
#pragma once

#include "kinds/rules.h"

/* One volume: exactly one source, and what that source needs. */
void volume_check(const struct json *volume, const struct place *at, struct field_errors *errors);
/* A path below some directory: relative and without '..'. */
void rule_path_below(str_t path, const struct place *at, struct field_errors *errors);
bool has_backstep(str_t path); /* Is one of its elements '..'? */

/* --- downward.c: what a pod may read of itself --- */
/* A fieldRef; fewer fields may become files than variables. */
void field_ref_check(const struct json *ref, bool file, const struct place *at,
                     struct field_errors *errors);
/* A resourceFieldRef; as a file it must name its container. */
void resource_ref_check(const struct json *ref, bool file, const struct place *at,
                        struct field_errors *errors);
