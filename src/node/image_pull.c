/* image_pull.c - the Secrets are asked for first, then the registry with all that fit. */
#include "node/image_pull.h"

#include <string.h>

enum { SECRETS_MAX = 32, CREDENTIALS_ALL_MAX = 64 };

static void pulled(struct images_call *call)
{
    struct image_pull *pull = CONTAINER_OF(call, struct image_pull, call);
    arena_done(&pull->arena);
    pull->done(pull);
}

/* Of both kinds that Secrets of this purpose have. */
static void add(struct image_pull *pull, str_t text, struct credential *all)
{
    struct credential *found;
    struct err ignored;
    size_t n;
    if (text.len == 0 ||
        credentials_find(text, &pull->reference, &pull->arena, &found, &n, &ignored) < 0)
        return;
    for (size_t i = 0; i < n && pull->want.n_credentials < CREDENTIALS_ALL_MAX; i++)
        all[pull->want.n_credentials++] = found[i];
}

static void go(struct image_pull *pull)
{
    struct credential *all = arena_array(&pull->arena, struct credential, CREDENTIALS_ALL_MAX);
    for (size_t i = 0; i < pull->n_secrets; i++) {
        const struct json *data =
            configs_data(pull->configs, true, pull->ns, pull->secrets[i], &pull->arena);
        add(pull, json_get_text(data, STR(".dockerconfigjson")), all);
        add(pull, json_get_text(data, STR(".dockercfg")), all);
    }
    pull->want.credentials = all;
    images_pull(pull->images, &pull->call, &pull->want, pulled);
}

/* If the API did not say in time: as nobody, which is enough for most images. */
static void held(struct step *step)
{
    go(CONTAINER_OF(step, struct image_pull, step));
}

void image_pull_run(struct image_pull *pull, struct images *images, struct configs *configs,
                    const struct image_want *want, void (*done)(struct image_pull *pull))
{
    struct config_ref refs[SECRETS_MAX];
    struct err ignored;
    *pull = (struct image_pull){.done = done, .images = images, .configs = configs};
    pull->ns = arena_str(&pull->arena, want->ns);
    pull->want.reference = arena_str(&pull->arena, want->ref);
    pull->secrets = arena_array(&pull->arena, str_t, SECRETS_MAX);
    JSON_EACH(want->secrets, secret)
    {
        str_t name = json_get_text(secret, STR("name"));
        if (name.len == 0 || pull->n_secrets == SECRETS_MAX)
            continue;
        pull->secrets[pull->n_secrets] = arena_str(&pull->arena, name);
        refs[pull->n_secrets] = (struct config_ref){true, pull->secrets[pull->n_secrets]};
        pull->n_secrets++;
    }
    (void)reference_parse(pull->want.reference, &pull->reference, &ignored); /* Told by the pull. */
    pull->step = (struct step){.done = held};
    if (pull->n_secrets > 0)
        configs_hold(configs, &pull->step, want->uid, want->ns, refs, pull->n_secrets);
    else
        go(pull);
}
