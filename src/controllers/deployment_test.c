/* deployment_test.c - ten thousand random rollouts, and the arithmetic by rows. */
#include "controllers/deployment_plan.h"
#include "testkit/test.h"

static void limits(struct fleet *fleet, const char *spec, struct arena *arena)
{
    struct json *json = NULL;
    struct err err;
    MUST(json_parse(str_from_z(spec), arena, &json, &err) == 0);
    fleet_limits(fleet, json);
}

TEST(limits_round_in_favour_of_those_who_are_served)
{
    static const struct {
        const char *surge, *unavailable;
        int64_t replicas, surge_is, unavailable_is;
    } rows[] = {
        {"\"25%\"", "\"25%\"", 10, 3, 2},
        {"\"25%\"", "\"25%\"", 1, 1, 0},
        {"0", "0", 4, 0, 1},
        {"0", "\"10%\"", 4, 0, 1},
        {"2", "9", 4, 2, 4},
        {"\"100%\"", "0", 3, 3, 0},
    };
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fleet fleet = {0};
        limits(&fleet,
               arena_printf(&arena,
                            "{\"replicas\":%lld,\"strategy\":{\"type\":\"RollingUpdate\","
                            "\"rollingUpdate\":{\"maxSurge\":%s,\"maxUnavailable\":%s}}}",
                            (long long)rows[i].replicas, rows[i].surge, rows[i].unavailable)
                   .at,
               &arena);
        CHECK_INT(fleet.surge, rows[i].surge_is);
        CHECK_INT(fleet.unavailable, rows[i].unavailable_is);
    }
}

TEST(scaling_in_the_middle_of_a_rollout_keeps_the_proportions)
{
    AUTO(arena_done) struct arena arena = {0};
    struct fleet_set sets[] = {{.wanted = 8, .available = 8, .most = 13},
                               {.wanted = 5, .available = 0, .most = 13}};
    struct fleet fleet = {
        .replicas = 15, .surge = 3, .unavailable = 2, .sets = sets, .n = 2, .newest = 1};
    fleet_scale(&fleet, &arena);
    CHECK_INT(sets[0].next, 11); /* Kubernetes' own example in its documentation. */
    CHECK_INT(sets[1].next, 7);
}

TEST(scaling_to_nothing_leaves_nothing)
{
    AUTO(arena_done) struct arena arena = {0};
    struct fleet_set sets[] = {{.wanted = 2}, {.wanted = 1, .most = 4}};
    struct fleet fleet = {.sets = sets, .n = 2, .newest = 1};
    fleet_scale(&fleet, &arena);
    CHECK_INT(sets[0].next, 0);
    CHECK_INT(sets[1].next, 0);
}

/* Pods come up and break by the dice; what is wanted follows the plan. */
static bool rollout(struct dice *dice)
{
    struct fleet_set sets[3] = {{0}};
    int64_t replicas = 1 + dice_roll(dice, 20);
    struct fleet fleet = {
        .replicas = replicas, .surge = dice_roll(dice, 5), .sets = sets, .n = 3, .newest = 2};
    fleet.unavailable = dice_roll(dice, (uint32_t)replicas + 1);
    if (fleet.surge == 0 && fleet.unavailable == 0)
        fleet.unavailable = 1;
    sets[0].wanted = dice_roll(dice, (uint32_t)replicas + 1);
    sets[1].wanted = replicas - sets[0].wanted;
    sets[0].available = sets[0].wanted;
    sets[1].available = sets[1].wanted;
    for (int step = 0; step < 400; step++) {
        int64_t before = 0, after = 0, all = 0;
        for (int i = 0; i < 3; i++) /* Until the last steps some break. */
            if (sets[i].available < sets[i].wanted && (step > 200 || dice_roll(dice, 2) == 0))
                sets[i].available++;
            else if (sets[i].available > 0 && step <= 200 && dice_roll(dice, 8) == 0)
                sets[i].available--;
        fleet_roll(&fleet);
        for (int i = 0; i < 3; i++) {
            before += sets[i].available;
            sets[i].wanted = sets[i].next;
            if (sets[i].available > sets[i].wanted)
                sets[i].available = sets[i].wanted;
            after += sets[i].available;
            all += sets[i].wanted;
        }
        int64_t enough = replicas - fleet.unavailable;
        if (!CHECK(all <= replicas + fleet.surge) || !CHECK(after == before || after >= enough))
            return false;
    }
    return CHECK_INT(sets[2].available, replicas) && CHECK_INT(sets[0].wanted, 0) &&
           CHECK_INT(sets[1].wanted, 0);
}

TEST(a_rollout_never_takes_what_is_needed_and_ends)
{
    struct dice dice = {1};
    for (int i = 0; i < 10000 && rollout(&dice); i++)
        continue;
}
