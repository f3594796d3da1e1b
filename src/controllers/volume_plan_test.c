/* volume_plan_test.c - who may have which volume, and what a binding writes. */
#include "controllers/volume_known.h"
#include "controllers/volume_plan.h"
#include "controllers/volume_users.h"
#include "testkit/test.h"

#include <string.h>

static struct json *parse(const char *text, struct arena *arena)
{
    struct json *json = NULL;
    struct err err;
    char *copy = arena_bytes(arena, strlen(text) + 1);
    memcpy(copy, text, strlen(text));
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"'; /* Easier to read above. */
    MUST(json_parse(str_from_z(copy), arena, &json, &err) == 0);
    return json;
}

static const char claim_text[] =
    "{'metadata':{'namespace':'shop','name':'data','uid':'u1','resourceVersion':'7'},'spec':"
    "{'accessModes':['ReadWriteOnce'],'volumeMode':'Filesystem','storageClassName':'disk',"
    "'resources':{'requests':{'storage':'2Gi'}}}}";

TEST(volumes_that_a_claim_may_have)
{
    static const struct {
        const char *storage, *class, *mode, *modes, *why;
    } rows[] = {
        {"2Gi", "disk", "Filesystem", "'ReadWriteOnce'", NULL},
        {"3Gi", "disk", "Filesystem", "'ReadOnlyMany','ReadWriteOnce'", NULL},
        {"2147483648", "disk", "Filesystem", "'ReadWriteOnce'", NULL},
        {"2G", "disk", "Filesystem", "'ReadWriteOnce'", "requested PV is too small"},
        {"2Gi", "", "Filesystem", "'ReadWriteOnce'", "storageClassName does not match"},
        {"2Gi", "disk", "Block", "'ReadWriteOnce'", "incompatible volumeMode"},
        {"2Gi", "disk", "Filesystem", "'ReadWriteMany'", "incompatible accessMode"},
    };
    AUTO(arena_done) struct arena arena = {0};
    struct claim_facts claim;
    claim_facts_read(parse(claim_text, &arena), &arena, &claim);
    CHECK_STR(claim.key, "shop/data");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct volume_facts volume;
        volume_facts_read(
            parse(arena_printf(&arena,
                               "{'metadata':{'name':'v'},'spec':{'capacity':"
                               "{'storage':'%s'},'storageClassName':'%s',"
                               "'volumeMode':'%s','accessModes':[%s]}}",
                               rows[i].storage, rows[i].class, rows[i].mode, rows[i].modes)
                      .at,
                  &arena),
            &arena, &volume);
        const char *why = volume_mismatch(&volume, &claim);
        str_t wanted = str_from_z(rows[i].why == NULL ? "" : rows[i].why);
        CHECK(str_eq(str_from_z(why == NULL ? "" : why), wanted));
    }
}

TEST(volumes_are_promised_taken_and_said_to_be_bound)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *claim = parse(claim_text, &arena);
    struct json *volume = parse("{'metadata':{'name':'v'},'spec':{'capacity':{'storage':'5Gi'},"
                                "'accessModes':['ReadWriteOnce']}}",
                                &arena);
    struct volume_facts facts;
    struct claim_facts claimed;
    CHECK(volume_promise(volume, claim, &arena));
    CHECK(!volume_promise(volume, claim, &arena));
    CHECK_STR(json_text(json_at(volume, "spec.claimRef.uid"), STR("")), "u1");
    CHECK_STR(json_get_text(json_at(volume, "metadata.annotations"), STR(BOUND_BY_US)), "yes");
    volume_facts_read(volume, &arena, &facts);
    claim_facts_read(claim, &arena, &claimed);
    CHECK(volume_is_for(&facts, &claimed) && !claimed.bound);
    CHECK(claim_take(claim, STR("v"), &arena) && !claim_take(claim, STR("v"), &arena));
    claim_facts_read(claim, &arena, &claimed);
    CHECK(claimed.bound);
    CHECK_STR(claimed.volume, "v");
    CHECK(claim_become_bound(claim, volume, &arena) && !claim_become_bound(claim, volume, &arena));
    CHECK_STR(json_text(json_at(claim, "status.capacity.storage"), STR("")), "5Gi");

    /* Another of the same name, made later, is not the one it was for. */
    json_set(json_get(claim, STR("metadata")), STR("uid"), json_string(&arena, STR("u2")));
    claim_facts_read(claim, &arena, &claimed);
    CHECK(!volume_is_for(&facts, &claimed));
    facts.claim_uid = STR("");
    CHECK(volume_is_for(&facts, &claimed));
}

TEST(volumes_are_where_their_nodes_are)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *claim = parse(claim_text, &arena);
    struct json *volume =
        volume_provision(claim, parse("{'reclaimPolicy':'Retain'}", &arena), STR("one"), &arena);
    CHECK_STR(json_text(json_at(volume, "metadata.name"), STR("")), "pvc-u1");
    CHECK_STR(json_text(json_at(volume, "spec.csi.volumeHandle"), STR("")), "pvc-u1");
    CHECK_STR(json_text(json_at(volume, "spec.persistentVolumeReclaimPolicy"), STR("")), "Retain");
    CHECK_STR(json_text(json_at(volume, "spec.capacity.storage"), STR("")), "2Gi");
    CHECK(volume_is_at(volume, parse("{'kubernetes.io/hostname':'one'}", &arena)));
    CHECK(!volume_is_at(volume, parse("{'kubernetes.io/hostname':'two'}", &arena)));
    CHECK(!volume_is_at(volume, NULL));
    CHECK(volume_is_at(parse("{'spec':{}}", &arena), NULL));
}

TEST(finalizers_are_removed_one_by_one)
{
    AUTO(arena_done) struct arena arena = {0};
    struct json *object = parse("{'metadata':{'finalizers':['a','b']}}", &arena);
    CHECK(!finalizer_remove(object, "c", &arena));
    CHECK(finalizer_remove(object, "a", &arena));
    CHECK_INT((int64_t)json_count(json_at(object, "metadata.finalizers")), 1);
    CHECK(finalizer_remove(object, "b", &arena));
    CHECK(json_at(object, "metadata.finalizers") == NULL);
}

static void count_freed(void *self, str_t claim)
{
    CHECK_STR(claim, "shop/data");
    ++*(int *)self;
}

TEST(claims_are_used_by_pods_that_have_a_node)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(volume_users_done) struct volume_users users = {0};
    int freed = 0;
    const struct json *waiting = parse(
        "{'spec':{'volumes':[{'name':'v','persistentVolumeClaim':{'claimName':'data'}}]}}", &arena);
    const struct json *runs = parse("{'spec':{'nodeName':'n','volumes':[{'name':'v',"
                                    "'persistentVolumeClaim':{'claimName':'data'}},{'name':'w',"
                                    "'persistentVolumeClaim':{'claimName':'data'}},{'name':'e',"
                                    "'emptyDir':{}}]}}",
                                    &arena);
    const struct json *own =
        parse("{'spec':{'nodeName':'n','volumes':[{'name':'tmp','ephemeral':{}}]}}", &arena);
    volume_users_set(&users, STR("shop"), STR("a"), waiting, count_freed, &freed);
    CHECK(!volume_is_used(&users, STR("shop/data")));
    volume_users_set(&users, STR("shop"), STR("a"), runs, count_freed, &freed);
    volume_users_set(&users, STR("shop"), STR("b"), runs, count_freed, &freed);
    volume_users_set(&users, STR("shop"), STR("b"), runs, count_freed, &freed); /* As it was. */
    volume_users_set(&users, STR("shop"), STR("c"), own, count_freed, &freed);
    CHECK(volume_is_used(&users, STR("shop/data")) && volume_is_used(&users, STR("shop/c-tmp")));
    volume_users_set(&users, STR("shop"), STR("a"), NULL, count_freed, &freed);
    CHECK(volume_is_used(&users, STR("shop/data")) && freed == 0);
    volume_users_set(&users, STR("shop"), STR("b"), NULL, count_freed, &freed);
    CHECK(!volume_is_used(&users, STR("shop/data")) && freed == 1);
    volume_users_set(&users, STR("shop"), STR("zzz"), NULL, count_freed, &freed);
}

TEST(known_volumes_and_waiting_claims)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(volumes_known_done) struct volumes_known known;
    struct claim_facts claim;
    volumes_known_init(&known);
    claim_facts_read(parse(claim_text, &arena), &arena, &claim);
    const struct json *volume = parse("{'metadata':{'name':'v'},'spec':{}}", &arena);
    CHECK_STR(known_volume_set(&known, STR("v"), volume)->facts.claim, "");
    volume =
        parse("{'metadata':{'name':'v'},'spec':{'claimRef':{'namespace':'a','name':'b'}}}", &arena);
    CHECK_STR(known_volume_set(&known, STR("v"), volume)->facts.claim, "a/b");
    CHECK_INT((int64_t)known.volumes.n, 1);
    CHECK(known.free_volumes.next == &known.free_volumes);
    CHECK(known_volumes_of(&known, STR("a/b")) != NULL);
    CHECK(known_volumes_of(&known, STR("a/c")) == NULL);
    waiting_claim_set(&known, &claim)->told = 5;
    claim.volume = STR("v");
    CHECK_INT((int64_t)waiting_claim_set(&known, &claim)->told, 5);
    CHECK_STR(waiting_claim_set(&known, &claim)->volume, "v");
    waiting_claim_drop(&known, STR("shop/data"));
    waiting_claim_drop(&known, STR("shop/data"));
    known_volume_drop(&known, STR("v"));
    CHECK_INT((int64_t)(known.volumes.n + known.waiting.n + known.promised.n), 0);
    (void)known_volume_set(&known, STR("w"), volume); /* Left to the end. */
}
