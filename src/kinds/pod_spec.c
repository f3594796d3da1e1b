/* pod_spec.c - rules of a PodSpec that need more than one field. */
#include "kinds/pod_spec.h"

#include "base/map.h"
#include "kinds/affinity.h"
#include "kinds/container.h"
#include "kinds/security.h"
#include "kinds/volume.h"

#include <string.h>

enum { GRACE_DEFAULT_S = 30 };

/* What resolv.conf can hold. */
enum { DNS_SERVERS_MAX = 3, DNS_SEARCHES_MAX = 32, DNS_SEARCH_BYTES_MAX = 2048 };

const char *const restart_always[] = {"Always", NULL};
const char *const restart_never_ever[] = {"OnFailure", "Never", NULL};

/* --- defaults --- */

static const char *const container_lists[] = {"initContainers", "containers",
                                              "ephemeralContainers"};

/* On the node's network every port is the node's port. */
static void host_ports(struct json *container, struct arena *arena)
{
    JSON_EACH(json_get(container, STR("ports")), port)
    {
        const struct json *number = json_get(port, STR("containerPort"));
        if (json_get(port, STR("hostPort")) == NULL && number != NULL)
            json_add(port, STR("hostPort"), json_clone(number, arena));
    }
}

void pod_spec_defaults(struct json *spec, struct arena *arena)
{
    bool host = json_is_true(json_get(spec, STR("hostNetwork")));
    for (size_t i = 0; i < ARRAY_LEN(container_lists); i++)
        JSON_EACH(json_get(spec, str_from_z(container_lists[i])), container)
        {
            container_defaults(container, arena);
            if (host)
                host_ports(container, arena);
        }
    /* Two names of one thing. */
    const struct json *account = json_get(spec, STR("serviceAccountName"));
    const struct json *old = json_get(spec, STR("serviceAccount"));
    if (account != NULL && old == NULL)
        json_add(spec, STR("serviceAccount"), json_clone(account, arena));
    else if (old != NULL)
        json_set(spec, STR("serviceAccountName"),
                 json_clone(account != NULL ? account : old, arena));
}

/* --- the pod --- */

static void check_toleration(const struct json *toleration, const struct place *at,
                             struct field_errors *errors)
{
    str_t key = json_get_text(toleration, STR("key")),
          op = json_get_text(toleration, STR("operator")),
          value = json_get_text(toleration, STR("value"));
    if (key.len > 0)
        check_key(key, place_text(IN(at, "key"), errors->arena), errors);
    else if (!str_eq(op, STR("Exists")))
        rule_error(errors, FIELD_INVALID, IN(at, "operator"),
                   "Invalid value: \"" STR_F "\": operator must be Exists when `key` is empty, "
                   "which means \"match all values and all keys\"",
                   STR_A(op));
    if (str_eq(op, STR("Exists")) && value.len > 0)
        rule_error(errors, FIELD_INVALID, IN(at, "operator"),
                   "Invalid value: \"Exists\": value must be empty when `operator` is 'Exists'");
    if (json_get(toleration, STR("tolerationSeconds")) != NULL &&
        !str_eq(json_get_text(toleration, STR("effect")), STR("NoExecute")))
        rule_error(errors, FIELD_INVALID, IN(at, "effect"),
                   "Invalid value: \"" STR_F "\": effect must be 'NoExecute' when "
                   "`tolerationSeconds` is set",
                   STR_A(json_get_text(toleration, STR("effect"))));
}

static void check_host_aliases(const struct json *spec, const struct place *at,
                               struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(spec, STR("hostAliases")), alias)
    {
        str_t ip = json_get_text(alias, STR("ip"));
        if (!is_ip(ip))
            rule_error(errors, FIELD_INVALID, IN(ITEM(at, "hostAliases", i), "ip"),
                       "Invalid value: \"" STR_F
                       "\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                       STR_A(ip));
        long n = 0;
        JSON_EACH(json_get(alias, STR("hostnames")), name)
        {
            const struct place *here = ITEM(ITEM(at, "hostAliases", i), "hostnames", n++);
            check_name(NAME_SUBDOMAIN, json_text(name, STR("")), place_text(here, errors->arena),
                       errors);
        }
        i++;
    }
}

static void check_dns(const struct json *spec, const struct place *at, struct field_errors *errors)
{
    const struct json *servers = json_at(spec, "dnsConfig.nameservers");
    if (str_eq(json_get_text(spec, STR("dnsPolicy")), STR("None")) && json_count(servers) == 0)
        rule_error(errors, FIELD_REQUIRED, IN(IN(at, "dnsConfig"), "nameservers"),
                   "Required value: must provide at least one DNS nameserver when `dnsPolicy` is "
                   "None");
    long i = 0;
    JSON_EACH(servers, server)
    {
        if (!is_ip(json_text(server, STR(""))))
            rule_error(errors, FIELD_INVALID, ITEM(IN(at, "dnsConfig"), "nameservers", i),
                       "Invalid value: \"" STR_F
                       "\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                       STR_A(json_text(server, STR(""))));
        i++;
    }
}

/* []string{"a", "b"}, as Go prints a list. */
static str_t go_list(const struct json *list, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add(&out, STR("[]string{"));
    JSON_EACH(list, item)
    buf_printf(&out, "%s\"" STR_F "\"", item == list->first ? "" : ", ",
               STR_A(json_text(item, STR(""))));
    buf_add_char(&out, '}');
    return arena_str(arena, buf_str(&out));
}

static void check_dns_lists(const struct json *config, const struct place *at,
                            struct field_errors *errors)
{
    const struct json *servers = json_get(config, STR("nameservers"));
    const struct json *searches = json_get(config, STR("searches"));
    size_t bytes = 0;
    long i = 0;
    if (json_count(servers) > DNS_SERVERS_MAX)
        rule_error(errors, FIELD_INVALID, IN(at, "nameservers"),
                   "Invalid value: " STR_F ": must not have more than %d nameservers",
                   STR_A(go_list(servers, errors->arena)), DNS_SERVERS_MAX);
    if (json_count(searches) > DNS_SEARCHES_MAX)
        rule_error(errors, FIELD_INVALID, IN(at, "searches"),
                   "Invalid value: " STR_F ": must not have more than %d search paths",
                   STR_A(go_list(searches, errors->arena)), DNS_SEARCHES_MAX);
    JSON_EACH(searches, search)
    {
        str_t name = json_text(search, STR(""));
        bytes += name.len + (search != searches->first);
        if (name.len > 0 && name.at[name.len - 1] == '.')
            name.len--; /* The root may be written out. */
        check_name(NAME_SUBDOMAIN, name, place_text(ITEM(at, "searches", i++), errors->arena),
                   errors);
    }
    if (bytes > DNS_SEARCH_BYTES_MAX)
        rule_error(errors, FIELD_INVALID, IN(at, "searches"),
                   "Invalid value: " STR_F ": must not have more than %d characters (including "
                   "spaces) in the search list",
                   STR_A(go_list(searches, errors->arena)), DNS_SEARCH_BYTES_MAX);
    i = 0;
    JSON_EACH(json_get(config, STR("options")), option)
    {
        const struct place *here = ITEM(at, "options", i++);
        if (json_get_text(option, STR("name")).len == 0)
            rule_error(errors, FIELD_REQUIRED, here, "Required value: must not be empty");
    }
}

/* Two containers cannot have the same port of the node. */
static void check_host_ports(const struct json *containers, const struct place *at,
                             struct field_errors *errors)
{
    AUTO(map_done) struct map seen = {0};
    long c = 0;
    JSON_EACH(containers, container)
    {
        const struct place *here = ITEM(at, "containers", c++);
        long p = 0;
        JSON_EACH(json_get(container, STR("ports")), port)
        {
            const struct json *outside = json_get(port, STR("hostPort"));
            const struct place *there = ITEM(here, "ports", p++);
            if (outside == NULL || str_eq(outside->text, STR("0")))
                continue;
            str_t protocol = json_get_text(port, STR("protocol"));
            str_t ip = json_get_text(port, STR("hostIP"));
            str_t key = arena_printf(errors->arena, STR_F "/" STR_F "/" STR_F, STR_A(protocol),
                                     STR_A(ip), STR_A(outside->text));
            if (map_find(&seen, key) == NULL)
                map_add(&seen, key, arena_new(errors->arena, struct map_node));
            else
                rule_error(errors, FIELD_DUPLICATE, IN(there, "hostPort"),
                           "Duplicate value: \"" STR_F "\"", STR_A(key));
        }
    }
}

/* An overhead is checked as if it were limits, and named so. */
static void check_overhead(const struct json *overhead, const struct place *at,
                           struct field_errors *errors)
{
    if (overhead == NULL)
        return;
    struct json *resources = json_object(errors->arena);
    json_add(resources, STR("limits"), json_clone(overhead, errors->arena));
    resources_check(resources, IN(at, "overhead"), errors);
}

static void check_names(const struct json *spec, const struct place *at,
                        struct field_errors *errors)
{
    rule_name(NAME_SUBDOMAIN, json_get_text(spec, STR("serviceAccountName")), false,
              IN(at, "serviceAccountName"), errors);
    rule_name(NAME_SUBDOMAIN, json_get_text(spec, STR("nodeName")), false, IN(at, "nodeName"),
              errors);
    rule_name(NAME_LABEL, json_get_text(spec, STR("hostname")), false, IN(at, "hostname"), errors);
    rule_name(NAME_LABEL, json_get_text(spec, STR("subdomain")), false, IN(at, "subdomain"),
              errors);
    rule_name(NAME_SUBDOMAIN, json_get_text(spec, STR("priorityClassName")), false,
              IN(at, "priorityClassName"), errors);
    rule_name(NAME_SUBDOMAIN, json_get_text(spec, STR("runtimeClassName")), false,
              IN(at, "runtimeClassName"), errors);
    const struct json *selector = json_get(spec, STR("nodeSelector"));
    if (selector != NULL)
        check_labels(selector, place_text(IN(at, "nodeSelector"), errors->arena), errors);
}

/* Names of all containers, of whatever list, are one set. */
static void check_container_names(const struct json *spec, const struct place *at,
                                  struct field_errors *errors)
{
    AUTO(map_done) struct map seen = {0};
    for (size_t l = 0; l < ARRAY_LEN(container_lists); l++) {
        long i = 0;
        JSON_EACH(json_get(spec, str_from_z(container_lists[l])), container)
        {
            str_t name = json_get_text(container, STR("name"));
            long item = i++;
            if (name.len == 0)
                continue;
            if (map_find(&seen, name) != NULL)
                rule_error(errors, FIELD_DUPLICATE, IN(ITEM(at, container_lists[l], item), "name"),
                           "Duplicate value: \"" STR_F "\"", STR_A(name));
            else
                map_add(&seen, name, arena_new(errors->arena, struct map_node));
        }
    }
}

static void check_containers(const struct json *spec, const struct place *at,
                             struct field_errors *errors)
{
    AUTO(map_done) struct map volumes = {0}, claimed = {0};
    int64_t grace_s = GRACE_DEFAULT_S;
    JSON_EACH(json_get(spec, STR("volumes")), volume)
    {
        str_t name = json_get_text(volume, STR("name"));
        if (map_find(&volumes, name) == NULL)
            map_add(&volumes, name, arena_new(errors->arena, struct map_node));
        bool claims = json_get(volume, STR("persistentVolumeClaim")) != NULL ||
                      json_get(volume, STR("ephemeral")) != NULL;
        if (claims && map_find(&claimed, name) == NULL)
            map_add(&claimed, name, arena_new(errors->arena, struct map_node));
    }
    bool host = json_is_true(json_get(spec, STR("hostNetwork")));
    (void)json_to_i64(json_get(spec, STR("terminationGracePeriodSeconds")), &grace_s);
    for (size_t l = 0; l < ARRAY_LEN(container_lists); l++) {
        long i = 0;
        JSON_EACH(json_get(spec, str_from_z(container_lists[l])), container)
        {
            struct container_rules rules = {.init = l == 0,
                                            .host_network = host,
                                            .grace_s = grace_s,
                                            .volumes = &volumes,
                                            .claimed = &claimed};
            container_check(container, &rules, ITEM(at, container_lists[l], i), errors);
            i++;
        }
    }
    check_container_names(spec, at, errors);
}

/* Kubernetes without the gate DynamicResourceAllocation forgets them without a word. */
static void check_claims(const struct json *spec, const struct place *at,
                         struct field_errors *errors)
{
    static const char why[] = "Forbidden: resource claims are not supported";
    if (json_count(json_get(spec, STR("resourceClaims"))) > 0)
        rule_error(errors, FIELD_FORBIDDEN, IN(at, "resourceClaims"), why);
    for (size_t l = 0; l < ARRAY_LEN(container_lists); l++) {
        long i = 0;
        JSON_EACH(json_get(spec, str_from_z(container_lists[l])), container)
        {
            const struct place *here = IN(ITEM(at, container_lists[l], i++), "resources");
            if (json_count(json_at(container, "resources.claims")) > 0)
                rule_error(errors, FIELD_FORBIDDEN, IN(here, "claims"), why);
        }
    }
}

void pod_spec_check(const struct json *spec, const struct place *at, struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(spec, STR("volumes")), volume)
    volume_check(volume, ITEM(at, "volumes", i++), errors);
    rule_unique(json_get(spec, STR("volumes")), "name", at, "volumes", errors);
    check_containers(spec, at, errors);
    check_claims(spec, at, errors);
    i = 0;
    JSON_EACH(json_get(spec, STR("tolerations")), toleration)
    check_toleration(toleration, ITEM(at, "tolerations", i++), errors);
    check_names(spec, at, errors);
    check_host_aliases(spec, at, errors);
    check_dns(spec, at, errors);
    const struct json *dns = json_get(spec, STR("dnsConfig"));
    if (dns != NULL)
        check_dns_lists(dns, IN(at, "dnsConfig"), errors);
    check_host_ports(json_get(spec, STR("containers")), at, errors);
    check_overhead(json_get(spec, STR("overhead")), at, errors);
    pod_security_check(spec, at, errors);
    placement_check(spec, at, errors);
}

static void check_restart_policy(const struct json *spec, const struct place *at,
                                 const char *const *allowed, struct field_errors *errors)
{
    AUTO(buf_done) struct buf known = {0};
    str_t policy = json_get_text(spec, STR("restartPolicy"));
    for (const char *const *word = allowed; *word != NULL; word++) {
        if (str_eq(policy, str_from_z(*word)))
            return;
        buf_printf(&known, "%s\"%s\"", known.len > 0 ? ", " : "", *word);
    }
    if (allowed == restart_never_ever && str_eq(policy, STR("Always")))
        rule_error(errors, FIELD_REQUIRED, IN(at, "restartPolicy"),
                   "Required value: valid values: " STR_F, STR_A(buf_str(&known)));
    else
        rule_error(errors, FIELD_NOT_SUPPORTED, IN(at, "restartPolicy"),
                   "Unsupported value: \"" STR_F "\": supported values: " STR_F, STR_A(policy),
                   STR_A(buf_str(&known)));
}

static str_t go_map(const struct json *map, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    buf_add(&out, STR("map[string]string{"));
    JSON_EACH(map, pair)
    buf_printf(&out, "%s\"" STR_F "\":\"" STR_F "\"", pair == map->first ? "" : ", ",
               STR_A(pair->key), STR_A(json_text(pair, STR(""))));
    buf_add_char(&out, '}');
    return arena_str(arena, buf_str(&out));
}

void pod_template_check(const struct json *template, const struct json *selector,
                        const struct place *at, const char *const *restart_policies,
                        struct field_errors *errors)
{
    const struct json *labels = json_at(template, "metadata.labels");
    const struct json *spec = json_get(template, STR("spec"));
    if (selector != NULL && !selects(selector, labels))
        rule_error(errors, FIELD_INVALID, IN(IN(at, "metadata"), "labels"),
                   "Invalid value: " STR_F ": `selector` does not match template `labels`",
                   STR_A(go_map(labels, errors->arena)));
    if (labels != NULL)
        check_labels(labels, place_text(IN(IN(at, "metadata"), "labels"), errors->arena), errors);
    pod_spec_check(spec, IN(at, "spec"), errors);
    check_restart_policy(spec, IN(at, "spec"), restart_policies, errors);
    if (json_count(json_get(spec, STR("ephemeralContainers"))) > 0)
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(at, "spec"), "ephemeralContainers"),
                   "Forbidden: ephemeral containers not allowed in pod template");
    if (json_get(spec, STR("activeDeadlineSeconds")) != NULL && restart_policies == restart_always)
        rule_error(errors, FIELD_FORBIDDEN, IN(IN(at, "spec"), "activeDeadlineSeconds"),
                   "Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported");
}

/* --- columns --- */

static str_t joined(const struct json *spec, str_t member, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    JSON_EACH(json_get(spec, STR("containers")), container)
    buf_printf(&out, "%s" STR_F, out.len > 0 ? "," : "", STR_A(json_get_text(container, member)));
    return arena_str(arena, buf_str(&out));
}

str_t containers_column(const struct json *spec, struct arena *arena)
{
    return joined(spec, STR("name"), arena);
}

str_t images_column(const struct json *spec, struct arena *arena)
{
    return joined(spec, STR("image"), arena);
}
