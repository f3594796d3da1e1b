/* machine.c - a few small files; looking again costs some microseconds. */
#include "node/machine.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024 };

static str_t trim(str_t text)
{
    while (text.len > 0 && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == ' '))
        text.len--;
    return text;
}

/* "" : it is not there. */
static str_t read_text(const char *path, struct arena *arena)
{
    str_t text;
    struct err ignored;
    return file_read(arena, path, FILE_MAX, &text, &ignored) == 0 ? trim(text) : STR("");
}

/* PRETTY_NAME="..." of os-release(5). */
static str_t pretty_name(str_t text)
{
    static const str_t key = STR("PRETTY_NAME=");
    while (text.len > 0) {
        str_t line;
        str_cut(text, '\n', &line, &text);
        if (!str_starts(line, key))
            continue;
        line.at += key.len;
        line.len -= key.len;
        if (line.len >= 2 && (line.at[0] == '"' || line.at[0] == '\''))
            line = (str_t){line.at + 1, line.len - 2};
        return line;
    }
    return STR("");
}

static str_t go_architecture(const char *machine)
{
    static const struct {
        const char *machine;
        str_t name;
    } names[] = {{"x86_64", STR("amd64")}, {"aarch64", STR("arm64")},   {"armv7l", STR("arm")},
                 {"i686", STR("386")},     {"riscv64", STR("riscv64")}, {"ppc64le", STR("ppc64le")},
                 {"s390x", STR("s390x")}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(machine, names[i].machine) == 0)
            return names[i].name;
    return STR("");
}

static void read_hugepages(struct machine *out)
{
    AUTO(arena_done) struct arena arena = {0};
    static const char dir[] = "/sys/kernel/mm/hugepages";
    DIR *open = opendir(dir);
    struct dirent *entry;
    while (open != NULL && (entry = readdir(open)) != NULL && out->n_hugepages < HUGEPAGES_MAX) {
        str_t name = str_from_z(entry->d_name), prefix = STR("hugepages-"), size;
        int64_t kb = 0, pages = 0;
        if (!str_starts(name, prefix))
            continue;
        name.at += prefix.len;
        name.len -= prefix.len;
        str_cut(name, 'k', &size, &name);
        str_t count =
            read_text(arena_printf(&arena, "%s/%s/nr_hugepages", dir, entry->d_name).at, &arena);
        if (str_to_i64(size, &kb) && str_to_i64(count, &pages))
            out->hugepages[out->n_hugepages++] = (struct hugepages){(uint64_t)kb, (uint64_t)pages};
    }
    if (open != NULL)
        closedir(open);
}

/* "MemTotal:       24684092 kB" in bytes; 0: not said. */
static uint64_t meminfo(str_t text, str_t key)
{
    while (text.len > 0) {
        str_t line, number;
        int64_t kb;
        str_cut(text, '\n', &line, &text);
        if (!str_starts(line, key) || line.len == key.len || line.at[key.len] != ':')
            continue;
        line.at += key.len + 1;
        line.len -= key.len + 1;
        while (line.len > 0 && line.at[0] == ' ')
            line = (str_t){line.at + 1, line.len - 1};
        str_cut(line, ' ', &number, &line);
        return str_to_i64(number, &kb) && kb > 0 ? (uint64_t)kb * 1024 : 0;
    }
    return 0;
}

int machine_read(const char *disk, struct arena *arena, struct machine *out, struct err *err)
{
    struct utsname name;
    struct statvfs fs;
    *out = (struct machine){0};
    if (uname(&name) < 0)
        return err_errno(err, "ask the kernel for its name");
    if (statvfs(disk, &fs) < 0)
        return err_errno(err, "look at the file system of '%s'", disk);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    out->architecture = go_architecture(name.machine);
    out->kernel = arena_printf(arena, "%s", name.release);
    out->os_image = pretty_name(read_text("/etc/os-release", arena));
    out->machine_id = read_text("/etc/machine-id", arena);
    out->boot_id = read_text("/proc/sys/kernel/random/boot_id", arena);
    out->system_uuid = read_text("/sys/class/dmi/id/product_uuid", arena);
    if (out->system_uuid.len == 0)
        out->system_uuid = out->machine_id;
    out->cpus = cpus > 0 ? (uint64_t)cpus : 1;
    out->memory_bytes = meminfo(read_text("/proc/meminfo", arena), STR("MemTotal"));
    out->disk_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
    read_hugepages(out);
    return 0;
}

/* The address that the way to the world begins with; nothing is sent. */
static void find_address(char *out, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)}, own = {0};
    socklen_t len = sizeof(own);
    out[0] = '\0';
    to.sin_addr.s_addr = htonl(0x08080808);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        getsockname(fd, (struct sockaddr *)&own, &len) == 0)
        (void)inet_ntop(AF_INET, &own.sin_addr, out, (socklen_t)n);
    close(fd);
}

int machine_look(const char *disk, struct machine_now *out, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct statvfs fs;
    struct sysinfo info;
    int64_t tasks_max = 0;
    *out = (struct machine_now){0};
    if (statvfs(disk, &fs) < 0)
        return err_errno(err, "look at the file system of '%s'", disk);
    if (sysinfo(&info) < 0)
        return err_errno(err, "ask the kernel how it is");
    out->memory_free = meminfo(read_text("/proc/meminfo", &arena), STR("MemAvailable"));
    out->disk_free = (uint64_t)fs.f_bavail * fs.f_frsize;
    out->inodes_free = fs.f_favail;
    out->inodes = fs.f_files;
    out->tasks = info.procs;
    if (str_to_i64(read_text("/proc/sys/kernel/pid_max", &arena), &tasks_max) && tasks_max > 0)
        out->tasks_max = (uint64_t)tasks_max;
    find_address(out->address, sizeof(out->address));
    return 0;
}
