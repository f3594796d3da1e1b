/*
 * admit_account.c - a pod is somebody: its ServiceAccount, and the token with which it says so
 * (Kubernetes' ServiceAccount plugin).
 *
 * The account "default" is made by a controller soon after its namespace; a pod that is faster is
 * let in, for its token is asked for only when it runs.
 */
#include "api/admit.h"
#include "api/api_priv.h"

#include <sys/random.h>

#define TOKEN_PATH "/var/run/secrets/kubernetes.io/serviceaccount"

enum { TAIL_CHARS = 5 };

static bool mounts_token(const struct json *spec, const struct json *account)
{
    const struct json *own = json_get(spec, STR("automountServiceAccountToken"));
    const struct json *theirs = json_get(account, STR("automountServiceAccountToken"));
    const struct json *says = own != NULL ? own : theirs;
    return says == NULL || json_is_true(says);
}

static struct json *list_of(struct json *object, str_t name, struct arena *arena)
{
    struct json *list = json_get(object, name);
    if (list == NULL || list->type != JSON_ARRAY)
        json_set(object, name, list = json_array(arena));
    return list;
}

static bool is_mounted(const struct json *container)
{
    JSON_EACH(json_get(container, STR("volumeMounts")), mount)
    if (str_eq(json_get_text(mount, STR("mountPath")), STR(TOKEN_PATH)))
        return true;
    return false;
}

/* True: somebody needs the volume. */
static bool mount(struct json *spec, str_t volume, struct arena *arena)
{
    static const char *const lists[] = {"initContainers", "containers"};
    bool needed = false;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        JSON_EACH(json_get(spec, str_from_z(lists[i])), container)
        {
            if (container->type != JSON_OBJECT || is_mounted(container))
                continue;
            struct json *entry = json_object(arena);
            json_add(entry, STR("name"), json_string(arena, volume));
            json_add(entry, STR("readOnly"), json_bool(arena, true));
            json_add(entry, STR("mountPath"), json_string(arena, STR(TOKEN_PATH)));
            json_add(list_of(container, STR("volumeMounts"), arena), STR(""), entry);
            needed = true;
        }
    return needed;
}

static str_t volume_name(struct arena *arena)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    unsigned char dice[TAIL_CHARS];
    char tail[TAIL_CHARS + 1] = {0};
    MUST(getrandom(dice, sizeof(dice), 0) == (ssize_t)sizeof(dice));
    for (int i = 0; i < TAIL_CHARS; i++)
        tail[i] = letters[dice[i] % (sizeof(letters) - 1)];
    return arena_printf(arena, "kube-api-access-%s", tail);
}

/* Token, CA and namespace, as one directory. */
static struct json *token_volume(str_t name, struct arena *arena)
{
    static const char text[] =
        "{\"name\":\"\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{"
        "\"expirationSeconds\":3607,\"path\":\"token\"}},{\"configMap\":{\"name\":\"kube-root-ca."
        "crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":"
        "[{\"path\":\"namespace\",\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata."
        "namespace\"}}]}}],\"defaultMode\":420}}";
    struct json *volume;
    struct err err;
    int r = json_parse(str_from_z(text), arena, &volume, &err);
    MUST(r == 0);
    json_set(volume, STR("name"), json_string(arena, name));
    return volume;
}

int admit_account(struct call *call, struct json *pod, const struct json *old)
{
    struct arena *arena = call->arena;
    struct json *spec = json_get(pod, STR("spec"));
    str_t name = json_get_text(spec, STR("serviceAccountName"));
    (void)old;
    if (spec == NULL || spec->type != JSON_OBJECT)
        return 0;
    if (name.len == 0)
        name = json_get_text(spec, STR("serviceAccount"));
    if (name.len == 0)
        name = STR("default");
    const struct object *found =
        store_latest(call->api->store, STR("serviceaccounts"), call->ns, name);
    if (found == NULL && !str_eq(name, STR("default")))
        return admit_forbid(call, arena_printf(arena,
                                               "error looking up service account " STR_F "/" STR_F
                                               ": serviceaccount \"" STR_F "\" not found",
                                               STR_A(call->ns), STR_A(name), STR_A(name)));
    const struct json *account = found == NULL ? NULL : object_tree(found, arena);
    json_set(spec, STR("serviceAccountName"), json_string(arena, name));
    json_set(spec, STR("serviceAccount"), json_string(arena, name));
    const struct json *secrets = json_get(account, STR("imagePullSecrets"));
    if (json_count(json_get(spec, STR("imagePullSecrets"))) == 0 && json_count(secrets) > 0)
        json_set(spec, STR("imagePullSecrets"), json_clone(secrets, arena));
    str_t volume = volume_name(arena);
    if (mounts_token(spec, account) && mount(spec, volume, arena))
        json_add(list_of(spec, STR("volumes"), arena), STR(""), token_volume(volume, arena));
    return 0;
}
