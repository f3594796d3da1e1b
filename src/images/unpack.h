/*
 * unpack.h - a layer of an image as a directory that overlayfs can mount: DIR/layers/DIGITS.
 *
 * A layer comes from anybody. Names stay below its directory whatever they say, what it says it
 * removes becomes what overlayfs understands, attributes that overlayfs itself reads are dropped,
 * and there is an end to its size. Blocks; any thread.
 */
#pragma once

#include "images/reference.h"

#define LAYER_BYTES_MAX ((int64_t)64 << 30)
enum { LAYER_ENTRIES_MAX = 4000000, LAYER_NAME_BYTES = 20 };

/*
 * Unpacks the blob unless its directory is there already. `diff_id` is the digest of the plain tar,
 * checked while it is read. Complete or not there at all, also after a crash.
 */
int layer_unpack(const char *dir, str_t blob, str_t diff_id, struct err *err);
bool layer_is_there(const char *dir, str_t diff_id);
/* The first sixteen digits: short, because overlayfs takes a page of names. */
void layer_name(str_t diff_id, char name[LAYER_NAME_BYTES]);
int layer_remove(const char *dir, const char *name, struct err *err);
