/* home_test.c - certificates: made once, mended where they may be, never replaced where not. */
#include "base/file.h"
#include "codec/base64.h"
#include "net/pki.h"
#include "supervise/home.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const msec_t day_ms = (msec_t)24 * 3600 * 1000;

struct place {
    struct home home;
    struct arena arena;
    msec_t now_ms; /* When the certificates began. */
    char dir[64];
};

static str_t text_of(struct place *p, const char *name)
{
    str_t text;
    struct err err;
    MUST(home_read(&p->home, name, &text, &err) == 0);
    return text;
}

static void place_start(struct place *p)
{
    struct err err;
    int64_t from, until;
    *p = (struct place){.dir = "/tmp/davy-home-test-XXXXXX"};
    MUST(mkdtemp(p->dir) != NULL);
    p->home = (struct home){str_from_z(p->dir), &p->arena};
    MUST(home_make(&p->home, &err) == 0);
    MUST(home_certificates(&p->home, 0, NULL, &err) == 0);
    MUST(pki_validity(text_of(p, "pki/server.crt"), &from, &until, &err) == 0);
    p->now_ms = from * 1000 + 1000;
}

static void place_end(struct place *p)
{
    char command[96];
    (void)snprintf(command, sizeof(command), "rm -r %s", p->dir);
    CHECK(system(command) == 0);
    arena_done(&p->arena);
}

/* Looks at them `later_ms` after they were made: were any made anew? */
static bool renews(struct place *p, msec_t later_ms)
{
    struct err err;
    bool changed = false;
    CHECK_INT(home_certificates(&p->home, p->now_ms + later_ms, &changed, &err), 0);
    return changed;
}

TEST(certificates_are_renewed_late_in_their_life_and_when_the_clock_was_wrong)
{
    struct place p;
    place_start(&p);
    CHECK(!renews(&p, 0));
    CHECK(!renews(&p, 200 * day_ms));
    CHECK(renews(&p, 300 * day_ms));
    CHECK(renews(&p, -2 * day_ms)); /* They begin tomorrow: nobody would believe them. */
    place_end(&p);
}

TEST(damaged_certificates_are_made_anew_and_a_damaged_ca_is_not)
{
    static const char *const leaves[] = {"pki/server.crt", "pki/server.key", "pki/admin.crt",
                                         "pki/admin.key"};
    static const char *const cas[] = {"pki/ca.crt", "pki/ca.key"};
    static const str_t damages[] = {STR(""), STR("nonsense"), STR("-----BEGIN CERTIFICATE-----\n")};
    struct place p;
    struct err err;
    place_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(leaves) * ARRAY_LEN(damages); i++) {
        const char *path = home_path(&p.home, leaves[i / ARRAY_LEN(damages)]);
        MUST(file_write(path, 0600, damages[i % ARRAY_LEN(damages)], &err) == 0);
        CHECK(renews(&p, 0));
        CHECK(!renews(&p, 0));
    }
    for (size_t i = 0; i < ARRAY_LEN(cas) * ARRAY_LEN(damages); i++) {
        const char *name = cas[i / ARRAY_LEN(damages)], *path = home_path(&p.home, name);
        str_t whole = text_of(&p, name);
        MUST(file_write(path, 0600, damages[i % ARRAY_LEN(damages)], &err) == 0);
        CHECK_INT(home_certificates(&p.home, p.now_ms, NULL, &err), ERR_INVALID);
        CHECK(str_starts(str_from_z(err.text), STR("the CA in '/tmp/davy-home-test-")));
        MUST(file_write(path, 0600, whole, &err) == 0);
    }
    MUST(unlink(home_path(&p.home, "pki/ca.key")) == 0);
    CHECK(home_certificates(&p.home, p.now_ms, NULL, &err) < 0);
    CHECK(access(home_path(&p.home, "pki/ca.key"), F_OK) < 0);
    place_end(&p);
}

TEST(the_kubeconfig_gets_the_renewed_certificate_and_tokens_keep_their_key)
{
    struct place p;
    struct err err;
    place_start(&p);
    CHECK_INT(home_renew_kubeconfig(&p.home, &err), 0); /* None yet. */
    MUST(home_write_kubeconfig(&p.home, STR("https://here:1"), &err) == 0);
    str_t was = text_of(&p, "run/admin.kubeconfig"), key = text_of(&p, "pki/sa.key");
    CHECK(renews(&p, 300 * day_ms));
    CHECK_INT(home_renew_kubeconfig(&p.home, &err), 0);
    str_t is = text_of(&p, "run/admin.kubeconfig");
    CHECK(!str_eq(is, was));
    CHECK(strstr(is.at, "\n    server: https://here:1\n") != NULL);
    CHECK(strstr(is.at, base64_encode(text_of(&p, "pki/admin.crt"), &p.arena).at) != NULL);
    CHECK(str_eq(text_of(&p, "pki/sa.key"), key));
    struct stat status;
    CHECK(stat(home_path(&p.home, "pki/sa.key"), &status) == 0 && (status.st_mode & 0777) == 0600);
    place_end(&p);
}
