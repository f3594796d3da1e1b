/* controllers.h - the list of all controllers; one file each beside this one. */
#pragma once

#include "control/controller.h"

extern const struct controller namespace_controller, root_ca_controller, event_controller,
    gc_controller;

extern const struct controller *const controllers_all[]; /* Ends with NULL. */
