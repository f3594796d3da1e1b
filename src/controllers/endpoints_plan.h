/*
 * endpoints_plan.h - what stands in a Service's EndpointSlices and Endpoints. Pure.
 *
 * A Pod comes as a brief: the few things of it that matter here. The rules are Kubernetes'
 * (pkg/controller/endpointslice and endpoint): terminal Pods and Pods without an address are out;
 * ready is "Ready and not ending", or whatever it is when the Service publishes Pods that are not
 * ready; a named port is looked up in each Pod, and Pods whose ports differ do not share a slice.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"

#define SLICE_MANAGER "endpointslice-controller.k8s.io"
#define SLICE_MANAGED_BY "endpointslice.kubernetes.io/managed-by"
#define SLICE_SERVICE "kubernetes.io/service-name"
#define HEADLESS "service.kubernetes.io/headless"

enum { SLICE_ENDPOINTS_MAX = 100, SERVICE_PORTS_MAX = 100, ENDPOINTS_ADDRESSES_MAX = 1000 };

/* NULL: nothing of this Pod is to be reached (it has ended, or has no address yet). */
struct json *endpoints_brief(const struct json *pod, struct arena *arena);

struct endpoints_view {
    const struct json *service;
    const struct json *const *briefs; /* In order of names: what is written follows it. */
    size_t n;
    struct json *const *slices; /* Those that are ours, as they are. */
    size_t n_slices;
    void *self;
    bool (*taken)(void *self, str_t name); /* Is there a slice of this name? */
};

/* Does a controller fill in its endpoints? Not without a selector, and not of an ExternalName. */
bool endpoints_are_ours(const struct json *service);

enum slice_verb { SLICE_CREATE, SLICE_UPDATE, SLICE_DELETE }; /* In this order they are done. */

struct slice_step {
    enum slice_verb verb;
    struct json *slice;
};
/*
 * The steps from the slices that are there to those that should be. As few as possible: an endpoint
 * stays in its slice, one that comes goes to a slice that changes anyway or has room, and a slice
 * that would go is used again. A new one's name follows from the Service and the place it takes, so
 * that the same step taken twice is refused the second time.
 */
size_t slices_plan(const struct endpoints_view *view, struct slice_step **out, struct arena *arena);

/* Endpoints.subsets; *cut: there were more addresses than fit, and ready ones went first. */
struct json *endpoints_subsets(const struct endpoints_view *view, bool *cut, struct arena *arena);
/* Labels of the Service's Endpoints: its own, and that it is headless. */
struct json *endpoints_labels(const struct json *service, struct arena *arena);

/* --- what the two plans share --- */

str_t brief_address(const struct json *brief, str_t family); /* "IPv4"; "": none of it. */
/* A reference to the Pod. */
struct json *brief_target(const struct json *service, const struct json *brief,
                          struct arena *arena);
/* Its host name, if the Service is the domain it asks for; else "". */
str_t brief_host(const struct json *service, const struct json *brief);

struct port_class_pod {
    const struct json *brief;
    struct port_class_pod *next;
};

struct port_class { /* Pods that serve the same numbers for the Service's ports. */
    struct map_node by_ports;
    struct json *ports; /* As a slice has them. */
    str_t text;         /* The same as text. */
    struct port_class_pod *first, *last;
    size_t n;
};

struct port_names { /* Ports are looked up once for all Pods whose containers name them alike. */
    struct map_node by_names;
    struct port_class *class;
};

struct port_classes {
    struct arena *arena;
    struct map by_names, by_ports;
    struct port_class **at;
    size_t n, cap;
};

void port_classes_init(struct port_classes *classes, const struct endpoints_view *view,
                       struct arena *arena);
void port_classes_done(struct port_classes *classes);
