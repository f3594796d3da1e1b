/* kind.h - everything the API server and kubectl need to know of one kind. */
#pragma once

#include "base/clock.h"
#include "kube/schema.h"

struct column { /* One column of kubectl get. */
    const char *title;
    const char *type;   /* OpenAPI: "string", "integer", "date". */
    const char *format; /* "name" for the first column, else "". */
    const char *doc;
    int priority; /* 0 always, 1 with -o wide. */
    str_t (*text)(const struct json *object, msec_t wall_ms, struct arena *arena);
};

struct field_selector {    /* Beside metadata.name and metadata.namespace, which every kind has. */
    const char *path;      /* As users write it: "involvedObject.name". */
    const char *json_path; /* Where it stands; NULL: the same. */
};

struct kind {
    const char *group; /* "" for core */
    const char *version;
    const char *name;              /* "ConfigMap" */
    const char *plural;            /* "configmaps" */
    const char *singular;          /* "configmap" */
    const char *const *shortcuts;  /* "cm"; ends with NULL; may be NULL. */
    const char *const *categories; /* "all"; ends with NULL; may be NULL. */
    bool namespaced;
    bool secret;              /* Encrypted at rest. */
    bool has_status;          /* Served at /status too; main writes do not change it. */
    bool has_spec_generation; /* metadata.generation counts changes of spec. */
    bool dns_label_name;      /* Names are DNS labels (Namespace, Service) instead of subdomains. */
    const struct schema *schema;
    void (*prepare)(struct json *object, const struct json *old,
                    struct arena *arena); /* Before the check. */
    void (*check)(const struct json *object, const struct json *old, struct field_errors *errors);
    const struct column *columns;           /* Ends with a NULL title. */
    const struct field_selector *selectors; /* Ends with a NULL path; may be NULL. */
};

/* "configmaps" or "deployments.apps": how the store and RBAC messages name it. Process lifetime. */
str_t kind_resource(const struct kind *kind, struct arena *arena);
str_t kind_api_version(const struct kind *kind, struct arena *arena); /* "v1", "apps/v1" */
