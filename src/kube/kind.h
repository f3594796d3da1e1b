/* kind.h - everything the API server and kubectl need to know of one kind. */
#pragma once

#include "base/clock.h"
#include "kube/schema.h"

enum name_rule {
    NAME_SUBDOMAIN,  /* a.b-c */
    NAME_LABEL,      /* No dots (Namespace). */
    NAME_LABEL_1035, /* No dots, begins with a letter (Service). */
    NAME_SEGMENT,    /* Anything that may stand in a path (Role). */
};

struct column { /* One column of kubectl get. */
    const char *title;
    const char *type;   /* OpenAPI: "string", "integer", "date". */
    const char *format; /* "name" for the first column, else "". */
    const char *doc;
    int priority; /* 0 always, 1 with -o wide. */
    str_t (*text)(const struct json *object, msec_t wall_ms, struct arena *arena);
    const char *path; /* Instead of text(): where the value is, as JSONPath. */
};

struct field_selector {    /* Beside metadata.name and metadata.namespace, which every kind has. */
    const char *path;      /* As users write it: "involvedObject.name". */
    const char *json_path; /* Where it stands; NULL: the same. */
};

struct subresource {
    const char *name;
    const struct kind *kind; /* Of its bodies; NULL: of the object itself. */
    const char *const *verbs;
    bool hidden; /* Not in discovery. */
};

/* Where a kind keeps what /scale shows, as dotted paths. */
struct scale_paths {
    struct subresource subresource; /* "scale", with autoscaling/v1 Scale. */
    const char *replicas, *status_replicas;
    const char *selector; /* A label selector: an object, a map, or its text. */
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
    bool secret;               /* Encrypted at rest. */
    const struct json *custom; /* The JSON schema of a CustomResourceDefinition's version. */
    bool as_given;             /* Added to Kubernetes by others: no defaults, no empty parts. */
    bool mixed;                /* Objects may be stored as several versions of it. */
    bool only_create;          /* A question (reviews): it is answered, and nothing is stored. */
    bool only_read;            /* Metrics: found out when somebody asks, and not stored. */
    bool has_status;           /* Served at /status too; main writes do not change it. */
    bool has_spec_generation;  /* metadata.generation counts changes of spec. */
    enum name_rule name_rule;
    const struct schema *schema;
    void (*prepare)(struct json *object, const struct json *old,
                    struct arena *arena); /* Before the check. */
    void (*check)(const struct json *object, const struct json *old, struct field_errors *errors);
    const struct column *columns;           /* Ends with a NULL title. */
    const struct field_selector *selectors; /* Ends with a NULL path; may be NULL. */
    const struct scale_paths *scale;        /* Served at /scale too; NULL: not. */
    const struct subresource *subresources; /* Others; ends with a NULL name; may be NULL. */
    const struct kind *stored_as;           /* Another version of the same objects; NULL: this. */
    void (*to_stored)(struct json *object, struct arena *arena);   /* NULL: the same fields. */
    void (*from_stored)(struct json *object, struct arena *arena); /* NULL: the same fields. */
};

/*
 * By the kind's table, or by its JSON schema if it is a custom one: types and unknown fields (as
 * schema_decode_check() tells them; custom objects lose theirs at once), what is not kept,
 * defaults, rules of single fields.
 */
int kind_decode_check(const struct kind *kind, struct json *object, struct json *unknown,
                      struct arena *arena, struct err *err);
void kind_prune(const struct kind *kind, struct json *object);
void kind_set_defaults(const struct kind *kind, struct json *object, struct arena *arena);
void kind_check_fields(const struct kind *kind, const struct json *object, const struct json *old,
                       struct field_errors *errors);

/* /status and /scale of those that have one, and the others. NULL: there is none of this name. */
const struct subresource *kind_subresource(const struct kind *kind, str_t name);
/* The i-th of all, or NULL. */
const struct subresource *kind_subresource_at(const struct kind *kind, size_t i);

/* Or it is answered on the spot. Of several versions of the same objects all are. */
bool kind_is_stored(const struct kind *kind);

/* "configmaps" or "deployments.apps": how messages name it. */
str_t kind_resource(const struct kind *kind, struct arena *arena);
str_t kind_stored_resource(const struct kind *kind, struct arena *arena); /* In the store. */
str_t kind_api_version(const struct kind *kind, struct arena *arena);     /* "v1", "apps/v1" */
