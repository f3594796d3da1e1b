/* deployment_plan.c - sums first, then one step. */
#include "controllers/deployment_plan.h"

#include "controllers/pods.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t count_or_percent(const struct json *value, int64_t of, bool up, int64_t otherwise)
{
    int64_t n;
    if (json_to_i64(value, &n))
        return n;
    str_t text = json_text(value, STR(""));
    if (text.len < 2 || !str_to_i64((str_t){text.at, text.len - 1}, &n))
        return otherwise;
    return up ? (n * of + 99) / 100 : n * of / 100;
}

void fleet_limits(struct fleet *fleet, const struct json *spec)
{
    const struct json *rolling = json_at(spec, "strategy.rollingUpdate");
    fleet->replicas = json_number(spec, "replicas", 1);
    fleet->surge = fleet->unavailable = 0;
    if (str_eq(json_text(json_at(spec, "strategy.type"), STR("")), STR("Recreate")))
        return;
    fleet->surge = count_or_percent(json_get(rolling, STR("maxSurge")), fleet->replicas, true, 0);
    fleet->unavailable =
        count_or_percent(json_get(rolling, STR("maxUnavailable")), fleet->replicas, false, 0);
    if (fleet->surge == 0 && fleet->unavailable == 0)
        fleet->unavailable = 1;
    fleet->unavailable = least(fleet->unavailable, fleet->replicas);
}

static int64_t all_wanted(const struct fleet *fleet)
{
    int64_t n = 0;
    for (size_t i = 0; i < fleet->n; i++)
        n += fleet->sets[i].wanted;
    return n;
}

int64_t fleet_first(const struct fleet *fleet, bool recreate)
{
    int64_t room = fleet->replicas + fleet->surge - all_wanted(fleet);
    if (recreate)
        return fleet->replicas;
    return room <= 0 ? 0 : least(room, fleet->replicas);
}

static void keep_all(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->n; i++)
        fleet->sets[i].next = fleet->sets[i].wanted;
}

/* True: that is the step. */
static bool scale_up_newest(struct fleet *fleet)
{
    struct fleet_set *newest = &fleet->sets[fleet->newest];
    int64_t room = fleet->replicas + fleet->surge - all_wanted(fleet);
    if (newest->wanted > fleet->replicas)
        newest->next = fleet->replicas;
    else if (newest->wanted < fleet->replicas && room > 0)
        newest->next = newest->wanted + least(room, fleet->replicas - newest->wanted);
    return newest->next != newest->wanted;
}

static void scale_down_old(struct fleet *fleet)
{
    const struct fleet_set *newest = &fleet->sets[fleet->newest];
    int64_t enough = fleet->replicas - fleet->unavailable, available = 0;
    int64_t may = all_wanted(fleet) - enough - (newest->wanted - newest->available);
    for (size_t i = 0; i < fleet->n && may > 0; i++) { /* Broken old ones serve nobody. */
        struct fleet_set *old = &fleet->sets[i];
        if (i == fleet->newest || old->wanted <= old->available)
            continue;
        int64_t broken = least(may, old->wanted - old->available);
        old->next = old->wanted - broken;
        may -= broken;
    }
    for (size_t i = 0; i < fleet->n; i++)
        available += fleet->sets[i].available;
    int64_t spare = least(available - enough, may);
    for (size_t i = 0; i < fleet->n && spare > 0; i++) {
        struct fleet_set *old = &fleet->sets[i];
        if (i == fleet->newest)
            continue;
        int64_t fewer = least(spare, old->next);
        old->next -= fewer;
        spare -= fewer;
    }
}

void fleet_roll(struct fleet *fleet)
{
    keep_all(fleet);
    if (fleet->newest < fleet->n && !scale_up_newest(fleet))
        scale_down_old(fleet);
}

void fleet_stop_old(struct fleet *fleet)
{
    keep_all(fleet);
    for (size_t i = 0; i < fleet->n; i++)
        if (i != fleet->newest)
            fleet->sets[i].next = 0;
}

/* --- proportions --- */

/* Half away from zero, as Kubernetes rounds. */
static int64_t share_of(const struct fleet_set *set, int64_t most)
{
    int64_t was = set->most > 0 ? set->most : most;
    if (was <= 0)
        return -set->wanted; /* Nothing is wanted, and it was never scaled by us. */
    return (2 * set->wanted * most + was) / (2 * was) - set->wanted;
}

static void in_proportion(struct fleet *fleet, struct arena *arena)
{
    int64_t most = fleet->replicas > 0 ? fleet->replicas + fleet->surge : 0;
    int64_t add = most - all_wanted(fleet), added = 0;
    size_t *order = arena_array(arena, size_t, fleet->n + 1), n = 0;
    for (size_t i = 0; i < fleet->n; i++) /* The biggest first; of equals, newer first to grow. */
        if (fleet->sets[i].wanted > 0) {
            size_t at = n++;
            for (; at > 0; at--) {
                int64_t before = fleet->sets[order[at - 1]].wanted, is = fleet->sets[i].wanted;
                if (before > is || (before == is && add <= 0))
                    break;
                order[at] = order[at - 1];
            }
            order[at] = i;
        }
    for (size_t i = 0; i < n && add != 0; i++) {
        struct fleet_set *set = &fleet->sets[order[i]];
        int64_t share = share_of(set, most), left = add - added;
        if (add > 0)
            share = share < 0 ? 0 : least(share, left);
        else
            share = share > 0 ? 0 : (share < left ? left : share);
        set->next = set->wanted + share;
        added += share;
    }
    if (n > 0) {
        struct fleet_set *first = &fleet->sets[order[0]];
        first->next += add - added;
        first->next = first->next < 0 ? 0 : first->next;
    }
}

void fleet_scale(struct fleet *fleet, struct arena *arena)
{
    size_t active = 0, last = fleet->newest;
    keep_all(fleet);
    for (size_t i = 0; i < fleet->n; i++)
        if (fleet->sets[i].wanted > 0) {
            active++;
            last = active == 1 ? i : last;
        }
    if (active == 0)
        last = fleet->newest < fleet->n ? fleet->newest : fleet->n - 1;
    const struct fleet_set *newest = fleet->newest < fleet->n ? &fleet->sets[fleet->newest] : NULL;
    if (fleet->n == 0)
        return;
    if (active <= 1)
        fleet->sets[last].next = fleet->replicas;
    else if (newest != NULL && newest->wanted == fleet->replicas &&
             newest->available == fleet->replicas)
        fleet_stop_old(fleet);
    else
        in_proportion(fleet, arena);
}
