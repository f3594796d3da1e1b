/*
 * make_security.c - securityContext: the container's own field, else the pod's.
 *
 * One difference to kubelet's defaults: who says nothing of seccomp gets RuntimeDefault, as with
 * its setting seccompDefault. `Unconfined` has to be asked for.
 */
#include "kinds/rules.h"
#include "node/make_priv.h"
#include "node/users.h"
#include "runtime/caps.h"

#include <string.h>

enum { IDS_EACH = 65536 };

static const struct json *either(const struct make_input *in, str_t field)
{
    const struct json *own = json_get(json_get(in->container, STR("securityContext")), field);
    return own != NULL && own->type != JSON_NULL
               ? own
               : json_get(json_at(in->pod, "spec.securityContext"), field);
}

static bool own_flag(const struct make_input *in, const char *field)
{
    return json_is_true(
        json_get(json_get(in->container, STR("securityContext")), str_from_z(field)));
}

/* --- namespaces --- */

static struct container_namespace joined(str_t path)
{
    return (struct container_namespace){.mode = path.len > 0 ? NS_PATH : NS_NEW, .path = path};
}

void make_namespaces(const struct make_input *in, struct arena *arena, struct container_spec *out)
{
    const struct json *spec = json_get(in->pod, STR("spec"));
    const struct json *users = json_get(spec, STR("hostUsers"));
    bool host_network = json_is_true(json_get(spec, STR("hostNetwork")));
    out->namespaces[NS_NET] = joined(in->net);
    out->namespaces[NS_IPC] = joined(in->ipc);
    out->namespaces[NS_PID] = joined(in->pid);
    if (host_network)
        out->namespaces[NS_NET] = out->namespaces[NS_UTS] =
            (struct container_namespace){.mode = NS_HOST};
    if (host_network)
        out->hostname = STR("");
    if (json_is_true(json_get(spec, STR("hostIPC"))))
        out->namespaces[NS_IPC] = (struct container_namespace){.mode = NS_HOST};
    if (json_is_true(json_get(spec, STR("hostPID"))))
        out->namespaces[NS_PID] = (struct container_namespace){.mode = NS_HOST};
    if (users != NULL && users->type == JSON_BOOL && !users->boolean && in->ids_outside > 0) {
        struct id_map *map = arena_new(arena, struct id_map);
        *map = (struct id_map){.outside = in->ids_outside, .count = IDS_EACH};
        out->uid_map = out->gid_map = map;
        out->n_uid_map = out->n_gid_map = 1;
    }
}

/* --- who --- */

static int check_root(const struct make_input *in, uint32_t uid, str_t user, struct err *err)
{
    int64_t number;
    str_t who, group;
    (void)str_cut(user, ':', &who, &group);
    bool by_name = !str_to_i64(who, &number);
    str_t pod = json_text(json_at(in->pod, "metadata.name"), STR(""));
    str_t ns = json_text(json_at(in->pod, "metadata.namespace"), STR(""));
    str_t pod_uid = json_text(json_at(in->pod, "metadata.uid"), STR(""));
    str_t name = json_get_text(in->container, STR("name"));
    const struct json *asked = either(in, STR("runAsUser"));
    if (!json_is_true(either(in, STR("runAsNonRoot"))))
        return 0;
    if (asked != NULL && uid == 0)
        return err_set(err, ERR_INVALID,
                       "container's runAsUser breaks non-root policy (pod: \"" STR_F "_" STR_F
                       "(" STR_F ")\", container: " STR_F ")",
                       STR_A(pod), STR_A(ns), STR_A(pod_uid), STR_A(name));
    if (asked == NULL && who.len > 0 && by_name)
        return err_set(err, ERR_INVALID,
                       "container has runAsNonRoot and image has non-numeric user (" STR_F
                       "), cannot verify user is non-root (pod: \"" STR_F "_" STR_F "(" STR_F
                       ")\", container: " STR_F ")",
                       STR_A(who), STR_A(pod), STR_A(ns), STR_A(pod_uid), STR_A(name));
    if (asked == NULL && uid == 0)
        return err_set(err, ERR_INVALID,
                       "container has runAsNonRoot and image will run as root (pod: \"" STR_F
                       "_" STR_F "(" STR_F ")\", container: " STR_F ")",
                       STR_A(pod), STR_A(ns), STR_A(pod_uid), STR_A(name));
    return 0;
}

static void add_group(uint32_t *groups, size_t *n, uint32_t gid)
{
    for (size_t i = 0; i < *n; i++)
        if (groups[i] == gid)
            return;
    groups[(*n)++] = gid;
}

static void set_groups(const struct make_input *in, const struct image_user *user,
                       struct arena *arena, struct container_spec *out)
{
    const struct json *context = json_at(in->pod, "spec.securityContext");
    const struct json *more = json_get(context, STR("supplementalGroups"));
    str_t policy = json_get_text(context, STR("supplementalGroupsPolicy"));
    uint32_t *groups = arena_array(arena, uint32_t, user->n_groups + json_count(more) + 1);
    size_t n = 0;
    int64_t gid;
    if (!str_eq(policy, STR("Strict")))
        for (size_t i = 0; i < user->n_groups; i++)
            add_group(groups, &n, user->groups[i]);
    JSON_EACH(more, item)
    if (json_to_i64(item, &gid))
        add_group(groups, &n, (uint32_t)gid);
    if (json_to_i64(json_get(context, STR("fsGroup")), &gid))
        add_group(groups, &n, (uint32_t)gid);
    out->groups = groups;
    out->n_groups = n;
}

int make_user(const struct make_input *in, struct arena *arena, struct container_spec *out,
              str_t *home, struct err *err)
{
    const struct json *as_user = either(in, STR("runAsUser"));
    const struct json *as_group = either(in, STR("runAsGroup"));
    str_t wanted = json_get_text(in->image, STR("User"));
    struct image_user user;
    int64_t number;
    if (as_user != NULL && json_to_i64(as_user, &number))
        wanted = arena_printf(arena, "%lld", (long long)number);
    int r = image_user_find(in->rootfs, wanted, arena, &user, err);
    if (r == 0)
        r = check_root(in, user.uid, wanted, err);
    if (r < 0)
        return r;
    if (as_group != NULL && json_to_i64(as_group, &number))
        user.gid = (uint32_t)number;
    out->uid = user.uid;
    out->gid = user.gid;
    *home = arena_str(arena, user.home);
    set_groups(in, &user, arena, out);
    return 0;
}

/* --- what it may do --- */

static int change_caps(const struct json *list, bool add, uint64_t *caps, struct err *err)
{
    JSON_EACH(list, item)
    {
        str_t name = json_text(item, STR(""));
        uint64_t bit = caps_bit(name);
        if (bit == 0)
            return err_set(err, ERR_INVALID, "unknown capability \"" STR_F "\"", STR_A(name));
        *caps = add ? *caps | bit : *caps & ~bit;
    }
    return 0;
}

/* "ALL" is done first, so that others may be taken away from it or added to nothing. */
static int caps_of(const struct make_input *in, uint64_t *caps, struct err *err)
{
    const struct json *context = json_get(in->container, STR("securityContext"));
    const struct json *wanted = json_get(context, STR("capabilities"));
    const struct json *add = json_get(wanted, STR("add")), *drop = json_get(wanted, STR("drop"));
    *caps = CAPS_DEFAULT;
    JSON_EACH(add, item)
    if (str_eq(json_text(item, STR("")), STR("ALL")))
        *caps = caps_bit(STR("ALL"));
    JSON_EACH(drop, item)
    if (str_eq(json_text(item, STR("")), STR("ALL")))
        *caps = 0;
    int r = change_caps(drop, false, caps, err);
    return r < 0 ? r : change_caps(add, true, caps, err);
}

static int seccomp_of(const struct make_input *in, struct arena *arena, struct container_spec *out,
                      struct err *err)
{
    const struct json *profile = either(in, STR("seccompProfile"));
    str_t type = json_get_text(profile, STR("type"));
    str_t name = json_get_text(profile, STR("localhostProfile"));
    out->seccomp = SECCOMP_DEFAULT;
    if (str_eq(type, STR("Unconfined")))
        out->seccomp = SECCOMP_NONE;
    if (!str_eq(type, STR("Localhost")))
        return 0;
    if (name.len == 0 || name.at[0] == '/' || memmem(name.at, name.len, "..", 2) != NULL)
        return err_set(err, ERR_INVALID,
                       "localhostProfile \"" STR_F "\" must be a path below the directory of "
                       "seccomp profiles",
                       STR_A(name));
    out->seccomp = SECCOMP_FILE;
    out->seccomp_file = arena_printf(arena, STR_F "/" STR_F, STR_A(in->seccomp_dir), STR_A(name));
    return 0;
}

int make_security(const struct make_input *in, struct arena *arena, struct container_spec *out,
                  struct err *err)
{
    const struct json *context = json_get(in->container, STR("securityContext"));
    const struct json *gain = json_get(context, STR("allowPrivilegeEscalation"));
    out->privileged = own_flag(in, "privileged");
    out->rootfs_read_only = own_flag(in, "readOnlyRootFilesystem");
    out->new_privileges = gain == NULL || gain->type != JSON_BOOL || gain->boolean;
    out->proc_unmasked = str_eq(json_get_text(context, STR("procMount")), STR("Unmasked"));
    int r = caps_of(in, &out->caps, err);
    if (r == 0)
        r = seccomp_of(in, arena, out, err);
    if (out->privileged)
        out->seccomp = SECCOMP_NONE;
    return r;
}
