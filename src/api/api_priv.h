/*
 * api_priv.h - what the files of this room share: the server's state, and one call of a client.
 */
#pragma once

#include "api/api.h"
#include "api/audit.h"
#include "api/audit_policy.h"
#include "api/authn.h"
#include "api/authz.h"
#include "api/flow.h"
#include "kinds/kinds.h"
#include "kinds/rules.h"
#include "kube/meta.h"
#include "kube/selector.h"

enum { GROUPS_MAX = 24, GENERATED_CHARS = 5, GENERATE_TRIES = 8 };

struct parsed {
    struct object *object;
    const struct kind *kind; /* In this version of it. */
    struct json *tree;
    bool whole; /* Or the metadata only. */
    struct arena arena;
};

struct api {
    struct api_settings settings;
    struct loop *loop;
    struct store *store;
    struct kinds *kinds;
    struct list watchers;
    size_t n_watchers;
    bool draining;
    int64_t requests;
    struct flows flows;
    struct audit *audit;               /* NULL: none is kept. */
    struct audit_policy *audit_policy; /* NULL: the built-in one. */
    struct authn authn;
    struct authz authz;
    struct watch_line *line;     /* The event rendered last, for the next watcher. */
    struct arena arena;          /* What lives as long as the server. */
    struct documents *documents; /* NULL: to be made. */
    struct crds *crds;
    struct service_addresses *addresses;
    struct parsed parsed[2]; /* The new version and the previous; see list_wants(). */
    unsigned parsed_next;
    struct http_client *node; /* NULL: nobody has asked for a log yet. */
};

struct user {
    str_t name;
    size_t n_groups;
    str_t groups[GROUPS_MAX];
    str_t uid;          /* "" if there is none. */
    struct json *extra; /* An object of lists of texts; NULL: none. */
    bool bad;           /* It says who it is, and we cannot believe it. */
};

enum api_verb {
    VERB_GET,
    VERB_LIST,
    VERB_WATCH,
    VERB_CREATE,
    VERB_UPDATE,
    VERB_PATCH,
    VERB_DELETE,
    VERB_DELETE_COLLECTION,
};

enum api_format { FORMAT_OBJECT, FORMAT_TABLE, FORMAT_PARTIAL };

enum field_validation { VALIDATE_WARN, VALIDATE_STRICT, VALIDATE_IGNORE };

/* What is to be written down about a call; see audit_event.c. */
struct audit_case {
    struct audit_verdict verdict;
    str_t id; /* The same in each of its stages. */
    msec_t received_ms;
    struct json *sent; /* The body; NULL: none, or not wanted. */
};

struct call { /* In the exchange's arena. */
    struct api *api;
    struct exchange *x; /* NULL: a controller asks; refusals go to `err`. */
    struct err *err;
    struct arena *arena;
    struct user user;
    const struct user *real_user; /* Who acts as `user`; NULL: that is the user. */
    enum api_verb verb;
    const struct kind *kind;
    str_t resource; /* As the store names it. */
    str_t ns, name, subresource;
    const struct subresource *sub;     /* What `subresource` names. */
    const struct subresource *through; /* The one a plain update came by. */
    /* Instead of the object itself, if it is set: what a write answers. */
    void (*answer)(struct call *call, int code, const struct object *object);
    enum api_format format;
    bool dry_run;
    enum field_validation validation;
    str_t body;            /* Of a write. */
    struct flow_call flow; /* Its place in the queue, and the room its body takes. */
    bool applied;          /* By server-side apply: `managed` says who owns what from now on. */
    struct json *managed;
    struct json *twice;   /* Fields that are there twice in it. */
    struct json *unknown; /* Fields of the body that the kind does not have. */
    struct audit_case audit;
    const char *warning; /* One more sentence for the client; NULL: none. */
};

const char *verb_word(enum api_verb verb); /* As RBAC and messages name it. */

/* --- api_request.c --- */
enum path_result { PATH_OBJECT, PATH_OTHER, PATH_UNKNOWN, PATH_ANSWERED };
enum path_result call_parse_path(struct call *call);
int call_parse_query(struct call *call); /* < 0: answered. */
bool call_query_is(const struct call *call, str_t name, str_t wanted);
str_t call_query(const struct call *call, str_t name); /* "" if absent. */

/* --- authn.c --- */
enum door { DOOR_ALL, DOOR_NODE };
void auth_user(struct api *api, struct exchange *x, enum door door, struct user *user);
bool auth_is_bad(const struct call *call); /* It says who it is, and we cannot believe it. */
bool user_in(const struct user *user, str_t group);

/* --- api_status.c: every answer goes this way, and every refusal is one of these --- */
struct refusal {
    int code;
    const char *reason;
    str_t message;
    struct json *details; /* May be NULL. */
};
void call_answer(struct call *call, int code, const struct http_field *fields, size_t n_fields,
                 struct http_bytes body);
void call_answer_text(struct call *call, int code, str_t content_type, str_t text); /* Copied. */
struct json *status_json(const struct refusal *refusal, struct arena *arena);
void answer_refusal(struct call *call, const struct refusal *refusal);
void answer_plain(struct call *call, int code, const char *reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void answer_err(struct call *call, const struct err *err); /* By its code, with the call's names. */
void answer_not_found(struct call *call);
void answer_too_many(struct call *call);
void answer_invalid(struct call *call, str_t name, const struct field_errors *errors);
void answer_json(struct call *call, int code, const struct json *json);
void answer_bytes(struct call *call, int code, str_t bytes); /* JSON in the call's arena. */
void answer_object(struct call *call, int code, const struct object *object); /* In its format. */

/* --- api.c --- */
/* Serves the call by `run`, now or when it is its turn; or answers 429. */
void call_enter(struct call *call, void (*run)(struct flow_call *flow));

/* --- api_body.c --- */
enum { BODY_DEFAULT_MAX = 3 * 1024 * 1024 };
/* An object of the call's kind: types checked, unknown fields dropped. < 0: answered. */
int body_object(struct call *call, str_t body, struct json **out);
/* DeleteOptions or a patch: any JSON, YAML or protobuf by this table. < 0: answered. */
int body_any(struct call *call, str_t body, const struct schema *schema, struct json **out);
int body_check_unknown(struct call *call, str_t what); /* By fieldValidation. < 0: answered. */

/* --- api_read.c, api_watch.c, api_write.c --- */
void api_get(struct call *call);
void api_list(struct call *call);
void api_watch(struct call *call);
void api_write(struct call *call);
void api_create_object(struct call *call, struct json *object);
void api_update_object(struct call *call, struct json *object, const struct object *latest);
void api_delete_object(struct call *call, const struct json *options, const struct object *latest);
void api_delete_collection(struct call *call, str_t body);
/* DeleteOptions from the body; the query may say some of it too. < 0: answered. */
int delete_options(struct call *call, str_t body, struct json **out);
/* The same for options that came inside something else. < 0: answered. May make it a dry run. */
int delete_options_check(struct call *call, const struct json *options);
void api_drain_watches(struct api *api);
void watch_line_drop(struct api *api);

/* --- api_crd.c: kinds that definitions add --- */
int crds_start(struct api *api, struct err *err); /* Those the store has. */
void crds_stop(struct api *api);
/* Before a definition is stored: its names and its status. */
void crd_prepare(struct call *call, struct json *object, const struct json *old);
/* A definition that ends takes no new objects. < 0: answered. */
int crd_check_create(struct call *call);
void api_end_watches_of(struct api *api, const struct kind *kind);
bool api_watches(const struct api *api, const struct kind *kind);

/* --- api_apply.c --- */
bool is_apply(const struct call *call);
void api_apply(struct call *call, str_t body, const struct object *latest); /* NULL: it is made. */
/* < 0: answered. */
int check_manager(struct call *call, bool applies);
/* Sets metadata.managedFields of what replaces `old` (NULL: nothing). `old` stays as it was. */
void track_fields(struct call *call, struct json *object, struct json *old);

/* --- api_subresource.c: what stands behind an object's name --- */
/* True: the call was one of these, and is answered or will be. */
bool subresource_get(struct call *call, const struct object *object);
bool subresource_write(struct call *call, str_t body, const struct object *latest);
/* A pod goes to the node that a Binding names. */
void api_bind(struct call *call, const struct json *binding, const struct object *latest);
/* --- api_stream.c: what only the pod's node can do --- */
void api_stream(struct call *call, const struct object *object);
struct http_client *node_client(struct api *api); /* NULL: there is no node. */
/* --- api_metrics.c: what the node has measured --- */
void api_metrics(struct call *call);
/* --- api_scale.c --- */
void scale_get(struct call *call, const struct object *object);
void scale_write(struct call *call, str_t body, const struct object *latest);

/* --- what writes share --- */
struct json *patched(struct call *call, const struct json *old, str_t body); /* NULL: answered. */
struct sweep; /* A deletecollection: answered when its last write is done. */
struct write_plan {
    enum store_verb verb;
    struct json *tree;
    uint64_t based_on;
    int code;
    bool status; /* Answer with a Status. */
    struct sweep *sweep;
};
/* 0: queued, or answered because it was a dry run; < 0: refused, `err` says why. */
int write_submit(struct call *call, const struct write_plan *plan, struct err *err);
void write_or_answer(struct call *call, const struct write_plan *plan);
/* Both answer and return < 0. */
int write_forbidden(struct call *call, str_t message, const char *cause);
int precondition_failed(struct call *call, const char *word, str_t wanted, str_t is);
void sweep_one_more(struct sweep *sweep);
void sweep_one_done(struct sweep *sweep, int r, const struct err *err);

struct list_options {
    const struct kind *kind;
    int64_t limit; /* 0: all. */
    uint64_t at_rv;
    str_t after_ns, after_name;
    struct selector *labels, *fields;
};
int list_selectors(struct call *call, struct list_options *options); /* < 0: answered. */
bool list_wants(struct api *api, const struct list_options *options, const struct object *object);
void api_forget_trees(struct api *api);
/* A resourceVersion from the query: 0 for "" and "0". < 0: answered. */
int call_rv(struct call *call, uint64_t *rv);

/* --- api_options.c --- */
int list_query_check(struct call *call); /* resourceVersionMatch and the like. < 0: answered. */

/* --- api_continue.c --- */
struct continue_token {
    uint64_t rv; /* 0: the present, whatever the pages before have shown. */
    str_t ns, name;
};
str_t continue_encode(const struct continue_token *token, struct arena *arena);
int continue_decode(str_t text, struct arena *arena, struct continue_token *token, struct err *err);

/* --- api_table.c --- */
str_t str_trim(str_t text); /* Blanks at both ends. */
enum api_format accept_format(str_t accept);
bool accept_allows_json(str_t accept);
struct json *object_tree(const struct object *object, struct arena *arena);
/* In this version of its kind. */
struct json *object_tree_as(const struct kind *kind, const struct object *object,
                            struct arena *arena);
void object_write_as(const struct kind *kind, const struct object *object, struct buf *out);

struct shape { /* How a client wants to see objects. */
    const struct kind *kind;
    enum api_format format;
    bool without_columns; /* Of a Table: its reader has them. */
    str_t include;        /* ?includeObject= */
    msec_t wall_ms;
};
struct shape call_shape(const struct call *call);
/* A list: its beginning, its objects (with a comma between them), its end. */
void shape_begin(const struct shape *shape, str_t metadata, struct buf *out);
void shape_add(const struct shape *shape, const struct object *object, struct arena *scratch,
               struct buf *out);
void shape_end(struct buf *out);
/* One object; as a Table: of one row. */
void shape_one(const struct shape *shape, const struct object *object, struct buf *out);

/* --- api_discovery.c, api_openapi.c: documents that change when kinds do --- */
void documents_drop(struct api *api);             /* Kinds have come or gone. */
struct arena *documents_scratch(struct api *api); /* While they are made. */
void openapi_make(struct api *api);
/* `as`: "", a media type, or which aggregated form it is. Copies all texts; returns its ETag. */
str_t document_add(struct api *api, str_t path, str_t as, str_t content_type,
                   const struct json *json);
str_t document_add_bytes(struct api *api, str_t path, str_t as, str_t content_type, str_t body);
bool document_answer(struct call *call); /* True if the path was one of theirs. */
