/* world.h - for tests: a store in a directory of its own, and archives to put into it. */
#pragma once

#include "images/images.h"

#include <archive.h>
#include <archive_entry.h>

enum { TAR_BYTES = 1 << 20 };

struct world {
    char dir[64];
    struct loop *loop;
    struct pool *pool;
    struct images *images;
    struct images_call call;
    bool over;
    struct err err;
};

struct tar {
    struct archive *out;
    char *bytes;
    size_t n;
};

void world_open(struct world *w);
void world_init(struct world *w);
void world_done(struct world *w);
void world_over(struct images_call *call);
int wait_for(struct world *w);
void tar_begin(struct tar *tar);
struct archive_entry *entry_new(const char *name, unsigned type, size_t bytes);
void tar_add(struct tar *tar, struct archive_entry *entry, const char *text);
void tar_file(struct tar *tar, const char *name, const char *text);
void tar_dir(struct tar *tar, const char *name);
void tar_link(struct tar *tar, const char *name, const char *to, bool hard);
void tar_end(struct tar *tar);
str_t path_in(struct world *w, const char *name, struct arena *arena);
bool is_root(void);
