/*
 * yaml.h - YAML 1.2 documents to JSON trees, through libfyaml.
 *
 * Numbers, booleans and null by the core schema, as Kubernetes reads them; everything else is a
 * string. No tags, no merge keys; aliases are expanded within YAML_NODES_MAX.
 */
#pragma once

#include "base/json.h"

enum { YAML_NODES_MAX = 200000 };

/* The first document. ERR_INVALID: "yaml: line 3: ..." */
int yaml_parse(str_t text, struct arena *arena, struct json **out, struct err *err);
/* All documents of a stream, as the items of one JSON array; empty ones are left out. */
int yaml_parse_all(str_t text, struct arena *arena, struct json **out, struct err *err);
