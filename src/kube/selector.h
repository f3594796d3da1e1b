/*
 * selector.h - label selectors (`a=b,c!=d,e in (f,g),!h`) and field selectors.
 */
#pragma once

#include "kube/kind.h"

struct selector;

/* ERR_INVALID with Kubernetes' words. An empty text selects everything. */
int label_selector_parse(str_t text, struct arena *arena, struct selector **out, struct err *err);
/* Unknown paths: `field label not supported: spec.foo`. */
int field_selector_parse(const struct kind *kind, str_t text, struct arena *arena,
                         struct selector **out, struct err *err);
/* Both may be NULL. */
bool selector_matches(const struct selector *labels, const struct selector *fields,
                      const struct json *object);
bool selector_is_empty(const struct selector *selector);
/* The one name that metadata.name= asks for, or "": lists and watches of one object are cheap. */
str_t selector_name(const struct selector *fields);
