/* masquerade.c - one transaction by libnftables: the table as it is to be, in place of what was. */
#include "podnet/masquerade.h"

#include "base/buf.h"

#include <nftables/libnftables.h>
#include <string.h>

static void table_name(const char *bridge, struct buf *out)
{
    if (strcmp(bridge, "davy0") == 0)
        buf_printf(out, "davy");
    else
        buf_printf(out, "davy_%s", bridge);
}

static int run(const char *text, const char *what, struct err *err)
{
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (nft == NULL)
        return err_set(err, ERR_INTERNAL, "%s: libnftables does not start", what);
    (void)nft_ctx_buffer_error(nft);
    (void)nft_ctx_buffer_output(nft);
    int r = nft_run_cmd_from_buffer(nft, text);
    if (r != 0) {
        const char *why = nft_ctx_get_error_buffer(nft);
        int n = (int)strcspn(why, "\n");
        r = err_set(err, ERR_IO, "%s: %.*s", what, n, why);
    }
    nft_ctx_free(nft);
    return r;
}

int masquerade_set(const char *bridge, struct cidr pods, struct err *err)
{
    AUTO(buf_done) struct buf name = {0}, text = {0};
    char range[CIDR_TEXT_MAX];
    (void)cidr_text(cidr_base(pods), range);
    table_name(bridge, &name);
    buf_add_char(&name, '\0');
    const char *table = name.at;
    buf_printf(&text, "table ip %s {}\ndelete table ip %s\ntable ip %s {\n", table, table, table);
    buf_printf(&text, "chain postrouting {\ntype nat hook postrouting priority 100;\n");
    buf_printf(&text, "ip saddr %s ip daddr != %s oifname != \"%s\" masquerade\n", range, range,
               bridge);
    /* A pod that asks a Service and is sent to itself: the answer must come back this way. */
    buf_printf(&text, "ct status dnat iifname \"%s\" oifname \"%s\" masquerade\n}\n", bridge,
               bridge);
    buf_printf(&text, "chain forward {\ntype filter hook forward priority -10;\n");
    buf_printf(&text, "iifname \"%s\" accept\noifname \"%s\" accept\n}\n}\n", bridge, bridge);
    buf_add_char(&text, '\0');
    return run(text.at, "set rules of nftables", err);
}

int masquerade_remove(const char *bridge, struct err *err)
{
    AUTO(buf_done) struct buf name = {0}, text = {0};
    table_name(bridge, &name);
    buf_add_char(&name, '\0');
    buf_printf(&text, "table ip %s {}\ndelete table ip %s\n", name.at, name.at);
    buf_add_char(&text, '\0');
    return run(text.at, "remove rules of nftables", err);
}
