/* home.c - files, written aside and renamed. */
#include "supervise/home.h"

#include "base/file.h"
#include "codec/base64.h"
#include "net/pki.h"
#include "net/sign.h"
#include "supervise/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024 };

const char *home_path(const struct home *home, const char *name)
{
    return arena_printf(home->arena, STR_F "/%s", STR_A(home->dir), name).at;
}

static const char *const parts[] = {"pki", "store", "run", "audit", NULL};

int home_make(const struct home *home, struct err *err)
{
    if (mkdir(home->dir.at, 0700) < 0 && errno != EEXIST)
        return err_errno(err, "make the data directory '%s'", home->dir.at);
    for (const char *const *part = parts; *part != NULL; part++)
        if (mkdir(home_path(home, *part), 0700) < 0 && errno != EEXIST)
            return err_errno(err, "make '%s'", home_path(home, *part));
    return 0;
}

int home_read(const struct home *home, const char *name, str_t *text, struct err *err)
{
    return file_read(home->arena, home_path(home, name), FILE_BYTES_MAX, text, err);
}

static int read_pair(const struct home *home, const char *name, struct pki_pair *pair,
                     struct err *err)
{
    str_t crt = arena_printf(home->arena, "pki/%s.crt", name);
    str_t key = arena_printf(home->arena, "pki/%s.key", name);
    int r = home_read(home, crt.at, &pair->certificate_pem, err);
    return r < 0 ? r : home_read(home, key.at, &pair->key_pem, err);
}

static int write_pair(const struct home *home, const char *name, const struct pki_pair *pair,
                      struct err *err)
{
    str_t crt = arena_printf(home->arena, "pki/%s.crt", name);
    str_t key = arena_printf(home->arena, "pki/%s.key", name);
    /* The key first: a certificate without its key would be taken for complete. */
    int r = file_write(home_path(home, key.at), 0600, pair->key_pem, err);
    return r < 0 ? r : file_write(home_path(home, crt.at), 0644, pair->certificate_pem, err);
}

/*
 * Is there nothing yet, or nothing that can be used? Has it lived two thirds of its life? Or has it
 * not begun, because it was made while the clock was wrong?
 */
static bool wants_renewal(const struct home *home, const char *name, str_t ca_pem, msec_t wall_ms)
{
    int64_t from, until, now = wall_ms / 1000;
    struct pki_pair pair;
    struct err ignored;
    return read_pair(home, name, &pair, &ignored) < 0 || pki_check(&pair, ca_pem, &ignored) < 0 ||
           pki_validity(pair.certificate_pem, &from, &until, &ignored) < 0 || now < from ||
           now > from + (until - from) * 2 / 3;
}

/* The CA is made once. What clients trust is never replaced because a file is damaged or gone. */
static int have_ca(const struct home *home, struct pki_pair *ca, bool *made, struct err *err)
{
    int r = read_pair(home, "ca", ca, err);
    *made = r == ERR_NOT_FOUND && access(home_path(home, "pki/ca.crt"), F_OK) < 0;
    if (*made) {
        r = pki_ca("davy-ca", CA_DAYS, home->arena, ca, err);
        return r < 0 ? r : write_pair(home, "ca", ca, err);
    }
    if (r == 0)
        r = pki_check(ca, ca->certificate_pem, err);
    if (r < 0)
        return err_wrap(err,
                        "the CA in '" STR_F "/pki' (put ca.crt and ca.key back from a copy; "
                        "without both, a new CA is made, which no client knows)",
                        STR_A(home->dir));
    return 0;
}

static const char *server_names(const struct home *home)
{
    char host[64] = "localhost";
    if (gethostname(host, sizeof(host) - 1) < 0 || strpbrk(host, ",;: \n") != NULL)
        memcpy(host, "localhost", 10);
    return arena_printf(home->arena,
                        "DNS:localhost,DNS:%s,DNS:kubernetes,DNS:kubernetes.default,"
                        "DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,"
                        "IP:127.0.0.1,IP:::1,IP:10.96.0.1",
                        host)
        .at;
}

/* As with the CA: all tokens end with it, so a key that is there is never replaced. */
static int have_token_key(const struct home *home, struct err *err)
{
    const char *path = home_path(home, "pki/sa.key");
    str_t pem;
    if (access(path, F_OK) == 0 || errno != ENOENT)
        return 0; /* Whether it is good says the API server, which reads it. */
    int r = sign_key_make(home->arena, &pem, err);
    return r < 0 ? r : file_write(path, 0600, pem, err);
}

int home_certificates(const struct home *home, msec_t wall_ms, bool *changed, struct err *err)
{
    struct pki_pair ca, pair;
    bool made;
    int r = have_ca(home, &ca, &made, err);
    if (r == 0)
        r = have_token_key(home, err);
    const struct {
        const char *name;
        struct pki_leaf leaf;
    } leaves[] = {
        {"server",
         {.common_name = STR("davy"),
          .names = server_names(home),
          .server = true,
          .days = LEAF_DAYS}},
        {"admin",
         {.common_name = STR("admin"), .organization = STR("system:masters"), .days = LEAF_DAYS}},
    };
    for (size_t i = 0; i < ARRAY_LEN(leaves) && r == 0; i++) {
        if (!made && !wants_renewal(home, leaves[i].name, ca.certificate_pem, wall_ms))
            continue;
        r = pki_sign(&ca, &leaves[i].leaf, home->arena, &pair, err);
        if (r == 0)
            r = write_pair(home, leaves[i].name, &pair, err);
        if (changed != NULL)
            *changed = true;
    }
    return r;
}

int home_write_kubeconfig(const struct home *home, str_t url, struct err *err)
{
    struct pki_pair ca = {0}, admin = {0};
    struct arena *arena = home->arena;
    int r = read_pair(home, "admin", &admin, err);
    if (r == 0)
        r = read_pair(home, "ca", &ca, err);
    if (r < 0)
        return r;
    str_t text = arena_printf(
        arena,
        "apiVersion: v1\nkind: Config\ncurrent-context: davy\nclusters:\n- name: davy\n  cluster:\n"
        "    server: " STR_F "\n    certificate-authority-data: " STR_F
        "\ncontexts:\n- name: davy\n  context:\n    cluster: davy\n    user: admin\n"
        "users:\n- name: admin\n  user:\n    client-certificate-data: " STR_F
        "\n    client-key-data: " STR_F "\n",
        STR_A(url), STR_A(base64_encode(ca.certificate_pem, arena)),
        STR_A(base64_encode(admin.certificate_pem, arena)),
        STR_A(base64_encode(admin.key_pem, arena)));
    return file_write(home_path(home, "run/admin.kubeconfig"), 0600, text, err);
}

int home_renew_kubeconfig(const struct home *home, struct err *err)
{
    static const char word[] = "\n    server: ";
    str_t text, url, rest;
    int r = home_read(home, "run/admin.kubeconfig", &text, err);
    if (r < 0)
        return r == ERR_NOT_FOUND ? 0 : r; /* Not written yet: it will have the new one. */
    const char *at = memmem(text.at, text.len, word, sizeof(word) - 1);
    if (at == NULL)
        return err_set(err, ERR_INVALID, "run/admin.kubeconfig names no server");
    at += sizeof(word) - 1;
    str_cut((str_t){at, (size_t)(text.at + text.len - at)}, '\n', &url, &rest);
    return home_write_kubeconfig(home, url, err);
}

static int give_dir(const char *path, uint32_t uid, uint32_t gid, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL || fchown(fd, uid, gid) < 0) {
        int r = err_errno(err, "give '%s' to user %u", path, uid);
        if (dir != NULL)
            closedir(dir);
        else if (fd >= 0)
            close(fd);
        return r;
    }
    int r = 0;
    struct dirent *entry;
    while (r == 0 && (entry = readdir(dir)) != NULL)
        if (entry->d_type == DT_REG &&
            fchownat(fd, entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
            r = err_errno(err, "give '%s/%s' to user %u", path, entry->d_name, uid);
    closedir(dir);
    return r;
}

int home_give(const struct home *home, uint32_t uid, uint32_t gid, struct err *err)
{
    int r = give_dir(home->dir.at, uid, gid, err);
    for (const char *const *part = parts; r == 0 && *part != NULL; part++)
        r = give_dir(home_path(home, *part), uid, gid, err);
    return r;
}
