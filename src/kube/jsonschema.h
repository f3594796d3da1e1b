/*
 * jsonschema.h - structural schemas of custom resources (apiextensions.k8s.io/v1): what an object
 * of a CustomResourceDefinition may be.
 *
 * A schema is checked once, when it arrives (jsonschema_check_schema): it must be structural, as
 * Kubernetes asks, and within the limits below. What is not supported (x-kubernetes-validations,
 * which is CEL; $ref) is refused by its name. After that objects are decoded, pruned, defaulted and
 * checked by it. Patterns are PCRE2 with a limit on the work one match may take.
 */
#pragma once

#include "kube/schema.h"

enum {
    JSONSCHEMA_DEPTH_MAX = 48,
    JSONSCHEMA_NODES_MAX = 50000,
    JSONSCHEMA_PATTERN_MAX = 4096,
    JSONSCHEMA_WORK_MAX = 1000000, /* Steps of checking one object: allOf, anyOf ... multiply. */
};

/* `path` is where the schema stands: "spec.versions[0].schema.openAPIV3Schema". */
void jsonschema_check_schema(const struct json *schema, str_t path, struct field_errors *errors);

/* Members the schema does not have: their paths go to `unknown`, and with `prune` they go. */
void jsonschema_unknown(const struct json *schema, struct json *object, bool prune,
                        struct json *unknown, struct arena *arena);
/* Defaults, and nulls that are not allowed and have one. */
void jsonschema_default(const struct json *schema, struct json *value, struct arena *arena);
void jsonschema_check(const struct json *schema, const struct json *object,
                      struct field_errors *errors);

/*
 * The same schema as a table, for what is derived from tables: who owns which field. `name` is kept
 * as a view.
 */
const struct schema *jsonschema_table(const struct json *schema, const char *name,
                                      struct arena *arena);
