/* profile.c - choosing the rules that apply, and libseccomp. */
#include "runtime/profile.h"

#include "base/file.h"
#include "base/list.h"
#include "codec/base64.h"
#include "runtime/caps.h"

#include <errno.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROFILE_BYTES_MAX = 1 << 20, BPF_BYTES_MAX = 4096 * 8, KEPT_MAX = 256, ARGS_MAX = 6 };

struct kept {
    struct list link;
    struct arena arena;
    str_t file;
    uint64_t caps;
    struct timespec mtime; /* A Localhost profile may be changed. */
    str_t bpf;
    struct json *json;
};

struct profiles {
    pthread_mutex_t lock;
    str_t default_file;
    struct arena arena;
    struct list kept;
    size_t n;
};

/* --- choosing --- */

static uint64_t caps_of(const struct json *names)
{
    uint64_t caps = 0;
    JSON_EACH(names, name)
    caps |= caps_bit(json_text(name, STR("")));
    return caps;
}

static bool names_us(const struct json *arches)
{
    JSON_EACH(arches, arch)
    {
        str_t name = json_text(arch, STR(""));
        if (str_eq(name, STR("amd64")) || str_eq(name, STR("SCMP_ARCH_X86_64")))
            return true;
    }
    return false;
}

static bool rule_applies(const struct json *rule, uint64_t caps)
{
    const struct json *with = json_get(rule, STR("includes"));
    const struct json *without = json_get(rule, STR("excludes"));
    uint64_t needed = caps_of(json_get(with, STR("caps")));
    const struct json *arches = json_get(with, STR("arches"));
    if ((needed & ~caps) != 0 || (caps_of(json_get(without, STR("caps"))) & caps) != 0)
        return false;
    if (json_count(arches) > 0 && !names_us(arches))
        return false;
    return !names_us(json_get(without, STR("arches")));
}

static void copy_member(struct json *to, const struct json *from, str_t key, struct arena *arena)
{
    struct json *value = json_get(from, key);
    if (value != NULL && value->type != JSON_NULL)
        json_add(to, key, json_clone(value, arena));
}

static struct json *rule_copy(const struct json *rule, struct arena *arena)
{
    struct json *copy = json_object(arena), *names = json_array(arena);
    JSON_EACH(json_get(rule, STR("names")), name)
    json_add(names, STR(""), json_clone(name, arena));
    if (json_get(rule, STR("name")) != NULL) /* As Docker wrote them once. */
        json_add(names, STR(""), json_clone(json_get(rule, STR("name")), arena));
    json_add(copy, STR("names"), names);
    copy_member(copy, rule, STR("action"), arena);
    copy_member(copy, rule, STR("errnoRet"), arena);
    if (json_count(json_get(rule, STR("args"))) > 0)
        copy_member(copy, rule, STR("args"), arena);
    return copy;
}

int profile_filter(const struct json *profile, uint64_t caps, struct arena *arena,
                   struct json **json, struct err *err)
{
    struct json *out = json_object(arena), *arches = json_array(arena), *rules = json_array(arena);
    if (json_get_text(profile, STR("defaultAction")).len == 0)
        return err_set(err, ERR_INVALID, "a seccomp profile needs a defaultAction");
    copy_member(out, profile, STR("defaultAction"), arena);
    copy_member(out, profile, STR("defaultErrnoRet"), arena);
    json_add(arches, STR(""), json_string(arena, STR("SCMP_ARCH_X86_64")));
    json_add(out, STR("architectures"), arches);
    JSON_EACH(json_get(profile, STR("syscalls")), rule)
    if (rule_applies(rule, caps))
        json_add(rules, STR(""), rule_copy(rule, arena));
    json_add(out, STR("syscalls"), rules);
    *json = out;
    return 0;
}

/* --- compiling --- */

static int action_of(const struct json *owner, str_t key, str_t errno_key, uint32_t *action,
                     struct err *err)
{
    static const struct {
        str_t name;
        uint32_t action;
    } rows[] = {
        {STR("SCMP_ACT_ALLOW"), SCMP_ACT_ALLOW},
        {STR("SCMP_ACT_LOG"), SCMP_ACT_LOG},
        {STR("SCMP_ACT_KILL"), SCMP_ACT_KILL},
        {STR("SCMP_ACT_KILL_THREAD"), SCMP_ACT_KILL_THREAD},
        {STR("SCMP_ACT_KILL_PROCESS"), SCMP_ACT_KILL_PROCESS},
        {STR("SCMP_ACT_TRAP"), SCMP_ACT_TRAP},
    };
    str_t name = json_get_text(owner, key);
    int64_t number = EPERM;
    const struct json *given = json_get(owner, errno_key);
    if (given != NULL && (!json_to_i64(given, &number) || number < 0 || number > UINT16_MAX))
        return err_set(err, ERR_INVALID, "'" STR_F "' is not a number of an error",
                       STR_A(errno_key));
    if (str_eq(name, STR("SCMP_ACT_ERRNO"))) {
        *action = SCMP_ACT_ERRNO((uint32_t)number);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(name, rows[i].name)) {
            *action = rows[i].action;
            return 0;
        }
    return err_set(err, ERR_INVALID, "the seccomp action '" STR_F "' is not supported",
                   STR_A(name));
}

/* Whole numbers up to 2^64 - 1, which JSON readers may have made a text. */
static bool to_u64(const struct json *json, uint64_t *value)
{
    *value = 0;
    if (json == NULL || json->type != JSON_NUMBER || json->text.len == 0)
        return json == NULL;
    for (size_t i = 0; i < json->text.len; i++) {
        unsigned digit = (unsigned)(json->text.at[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, digit, value))
            return false;
    }
    return true;
}

static int comparison_of(const struct json *arg, struct scmp_arg_cmp *out, struct err *err)
{
    static const struct {
        str_t name;
        enum scmp_compare op;
    } rows[] = {
        {STR("SCMP_CMP_NE"), SCMP_CMP_NE},
        {STR("SCMP_CMP_LT"), SCMP_CMP_LT},
        {STR("SCMP_CMP_LE"), SCMP_CMP_LE},
        {STR("SCMP_CMP_EQ"), SCMP_CMP_EQ},
        {STR("SCMP_CMP_GE"), SCMP_CMP_GE},
        {STR("SCMP_CMP_GT"), SCMP_CMP_GT},
        {STR("SCMP_CMP_MASKED_EQ"), SCMP_CMP_MASKED_EQ},
    };
    uint64_t index, value, second;
    str_t op = json_get_text(arg, STR("op"));
    if (!to_u64(json_get(arg, STR("index")), &index) || index >= ARGS_MAX ||
        !to_u64(json_get(arg, STR("value")), &value) ||
        !to_u64(json_get(arg, STR("valueTwo")), &second))
        return err_set(err, ERR_INVALID, "a seccomp argument has a bad index or value");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(op, rows[i].name)) {
            *out = (struct scmp_arg_cmp){(unsigned)index, rows[i].op, value, second};
            return 0;
        }
    return err_set(err, ERR_INVALID, "the seccomp comparison '" STR_F "' is not known", STR_A(op));
}

static int rule_add(scmp_filter_ctx filter, const struct json *rule, uint32_t otherwise,
                    struct arena *arena, struct err *err)
{
    struct scmp_arg_cmp args[ARGS_MAX];
    unsigned n = 0;
    uint32_t action;
    int r = action_of(rule, STR("action"), STR("errnoRet"), &action, err);
    if (r < 0 || action == otherwise) /* libseccomp refuses what changes nothing. */
        return r;
    JSON_EACH(json_get(rule, STR("args")), arg)
    {
        if (n == ARGS_MAX)
            return err_set(err, ERR_INVALID, "a seccomp rule has more than %d args", ARGS_MAX);
        r = comparison_of(arg, &args[n++], err);
        if (r < 0)
            return r;
    }
    JSON_EACH(json_get(rule, STR("names")), name)
    {
        str_t text = arena_str(arena, json_text(name, STR("")));
        int number = seccomp_syscall_resolve_name(arena_printf(arena, STR_F, STR_A(text)).at);
        if (number == __NR_SCMP_ERROR)
            continue; /* Newer than the library, or of elsewhere. */
        r = seccomp_rule_add_array(filter, action, number, n, args);
        if (r < 0 && r != -EDOM && r != -EEXIST)
            return err_set(err, ERR_INVALID, "seccomp rule of '" STR_F "': %s", STR_A(text),
                           strerror(-r));
    }
    return 0;
}

static int export_bpf(scmp_filter_ctx filter, struct arena *arena, str_t *bpf, struct err *err)
{
    int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "make room for a seccomp filter");
    int r = seccomp_export_bpf(filter, fd);
    char *at = arena_bytes(arena, BPF_BYTES_MAX);
    ssize_t n = r < 0 ? -1 : pread(fd, at, BPF_BYTES_MAX, 0);
    close(fd);
    if (n <= 0)
        return err_set(err, ERR_INVALID, "a seccomp profile cannot be made a filter");
    *bpf = (str_t){at, (size_t)n};
    return 0;
}

int profile_compile(const struct json *filtered, struct arena *arena, str_t *bpf, struct err *err)
{
    uint32_t otherwise;
    int r = action_of(filtered, STR("defaultAction"), STR("defaultErrnoRet"), &otherwise, err);
    if (r < 0)
        return r;
    scmp_filter_ctx filter = seccomp_init(otherwise);
    if (filter == NULL)
        return err_set(err, ERR_INTERNAL, "make a seccomp filter");
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* A binary search, not a list. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    JSON_EACH(json_get(filtered, STR("syscalls")), rule)
    if (r == 0)
        r = rule_add(filter, rule, otherwise, arena, err);
    if (r == 0)
        r = export_bpf(filter, arena, bpf, err);
    seccomp_release(filter);
    return r;
}

/* --- keeping --- */

struct profiles *profiles_new(const char *default_file)
{
    struct profiles *profiles = calloc(1, sizeof(*profiles));
    MUST(profiles != NULL);
    pthread_mutex_init(&profiles->lock, NULL);
    list_init(&profiles->kept);
    profiles->default_file =
        arena_printf(&profiles->arena, "%s",
                     default_file[0] != '\0' ? default_file : "/usr/share/containers/seccomp.json");
    return profiles;
}

static void kept_free(struct profiles *profiles, struct kept *kept)
{
    list_remove(&kept->link);
    profiles->n--;
    arena_done(&kept->arena);
    free(kept);
}

void profiles_free(struct profiles *profiles)
{
    if (profiles == NULL)
        return;
    LIST_EACH(&profiles->kept, item)
        kept_free(profiles, CONTAINER_OF(item, struct kept, link));
    pthread_mutex_destroy(&profiles->lock);
    arena_done(&profiles->arena);
    free(profiles);
}

static int kept_make(struct kept *kept, struct err *err)
{
    str_t text, raw;
    struct json *profile;
    int r = file_read(&kept->arena, kept->file.at, PROFILE_BYTES_MAX, &text, err);
    if (r == 0)
        r = json_parse(text, &kept->arena, &profile, err);
    if (r == 0)
        r = profile_filter(profile, kept->caps, &kept->arena, &kept->json, err);
    if (r == 0)
        r = profile_compile(kept->json, &kept->arena, &raw, err);
    if (r == 0)
        kept->bpf = base64_encode(raw, &kept->arena);
    return r;
}

static struct kept *kept_find(struct profiles *profiles, str_t file, uint64_t caps)
{
    LIST_EACH(&profiles->kept, item) {
        struct kept *kept = CONTAINER_OF(item, struct kept, link);
        if (kept->caps == caps && str_eq(kept->file, file))
            return kept;
    }
    return NULL;
}

/* The oldest is only given up when it can be made again for whoever needs it next. */
static int get_locked(struct profiles *profiles, const char *file, uint64_t caps, struct kept **out,
                      struct err *err)
{
    struct stat st;
    if (stat(file, &st) < 0)
        return err_errno(err, "seccomp profile '%s'", file);
    struct kept *kept = kept_find(profiles, str_from_z(file), caps);
    if (kept != NULL && kept->mtime.tv_sec == st.st_mtim.tv_sec &&
        kept->mtime.tv_nsec == st.st_mtim.tv_nsec) {
        *out = kept;
        return 0;
    }
    if (kept == NULL) {
        kept = calloc(1, sizeof(*kept));
        MUST(kept != NULL);
        list_add_before(&profiles->kept, &kept->link);
        profiles->n++;
    }
    arena_reset(&kept->arena); /* It may have been another text until now. */
    kept->file = arena_printf(&kept->arena, "%s", file);
    kept->caps = caps;
    kept->mtime = st.st_mtim;
    int r = kept_make(kept, err);
    if (r < 0) {
        kept_free(profiles, kept);
        return err_wrap(err, "seccomp profile '%s'", file);
    }
    *out = kept;
    return 0;
}

int profile_get(struct profiles *profiles, str_t file, uint64_t caps, struct arena *arena,
                str_t *bpf, struct json **json, struct err *err)
{
    AUTO(arena_done) struct arena names = {0};
    struct kept *kept;
    const char *path =
        file.len == 0 ? profiles->default_file.at : arena_printf(&names, STR_F, STR_A(file)).at;
    pthread_mutex_lock(&profiles->lock);
    int r = get_locked(profiles, path, caps, &kept, err);
    if (r == 0) { /* Copied: what is kept may be replaced by another thread. */
        if (bpf != NULL)
            *bpf = arena_str(arena, kept->bpf);
        if (json != NULL)
            *json = json_clone(kept->json, arena);
        if (profiles->n > KEPT_MAX) /* The oldest; a call adds no more than one. */
            kept_free(profiles, CONTAINER_OF(profiles->kept.next, struct kept, link));
    }
    pthread_mutex_unlock(&profiles->lock);
    return r;
}
