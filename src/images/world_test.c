/* world_test.c - see world.h; no tests of its own. */
#include "base/tree.h"
#include "images/world.h"
#include "testkit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void world_open(struct world *w)
{
    struct images_settings settings = {.loop = w->loop, .pool = w->pool, .dir = w->dir};
    MUST(images_open(&settings, &w->images, &w->err) == 0);
}

void world_init(struct world *w)
{
    *w = (struct world){.dir = "/tmp/davy-images-XXXXXX"};
    MUST(mkdtemp(w->dir) != NULL);
    MUST(loop_new(system_clock(), &w->loop, &w->err) == 0);
    MUST(pool_new(w->loop, 1, &w->pool, &w->err) == 0);
    world_open(w);
}

void world_done(struct world *w)
{
    images_call_done(&w->call);
    images_close(w->images);
    pool_free(w->pool);
    loop_free(w->loop);
    CHECK_INT(tree_remove(AT_FDCWD, w->dir, &w->err), 0);
}

void world_over(struct images_call *call)
{
    CONTAINER_OF(call, struct world, call)->over = true;
}

int wait_for(struct world *w)
{
    for (w->over = false; !w->over;)
        MUST(loop_turn(w->loop, -1, &w->err) == 0);
    return w->call.r;
}

/* --- making archives --- */

void tar_begin(struct tar *tar)
{
    tar->bytes = calloc(1, TAR_BYTES);
    tar->out = archive_write_new();
    MUST(tar->bytes != NULL && archive_write_set_format_pax(tar->out) == ARCHIVE_OK);
    MUST(archive_write_open_memory(tar->out, tar->bytes, TAR_BYTES, &tar->n) == ARCHIVE_OK);
}

struct archive_entry *entry_new(const char *name, unsigned type, size_t bytes)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, type == AE_IFDIR ? 0755 : 0644);
    archive_entry_set_size(entry, (la_int64_t)bytes);
    return entry;
}

void tar_add(struct tar *tar, struct archive_entry *entry, const char *text)
{
    MUST(archive_write_header(tar->out, entry) >= ARCHIVE_WARN);
    MUST(archive_write_data(tar->out, text, strlen(text)) >= 0);
    archive_entry_free(entry);
}

void tar_file(struct tar *tar, const char *name, const char *text)
{
    tar_add(tar, entry_new(name, AE_IFREG, strlen(text)), text);
}

void tar_dir(struct tar *tar, const char *name)
{
    tar_add(tar, entry_new(name, AE_IFDIR, 0), "");
}

void tar_link(struct tar *tar, const char *name, const char *to, bool hard)
{
    struct archive_entry *entry = entry_new(name, hard ? AE_IFREG : AE_IFLNK, 0);
    if (hard)
        archive_entry_set_hardlink(entry, to);
    else
        archive_entry_set_symlink(entry, to);
    tar_add(tar, entry, "");
}

void tar_end(struct tar *tar)
{
    MUST(archive_write_close(tar->out) == ARCHIVE_OK);
    archive_write_free(tar->out);
}

str_t path_in(struct world *w, const char *name, struct arena *arena)
{
    return arena_printf(arena, "%s/%s", w->dir, name);
}

bool is_root(void)
{
    if (geteuid() == 0)
        return true;
    puts("skipped: needs root");
    return false;
}
