/* net_files.c - kubelet's texts, to the blank. */
#include "node/net_files.h"

#include "base/map.h"

enum { WORDS_MAX = 64 };

#define DOMAIN "cluster.local"

static void add_aliases(const struct json *pod, struct buf *out)
{
    const struct json *aliases = json_at(pod, "spec.hostAliases");
    if (json_count(aliases) == 0)
        return;
    buf_printf(out, "\n# Entries added by HostAliases.\n");
    JSON_EACH(aliases, alias)
    {
        buf_printf(out, STR_F, STR_A(json_get_text(alias, STR("ip"))));
        JSON_EACH(json_get(alias, STR("hostnames")), name)
        buf_printf(out, "\t" STR_F, STR_A(json_text(name, STR(""))));
        buf_add_char(out, '\n');
    }
}

str_t net_hosts(const struct net_names *names, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    str_t subdomain = json_text(json_at(names->pod, "spec.subdomain"), STR(""));
    str_t ns = json_text(json_at(names->pod, "metadata.namespace"), STR(""));
    if (names->ip.len == 0) {
        buf_printf(&out, "# Kubernetes-managed hosts file (host network).\n");
        buf_add(&out, names->host_hosts);
        add_aliases(names->pod, &out);
        return arena_str(arena, buf_str(&out));
    }
    buf_printf(&out, "# Kubernetes-managed hosts file.\n"
                     "127.0.0.1\tlocalhost\n"
                     "::1\tlocalhost ip6-localhost ip6-loopback\n"
                     "fe00::0\tip6-localnet\n"
                     "fe00::0\tip6-mcastprefix\n"
                     "fe00::1\tip6-allnodes\n"
                     "fe00::2\tip6-allrouters\n");
    if (subdomain.len > 0)
        buf_printf(&out, STR_F "\t" STR_F "." STR_F "." STR_F ".svc." DOMAIN "\t" STR_F "\n",
                   STR_A(names->ip), STR_A(names->hostname), STR_A(subdomain), STR_A(ns),
                   STR_A(names->hostname));
    else
        buf_printf(&out, STR_F "\t" STR_F "\n", STR_A(names->ip), STR_A(names->hostname));
    add_aliases(names->pod, &out);
    return arena_str(arena, buf_str(&out));
}

/* --- resolv.conf --- */

struct words { /* Each once, in order. */
    str_t at[WORDS_MAX];
    size_t n;
};

struct resolv {
    struct words servers, searches, options;
};

static void add_word(struct words *words, str_t word)
{
    for (size_t i = 0; i < words->n; i++)
        if (str_eq(words->at[i], word))
            return;
    if (word.len > 0 && words->n < WORDS_MAX)
        words->at[words->n++] = word;
}

static void add_words(struct words *words, str_t text)
{
    str_t word, rest = text;
    for (bool more = true; more;) {
        for (size_t i = 0; i < rest.len; i++) /* Tabs are blanks too. */
            if (rest.at[i] == '\t') {
                str_t left = {rest.at, i}, right = {rest.at + i + 1, rest.len - i - 1};
                add_words(words, left);
                add_words(words, right);
                return;
            }
        more = str_cut(rest, ' ', &word, &rest);
        add_word(words, word);
    }
}

static bool after(str_t line, const char *key, str_t *rest)
{
    str_t name = str_from_z(key);
    if (!str_starts(line, name) || line.len == name.len ||
        (line.at[name.len] != ' ' && line.at[name.len] != '\t'))
        return false;
    *rest = (str_t){line.at + name.len + 1, line.len - name.len - 1};
    return true;
}

static void read_host(str_t text, struct resolv *out)
{
    str_t line, rest = text, words;
    for (bool more = true; more;) {
        more = str_cut(rest, '\n', &line, &rest);
        if (after(line, "nameserver", &words))
            add_words(&out->servers, words);
        else if (after(line, "options", &words))
            add_words(&out->options, words);
        else if (after(line, "search", &words) || after(line, "domain", &words)) {
            out->searches.n = 0; /* The last one counts. */
            add_words(&out->searches, words);
        }
    }
}

static bool same_option(str_t a, str_t b)
{
    str_t a_name, b_name, rest;
    str_cut(a, ':', &a_name, &rest);
    str_cut(b, ':', &b_name, &rest);
    return str_eq(a_name, b_name);
}

static void set_option(struct words *options, str_t option)
{
    for (size_t i = 0; i < options->n; i++)
        if (same_option(options->at[i], option)) {
            options->at[i] = option;
            return;
        }
    add_word(options, option);
}

static void add_config(const struct json *config, struct arena *arena, struct resolv *out)
{
    JSON_EACH(json_get(config, STR("nameservers")), server)
    add_word(&out->servers, json_text(server, STR("")));
    JSON_EACH(json_get(config, STR("searches")), search)
    add_word(&out->searches, json_text(search, STR("")));
    JSON_EACH(json_get(config, STR("options")), option)
    {
        str_t name = json_get_text(option, STR("name"));
        const struct json *value = json_get(option, STR("value"));
        set_option(&out->options, value == NULL ? name
                                                : arena_printf(arena, STR_F ":" STR_F, STR_A(name),
                                                               STR_A(json_text(value, STR("")))));
    }
}

/* The cluster's names first, then those of the machine. */
static void use_cluster(const struct net_names *names, struct arena *arena, struct resolv *out)
{
    struct words host = out->searches;
    str_t ns = json_text(json_at(names->pod, "metadata.namespace"), STR(""));
    out->searches.n = out->servers.n = out->options.n = 0;
    add_word(&out->searches, arena_printf(arena, STR_F ".svc." DOMAIN, STR_A(ns)));
    add_word(&out->searches, STR("svc." DOMAIN));
    add_word(&out->searches, STR(DOMAIN));
    for (size_t i = 0; i < host.n; i++)
        add_word(&out->searches, host.at[i]);
    add_word(&out->servers, names->dns);
    add_word(&out->options, STR("ndots:5"));
}

static void write_words(const char *key, const struct words *words, struct buf *out)
{
    if (words->n == 0)
        return;
    buf_printf(out, "%s", key);
    for (size_t i = 0; i < words->n; i++)
        buf_printf(out, " " STR_F, STR_A(words->at[i]));
    buf_add_char(out, '\n');
}

str_t net_resolv(const struct net_names *names, struct arena *arena)
{
    AUTO(buf_done) struct buf out = {0};
    struct resolv resolv = {0};
    str_t policy = json_text(json_at(names->pod, "spec.dnsPolicy"), STR("ClusterFirst"));
    bool cluster = str_eq(policy, STR("ClusterFirstWithHostNet")) ||
                   (str_eq(policy, STR("ClusterFirst")) && names->ip.len > 0);
    if (!str_eq(policy, STR("None")))
        read_host(names->host_resolv, &resolv);
    if (cluster && names->dns.len > 0)
        use_cluster(names, arena, &resolv);
    add_config(json_at(names->pod, "spec.dnsConfig"), arena, &resolv);
    write_words("search", &resolv.searches, &out);
    for (size_t i = 0; i < resolv.servers.n; i++)
        buf_printf(&out, "nameserver " STR_F "\n", STR_A(resolv.servers.at[i]));
    write_words("options", &resolv.options, &out);
    return arena_str(arena, buf_str(&out));
}
