/* machine.h - what this machine is, and how it is just now, from /proc, /sys and /etc. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum { HUGEPAGES_MAX = 8 };

struct hugepages {
    uint64_t page_kb, pages;
};

struct machine {        /* Texts are "" where the machine does not say. */
    str_t architecture; /* Go's name: "amd64" */
    str_t kernel, os_image, machine_id, boot_id, system_uuid;
    uint64_t cpus, memory_bytes, disk_bytes;
    struct hugepages hugepages[HUGEPAGES_MAX];
    size_t n_hugepages;
};

/* `disk` is a path on the file system that pods write to. */
int machine_read(const char *disk, struct arena *arena, struct machine *out, struct err *err);

struct machine_now {
    uint64_t memory_free; /* Bytes that could be had without swapping. */
    uint64_t disk_free, inodes_free, inodes;
    uint64_t tasks, tasks_max;
    char address[64]; /* Where others reach it; "" while there is no network. */
};
int machine_look(const char *disk, struct machine_now *out, struct err *err);
