/* oci_test.c - config.json and seccomp profiles: what is in them for which wish. */
#include "runtime/caps.h"
#include "runtime/cgroup.h"
#include "runtime/oci.h"
#include "runtime/profile.h"
#include "testkit/test.h"

#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const str_t args[] = {STR("/bin/app"), STR("-x")};

static struct container_spec plain(void)
{
    return (struct container_spec){
        .id = STR("c1"), .rootfs = STR("/images/1"), .args = {args, 2}, .caps = CAPS_DEFAULT};
}

static struct oci_host machine(void)
{
    return (struct oci_host){.caps = UINT64_MAX >> 23,
                             .oom_score_adj_min = -1000,
                             .cgroups_path = STR("/davy/pods/1/a")};
}

/* The value at a path as JSON text, "" when there is none. */
static str_t at(const struct json *config, const char *path, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    const struct json *value = json_at(config, path);
    if (value != NULL)
        json_write(value, &out);
    return arena_str(arena, buf_str(&out));
}

TEST(a_plain_container_is_confined)
{
    AUTO(arena_done) struct arena arena = {0};
    struct container_spec spec = plain();
    struct oci_host host = machine();
    const struct json *config = oci_config(&spec, &host, &arena);
    static const struct {
        const char *path, *text;
    } rows[] = {
        {"ociVersion", "\"1.0.2\""},
        {"process.args", "[\"/bin/app\",\"-x\"]"},
        {"process.cwd", "\"/\""},
        {"process.noNewPrivileges", "true"},
        {"process.terminal", "false"},
        {"process.capabilities.inheritable", "[]"},
        {"process.capabilities.ambient", "[]"},
        {"root", "{\"path\":\"/images/1\",\"readonly\":false}"},
        {"linux.cgroupsPath", "\"/davy/pods/1/a\""},
        {"linux.namespaces", "[{\"type\":\"mount\"},{\"type\":\"network\"},{\"type\":\"pid\"},"
                             "{\"type\":\"ipc\"},{\"type\":\"uts\"}]"},
        {"linux.resources", "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}"},
        {"linux.readonlyPaths", "[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\","
                                "\"/proc/sysrq-trigger\"]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        test_check_str(at(config, rows[i].path, &arena), str_from_z(rows[i].text), rows[i].path,
                       __FILE__, __LINE__);
    CHECK_INT((int64_t)json_count(json_at(config, "process.capabilities.effective")), 11);
    CHECK_INT((int64_t)json_count(json_at(config, "mounts")), 7);
    CHECK(json_count(json_at(config, "linux.maskedPaths")) >= 10);
}

TEST(users_have_no_capabilities_but_ambient_ones)
{
    AUTO(arena_done) struct arena arena = {0};
    struct container_spec spec = plain();
    struct oci_host host = machine();
    spec.uid = 1000;
    const struct json *config = oci_config(&spec, &host, &arena);
    CHECK_STR(at(config, "process.capabilities.effective", &arena), "[]");
    CHECK_INT((int64_t)json_count(json_at(config, "process.capabilities.bounding")), 11);
    spec.ambient_caps = caps_bit(STR("NET_RAW")) | caps_bit(STR("SYS_TIME"));
    host.caps &= ~caps_bit(STR("SYS_TIME")); /* What we have not we cannot give. */
    config = oci_config(&spec, &host, &arena);
    CHECK_STR(at(config, "process.capabilities.effective", &arena), "[\"CAP_NET_RAW\"]");
    CHECK_STR(at(config, "process.capabilities.inheritable", &arena), "[\"CAP_NET_RAW\"]");
}

TEST(limits_are_written_for_v1_and_v2)
{
    AUTO(arena_done) struct arena arena = {0};
    struct container_spec spec = plain();
    struct oci_host host = machine();
    struct oci_limit limits[] = {{"RLIMIT_NOFILE", 20000}, {NULL, 0}};
    struct container_rlimit wanted[] = {{STR("RLIMIT_NOFILE"), 30000, 1 << 20},
                                        {STR("RLIMIT_CORE"), 0, UINT64_MAX}};
    spec.resources = (struct container_resources){64 << 20, 1500, 512, 100, STR("0-1")};
    spec.rlimits = wanted;
    spec.n_rlimits = 2;
    spec.oom_score_adj = -997;
    host.limits = limits;
    host.swap = true;
    host.oom_score_adj_min = 0;
    const struct json *config = oci_config(&spec, &host, &arena);
    CHECK_STR(at(config, "linux.resources.memory", &arena),
              "{\"limit\":67108864,\"swap\":67108864}");
    CHECK_STR(at(config, "linux.resources.cpu", &arena),
              "{\"shares\":512,\"quota\":150000,\"period\":100000,\"cpus\":\"0-1\"}");
    CHECK_STR(at(config, "linux.resources.pids", &arena), "{\"limit\":100}");
    CHECK_STR(at(config, "linux.resources.unified", &arena), "");
    CHECK_STR(at(config, "process.oomScoreAdj", &arena), "0");
    CHECK_STR(at(config, "process.rlimits", &arena),
              "[{\"type\":\"RLIMIT_NOFILE\",\"hard\":20000,\"soft\":20000},"
              "{\"type\":\"RLIMIT_CORE\",\"hard\":9223372036854775807,\"soft\":0}]");
    host.v2 = true;
    config = oci_config(&spec, &host, &arena);
    CHECK_STR(at(config, "linux.resources.unified", &arena), "{\"memory.oom.group\":\"1\"}");
    str_t namespaces = at(config, "linux.namespaces", &arena);
    CHECK(memmem(namespaces.at, namespaces.len, "cgroup", 6) != NULL);
}

TEST(weights_and_quotas_of_cgroups)
{
    CHECK_INT((int64_t)group_weight(2), 1);
    CHECK_INT((int64_t)group_weight(1024), 39);
    CHECK_INT((int64_t)group_weight(262144), 10000);
    CHECK_INT((int64_t)group_weight(0), 1);
    CHECK_INT((int64_t)group_quota_usec(500), 50000);
    CHECK_INT((int64_t)group_quota_usec(1), 1000);
    static const char *const good[] = {"a", "pods/1-2/a_b.c", "other/X"};
    static const char *const bad[] = {"", "/", "/a", "a/", "a//b", "..", "a/../b", "a b", ".a"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK(group_name_ok(str_from_z(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!group_name_ok(str_from_z(bad[i])));
}

TEST(an_exec_is_as_the_container_but_for_what_it_says)
{
    AUTO(arena_done) struct arena arena = {0};
    struct container_spec spec = plain();
    struct oci_host host = machine();
    str_t env[] = {STR("A=1")}, more[] = {STR("B=2")}, command[] = {STR("sh")};
    spec.env = (struct texts){env, 1};
    spec.cwd = STR("/srv");
    const struct json *config = oci_config(&spec, &host, &arena);
    struct exec_spec exec = {.args = {command, 1}, .env = {more, 1}, .tty = true};
    const struct json *process = oci_exec_process(config, &exec, &arena);
    CHECK_STR(at(process, "args", &arena), "[\"sh\"]");
    CHECK_STR(at(process, "env", &arena), "[\"A=1\",\"B=2\",\"TERM=xterm\"]");
    CHECK_STR(at(process, "cwd", &arena), "\"/srv\"");
    CHECK_STR(at(process, "terminal", &arena), "true");
    CHECK_STR(at(config, "process.env", &arena), "[\"A=1\"]");
    CHECK(json_eq(json_get(process, STR("capabilities")), json_at(config, "process.capabilities")));
}

static const char profile_text[] =
    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"archMap\":[],\"syscalls\":["
    "{\"names\":[\"read\",\"write\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[]},"
    "{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":"
    "4294967295,\"valueTwo\":0,\"op\":\"SCMP_CMP_EQ\"}]},"
    "{\"names\":[\"arch_prctl\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":"
    "[\"amd64\"]}},"
    "{\"names\":[\"modify_ldt\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"arches\":"
    "[\"amd64\"]}},"
    "{\"names\":[\"s390_runtime_instr\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":"
    "[\"s390\"]}},"
    "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":"
    "[\"CAP_SYS_ADMIN\"]}},"
    "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1,\"excludes\":{\"caps\":"
    "[\"CAP_SYS_ADMIN\"]}}]}";

TEST(of_a_profile_the_rules_that_apply_are_taken)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *profile, *with, *without;
    struct err err;
    CHECK_INT(json_parse(str_from_z(profile_text), &arena, &profile, &err), 0);
    CHECK_INT(profile_filter(profile, caps_bit(STR("SYS_ADMIN")), &arena, &with, &err), 0);
    CHECK_INT(profile_filter(profile, 0, &arena, &without, &err), 0);
    CHECK_INT((int64_t)json_count(json_get(with, STR("syscalls"))), 4);
    CHECK_STR(at(without, "architectures", &arena), "[\"SCMP_ARCH_X86_64\"]");
    const struct json *last = json_get(without, STR("syscalls"))->last;
    CHECK_STR(at(last, "action", &arena), "\"SCMP_ACT_ERRNO\"");
    CHECK_STR(at(last, "errnoRet", &arena), "1");
    last = json_get(with, STR("syscalls"))->last;
    CHECK_STR(at(last, "action", &arena), "\"SCMP_ACT_ALLOW\"");
}

TEST(a_profile_becomes_a_filter_or_says_why_not)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *profile, *filtered;
    struct err err;
    str_t bpf;
    CHECK_INT(json_parse(str_from_z(profile_text), &arena, &profile, &err), 0);
    CHECK_INT(profile_filter(profile, 0, &arena, &filtered, &err), 0);
    CHECK_INT(profile_compile(filtered, &arena, &bpf, &err), 0);
    CHECK(bpf.len % sizeof(struct sock_filter) == 0 && bpf.len > 8 * sizeof(struct sock_filter));
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"{}", "a seccomp profile needs a defaultAction"},
        {"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
         "the seccomp action 'SCMP_ACT_NOTIFY' is not supported"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
         "\"SCMP_ACT_ERRNO\",\"errnoRet\":100000}]}",
         "'errnoRet' is not a number of an error"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
         "\"SCMP_ACT_KILL\",\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
         "a seccomp argument has a bad index or value"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
         "\"SCMP_ACT_KILL\",\"args\":[{\"index\":1,\"value\":1,\"op\":\"SCMP_CMP_\"}]}]}",
         "the seccomp comparison 'SCMP_CMP_' is not known"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_INT(json_parse(str_from_z(bad[i].text), &arena, &profile, &err), 0);
        int r = profile_filter(profile, 0, &arena, &filtered, &err);
        if (r == 0)
            r = profile_compile(filtered, &arena, &bpf, &err);
        CHECK_INT(r, ERR_INVALID);
        test_check_str(str_from_z(err.text), str_from_z(bad[i].why), bad[i].text, __FILE__,
                       __LINE__);
    }
}

TEST(profiles_are_kept_until_their_file_changes)
{
    AUTO(arena_done) struct arena arena = {0};
    struct profiles *profiles = profiles_new("");
    struct json *json;
    struct err err;
    str_t first, second;
    char path[] = "/tmp/davy-profile-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, profile_text, sizeof(profile_text) - 1) > 0);
    CHECK_INT(profile_get(profiles, str_from_z(path), 0, &arena, &first, NULL, &err), 0);
    CHECK_INT(profile_get(profiles, str_from_z(path), 0, &arena, &second, &json, &err), 0);
    CHECK(str_eq(first, second) && first.len > 0);
    CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", 34, 0) > 0);
    CHECK_INT(profile_get(profiles, str_from_z(path), 0, &arena, &second, NULL, &err), 0);
    CHECK(!str_eq(first, second));
    close(fd);
    (void)unlink(path);
    CHECK_INT(profile_get(profiles, str_from_z(path), 0, &arena, &second, NULL, &err),
              ERR_NOT_FOUND);
    profiles_free(profiles);
}
