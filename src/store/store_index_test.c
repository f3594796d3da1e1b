/* store_index_test.c - the tree against a plain list of names that are there. */
#include "base/arena.h"
#include "store/store_index.h"
#include "testkit/test.h"

enum { RESOURCES = 3, SPACES = 4, NAMES = 40 };

static const char *const resources[RESOURCES] = {"configmaps", "configmaps.x", "pods"};

struct place {
    uint32_t resource, space, name;
};

static void put(struct store_index *index, struct place at, struct arena *arena)
{
    struct object *object =
        object_new(str_from_z(resources[at.resource]), arena_printf(arena, "n%u", at.space),
                   arena_printf(arena, "o%u", at.name), 1, STR("{}"));
    index_put(index, object);
    object_unref(object);
}

static void take(struct store_index *index, struct place at, struct arena *arena)
{
    index_remove(index, str_from_z(resources[at.resource]), arena_printf(arena, "n%u", at.space),
                 arena_printf(arena, "o%u", at.name));
}

/* Every node is as large as what is below it, and heavier than that. */
static bool is_sound(const struct index_node *node)
{
    if (node == NULL)
        return true;
    size_t below = 0;
    const struct index_node *sides[] = {node->left, node->right};
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        if (sides[i] == NULL)
            continue;
        below += sides[i]->n;
        if (!CHECK(sides[i]->priority <= node->priority) || !is_sound(sides[i]))
            return false;
    }
    return CHECK_INT((int64_t)node->n, (int64_t)below + 1);
}

static void check_counts(const struct store_index *index, bool there[RESOURCES][SPACES][NAMES],
                         struct arena *arena)
{
    int64_t all = 0;
    for (uint32_t r = 0; r < RESOURCES; r++) {
        int64_t of_resource = 0;
        for (uint32_t s = 0; s < SPACES; s++) {
            int64_t of_space = 0;
            for (uint32_t i = 0; i < NAMES; i++)
                of_space += there[r][s][i];
            CHECK_INT((int64_t)index_count(index, str_from_z(resources[r]),
                                           arena_printf(arena, "n%u", s)),
                      of_space);
            of_resource += of_space;
        }
        CHECK_INT((int64_t)index_count(index, str_from_z(resources[r]), STR("")), of_resource);
        all += of_resource;
    }
    CHECK_INT((int64_t)index_count(index, STR(""), STR("")), all);
}

TEST(ranges_are_counted_right_whatever_comes_and_goes)
{
    AUTO(arena_done) struct arena arena = {0};
    bool there[RESOURCES][SPACES][NAMES] = {{{false}}};
    struct store_index index = {0};
    struct dice dice = {7};
    CHECK_INT((int64_t)index_count(&index, STR("pods"), STR("")), 0);
    for (int step = 0; step < 20000; step++) {
        struct place at = {dice_roll(&dice, RESOURCES), dice_roll(&dice, SPACES),
                           dice_roll(&dice, NAMES)};
        bool *is = &there[at.resource][at.space][at.name];
        if (*is && dice_roll(&dice, 2) == 0) {
            take(&index, at, &arena);
            *is = false;
        } else {
            put(&index, at, &arena); /* Also over one that is there: that adds nothing. */
            *is = true;
        }
        if (step % 500 == 0) {
            check_counts(&index, there, &arena);
            if (!is_sound(index.root))
                break;
        }
    }
    CHECK_INT((int64_t)index_count(&index, STR("none"), STR("")), 0);
    CHECK_INT((int64_t)index_count(&index, STR("pods"), STR("n9")), 0);
    index_done(&index);
    CHECK_INT((int64_t)index_count(&index, STR(""), STR("")), 0);
}
