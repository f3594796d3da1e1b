/* controllers.c - the list. */
#include "controllers/controllers.h"

#include <stddef.h>

const struct controller *const controllers_all[] = {
    &event_controller, &gc_controller, &namespace_controller, &root_ca_controller, NULL,
};
