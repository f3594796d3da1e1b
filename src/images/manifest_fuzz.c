/* manifest_fuzz.c - all readers of what registries and archives say, on the same bytes. */
#include "images/manifest.h"
#include "testkit/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO(arena_done) struct arena arena = {0};
    str_t text = {(const char *)bytes, n};
    struct manifest manifest;
    struct image_config config;
    struct archived *archived;
    size_t n_archived;
    struct err err;
    if (manifest_parse(text, &arena, &manifest, &err) == 0) {
        MUST(manifest.n_layers <= LAYERS_MAX);
        (void)manifest_choose(&manifest, machine_architecture());
    }
    if (image_config_parse(text, &arena, &config, &err) == 0)
        MUST(config.config != NULL);
    if (archive_manifest_parse(text, &arena, &archived, &n_archived, &err) == 0)
        MUST(n_archived > 0);
    return 0;
}
