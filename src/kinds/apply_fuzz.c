/* apply_fuzz.c - a live object, a line end, an applied one: applying twice is applying once. */
#include "kinds/kinds.h"
#include "kube/managed.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err;
    struct json *live, *config;
    struct managed managed;
    const struct schema *schema = kind_deployment.schema;
    struct manager_who who = {STR("fuzz"), STR("apps/v1"), STR(""), STR("now")};
    str_t first, second;
    str_cut((str_t){(const char *)bytes, n}, '\n', &first, &second);
    if (json_parse(first, &arena, &live, &err) < 0 ||
        json_parse(second, &arena, &config, &err) < 0 || live->type != JSON_OBJECT ||
        config->type != JSON_OBJECT)
        return 0;
    if (managed_read(json_at(live, "metadata.managedFields"), &arena, &managed, &err) < 0)
        managed = (struct managed){.arena = &arena};
    struct apply once = {.live = live, .config = config, .who = &who, .force = true};
    if (managed_apply(&managed, schema, &once, &err) < 0)
        return 0;
    struct apply twice = {.live = once.object, .config = config, .who = &who};
    MUST(managed_apply(&managed, schema, &twice, &err) == 0);
    MUST(json_eq(once.object, twice.object));
    return 0;
}
