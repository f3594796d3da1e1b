/* pod_spec.h - what pods and the templates of workloads share: defaults, rules, columns. */
#pragma once

#include "kinds/rules.h"

/* What the table cannot say: pull policies by tag, defaults beside others. */
void pod_spec_defaults(struct json *spec, struct arena *arena);
void pod_spec_check(const struct json *spec, const struct place *at, struct field_errors *errors);
/*
 * The template of a workload: labels, spec, and that `selector` selects it. `restart_policies`
 * ends with NULL and lists what is allowed there.
 */
void pod_template_check(const struct json *template, const struct json *selector,
                        const struct place *at, const char *const *restart_policies,
                        struct field_errors *errors);

extern const char *const restart_always[];     /* Deployments and their like. */
extern const char *const restart_never_ever[]; /* Jobs: OnFailure or Never. */

/* Columns about a template. `spec` is a PodSpec. */
str_t containers_column(const struct json *spec, struct arena *arena);
str_t images_column(const struct json *spec, struct arena *arena);
