/*
 * pattern.c - regular expressions of schemas, by PCRE2.
 *
 * Kubernetes has RE2, whose time is linear; PCRE2's is not, so a match has a budget of steps and
 * memory. What a pattern costs is bounded, and one that runs out of it does not match.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "kube/jsonschema_priv.h"

#include <pcre2.h>

enum { MATCH_STEPS_MAX = 100000, HEAP_KIB_MAX = 256, DEPTH_MAX = 5000 };

static pcre2_code *compile(str_t pattern, int *code)
{
    PCRE2_SIZE at;
    return pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
                         code, &at, NULL);
}

const char *pattern_fault(str_t pattern, struct arena *arena)
{
    PCRE2_UCHAR text[160];
    int code = 0;
    pcre2_code *re = pattern.len > JSONSCHEMA_PATTERN_MAX ? NULL : compile(pattern, &code);
    if (re != NULL) {
        pcre2_code_free(re);
        return NULL;
    }
    if (code == 0 || pcre2_get_error_message(code, text, sizeof(text)) < 0)
        return "it is too long";
    return arena_printf(arena, "%s", (const char *)text).at;
}

bool pattern_matches(str_t pattern, str_t text)
{
    int code;
    pcre2_code *re = compile(pattern, &code);
    if (re == NULL)
        return false;
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    MUST(context != NULL && data != NULL);
    pcre2_set_match_limit(context, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(context, DEPTH_MAX);
    pcre2_set_heap_limit(context, HEAP_KIB_MAX);
    int r = pcre2_match(re, (PCRE2_SPTR)text.at, text.len, 0, 0, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_code_free(re);
    return r >= 0;
}
