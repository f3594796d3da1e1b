/* nft.c - libnftables: nobody else includes it. */
#include "podnet/nft.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

/* The first line is the reason; what follows repeats the text. */
static str_t first_line(const char *z)
{
    str_t line = str_from_z(z == NULL ? "" : z), rest;
    (void)str_cut(line, '\n', &line, &rest);
    return line;
}

static bool kernel_lacks(str_t line)
{
    static const char *const signs[] = {"Operation not supported", "Protocol not supported",
                                        "No such file or directory", "Invalid argument"};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (memmem(line.at, line.len, signs[i], strlen(signs[i])) != NULL)
            return true;
    return false;
}

int nft_run(struct buf *text, struct err *err)
{
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (nft == NULL)
        return err_set(err, ERR_IO, "nftables cannot be used: %s", strerror(errno));
    nft_ctx_buffer_error(nft);
    nft_ctx_buffer_output(nft);
    buf_add_char(text, '\0');
    int r = nft_run_cmd_from_buffer(nft, text->at);
    text->len--;
    if (r != 0) {
        str_t line = first_line(nft_ctx_get_error_buffer(nft));
        const char *more = kernel_lacks(line) ? " (the kernel may lack nf_tables, nft_chain_nat, "
                                                "nft_masq, nft_numgen or nft_reject_ipv4)"
                                              : "";
        (void)err_set(err, ERR_IO, "nftables: " STR_F "%s", STR_A(line), more);
    }
    nft_ctx_free(nft);
    return r == 0 ? 0 : err->code;
}
