/* registry_door.h - the registry over the node's images, at the socket the supervisor gave us. */
#pragma once

#include "images/images.h"

struct registry_door;

/* Its name is "localhost" and the socket's port. */
int registry_door_open(struct images *images, struct loop *loop, int fd, struct registry_door **out,
                       struct err *err);
void registry_door_close(struct registry_door *door); /* Before the images. NULL is fine. */
