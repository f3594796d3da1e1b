/* rbac_rule.c - what one rule allows, and whether rules hold all that others grant. */
#include "api/rbac.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static struct rbac_words words_of(const struct json *list, struct arena *arena)
{
    if (list == NULL || list->type != JSON_ARRAY)
        return (struct rbac_words){0};
    str_t *at = arena_array(arena, str_t, json_count(list));
    size_t n = 0;
    JSON_EACH(list, item)
    at[n++] = json_text(item, STR(""));
    return (struct rbac_words){at, n};
}

static size_t rule_size(const struct rbac_rule *rule)
{
    return 1 + rule->verbs.n + rule->groups.n + 2 * rule->resources.n + rule->names.n +
           rule->urls.n;
}

struct rbac_rules rbac_rules_of(const struct json *list, struct arena *arena)
{
    if (list == NULL || list->type != JSON_ARRAY)
        return (struct rbac_rules){0};
    struct rbac_rule *at = arena_array(arena, struct rbac_rule, json_count(list));
    size_t n = 0;
    JSON_EACH(list, rule)
    {
        at[n] = (struct rbac_rule){
            .verbs = words_of(json_get(rule, STR("verbs")), arena),
            .groups = words_of(json_get(rule, STR("apiGroups")), arena),
            .resources = words_of(json_get(rule, STR("resources")), arena),
            .names = words_of(json_get(rule, STR("resourceNames")), arena),
            .urls = words_of(json_get(rule, STR("nonResourceURLs")), arena),
        };
        at[n].size = rule_size(&at[n]);
        n++;
    }
    return (struct rbac_rules){at, n};
}

/* --- one question --- */

static bool has(struct rbac_words words, str_t word)
{
    for (size_t i = 0; i < words.n; i++)
        if (str_eq(words.at[i], word))
            return true;
    return false;
}

static bool is_star(str_t word)
{
    return word.len == 1 && word.at[0] == '*';
}

static bool has_or_star(struct rbac_words words, str_t word)
{
    for (size_t i = 0; i < words.n; i++)
        if (is_star(words.at[i]) || str_eq(words.at[i], word))
            return true;
    return false;
}

/* "pods/log" is resource "pods" with subresource "log". */
static bool is_both(str_t text, str_t resource, str_t sub)
{
    return text.len == resource.len + 1 + sub.len && str_starts(text, resource) &&
           text.at[resource.len] == '/' && memcmp(text.at + resource.len + 1, sub.at, sub.len) == 0;
}

static bool allows_resource(const struct rbac_rule *rule, const struct rbac_ask *ask)
{
    for (size_t i = 0; i < rule->resources.n; i++) {
        str_t resource = rule->resources.at[i];
        if (is_star(resource))
            return true;
        if (ask->subresource.len == 0) {
            if (str_eq(resource, ask->resource))
                return true;
        } else if (is_both(resource, ask->resource, ask->subresource) ||
                   is_both(resource, STR("*"), ask->subresource)) {
            return true;
        }
    }
    return false;
}

/* A star is one only at the end; several there are one. */
static bool url_covers(str_t rule, str_t path)
{
    str_t start = rule;
    while (start.len > 0 && start.at[start.len - 1] == '*')
        start.len--;
    return start.len < rule.len ? str_starts(path, start) : str_eq(rule, path);
}

static bool allows_url(struct rbac_words urls, str_t path)
{
    for (size_t i = 0; i < urls.n; i++)
        if (url_covers(urls.at[i], path))
            return true;
    return false;
}

bool rbac_rule_allows(const struct rbac_rule *rule, const struct rbac_ask *ask)
{
    if (ask->path.len > 0)
        return allows_url(rule->urls, ask->path) && has_or_star(rule->verbs, ask->verb);
    return has_or_star(rule->groups, ask->group) && allows_resource(rule, ask) &&
           has_or_star(rule->verbs, ask->verb) &&
           (rule->names.n == 0 || has(rule->names, ask->name));
}

/* --- holding all that others grant --- */

/* A permission that cannot be taken apart. */
struct piece {
    str_t verb, group, resource, name, url;
    bool named, is_url;
};

struct missing {
    struct piece first; /* All of it but the verb. */
    struct rbac_words verbs;
    size_t room;
};

struct cover {
    struct arena *arena;
    struct rbac_rules have;
    struct missing *missing;
    size_t n_missing;
    size_t work;
    bool too_much;
};

static bool holds_resource(struct rbac_words have, str_t resource)
{
    str_t before, sub;
    if (has_or_star(have, resource))
        return true;
    if (!str_cut(resource, '/', &before, &sub))
        return false;
    for (size_t i = 0; i < have.n; i++)
        if (is_both(have.at[i], STR("*"), sub))
            return true;
    return false;
}

static bool rule_holds(const struct rbac_rule *rule, const struct piece *piece)
{
    if (!has_or_star(rule->verbs, piece->verb))
        return false;
    if (piece->is_url)
        return allows_url(rule->urls, piece->url);
    return has_or_star(rule->groups, piece->group) &&
           holds_resource(rule->resources, piece->resource) &&
           (rule->names.n == 0 || (piece->named && has(rule->names, piece->name)));
}

static bool same_but_verb(const struct piece *a, const struct piece *b)
{
    return a->is_url == b->is_url && a->named == b->named && str_eq(a->group, b->group) &&
           str_eq(a->resource, b->resource) && str_eq(a->name, b->name) && str_eq(a->url, b->url);
}

static void missing_add_verb(struct cover *cover, struct missing *missing, str_t verb)
{
    if (has(missing->verbs, verb))
        return;
    if (missing->verbs.n == missing->room) {
        size_t room = missing->room == 0 ? 8 : missing->room * 2;
        str_t *at = arena_array(cover->arena, str_t, room);
        if (missing->verbs.n > 0)
            memcpy(at, missing->verbs.at, missing->verbs.n * sizeof(str_t));
        missing->verbs.at = at;
        missing->room = room;
    }
    ((str_t *)missing->verbs.at)[missing->verbs.n++] = verb;
}

/* Verbs of one resource are shown as one rule; each path and verb is one of its own. */
static void missing_add(struct cover *cover, const struct piece *piece)
{
    for (size_t i = cover->n_missing; i > 0 && !piece->is_url; i--) {
        cover->work++;
        if (!same_but_verb(&cover->missing[i - 1].first, piece))
            continue;
        cover->work += cover->missing[i - 1].verbs.n;
        missing_add_verb(cover, &cover->missing[i - 1], piece->verb);
        return;
    }
    if (cover->n_missing == COVER_MISSING_MAX) {
        cover->too_much = true;
        return;
    }
    struct missing *missing = &cover->missing[cover->n_missing++];
    *missing = (struct missing){.first = *piece};
    missing_add_verb(cover, missing, piece->verb);
}

static void piece_check(struct cover *cover, const struct piece *piece)
{
    if (cover->too_much)
        return;
    for (size_t i = 0; i < cover->have.n; i++) {
        cover->work += cover->have.at[i].size;
        if (rule_holds(&cover->have.at[i], piece))
            return;
    }
    missing_add(cover, piece);
    if (cover->work > COVER_WORK_MAX)
        cover->too_much = true;
}

static void check_names(struct cover *cover, const struct rbac_rule *rule, struct piece piece)
{
    if (rule->names.n == 0)
        piece_check(cover, &piece);
    piece.named = true;
    for (size_t i = 0; i < rule->names.n && !cover->too_much; i++) {
        piece.name = rule->names.at[i];
        piece_check(cover, &piece);
    }
}

static void check_resources(struct cover *cover, const struct rbac_rule *rule)
{
    for (size_t g = 0; g < rule->groups.n; g++)
        for (size_t r = 0; r < rule->resources.n; r++)
            for (size_t v = 0; v < rule->verbs.n && !cover->too_much; v++)
                check_names(cover, rule,
                            (struct piece){.verb = rule->verbs.at[v],
                                           .group = rule->groups.at[g],
                                           .resource = rule->resources.at[r]});
}

static void check_urls(struct cover *cover, const struct rbac_rule *rule)
{
    for (size_t u = 0; u < rule->urls.n; u++)
        for (size_t v = 0; v < rule->verbs.n && !cover->too_much; v++) {
            struct piece piece = {
                .verb = rule->verbs.at[v], .url = rule->urls.at[u], .is_url = true};
            piece_check(cover, &piece);
        }
}

/* A rule of somebody who may everything needs no taking apart. */
static bool is_everything(const struct rbac_rule *rule, bool urls)
{
    if (!has(rule->verbs, STR("*")) || rule->names.n > 0)
        return false;
    return urls ? has(rule->urls, STR("*"))
                : has(rule->groups, STR("*")) && has(rule->resources, STR("*"));
}

static bool have_everything(struct rbac_rules have)
{
    bool resources = false, urls = false;
    for (size_t i = 0; i < have.n; i++) {
        resources = resources || is_everything(&have.at[i], false);
        urls = urls || is_everything(&have.at[i], true);
    }
    return resources && urls;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str_t *)a, *(const str_t *)b);
}

static str_t missing_text(const struct cover *cover)
{
    AUTO(buf_done) struct buf out = {0};
    str_t *lines = arena_array(cover->arena, str_t, cover->n_missing);
    for (size_t i = 0; i < cover->n_missing; i++) {
        const struct missing *missing = &cover->missing[i];
        const struct piece *piece = &missing->first;
        struct rbac_rule rule = {.verbs = missing->verbs};
        if (piece->is_url)
            rule.urls = (struct rbac_words){&piece->url, 1};
        else
            rule.groups = (struct rbac_words){&piece->group, 1};
        if (!piece->is_url)
            rule.resources = (struct rbac_words){&piece->resource, 1};
        if (piece->named)
            rule.names = (struct rbac_words){&piece->name, 1};
        lines[i] = rbac_rule_text(&rule, cover->arena);
    }
    if (cover->n_missing > 0)
        qsort(lines, cover->n_missing, sizeof(*lines), by_text);
    for (size_t i = 0; i < cover->n_missing; i++)
        if (i == 0 || !str_eq(lines[i], lines[i - 1]))
            buf_printf(&out, "%s" STR_F, i > 0 ? "\n" : "", STR_A(lines[i]));
    if (cover->too_much)
        buf_printf(&out,
                   "%sand perhaps more: the comparison of the rules ended at its limit "
                   "(COVER_WORK_MAX, COVER_MISSING_MAX)",
                   out.len > 0 ? "\n" : "");
    return arena_str(cover->arena, buf_str(&out));
}

bool rbac_covers(struct rbac_rules have, struct rbac_rules want, struct arena *arena,
                 str_t *missing)
{
    struct cover cover = {.arena = arena, .have = have};
    if (have_everything(have))
        return true;
    cover.missing = arena_array(arena, struct missing, COVER_MISSING_MAX);
    for (size_t i = 0; i < want.n; i++) {
        check_resources(&cover, &want.at[i]);
        check_urls(&cover, &want.at[i]);
    }
    if (cover.n_missing == 0 && !cover.too_much)
        return true;
    *missing = missing_text(&cover);
    return false;
}

static void words_text(const char *name, struct rbac_words words, struct buf *out)
{
    if (words.n == 0)
        return;
    buf_printf(out, "%s%s:[", out->len > 1 ? ", " : "", name);
    for (size_t i = 0; i < words.n; i++) {
        if (i > 0)
            buf_add_char(out, ' ');
        json_write_string(words.at[i], out);
    }
    buf_add_char(out, ']');
}

str_t rbac_rule_text(const struct rbac_rule *rule, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add_char(&out, '{');
    words_text("APIGroups", rule->groups, &out);
    words_text("Resources", rule->resources, &out);
    words_text("NonResourceURLs", rule->urls, &out);
    words_text("ResourceNames", rule->names, &out);
    words_text("Verbs", rule->verbs, &out);
    buf_add_char(&out, '}');
    return arena_str(arena, buf_str(&out));
}
