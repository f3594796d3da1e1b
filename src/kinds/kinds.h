/* kinds.h - the list of all kinds there are; one file each beside this one. */
#pragma once

#include "kube/kind.h"

extern const struct kind kind_namespace, kind_configmap, kind_secret, kind_event;

extern const struct kind *const kinds_all[]; /* Ends with NULL. */

const struct kind *kind_by_plural(str_t group, str_t version, str_t plural); /* NULL: not served. */
const struct kind *kind_by_name(str_t group, str_t version, str_t name);
bool kind_is_secret(str_t resource); /* For store_settings.secret. */
