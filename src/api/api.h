/*
 * api.h - the Kubernetes-compatible API server: a handler for an HTTP server, on one store.
 */
#pragma once

#include "control/writer.h"
#include "http/http.h"
#include "store/store.h"

struct api;

struct api_settings {
    struct loop *loop;
    struct store *store;
    const struct log *log;
    str_t ca_pem;            /* For kube-root-ca.crt. */
    str_t audit_dir;         /* "": nothing is written down. */
    str_t audit_policy;      /* Text of a Policy (audit.k8s.io/v1); "": writes and refusals. */
    str_t token_key_pem;     /* Signs the tokens of service accounts; "": one that nobody keeps. */
    str_t token_file;        /* Its text: token,user,uid,"group1,group2" lines; may be "". */
    const char *node_socket; /* Where the node listens for streams of its pods. */
    str_t node_name;         /* Whom api_node_handler() serves: "system:node:NAME". */
    uint32_t owner_uid;      /* Who may do everything over the unix socket. */
    size_t body_bytes_max;   /* 0: 3 MiB. */
    size_t watch_bytes_max;  /* 0: 1 MiB waiting for a slow reader, then its watch ends cleanly. */
};

int api_new(const struct api_settings *settings, struct api **out, struct err *err);
void api_free(struct api *api);

struct http_handler api_handler(struct api *api);
/*
 * The same for a unix socket of its own: root and the owner are the node `node_name` there, with
 * what roles give to system:nodes, instead of somebody who may do everything.
 */
struct http_handler api_node_handler(struct api *api);
struct writer api_writer(struct api *api);
const struct kinds *api_kinds(const struct api *api); /* All that are served now. */

/* Make what every cluster has (namespaces default, kube-system ...), if it is not there. */
int api_bootstrap(struct api *api, struct err *err);
bool api_is_ready(const struct api *api); /* As /readyz says. */
void api_drain(struct api *api);          /* End watches cleanly; /readyz says no. */
