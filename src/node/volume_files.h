/*
 * volume_files.h - the files of a volume that is made of API objects, and how they get to disk.
 *
 * As kubelet lays them out, so that programs that watch for changes find what they know:
 *     ..2026_01_31_12_00_00.HASH/  the files
 *     ..data -> ..2026_01_31_12_00_00.HASH
 *     app.conf -> ..data/app.conf
 * One rename(2) of ..data changes all of them. The hash is of the content, so whether anything
 * changed is told by one readlink(2).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

struct volume_file {
    struct map_node by_path;
    str_t bytes;
    uint32_t mode;
    int64_t uid; /* -1: root's, as all others. */
};

struct volume_files {
    struct map by_path; /* volume_files_done() */
    struct volume_file **at;
    size_t n, cap;
};

void volume_files_done(struct volume_files *files);
/*
 * Of two with the same path the later counts. ERR_INVALID: the path is none that may be below a
 * volume. Path and bytes are kept as views.
 */
int volume_files_add(struct volume_files *files, str_t path, struct volume_file file,
                     struct arena *arena, struct err *err);

/* `dir`: the volume's own. `gid`: who is to read them too, -1: nobody. */
int volume_files_write(int dir, const struct volume_files *files, int64_t gid, msec_t wall_ms,
                       struct err *err);
