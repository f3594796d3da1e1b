/* service.h - what the parts of Service share. `spec` is a ServiceSpec; NULL is of no type. */
#pragma once

#include "kinds/rules.h"

bool service_is(const struct json *spec, const char *type);
bool service_has_node_ports(const struct json *spec);
/* From outside the cluster: at node ports or at addresses of its own. */
bool service_is_reached(const struct json *spec);
/* Does it answer on a port whether a node has pods of it? */
bool service_has_health_port(const struct json *spec);
void service_check(const struct json *object, const struct json *old, struct field_errors *errors);
