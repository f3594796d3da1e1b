/* controllers.h - the list of all controllers; one file each beside this one. */
#pragma once

#include "control/controller.h"

extern const struct controller claim_protection_controller, crd_controller, deployment_controller,
    endpoints_controller, ephemeral_controller, event_controller, gc_controller,
    namespace_controller, node_controller, quota_controller, replicaset_controller,
    replication_controller, root_ca_controller, scheduler_controller, serviceaccount_controller,
    volume_controller;

extern const struct controller *const controllers_all[]; /* Ends with NULL. */
