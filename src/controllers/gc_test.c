/* gc_test.c - the graph of owners, and what follows from what is seen. */
#include "controllers/gc_graph.h"
#include "controllers/gc_plan.h"
#include "testkit/test.h"

#include <stdio.h>

struct told {
    int times;
    char name[32];
};

static void tell(void *self, str_t name)
{
    struct told *told = self;
    told->times++;
    (void)snprintf(told->name, sizeof(told->name), STR_F, STR_A(name));
}

static bool owned_by(struct gc_graph *graph, const char *name, const char *uid, const char *owner)
{
    struct gc_ref ref = {str_from_z(owner), true};
    return gc_graph_put(graph, str_from_z(name), str_from_z(uid), &ref, 1);
}

TEST(the_graph_knows_owners_only_while_somebody_names_them)
{
    struct told told = {0};
    AUTO(gc_graph_done) struct gc_graph graph = {.self = &told, .tell = tell};
    CHECK(gc_graph_owner(&graph, STR("u1")) == NULL);
    CHECK(owned_by(&graph, "a", "ua", "u1"));
    CHECK(!owned_by(&graph, "a", "ua", "u1"));
    CHECK(owned_by(&graph, "b", "ub", "u1"));
    gc_owner_wait(gc_graph_owner(&graph, STR("u1")), STR("owner"));
    CHECK(gc_graph_put(&graph, STR("a"), STR("ua"), NULL, 0));
    CHECK_INT(told.times, 1);
    CHECK_STR(str_from_z(told.name), "owner");
    CHECK(!gc_graph_has(&graph, STR("a")) && gc_graph_has(&graph, STR("b")));
    CHECK(owned_by(&graph, "b", "ub", "u2"));
    CHECK_INT(told.times, 2);
    CHECK(gc_graph_owner(&graph, STR("u1")) == NULL);
    CHECK_INT((int64_t)graph.owners.n, 1);
}

TEST(a_circle_that_ends_blocks_nobody_in_it)
{
    struct told told = {0};
    AUTO(gc_graph_done) struct gc_graph graph = {.self = &told, .tell = tell};
    (void)owned_by(&graph, "a", "ua", "uc"); /* a <- b <- c <- a */
    (void)owned_by(&graph, "b", "ub", "ua");
    (void)owned_by(&graph, "c", "uc", "ub");
    static const char *const uids[] = {"ua", "ub", "uc"};
    CHECK(gc_graph_blocked(&graph, gc_graph_owner(&graph, STR("ua"))));
    CHECK(!gc_graph_dependent_waits(&graph, gc_graph_owner(&graph, STR("ua"))));
    for (size_t i = 0; i < ARRAY_LEN(uids); i++)
        gc_graph_owner(&graph, str_from_z(uids[i]))->foreground = true;
    CHECK(gc_graph_dependent_waits(&graph, gc_graph_owner(&graph, STR("ua"))));
    for (size_t i = 0; i < ARRAY_LEN(uids); i++)
        CHECK(!gc_graph_blocked(&graph, gc_graph_owner(&graph, str_from_z(uids[i]))));
    (void)owned_by(&graph, "d", "ud", "ua"); /* Not of the circle: it must go first. */
    CHECK(gc_graph_blocked(&graph, gc_graph_owner(&graph, STR("ua"))));
    (void)owned_by(&graph, "e", "ue", "ue"); /* Its own owner. */
    CHECK(!gc_graph_blocked(&graph, gc_graph_owner(&graph, STR("ue"))));
}

TEST(what_the_garbage_collector_does_next)
{
    static const struct {
        struct gc_view view;
        enum gc_step step;
    } rows[] = {
        {{0}, GC_NOTHING},
        {{.solid = 1}, GC_NOTHING},
        {{.solid = 1, .absent = 1}, GC_DROP_REFS},
        {{.solid = 1, .waiting = 1}, GC_DROP_REFS},
        {{.absent = 1}, GC_DELETE_BACKGROUND},
        {{.absent = 2, .dependents = true}, GC_DELETE_BACKGROUND},
        {{.absent = 1, .orphan = true}, GC_DELETE_ORPHAN},
        {{.absent = 1, .foreground = true}, GC_DELETE_FOREGROUND},
        {{.waiting = 1}, GC_DELETE_BACKGROUND},
        {{.waiting = 1, .dependents = true}, GC_DELETE_FOREGROUND},
        {{.waiting = 1, .dependents = true, .circle = true, .blocks = true}, GC_UNBLOCK},
        {{.waiting = 1, .dependents = true, .circle = true}, GC_DELETE_FOREGROUND},
        {{.marked = true, .absent = 1}, GC_NOTHING},
        {{.marked = true, .orphan = true, .dependents = true}, GC_ORPHAN},
        {{.marked = true, .orphan = true}, GC_END_ORPHAN},
        {{.marked = true, .foreground = true, .dependents = true, .blocked = true}, GC_WAIT},
        {{.marked = true, .foreground = true, .dependents = true}, GC_END_FOREGROUND},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!CHECK_INT(gc_next(&rows[i].view), rows[i].step))
            printf("row %zu\n", i);
}
