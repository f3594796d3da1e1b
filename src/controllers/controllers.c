/* controllers.c - the list. */
#include "controllers/controllers.h"

#include <stddef.h>

/* clang-format off */
const struct controller *const controllers_all[] = {
    &claim_protection_controller,
    &crd_controller,
    &deployment_controller,
    &endpoints_controller,
    &ephemeral_controller,
    &event_controller,
    &gc_controller,
    &namespace_controller,
    &node_controller,
    &quota_controller,
    &replicaset_controller,
    &replication_controller,
    &root_ca_controller,
    &scheduler_controller,
    &serviceaccount_controller,
    &volume_controller,
    NULL,
};
/* clang-format on */
