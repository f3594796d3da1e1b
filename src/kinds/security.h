/* security.h - users, groups, profiles and kernel settings of pods and containers. */
#pragma once

#include "kinds/rules.h"

/* securityContext of a PodSpec, and what its operating system forbids. */
void pod_security_check(const struct json *spec, const struct place *at,
                        struct field_errors *errors);
/* seccompProfile and appArmorProfile of a securityContext, of a pod or a container. */
void profiles_check(const struct json *context, const struct place *at,
                    struct field_errors *errors);
