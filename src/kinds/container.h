/* container.h - defaults and rules of one container. */
#pragma once

#include "base/map.h"
#include "kinds/rules.h"

struct container_rules {
    bool init;
    bool host_network;
    int64_t grace_s;           /* The pod's terminationGracePeriodSeconds. */
    const struct map *volumes; /* By name. */
    const struct map *claimed; /* Those that are PersistentVolumeClaims. */
};

void container_defaults(struct json *container, struct arena *arena);
/* What is limited and not asked for is asked for in full: in Pods, not in templates of them. */
void container_default_requests(struct json *container, struct arena *arena);
void container_check(const struct json *container, const struct container_rules *rules,
                     const struct place *at, struct field_errors *errors);

/* --- env.c --- */
void env_check(const struct json *container, const struct place *at, struct field_errors *errors);

/* --- resources.c --- */
/* Names, amounts and requests against limits, in Kubernetes' words. */
void resource_name_check(str_t name, const struct place *list, struct field_errors *errors);
void resources_check(const struct json *resources, const struct place *at,
                     struct field_errors *errors);
