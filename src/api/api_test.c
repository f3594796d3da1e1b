/* api_test.c - the whole room over HTTP: a store in a fresh directory, a server, raw clients. */
#include "api/api.h"
#include "http/fixture.h"
#include "kinds/kinds.h"
#include "testkit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAPS "/api/v1/namespaces/default/configmaps"

struct house {
    struct fixture f;
    struct store *store;
    struct api *api;
    char dir[64];
};

static void to_api(void *self, struct exchange *x)
{
    struct house *house = CONTAINER_OF((struct fixture *)self, struct house, f);
    struct http_handler handler = api_handler(house->api);
    handler.head(handler.self, x);
}

/* The roles that are made of others are as they will stay: nothing is written on its own. */
static bool roles_settled(struct house *house)
{
    const struct object *admin = store_get(
        house->store, STR("clusterroles.rbac.authorization.k8s.io"), STR(""), STR("admin"));
    return admin != NULL && strstr(admin->json.at, "localsubjectaccessreviews") != NULL &&
           strstr(admin->json.at, "pods/exec") != NULL &&
           strstr(admin->json.at, "poddisruptionbudgets/status") != NULL;
}

static void house_start(struct house *house, size_t watch_bytes_max, size_t history_max)
{
    struct err err;
    *house = (struct house){.dir = "/tmp/davy-api-test-XXXXXX"};
    MUST(mkdtemp(house->dir) != NULL);
    fixture_start(&house->f, to_api);
    struct store_settings store = {.dir = str_from_z(house->dir), .history_max = history_max};
    MUST(store_open(house->f.loop, &store, &house->store, &err) == 0);
    struct api_settings settings = {.loop = house->f.loop,
                                    .store = house->store,
                                    .owner_uid = getuid(),
                                    .watch_bytes_max = watch_bytes_max};
    MUST(api_new(&settings, &house->api, &err) == 0);
    MUST(!api_is_ready(house->api));
    MUST(api_bootstrap(house->api, &err) == 0);
    for (int i = 0; i < 5000 && !(api_is_ready(house->api) && roles_settled(house)); i++)
        fixture_turns(&house->f, 1);
    MUST(api_is_ready(house->api) && roles_settled(house));
    fixture_turns(&house->f, 2);
}

static void house_end(struct house *house)
{
    char command[96];
    store_close(house->store);
    http_server_free(house->f.server);
    house->f.server = NULL;
    fixture_turns(&house->f, 2);
    api_free(house->api);
    fixture_end(&house->f);
    (void)snprintf(command, sizeof(command), "rm -r %s", house->dir);
    CHECK(system(command) == 0);
}

/* One request on a connection of its own; `fields` are complete lines. The whole answer. */
static const char *ask_with(struct house *house, const char *what, const char *fields,
                            const char *body, bool local)
{
    struct client client;
    AUTO(buf_done) struct buf text = {0};
    if (local)
        client_dial_unix(&client, &house->f);
    else
        client_dial(&client, &house->f);
    buf_printf(&text,
               "%s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
               what, fields, strlen(body), body);
    client_say(&client, buf_str(&text));
    client_hear(&client, NULL);
    const char *heard =
        arena_printf(&house->f.arena, STR_F, STR_A(((str_t){client.heard.at, client.heard.len})))
            .at;
    client_done(&client);
    return heard;
}

static const char *ask_api(struct house *house, const char *what, const char *body)
{
    return ask_with(house, what, "", body, true);
}

static bool says(const char *answer, int status, const char *words)
{
    char start[32];
    (void)snprintf(start, sizeof(start), "HTTP/1.1 %d ", status);
    if (strncmp(answer, start, strlen(start)) == 0 && strstr(answer, words) != NULL)
        return true;
    (void)fprintf(stderr, "wanted %d and '%s' in: %s\n", status, words, answer);
    return false;
}

static unsigned long long version_in(const char *answer)
{
    const char *at = strstr(answer, "\"resourceVersion\":\"");
    MUST(at != NULL);
    return strtoull(at + 19, NULL, 10);
}

static const char *say(struct house *house, const char *fmt, unsigned long long value)
{
    AUTO(buf_done) struct buf text = {0};
    str_t head, tail;
    str_cut(str_from_z(fmt), '#', &head, &tail);
    buf_printf(&text, STR_F "%llu" STR_F, STR_A(head), value, STR_A(tail));
    return arena_printf(&house->f.arena, STR_F, STR_A(buf_str(&text))).at;
}

TEST(an_object_is_made_read_changed_and_removed)
{
    struct house house;
    house_start(&house, 0, 0);
    struct house *h = &house;
    const char *made =
        ask_api(h, "POST " MAPS, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\"}}");
    CHECK(says(made, 201,
               "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\""));
    CHECK(says(made, 201, "\"namespace\":\"default\""));
    CHECK(says(made, 201, "\"creationTimestamp\":\"2026-11-24T"));
    CHECK(says(ask_api(h, "POST " MAPS, "{\"metadata\":{\"name\":\"a\"}}"), 409,
               "configmaps \\\"a\\\" already exists"));
    CHECK(says(ask_api(h, "GET " MAPS "/a", ""), 200, strstr(made, "{\"kind\"")));
    CHECK(says(ask_api(h, "GET " MAPS "/b", ""), 404, "configmaps \\\"b\\\" not found"));
    unsigned long long rv = version_in(made);
    const char *put =
        "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"#\"},\"data\":{\"k\":\"2\"}}";
    CHECK(says(ask_api(h, "PUT " MAPS "/a", say(h, put, rv)), 200, "\"data\":{\"k\":\"2\"}"));
    CHECK(
        says(ask_api(h, "PUT " MAPS "/a", say(h, put, rv)), 409,
             "Operation cannot be fulfilled on configmaps \\\"a\\\": the object has been modified; "
             "please apply your changes to the latest version and try again"));
    CHECK(says(ask_api(h, "DELETE " MAPS "/a", "{\"preconditions\":{\"uid\":\"x\"}}"), 409,
               "Precondition failed: UID in precondition: x, UID in object meta: "));
    CHECK(says(ask_api(h, "DELETE " MAPS "/a", "{\"propagationPolicy\":\"Later\"}"), 422,
               "Unsupported value: \\\"Later\\\""));
    CHECK(says(ask_api(h, "DELETE " MAPS "/a", "{\"dryRun\":[\"All\"]}"), 200, "\"Success\""));
    CHECK(says(ask_api(h, "DELETE " MAPS "/a", "{\"propagationPolicy\":\"Background\"}"), 200,
               "\"status\":\"Success\",\"details\":{\"name\":\"a\",\"kind\":\"configmaps\""));
    CHECK(says(ask_api(h, "DELETE " MAPS "/a", ""), 404, "NotFound"));
    house_end(&house);
}

TEST(what_breaks_a_rule_is_refused_in_kubernetes_words)
{
    static const struct {
        const char *what, *body;
        int status;
        const char *words;
    } rows[] = {
        {"POST " MAPS "?fieldValidation=Strict", "{\"metadata\":{\"name\":\"a\"},\"dat\":{}}", 400,
         "strict decoding error: unknown field \\\"dat\\\""},
        {"POST " MAPS "?fieldValidation=Strict",
         "{\"metadata\":{\"name\":\"a\",\"name\":\"b\"},\"data\":{\"k\":\"1\",\"k\":\"2\"}}", 400,
         "strict decoding error: duplicate field \\\"metadata.name\\\", duplicate field "
         "\\\"data.k\\\""},
        {"POST " MAPS "?dryRun=All", "{\"metadata\":{\"name\":\"a\"},\"da\\\"t\":{}}", 201,
         "Warning: 299 - \"unknown field \\\"da\\\"t\\\"\""},
        {"POST " MAPS "?dryRun=All&fieldValidation=Ignore",
         "{\"metadata\":{\"name\":\"a\"},\"x\":1}", 201, "\"name\":\"a\""},
        {"POST " MAPS "?dryRun=All", "{\"metadata\":{\"generateName\":\"a-\"}}", 201,
         "\"name\":\"a-"},
        {"POST " MAPS, "{\"metadata\":null}", 422, "metadata.name: Required value"},
        {"POST " MAPS, "{\"metadata\":{\"name\":\"A\"}}", 422,
         "ConfigMap \\\"A\\\" is invalid: metadata.name: Invalid value: \\\"A\\\": a lowercase "
         "RFC"},
        {"POST " MAPS, "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"}}", 400,
         "does not match the expected kind"},
        {"POST " MAPS, "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"}}", 400,
         "the namespace of the provided object does not match the namespace sent on the request"},
        {"POST " MAPS, "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}}", 400,
         "resourceVersion should not be set on objects to be created"},
        {"POST /api/v1/namespaces/no/configmaps", "{\"metadata\":{\"name\":\"a\"}}", 404,
         "namespaces \\\"no\\\" not found"},
        {"POST /api/v1/configmaps", "{\"metadata\":{\"name\":\"a\"}}", 405, "MethodNotAllowed"},
        {"DELETE /api/v1/configmaps", "", 405, "MethodNotAllowed"},
        {"DELETE /api/v1/namespaces", "", 405, "MethodNotAllowed"},
        {"DELETE /api/v1/namespaces/kube-system", "", 403, "this namespace may not be deleted"},
        {"GET /api/v1/foos", "", 404, "404 page not found"},
        {"GET " MAPS "?resourceVersion=9999", "", 504,
         "Too large resource version: 9999, current: "},
        {"GET " MAPS "?resourceVersion=x", "", 400, "resourceVersion: Invalid value"},
        {"GET " MAPS "?resourceVersionMatch=Exact", "", 422,
         "ListOptions.meta.k8s.io \\\"\\\" is invalid: resourceVersionMatch: Forbidden: "
         "resourceVersionMatch is forbidden unless resourceVersion is provided\""},
        {"GET " MAPS "?resourceVersionMatch=Exact&resourceVersion=0", "", 422,
         "\\\"exact\\\" is forbidden for resourceVersion \\\"0\\\""},
        {"GET " MAPS "?resourceVersionMatch=New&resourceVersion=1", "", 422,
         "supported values: \\\"Exact\\\", \\\"NotOlderThan\\\", \\\"\\\""},
        {"GET " MAPS "?sendInitialEvents=true", "", 422, "sendInitialEvents is forbidden for list"},
        {"GET " MAPS "?watch=1&sendInitialEvents=true", "", 422,
         "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"},
        {"GET " MAPS "?watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1", "", 422,
         "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"},
        {"GET " MAPS "?continue=x", "", 400, "continue key is not valid"},
        {"GET " MAPS "?fieldSelector=spec.foo%3Da", "", 400, "field label not supported: spec.foo"},
        {"PATCH " MAPS "/a", "{}", 404, "not found"},
    };
    struct house house;
    house_start(&house, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        test_check(says(ask_api(&house, rows[i].what, rows[i].body), rows[i].status, rows[i].words),
                   rows[i].what, __FILE__, __LINE__);
    house_end(&house);
}

TEST(bodies_come_as_yaml_and_protobuf_too)
{
    struct house house;
    house_start(&house, 0, 0);
    CHECK(says(ask_with(&house, "POST " MAPS, "Content-Type: application/yaml\r\n",
                        "metadata: {name: y}\ndata:\n  k: |\n    v\n", true),
               201, "\"data\":{\"k\":\"v\\n\"}"));
    CHECK(says(ask_with(&house, "POST " MAPS, "Content-Type: text/plain\r\n", "x", true), 415,
               "accepted media types include: application/json, application/yaml"));
    CHECK(says(ask_with(&house, "PATCH " MAPS "/y", "Content-Type: application/unheard-of+json\r\n",
                        "[]", true),
               415, "application/strategic-merge-patch+json"));

    /* As client-go 0.32 sends: magic, TypeMeta, then ConfigMap{1: ObjectMeta{1: name}, 2: data}. */
    static const char message[] = "k8s\0\x0a\x0f\x0a\x02v1\x12\x09"
                                  "ConfigMap\x12\x0d\x0a\x03\x0a\x01p\x12\x06\x0a\x01k\x12\x01v";
    struct client client;
    client_dial_unix(&client, &house.f);
    client_say(&client, STR("POST " MAPS " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"
                            "Content-Type: application/vnd.kubernetes.protobuf\r\n"
                            "Content-Length: 36\r\n\r\n"));
    CHECK_INT(sizeof(message) - 1, 36);
    client_say(&client, (str_t){message, sizeof(message) - 1});
    CHECK(says(client_hear(&client, NULL), 201, "\"data\":{\"k\":\"v\"}"));
    client_done(&client);
    house_end(&house);
}

TEST(patches_merge_and_guard_their_version)
{
    struct house house;
    house_start(&house, 0, 0);
    const char *merge = "Content-Type: application/merge-patch+json\r\n";
    const char *strategic = "Content-Type: application/strategic-merge-patch+json\r\n";
    const char *made =
        ask_api(&house, "POST " MAPS, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\"}}");
    CHECK(says(
        ask_with(&house, "PATCH " MAPS "/a", merge, "{\"data\":{\"k\":null,\"l\":\"2\"}}", true),
        200, "\"data\":{\"l\":\"2\"}"));
    CHECK(says(
        ask_with(&house, "PATCH " MAPS "/a", strategic,
                 say(&house, "{\"metadata\":{\"resourceVersion\":\"#\"},\"data\":{\"m\":\"3\"}}",
                     version_in(made)),
                 true),
        409, "the object has been modified"));
    CHECK(says(ask_with(&house, "PATCH " MAPS "/a", strategic,
                        "{\"metadata\":{\"finalizers\":[\"x.io/b\"],"
                        "\"$setElementOrder/finalizers\":[\"x.io/b\"]},\"data\":{\"m\":\"3\"}}",
                        true),
               200, "\"data\":{\"l\":\"2\",\"m\":\"3\"}"));
    CHECK(says(ask_with(&house, "PATCH " MAPS "/a", strategic, "{\"data\":{\"m\":3}}", true), 422,
               "cannot unmarshal number"));
    /* A finalizer makes the end a mark, and the last finalizer's going makes it the end. */
    CHECK(says(ask_api(&house, "DELETE " MAPS "/a", ""), 200, "\"deletionTimestamp\""));
    CHECK(says(ask_api(&house, "DELETE " MAPS "/a", ""), 200, "\"deletionTimestamp\""));
    CHECK(says(ask_with(&house, "PATCH " MAPS "/a", merge,
                        "{\"metadata\":{\"finalizers\":[\"x.io/b\",\"x.io/c\"]}}", true),
               422, "found new finalizers []string{\\\"x.io/c\\\"}"));
    CHECK(says(
        ask_with(&house, "PATCH " MAPS "/a", merge, "{\"metadata\":{\"finalizers\":null}}", true),
        200, "\"name\":\"a\""));
    CHECK(says(ask_api(&house, "GET " MAPS "/a", ""), 404, "NotFound"));
    house_end(&house);
}

static void make_maps(struct house *house, int n)
{
    for (int i = 0; i < n; i++)
        CHECK(says(
            ask_api(house, "POST " MAPS,
                    say(house,
                        i % 2 == 0 ? "{\"metadata\":{\"name\":\"m#\"}}"
                                   : "{\"metadata\":{\"name\":\"m#\",\"labels\":{\"a\":\"b\"}}}",
                        (unsigned long long)i)),
            201, "\"uid\""));
}

static const char *token_of(struct house *house, const char *answer)
{
    const char *at = strstr(answer, "\"continue\":\"");
    if (at == NULL)
        return "";
    str_t token, rest;
    str_cut(str_from_z(at + 12), '"', &token, &rest);
    return arena_printf(&house->f.arena, STR_F, STR_A(token)).at;
}

static const char *list_from(struct house *house, const char *token)
{
    return ask_api(house,
                   arena_printf(&house->f.arena, "GET " MAPS "?limit=2&continue=%s", token).at, "");
}

TEST(a_list_comes_in_pages_that_show_one_moment)
{
    struct house house;
    house_start(&house, 0, 8);
    make_maps(&house, 5);
    const char *page = ask_api(&house, "GET " MAPS "?limit=2", "");
    CHECK(says(page, 200, "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{"));
    CHECK(says(page, 200, "\"remainingItemCount\":3"));
    const char *first = token_of(&house, page);
    CHECK(says(ask_api(&house, "DELETE " MAPS "/m3", ""), 200, "Success"));
    page = list_from(&house, first);
    CHECK(says(page, 200, "\"name\":\"m3\"") && strstr(page, "\"name\":\"m4\"") == NULL);
    page = list_from(&house, token_of(&house, page));
    CHECK(says(page, 200, "\"name\":\"m4\"") && strstr(page, "continue") == NULL);
    CHECK(says(ask_api(&house, "GET " MAPS "?labelSelector=a%3Db", ""), 200, "\"name\":\"m1\""));
    page = ask_api(&house, "GET " MAPS "?fieldSelector=metadata.name%3Dm2", "");
    CHECK(says(page, 200, "\"name\":\"m2\"") && strstr(page, "\"name\":\"m1\"") == NULL);

    /* Much later that moment is forgotten; the answer says how to go on all the same. */
    for (int i = 0; i < 12; i++) {
        CHECK(says(ask_api(&house, "POST " MAPS, "{\"metadata\":{\"name\":\"z\"}}"), 201, "z"));
        CHECK(says(ask_api(&house, "DELETE " MAPS "/z", ""), 200, "Success"));
    }
    page = list_from(&house, first);
    CHECK(says(page, 410, "The provided continue parameter is too old"));
    page = list_from(&house, token_of(&house, page));
    CHECK(says(page, 200, "\"name\":\"m2\"") && strstr(page, "\"name\":\"m3\"") == NULL);
    page = ask_api(&house, "GET " MAPS "?watch=true&resourceVersion=2", "");
    CHECK(says(page, 200, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\""));
    CHECK(says(page, 200, "\"message\":\"too old resource version: 2 ("));
    CHECK(says(page, 200, "\"reason\":\"Expired\",\"code\":410"));
    house_end(&house);
}

TEST(a_watch_tells_every_change_once_and_ends_when_it_should)
{
    struct house house;
    struct client all, chosen, table;
    house_start(&house, 0, 0);
    unsigned long long rv = version_in(ask_api(&house, "GET " MAPS, ""));
    client_dial_unix(&all, &house.f);
    client_say(&all,
               str_from_z(say(&house,
                              "GET " MAPS "?watch=1&resourceVersion=#&allowWatchBookmarks=true"
                              "&timeoutSeconds=100 HTTP/1.1\r\nHost: t\r\n\r\n",
                              rv)));
    CHECK(says(client_hear(&all, "\r\n\r\n"), 200, "Transfer-Encoding: chunked"));
    client_dial_unix(&chosen, &house.f);
    client_say(&chosen, STR("GET " MAPS "?watch=1&labelSelector=a%3Db&sendInitialEvents=true"
                            "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                            " HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK(says(client_hear(&chosen, "BOOKMARK"), 200, "k8s.io/initial-events-end"));
    client_dial_unix(&table, &house.f);
    client_say(&table, STR("GET " MAPS "?watch=1 HTTP/1.1\r\nHost: t\r\n"
                           "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n\r\n"));
    make_maps(&house, 2);
    CHECK(strstr(client_hear(&all, "\"m1\""),
                 "{\"type\":\"ADDED\",\"object\":{\"kind\":\"ConfigMap\""));
    CHECK(strstr(client_hear(&chosen, "\"m1\""), "\"m0\"") == NULL);
    CHECK(strstr(client_hear(&table, "\"m1\""), "\"columnDefinitions\":[{\"name\":\"Name\"") !=
          NULL);
    CHECK(strstr(table.heard.at, "\"columnDefinitions\":null") != NULL);
    client_forget(&chosen);
    client_forget(&all);
    const char *merge = "Content-Type: application/merge-patch+json\r\n";
    CHECK(
        says(ask_with(&house, "PATCH " MAPS "/m1", merge, "{\"metadata\":{\"labels\":null}}", true),
             200, "m1"));
    CHECK(strstr(client_hear(&chosen, "}\n"), "{\"type\":\"DELETED\"") != NULL);
    CHECK(strstr(client_hear(&all, "}\n"), "{\"type\":\"MODIFIED\"") != NULL);
    CHECK(says(ask_with(&house, "PATCH " MAPS "/m1", merge,
                        "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", true),
               200, "m1"));
    CHECK(strstr(client_hear(&chosen, "ADDED"), "{\"type\":\"ADDED\"") != NULL);
    fixture_wait(&house.f, 61000);
    CHECK(strstr(client_hear(&all, "BOOKMARK"), "\"resourceVersion\":\"") != NULL);
    client_forget(&all);
    CHECK(says(ask_api(&house, "POST /api/v1/namespaces/kube-system/configmaps",
                       "{\"metadata\":{\"name\":\"elsewhere\"}}"),
               201, "elsewhere"));
    rv = version_in(ask_api(&house, "GET " MAPS, ""));
    fixture_wait(&house.f, 61000);
    const char *last = client_hear(&all, "\r\n0\r\n\r\n");
    CHECK(strstr(last, "\r\n0\r\n\r\n") != NULL);
    CHECK(version_in(strstr(last, "BOOKMARK")) == rv); /* Though nothing it wants has happened. */
    client_forget(&chosen);
    api_drain(house.api);
    last = client_hear(&chosen, "\r\n0\r\n\r\n");
    CHECK(strstr(last, "\r\n0\r\n\r\n") != NULL);
    CHECK(version_in(strstr(last, "BOOKMARK")) == rv);
    CHECK(says(ask_with(&house, "GET /readyz", "", "", false), 503, "[-]shutdown"));
    client_done(&all);
    client_done(&chosen);
    client_done(&table);
    house_end(&house);
}

TEST(strangers_see_health_and_nothing_else)
{
    struct house house;
    house_start(&house, 0, 0);
    CHECK(says(ask_with(&house, "GET /livez", "", "", false), 200, "\r\n\r\nok"));
    CHECK(says(ask_with(&house, "GET /readyz?verbose", "", "", false), 200, "readyz check passed"));
    CHECK(says(ask_with(&house, "GET /version", "", "", false), 200, "gitVersion"));
    CHECK(says(ask_with(&house, "GET " MAPS, "", "", false), 403,
               "configmaps is forbidden: User \\\"system:anonymous\\\" cannot list resource "
               "\\\"configmaps\\\" in API group \\\"\\\" in the namespace \\\"default\\\""));
    CHECK(says(ask_with(&house, "POST " MAPS, "", "{\"metadata\":{\"name\":\"a\"}}", false), 403,
               "cannot create resource"));
    CHECK(says(ask_with(&house, "GET /apis", "", "", false), 403,
               "forbidden: User \\\"system:anonymous\\\" cannot get path \\\"/apis\\\""));
    CHECK(says(ask_with(&house, "GET " MAPS, "Authorization: Bearer x\r\n", "", false), 401,
               "\"reason\":\"Unauthorized\",\"code\":401"));
    house_end(&house);
}

TEST(discovery_and_openapi_are_kept_by_their_hash)
{
    struct house house;
    house_start(&house, 0, 0);
    const char *wish = "Accept: application/json;g=apidiscovery.k8s.io;v=v2;"
                       "as=APIGroupDiscoveryList,application/json\r\n";
    const char *answer = ask_with(&house, "GET /api", wish, "", true);
    CHECK(says(answer, 200, "Content-Type: application/json;g=apidiscovery.k8s.io;v=v2;as="));
    CHECK(says(answer, 200, "\"resource\":\"configmaps\""));
    str_t tag, rest;
    const char *at = strstr(answer, "ETag: ");
    MUST(at != NULL);
    str_cut(str_from_z(at + 6), '\r', &tag, &rest);
    CHECK(says(
        ask_with(
            &house, "GET /api",
            arena_printf(&house.f.arena, "%sIf-None-Match: " STR_F "\r\n", wish, STR_A(tag)).at, "",
            true),
        304, "ETag: "));
    CHECK(says(ask_with(&house, "GET /api", "", "", true), 200, "\"kind\":\"APIVersions\""));
    CHECK(says(ask_api(&house, "GET /apis", ""), 200, "\"kind\":\"APIGroupList\""));
    CHECK(says(ask_api(&house, "GET /api/v1", ""), 200, "\"name\":\"namespaces/finalize\""));
    CHECK(says(ask_api(&house, "GET /openapi/v3", ""), 200, "/openapi/v3/api/v1?hash="));
    CHECK(says(ask_api(&house, "GET /openapi/v3/api/v1", ""), 200,
               "\"/api/v1/namespaces/{namespace}/configmaps/{name}\""));
    CHECK(says(ask_api(&house, "GET /openapi/v3/api/v1", ""), 200,
               "\"description\":\"No longer used; not kept.\",\"x-davy-no-effect\":true}"));
    CHECK(says(ask_api(&house, "GET /openapi/v3/apis/no/v1", ""), 404, "404 page not found"));
    CHECK(says(ask_api(&house, "GET /openapi/v2", ""), 200, "{\"swagger\":\"2.0\""));
    const char *binary = "Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf\r\n";
    CHECK(
        says(ask_with(&house, "GET /openapi/v2", binary, "", true), 200, "spec.v2.v1.0+protobuf"));
    CHECK(says(ask_with(&house, "GET /openapi/v2", binary, "", true), 200,
               "\n\x03"
               "2.0\x12"));
    CHECK(says(ask_api(&house, "GET /api/v1", ""), 200,
               "\"shortNames\":[\"cm\"],\"storageVersionHash\":\"qFsyl6wFWjQ=\""));
    house_end(&house);
}

TEST(a_collection_goes_as_selected_and_a_namespace_through_finalize)
{
    struct house house;
    house_start(&house, 0, 0);
    make_maps(&house, 4);
    CHECK(says(ask_api(&house, "DELETE " MAPS "?labelSelector=a%3Db", "{\"dryRun\":[\"All\"]}"),
               200, "Success"));
    CHECK_INT((int64_t)store_count(house.store, STR("configmaps"), STR("default")), 4);
    CHECK(says(ask_api(&house, "DELETE " MAPS "?labelSelector=a%3Db", ""), 200, "Success"));
    CHECK_INT((int64_t)store_count(house.store, STR("configmaps"), STR("default")), 2);

    const char *spaces = "POST /api/v1/namespaces";
    CHECK(says(ask_api(&house, spaces, "{\"metadata\":{\"name\":\"n\"}}"), 201,
               "\"kubernetes.io/metadata.name\":\"n\""));
    CHECK(
        says(ask_api(&house, "DELETE /api/v1/namespaces/n", ""), 200, "\"phase\":\"Terminating\""));
    CHECK(says(
        ask_api(&house, "POST /api/v1/namespaces/n/configmaps", "{\"metadata\":{\"name\":\"a\"}}"),
        403,
        "configmaps \\\"a\\\" is forbidden: unable to create new content in namespace n "
        "because it is being terminated"));
    CHECK(says(ask_api(&house, "PUT /api/v1/namespaces/n/finalize",
                       "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"finalizers\":[]}}"),
               200, "\"name\":\"n\""));
    CHECK(says(ask_api(&house, "GET /api/v1/namespaces/n", ""), 404, "NotFound"));
    house_end(&house);
}

enum { WATCHERS = 1000 };

TEST(a_thousand_watchers_share_what_they_are_told)
{
    struct house house;
    house_start(&house, 0, 0);
    struct client *clients = calloc(WATCHERS, sizeof(*clients));
    MUST(clients != NULL);
    for (int i = 0; i < WATCHERS; i++) {
        client_dial_unix(&clients[i], &house.f);
        client_say(&clients[i],
                   STR("GET " MAPS "?watch=1&labelSelector=a%3Db HTTP/1.1\r\nHost: t\r\n\r\n"));
        client_hear(&clients[i], "\r\n\r\n");
    }
    make_maps(&house, 2);
    int heard = 0;
    for (int i = 0; i < WATCHERS; i++)
        heard += strstr(client_hear(&clients[i], "\"m1\""), "\"m0\"") == NULL;
    CHECK_INT(heard, WATCHERS);
    for (int i = 0; i < WATCHERS; i++)
        client_done(&clients[i]);
    free(clients);
    house_end(&house);
}

TEST(an_object_is_served_in_each_version_of_its_kind)
{
    struct house house;
    house_start(&house, 0, 0);
    struct house *h = &house;
#define AUTOSCALERS "/namespaces/default/horizontalpodautoscalers"
    static const char body[] =
        "{\"metadata\":{\"name\":\"web\"},\"spec\":{\"maxReplicas\":5,"
        "\"targetCPUUtilizationPercentage\":60,\"scaleTargetRef\":{\"kind\":\"Deployment\","
        "\"name\":\"web\",\"apiVersion\":\"apps/v1\"}}}";
    CHECK(says(ask_api(h, "POST /apis/autoscaling/v1" AUTOSCALERS, body), 201,
               "\"targetCPUUtilizationPercentage\":60"));
    CHECK(says(ask_api(h, "GET /apis/autoscaling/v2" AUTOSCALERS "/web", ""), 200,
               "\"averageUtilization\":60"));
    const char *list = ask_api(h, "GET /apis/autoscaling/v1" AUTOSCALERS, "");
    CHECK(says(list, 200, "\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"web\""));
    CHECK(says(list, 200, "\"targetCPUUtilizationPercentage\":60"));
    static const char merge[] = "Content-Type: application/merge-patch+json\r\n";
    CHECK(says(ask_with(h, "PATCH /apis/autoscaling/v1" AUTOSCALERS "/web", merge,
                        "{\"spec\":{\"targetCPUUtilizationPercentage\":70}}", true),
               200, "\"targetCPUUtilizationPercentage\":70"));
    CHECK(says(ask_api(h, "GET /apis/autoscaling/v2" AUTOSCALERS "/web", ""), 200,
               "\"averageUtilization\":70"));
    CHECK(says(ask_api(h, "DELETE /apis/autoscaling/v1" AUTOSCALERS "/web", ""), 200, "Success"));
    house_end(&house);
}

/* Versions order writes and waiting is monotonic: the wall clock is for people. */
TEST(a_wall_clock_that_jumps_changes_nothing_but_what_is_shown)
{
    struct house house;
    struct client watch;
    house_start(&house, 0, 0);
    const msec_t year_ms = (msec_t)365 * 24 * 3600 * 1000;
    msec_t now_ms = house.f.clock.wall_ms;
    client_dial_unix(&watch, &house.f);
    client_say(&watch, STR("GET " MAPS "?watch=1&timeoutSeconds=100 HTTP/1.1\r\nHost: t\r\n\r\n"));
    CHECK(says(client_hear(&watch, "\r\n\r\n"), 200, "chunked"));
    unsigned long long rv = 0;
    static const int years[] = {0, 10, -20, 0};
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        house.f.clock.wall_ms = now_ms + years[i] * year_ms;
        const char *body = say(&house, "{\"metadata\":{\"name\":\"jump#\"}}", i);
        const char *made = ask_api(&house, "POST " MAPS, body);
        CHECK(says(made, 201, "creationTimestamp") && version_in(made) > rv);
        rv = version_in(made);
        fixture_turns(&house.f, 10);
    }
    CHECK(strstr(client_hear(&watch, "\"jump3\""), "\"jump1\"") != NULL);
    CHECK(!watch.closed && strstr(watch.heard.at, "\r\n0\r\n\r\n") == NULL);
    fixture_wait(&house.f, 101000);
    CHECK(strstr(client_hear(&watch, "\r\n0\r\n\r\n"), "\r\n0\r\n\r\n") != NULL);
    client_done(&watch);
    house_end(&house);
}

/* Straight through the front door, as controllers write. */
static void make_many(struct house *house, int n)
{
    struct writer writer = api_writer(house->api);
    struct err err;
    for (int i = 0; i < n; i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct json *object = json_object(&arena), *meta = json_object(&arena);
        json_add(meta, STR("name"), json_string(&arena, arena_printf(&arena, "many%04d", i)));
        json_add(meta, STR("namespace"), json_string(&arena, STR("default")));
        if (i % 3 == 0)
            json_add(meta, STR("labels"),
                     json_add(json_object(&arena), STR("third"), json_string(&arena, STR("yes"))));
        json_add(object, STR("metadata"), meta);
        MUST(writer.create(writer.self, &kind_configmap, object, &err) == 0);
    }
}

TEST(a_collection_is_deleted_in_portions_and_only_what_is_selected)
{
    enum { MANY = 1800 };
    struct house house;
    house_start(&house, 0, 0);
    make_many(&house, MANY);
    const char *last = "{\"metadata\":{\"name\":\"z\"}}"; /* Answered when all are there. */
    CHECK(says(ask_api(&house, "POST /api/v1/namespaces", last), 201, "uid"));
    const char *gone = ask_api(&house, "DELETE " MAPS "?labelSelector=third%3Dyes&dryRun=All", "");
    CHECK(says(gone, 200, "Success"));
    CHECK_INT((int64_t)store_count(house.store, STR("configmaps"), STR("default")), MANY);
    gone = ask_api(&house, "DELETE " MAPS "?labelSelector=third%3Dyes", "");
    CHECK(says(gone, 200, "Success"));
    CHECK_INT((int64_t)store_count(house.store, STR("configmaps"), STR("default")), MANY * 2 / 3);
    gone = ask_api(&house, "DELETE " MAPS "?fieldSelector=metadata.name%3Dmany0001", "");
    CHECK(says(gone, 200, "Success"));
    CHECK_INT((int64_t)store_count(house.store, STR("configmaps"), STR("default")),
              MANY * 2 / 3 - 1);
    gone = ask_api(&house, "DELETE " MAPS "?propagationPolicy=Foreground", "");
    CHECK(says(gone, 200, "Success")); /* Marked, until somebody looks after their dependents. */
    CHECK_INT((int64_t)store_count(house.store, STR("configmaps"), STR("default")),
              MANY * 2 / 3 - 1);
    CHECK(says(ask_api(&house, "GET " MAPS "/many0002", ""), 200, "foregroundDeletion"));
    house_end(&house);
}

TEST(options_of_a_deletion_are_checked_and_answered_as_kubernetes_does)
{
    static const struct {
        const char *what, *body;
        int status;
        const char *words;
    } rows[] = {
        {"POST " MAPS, "{\"metadata\":{\"name\":\"a\"}}", 201, "\"uid\""},
        {"DELETE " MAPS "/a?propagationPolicy=Sideways", "", 422,
         "propagationPolicy: Unsupported value: \\\"Sideways\\\""},
        {"DELETE " MAPS "/a", "{\"propagationPolicy\":\"Orphan\",\"orphanDependents\":true}", 422,
         "orphanDependents and deletionPropagation cannot be both set"},
        {"DELETE " MAPS "/a", "{\"preconditions\":{\"uid\":\"x\"}}", 409,
         "Precondition failed: UID in precondition: x, UID in object meta: "},
        {"DELETE " MAPS "/a", "{\"propagationPolicy\":\"Foreground\"}", 200,
         "\"finalizers\":[\"foregroundDeletion\"]"},
        {"DELETE " MAPS "/a", "{\"orphanDependents\":true}", 200, "\"finalizers\":[\"orphan\"]"},
        {"DELETE " MAPS "/a", "{\"orphanDependents\":false}", 200, "\"details\":{\"name\":\"a\""},
        {"GET " MAPS "/a", "", 404, "NotFound"},
    };
    struct house house;
    house_start(&house, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(says(ask_api(&house, rows[i].what, rows[i].body), rows[i].status, rows[i].words));
    house_end(&house);
}

static const char *bearer(struct house *house, const char *answer)
{
    const char *at = strstr(answer, "\"token\":\"");
    str_t token, rest;
    MUST(at != NULL);
    str_cut(str_from_z(at + 9), '"', &token, &rest);
    return arena_printf(&house->f.arena, "Authorization: Bearer " STR_F "\r\n", STR_A(token)).at;
}

#define ACCOUNTS "/api/v1/namespaces/default/serviceaccounts"
#define WHO "POST /apis/authentication.k8s.io/v1/selfsubjectreviews"

TEST(a_token_is_its_account_until_either_ends)
{
    struct house house;
    house_start(&house, 0, 0);
    const char *ask = "POST " ACCOUNTS "/sa/token";
    CHECK(says(ask_api(&house, ask, "{}"), 404, "serviceaccounts \\\"sa\\\" not found"));
    CHECK(says(ask_api(&house, "POST " ACCOUNTS, "{\"metadata\":{\"name\":\"sa\"}}"), 201, "sa"));
    CHECK(says(ask_api(&house, ask, "{\"spec\":{\"expirationSeconds\":599}}"), 422,
               "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than "
               "10 minutes"));
    CHECK(says(ask_api(&house, ask, "{\"spec\":{\"expirationSeconds\":4294967297}}"), 422,
               "may not specify a duration larger than 2^32 seconds"));
    const char *token = bearer(&house, ask_api(&house, ask, "{}"));
    for (int i = 0; i < 2; i++) /* The second time from memory. */
        CHECK(says(ask_with(&house, WHO, token, "{}", false), 201,
                   "\"username\":\"system:serviceaccount:default:sa\""));
    CHECK(says(ask_with(&house, WHO, token, "{}", true), 201, "credential-id\":[\"JTI="));
    const char *others =
        bearer(&house, ask_api(&house, ask, "{\"spec\":{\"audiences\":[\"vault\"]}}"));
    CHECK(says(ask_with(&house, WHO, others, "{}", false), 401, "Unauthorized"));
    CHECK(says(ask_api(&house, "POST " ACCOUNTS "/sa/token",
                       "{\"spec\":{\"boundObjectRef\":{\"kind\":\"ConfigMap\",\"apiVersion\":"
                       "\"v1\",\"name\":\"a\"}}}"),
               400, "cannot bind token to object of type v1, Kind=ConfigMap"));
    CHECK(says(ask_api(&house, "DELETE " ACCOUNTS "/sa", ""), 200, ""));
    CHECK(says(ask_with(&house, WHO, token, "{}", false), 401, "Unauthorized"));
    CHECK(says(ask_api(&house, "POST " ACCOUNTS, "{\"metadata\":{\"name\":\"sa\"}}"), 201, "sa"));
    CHECK(says(ask_with(&house, WHO, token, "{}", false), 401, "Unauthorized")); /* Another uid. */
    house_end(&house);
}

TEST(a_bound_token_dies_with_its_secret)
{
    struct house house;
    house_start(&house, 0, 0);
    CHECK(says(ask_api(&house, "POST " ACCOUNTS, "{\"metadata\":{\"name\":\"sa\"}}"), 201, "sa"));
    CHECK(says(ask_api(&house, "POST /api/v1/namespaces/default/secrets",
                       "{\"metadata\":{\"name\":\"s\"}}"),
               201, "Opaque"));
    const char *token = bearer(
        &house, ask_api(&house, "POST " ACCOUNTS "/sa/token",
                        "{\"spec\":{\"boundObjectRef\":{\"kind\":\"Secret\",\"apiVersion\":\"v1\","
                        "\"name\":\"s\"}}}"));
    CHECK(says(ask_with(&house, WHO, token, "{}", false), 201, "system:serviceaccounts:default"));
    CHECK(says(ask_api(&house, "DELETE /api/v1/namespaces/default/secrets/s", ""), 200, ""));
    CHECK(says(ask_with(&house, WHO, token, "{}", false), 401, "Unauthorized"));
    CHECK(says(ask_api(&house, "POST " ACCOUNTS "/sa/token",
                       "{\"spec\":{\"boundObjectRef\":{\"kind\":\"Secret\",\"apiVersion\":\"v1\","
                       "\"name\":\"s\"}}}"),
               404, "secrets \\\"s\\\" not found"));
    house_end(&house);
}

TEST(a_token_review_says_whose_a_token_is)
{
    struct house house;
    house_start(&house, 0, 0);
    const char *review = "POST /apis/authentication.k8s.io/v1/tokenreviews";
    CHECK(says(ask_api(&house, "POST " ACCOUNTS, "{\"metadata\":{\"name\":\"sa\"}}"), 201, "sa"));
    const char *line = bearer(&house, ask_api(&house, "POST " ACCOUNTS "/sa/token",
                                              "{\"spec\":{\"audiences\":[\"a\",\"b\"]}}"));
    str_t token, rest;
    str_cut(str_from_z(line + strlen("Authorization: Bearer ")), '\r', &token, &rest);
    const char *body =
        arena_printf(&house.f.arena,
                     "{\"spec\":{\"token\":\"" STR_F "\",\"audiences\":[\"b\",\"c\"]}}",
                     STR_A(token))
            .at;
    CHECK(says(ask_api(&house, review, body), 201, "\"authenticated\":true"));
    CHECK(says(ask_api(&house, review, body), 201, "\"audiences\":[\"b\"]}"));
    CHECK(says(ask_api(&house, review, "{\"spec\":{\"token\":\"x\"}}"), 201,
               "\"error\":\"[invalid bearer token, "));
    CHECK(says(ask_api(&house, review, "{\"spec\":{}}"), 400,
               "token is required for TokenReview in authentication"));
    CHECK(says(ask_api(&house, "GET /openid/v1/jwks", ""), 200, "\"alg\":\"ES256\""));
    CHECK(says(ask_api(&house, "GET /.well-known/openid-configuration", ""), 200,
               "\"jwks_uri\":\"https://t/openid/v1/jwks\""));
    house_end(&house);
}
