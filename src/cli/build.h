/*
 * build.h - `davy build`: buildah makes an image of a Dockerfile, and it lands in the node's store.
 *
 * buildah's own storage is DATA/build, and keeps what was built as a cache. Images that the node
 * has serve as bases: the node's registry is asked before the one a name says.
 */
#pragma once

#include "base/arena.h"

extern const char build_usage[];

/* All words of the command line; gives the exit code. */
int build_command(char **argv, struct arena *arena);
