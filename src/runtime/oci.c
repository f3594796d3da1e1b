/*
 * oci.c - one function for each part of config.json, in the order of the specification.
 *
 * Masked and read-only paths, default mounts and devices are what CRI-O and containerd give.
 */
#include "runtime/oci.h"

#include "runtime/caps.h"
#include "runtime/cgroup.h"

static const char *const masked_paths[] = {
    "/proc/acpi",        "/proc/asound",        "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};
static const char *const readonly_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static struct json *number(struct arena *arena, uint64_t value)
{
    return json_int(arena, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static struct json *strings(struct arena *arena, const struct texts *texts)
{
    struct json *list = json_array(arena);
    for (size_t i = 0; i < texts->n; i++)
        json_add(list, STR(""), json_string(arena, texts->at[i]));
    return list;
}

static struct json *paths(struct arena *arena, const char *const *at, size_t n)
{
    struct json *list = json_array(arena);
    for (size_t i = 0; i < n; i++)
        json_add(list, STR(""), json_string(arena, str_from_z(at[i])));
    return list;
}

/* --- process --- */

static struct json *cap_names(struct arena *arena, uint64_t caps)
{
    struct json *list = json_array(arena);
    for (unsigned i = 0; caps_name(i) != NULL; i++)
        if ((caps >> i & 1) != 0)
            json_add(list, STR(""), json_string(arena, str_from_z(caps_name(i))));
    return list;
}

/*
 * Users other than root begin without any, as after a set-user-id call; only ambient ones reach
 * them. Inheritable ones would let an executable's file capabilities grow (CVE-2022-24769).
 */
static struct json *capabilities(const struct container_spec *spec, const struct oci_host *host,
                                 struct arena *arena)
{
    uint64_t bounding = (spec->privileged ? UINT64_MAX : spec->caps | spec->ambient_caps);
    bounding &= host->caps;
    uint64_t ambient = spec->ambient_caps & bounding, own = spec->uid == 0 ? bounding : ambient;
    struct json *caps = json_object(arena);
    json_add(caps, STR("bounding"), cap_names(arena, bounding));
    json_add(caps, STR("effective"), cap_names(arena, own));
    json_add(caps, STR("permitted"), cap_names(arena, own));
    json_add(caps, STR("inheritable"), cap_names(arena, ambient));
    json_add(caps, STR("ambient"), cap_names(arena, ambient));
    return caps;
}

static struct json *user(const struct container_spec *spec, struct arena *arena)
{
    struct json *user = json_object(arena), *groups = json_array(arena);
    json_add(user, STR("uid"), json_int(arena, spec->uid));
    json_add(user, STR("gid"), json_int(arena, spec->gid));
    if (spec->umask != 0)
        json_add(user, STR("umask"), json_int(arena, spec->umask));
    for (size_t i = 0; i < spec->n_groups; i++)
        json_add(groups, STR(""), json_int(arena, spec->groups[i]));
    json_add(user, STR("additionalGids"), groups);
    return user;
}

static struct json *rlimits(const struct container_spec *spec, const struct oci_host *host,
                            struct arena *arena)
{
    struct json *list = json_array(arena);
    for (size_t i = 0; i < spec->n_rlimits; i++) {
        const struct container_rlimit *want = &spec->rlimits[i];
        uint64_t most = UINT64_MAX;
        for (const struct oci_limit *own = host->limits; own != NULL && own->name != NULL; own++)
            if (str_eq(want->name, str_from_z(own->name)))
                most = own->hard;
        uint64_t hard = want->hard < most ? want->hard : most;
        struct json *limit = json_object(arena);
        json_add(limit, STR("type"), json_string(arena, want->name));
        json_add(limit, STR("hard"), number(arena, hard));
        json_add(limit, STR("soft"), number(arena, want->soft < hard ? want->soft : hard));
        json_add(list, STR(""), limit);
    }
    return list;
}

static bool has_variable(const struct texts *env, str_t name)
{
    for (size_t i = 0; i < env->n; i++)
        if (str_starts(env->at[i], name))
            return true;
    return false;
}

static struct json *process(const struct container_spec *spec, const struct oci_host *host,
                            struct arena *arena)
{
    struct json *process = json_object(arena), *env = strings(arena, &spec->env);
    int oom = spec->oom_score_adj;
    if (spec->tty && !has_variable(&spec->env, STR("TERM=")))
        json_add(env, STR(""), json_string(arena, STR("TERM=xterm")));
    json_add(process, STR("terminal"), json_bool(arena, spec->tty));
    json_add(process, STR("user"), user(spec, arena));
    json_add(process, STR("args"), strings(arena, &spec->args));
    json_add(process, STR("env"), env);
    json_add(process, STR("cwd"), json_string(arena, spec->cwd.len > 0 ? spec->cwd : STR("/")));
    json_add(process, STR("capabilities"), capabilities(spec, host, arena));
    json_add(process, STR("rlimits"), rlimits(spec, host, arena));
    json_add(process, STR("noNewPrivileges"),
             json_bool(arena, !spec->new_privileges && !spec->privileged));
    json_add(process, STR("oomScoreAdj"),
             json_int(arena, oom < host->oom_score_adj_min ? host->oom_score_adj_min : oom));
    return process;
}

/* --- mounts --- */

static void add_options(struct json *mount, str_t options, struct arena *arena)
{
    struct json *list = json_get(mount, STR("options"));
    while (options.len > 0) {
        str_t one;
        (void)str_cut(options, ',', &one, &options);
        if (one.len > 0)
            json_add(list, STR(""), json_string(arena, one));
    }
}

static struct json *mount_new(struct arena *arena, str_t target, str_t type, str_t source,
                              str_t options)
{
    struct json *mount = json_object(arena);
    json_add(mount, STR("destination"), json_string(arena, target));
    json_add(mount, STR("type"), json_string(arena, type));
    json_add(mount, STR("source"), json_string(arena, source));
    json_add(mount, STR("options"), json_array(arena));
    add_options(mount, options, arena);
    return mount;
}

static bool is_given(const struct container_spec *spec, str_t target)
{
    for (size_t i = 0; i < spec->n_mounts; i++)
        if (str_eq(spec->mounts[i].target, target))
            return true;
    return false;
}

static void default_mounts(const struct container_spec *spec, struct json *list,
                           struct arena *arena)
{
    static const struct {
        str_t target, type, source, options;
        bool read_only; /* Unless privileged. */
    } rows[] = {
        {STR("/proc"), STR("proc"), STR("proc"), STR("nosuid,noexec,nodev"), false},
        {STR("/dev"), STR("tmpfs"), STR("tmpfs"), STR("nosuid,strictatime,mode=755,size=65536k"),
         false},
        {STR("/dev/pts"), STR("devpts"), STR("devpts"),
         STR("nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"), false},
        {STR("/dev/mqueue"), STR("mqueue"), STR("mqueue"), STR("nosuid,noexec,nodev"), false},
        {STR("/dev/shm"), STR("tmpfs"), STR("shm"),
         STR("nosuid,noexec,nodev,mode=1777,size=65536k"), false},
        {STR("/sys"), STR("sysfs"), STR("sysfs"), STR("nosuid,noexec,nodev"), true},
        {STR("/sys/fs/cgroup"), STR("cgroup"), STR("cgroup"), STR("nosuid,noexec,nodev,relatime"),
         true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (is_given(spec, rows[i].target))
            continue;
        struct json *mount =
            mount_new(arena, rows[i].target, rows[i].type, rows[i].source, rows[i].options);
        add_options(mount, rows[i].read_only && !spec->privileged ? STR("ro") : STR("rw"), arena);
        json_add(list, STR(""), mount);
    }
}

static struct json *mounts(const struct container_spec *spec, struct arena *arena)
{
    struct json *list = json_array(arena);
    default_mounts(spec, list, arena);
    for (size_t i = 0; i < spec->n_mounts; i++) {
        const struct container_mount *want = &spec->mounts[i];
        bool bind = want->type.len == 0;
        struct json *mount = mount_new(arena, want->target, bind ? STR("bind") : want->type,
                                       want->source, bind ? STR("rbind,rprivate") : STR(""));
        add_options(mount, want->options, arena); /* A later word on propagation wins. */
        add_options(mount, want->read_only ? STR("ro") : STR("rw"), arena);
        json_add(list, STR(""), mount);
    }
    return list;
}

/* --- linux --- */

static struct json *namespaces(const struct container_spec *spec, const struct oci_host *host,
                               struct arena *arena)
{
    static const char *const types[NS_KINDS] = {
        [NS_NET] = "network", [NS_PID] = "pid",   [NS_IPC] = "ipc",
        [NS_UTS] = "uts",     [NS_USER] = "user", [NS_CGROUP] = "cgroup",
    };
    struct json *list = json_array(arena), *one = json_object(arena);
    json_add(one, STR("type"), json_string(arena, STR("mount")));
    json_add(list, STR(""), one);
    for (size_t i = 0; i < NS_KINDS; i++) {
        const struct container_namespace *ns = &spec->namespaces[i];
        bool new = ns->mode == NS_NEW && (i != NS_CGROUP || host->v2) &&
                   (i != NS_USER || spec->n_uid_map > 0);
        if (!new && ns->mode != NS_PATH)
            continue;
        one = json_object(arena);
        json_add(one, STR("type"), json_string(arena, str_from_z(types[i])));
        if (ns->mode == NS_PATH)
            json_add(one, STR("path"), json_string(arena, ns->path));
        json_add(list, STR(""), one);
    }
    return list;
}

static struct json *id_maps(const struct id_map *maps, size_t n, struct arena *arena)
{
    struct json *list = json_array(arena);
    for (size_t i = 0; i < n; i++) {
        struct json *map = json_object(arena);
        json_add(map, STR("containerID"), json_int(arena, maps[i].inside));
        json_add(map, STR("hostID"), json_int(arena, maps[i].outside));
        json_add(map, STR("size"), json_int(arena, maps[i].count));
        json_add(list, STR(""), map);
    }
    return list;
}

static struct json *device_rules(const struct container_spec *spec, const struct oci_host *host,
                                 struct arena *arena)
{
    struct json *list = json_array(arena), *all = json_object(arena);
    json_add(all, STR("allow"), json_bool(arena, spec->privileged));
    json_add(all, STR("access"), json_string(arena, STR("rwm")));
    json_add(list, STR(""), all);
    JSON_EACH(host->dev_rules, rule)
    json_add(list, STR(""), json_clone(rule, arena));
    return list;
}

static struct json *memory(const struct container_resources *want, const struct oci_host *host,
                           struct arena *arena)
{
    struct json *memory = json_object(arena);
    json_add(memory, STR("limit"), number(arena, want->memory_bytes));
    if (host->swap) /* Of both together: so none beyond memory. */
        json_add(memory, STR("swap"), number(arena, want->memory_bytes));
    return memory;
}

static struct json *resources(const struct container_spec *spec, const struct oci_host *host,
                              struct arena *arena)
{
    const struct container_resources *want = &spec->resources;
    struct json *all = json_object(arena), *cpu = json_object(arena);
    json_add(all, STR("devices"), device_rules(spec, host, arena));
    if (want->memory_bytes > 0)
        json_add(all, STR("memory"), memory(want, host, arena));
    if (want->cpu_shares > 0)
        json_add(cpu, STR("shares"), number(arena, want->cpu_shares < 2 ? 2 : want->cpu_shares));
    if (want->cpu_millis > 0) {
        json_add(cpu, STR("quota"), number(arena, group_quota_usec(want->cpu_millis)));
        json_add(cpu, STR("period"), number(arena, GROUP_PERIOD_USEC));
    }
    if (want->cpus.len > 0)
        json_add(cpu, STR("cpus"), json_string(arena, want->cpus));
    if (cpu->first != NULL)
        json_add(all, STR("cpu"), cpu);
    if (want->pids > 0) {
        struct json *pids = json_object(arena);
        json_add(all, STR("pids"), json_add(pids, STR("limit"), number(arena, want->pids)));
    }
    if (host->v2 && want->memory_bytes > 0) { /* One of them is no use without the others. */
        struct json *unified = json_object(arena);
        json_add(unified, STR("memory.oom.group"), json_string(arena, STR("1")));
        json_add(all, STR("unified"), unified);
    }
    return all;
}

static struct json *linux_part(const struct container_spec *spec, const struct oci_host *host,
                               struct arena *arena)
{
    struct json *part = json_object(arena), *sysctls = json_object(arena);
    bool masked = !spec->privileged && !spec->proc_unmasked;
    for (size_t i = 0; i < spec->n_sysctls; i++)
        json_add(sysctls, spec->sysctls[i].name, json_string(arena, spec->sysctls[i].value));
    json_add(part, STR("namespaces"), namespaces(spec, host, arena));
    if (spec->n_uid_map > 0) {
        json_add(part, STR("uidMappings"), id_maps(spec->uid_map, spec->n_uid_map, arena));
        json_add(part, STR("gidMappings"), id_maps(spec->gid_map, spec->n_gid_map, arena));
    }
    json_add(part, STR("sysctl"), sysctls);
    if (host->devices != NULL)
        json_add(part, STR("devices"), json_clone(host->devices, arena));
    json_add(part, STR("cgroupsPath"), json_string(arena, host->cgroups_path));
    json_add(part, STR("resources"), resources(spec, host, arena));
    if (host->seccomp != NULL)
        json_add(part, STR("seccomp"), json_clone(host->seccomp, arena));
    if (masked) {
        json_add(part, STR("maskedPaths"), paths(arena, masked_paths, ARRAY_LEN(masked_paths)));
        json_add(part, STR("readonlyPaths"),
                 paths(arena, readonly_paths, ARRAY_LEN(readonly_paths)));
    }
    return part;
}

struct json *oci_config(const struct container_spec *spec, const struct oci_host *host,
                        struct arena *arena)
{
    struct json *config = json_object(arena), *root = json_object(arena);
    json_add(config, STR("ociVersion"), json_string(arena, STR("1.0.2")));
    json_add(config, STR("process"), process(spec, host, arena));
    json_add(root, STR("path"), json_string(arena, spec->rootfs));
    json_add(root, STR("readonly"), json_bool(arena, spec->rootfs_read_only));
    json_add(config, STR("root"), root);
    if (spec->hostname.len > 0 && spec->namespaces[NS_UTS].mode == NS_NEW)
        json_add(config, STR("hostname"), json_string(arena, spec->hostname));
    json_add(config, STR("mounts"), mounts(spec, arena));
    if (host->seccomp_bpf.len > 0) {
        struct json *notes = json_object(arena);
        json_add(notes, STR("run.oci.seccomp_bpf_data"), json_string(arena, host->seccomp_bpf));
        json_add(config, STR("annotations"), notes);
    }
    json_add(config, STR("linux"), linux_part(spec, host, arena));
    return config;
}

struct json *oci_exec_process(const struct json *config, const struct exec_spec *exec,
                              struct arena *arena)
{
    struct json *process = json_clone(json_get(config, STR("process")), arena);
    struct json *env = json_get(process, STR("env"));
    bool term = false;
    json_set(process, STR("terminal"), json_bool(arena, exec->tty));
    json_set(process, STR("args"), strings(arena, &exec->args));
    if (exec->tty && exec->columns > 0 && exec->rows > 0) {
        struct json *size = json_object(arena);
        json_add(size, STR("height"), json_int(arena, exec->rows));
        json_add(size, STR("width"), json_int(arena, exec->columns));
        json_set(process, STR("consoleSize"), size);
    }
    if (exec->cwd.len > 0)
        json_set(process, STR("cwd"), json_string(arena, exec->cwd));
    for (size_t i = 0; i < exec->env.n && env != NULL; i++)
        json_add(env, STR(""), json_string(arena, exec->env.at[i]));
    JSON_EACH(env, variable)
    term = term || str_starts(json_text(variable, STR("")), STR("TERM="));
    if (exec->tty && !term && env != NULL)
        json_add(env, STR(""), json_string(arena, STR("TERM=xterm")));
    return process;
}
