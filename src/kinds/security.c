/* security.c - users, groups, profiles and kernel settings of pods. */
#include "kinds/security.h"

#include "kinds/volume.h"

#include <string.h>

enum { SYSCTL_MAX = 253 };

/* --- profiles --- */

void profiles_check(const struct json *context, const struct place *at, struct field_errors *errors)
{
    static const char *const fields[] = {"seccompProfile", "appArmorProfile"};
    static const char *const names[] = {"seccomp", "AppArmor"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct json *profile = json_get(context, str_from_z(fields[i]));
        if (profile == NULL)
            continue;
        const struct place *here = IN(IN(at, fields[i]), "localhostProfile");
        const struct json *path = json_get(profile, STR("localhostProfile"));
        str_t text = json_text(path, STR(""));
        bool local = str_eq(json_get_text(profile, STR("type")), STR("Localhost"));
        if (local && text.len == 0)
            rule_error(errors, FIELD_REQUIRED, here,
                       "Required value: must be set when %s type is Localhost", names[i]);
        else if (!local && path != NULL)
            rule_error(errors, FIELD_INVALID, here,
                       "Invalid value: \"" STR_F "\": can only be set when %s type is Localhost",
                       STR_A(text), names[i]);
        else if (local && i == 0)
            rule_path_below(text, here, errors);
        else if (local && (text.at[0] == ' ' || text.at[text.len - 1] == ' '))
            rule_error(errors, FIELD_INVALID, here,
                       "Invalid value: \"" STR_F "\": must not be padded with whitespace",
                       STR_A(text));
    }
}

/* --- sysctls --- */

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Segments between '.' or '/', of a-z0-9 with '-' and '_' inside. */
static bool is_sysctl(str_t name)
{
    if (name.len == 0 || name.len > SYSCTL_MAX || !is_lower(name.at[0]) ||
        !is_lower(name.at[name.len - 1]))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.at[i], before = name.at[i - 1];
        bool end = c == '.' || c == '/', was_end = before == '.' || before == '/';
        if (!is_lower(c) && c != '-' && c != '_' && !end)
            return false;
        if ((end && !is_lower(before)) || (was_end && !is_lower(c)))
            return false;
    }
    return true;
}

/* Settings of a namespace the pod shares with the node: they would be the node's. */
static void check_host_sysctl(str_t name, const struct json *spec, const struct place *at,
                              struct field_errors *errors)
{
    static const struct {
        str_t begins;
        const char *host;
        bool whole;
    } rows[] = {{STR("net/"), "hostNetwork", false},
                {STR("fs/mqueue/"), "hostIPC", false},
                {STR("kernel/shm"), "hostIPC", false},
                {STR("kernel/msg"), "hostIPC", false},
                {STR("kernel/sem"), "hostIPC", true}};
    char *path = arena_bytes(errors->arena, name.len);
    for (size_t i = 0; i < name.len; i++) {
        path[i] = name.at[i];
        if (path[i] == '.')
            path[i] = '/';
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        str_t begins = rows[i].begins;
        if (str_starts((str_t){path, name.len}, begins) &&
            (!rows[i].whole || name.len == begins.len) &&
            json_is_true(json_get(spec, str_from_z(rows[i].host))))
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F "\": may not be specified when '%s' is true",
                       STR_A(name), rows[i].host);
    }
}

static void check_sysctls(const struct json *spec, const struct place *context,
                          struct field_errors *errors)
{
    const struct json *sysctls = json_at(spec, "securityContext.sysctls");
    long i = 0;
    JSON_EACH(sysctls, sysctl)
    {
        str_t name = json_get_text(sysctl, STR("name"));
        const struct place *at = IN(ITEM(context, "sysctls", i++), "name");
        if (name.len > 0 && !is_sysctl(name)) /* The table asks for one. */
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F
                       "\": must have at most 253 characters and match regex "
                       "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
                       STR_A(name));
        else if (name.len > 0)
            check_host_sysctl(name, spec, at, errors);
    }
    rule_unique(sysctls, "name", context, "sysctls", errors);
}

static void check_groups(const struct json *groups, const struct place *context,
                         struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(groups, group)
    {
        int64_t id = -1;
        const struct place *at = ITEM(context, "supplementalGroups", i++);
        if (!json_to_i64(group, &id) || id < 0 || id > INT32_MAX)
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: %lld: must be between 0 and 2147483647, inclusive",
                       (long long)id);
    }
}

/* --- operating systems --- */

static void forbid(const struct json *object, const char *const *names, const char *why,
                   const struct place *at, struct field_errors *errors)
{
    for (; *names != NULL; names++)
        if (json_get(object, str_from_z(*names)) != NULL)
            rule_error(errors, FIELD_FORBIDDEN, IN(at, *names), "Forbidden: %s", why);
}

static void check_os(const struct json *spec, const struct place *at, struct field_errors *errors)
{
    static const char *const of_windows[] = {"windowsOptions", NULL};
    static const char *const of_linux_pod[] = {"appArmorProfile",
                                               "seLinuxOptions",
                                               "seccompProfile",
                                               "fsGroup",
                                               "sysctls",
                                               "fsGroupChangePolicy",
                                               "runAsUser",
                                               "runAsGroup",
                                               "supplementalGroups",
                                               "supplementalGroupsPolicy",
                                               "seLinuxChangePolicy",
                                               NULL};
    static const char *const of_linux_spec[] = {"hostUsers", "hostPID", "hostIPC",
                                                "shareProcessNamespace", NULL};
    static const char *const of_linux[] = {"appArmorProfile",
                                           "seLinuxOptions",
                                           "seccompProfile",
                                           "capabilities",
                                           "readOnlyRootFilesystem",
                                           "privileged",
                                           "allowPrivilegeEscalation",
                                           "procMount",
                                           "runAsUser",
                                           "runAsGroup",
                                           NULL};
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    str_t os = json_get_text(json_get(spec, STR("os")), STR("name"));
    bool windows = str_eq(os, STR("windows"));
    if (os.len == 0)
        return;
    if (!windows && !str_eq(os, STR("linux"))) {
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "os"),
                   "Unsupported value: \"" STR_F "\": supported values: \"linux\", \"windows\"",
                   STR_A(os));
        return;
    }
    const char *why = windows ? "cannot be set for a windows pod"
                              : "windows options cannot be set for a linux pod";
    if (windows)
        forbid(spec, of_linux_spec, why, at, errors);
    forbid(json_get(spec, STR("securityContext")), windows ? of_linux_pod : of_windows, why,
           IN(at, "securityContext"), errors);
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        long i = 0;
        JSON_EACH(json_get(spec, str_from_z(lists[l])), container)
        forbid(json_get(container, STR("securityContext")), windows ? of_linux : of_windows, why,
               IN(ITEM(at, lists[l], i++), "securityContext"), errors);
    }
}

void pod_security_check(const struct json *spec, const struct place *at,
                        struct field_errors *errors)
{
    const struct json *context = json_get(spec, STR("securityContext"));
    const struct place *here = IN(at, "securityContext");
    if (json_is_true(json_get(spec, STR("shareProcessNamespace"))) &&
        json_is_true(json_get(spec, STR("hostPID"))))
        rule_error(errors, FIELD_INVALID, IN(here, "shareProcessNamespace"),
                   "Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled");
    check_groups(json_get(context, STR("supplementalGroups")), here, errors);
    check_sysctls(spec, here, errors);
    profiles_check(context, here, errors);
    check_os(spec, at, errors);
}
