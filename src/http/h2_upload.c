/* h2_upload.c - an array of pieces, emptied from the front. */
#include "http/h2_upload.h"

#include <stdlib.h>
#include <string.h>

static void piece_release(const struct http_bytes *piece)
{
    if (piece->release != NULL)
        piece->release(piece->owner);
}

void upload_done(struct h2_upload *upload)
{
    while (upload->at < upload->n)
        piece_release(&upload->pieces[upload->at++]);
    free(upload->pieces);
    *upload = (struct h2_upload){0};
}

/* What has been taken makes room; else there is more. */
static void make_room(struct h2_upload *upload)
{
    if (upload->at > upload->n / 2) {
        upload->n -= upload->at;
        memmove(upload->pieces, upload->pieces + upload->at, upload->n * sizeof(*upload->pieces));
        upload->at = 0;
        return;
    }
    upload->cap = upload->cap == 0 ? 4 : upload->cap * 2;
    upload->pieces = reallocarray(upload->pieces, upload->cap, sizeof(*upload->pieces));
    MUST(upload->pieces != NULL);
}

void upload_add(struct h2_upload *upload, struct http_bytes piece)
{
    if (upload->n == upload->cap)
        make_room(upload);
    upload->pieces[upload->n++] = piece;
    upload->bytes += piece.bytes.len;
}

size_t upload_take(struct h2_upload *upload, char *to, size_t n)
{
    size_t all = 0;
    while (all < n && upload->at < upload->n) {
        const struct http_bytes *piece = &upload->pieces[upload->at];
        size_t left = piece->bytes.len - upload->sent, part = left < n - all ? left : n - all;
        memcpy(to + all, piece->bytes.at + upload->sent, part);
        all += part;
        upload->sent += part;
        if (part < left)
            break;
        piece_release(piece);
        upload->sent = 0;
        upload->at++;
    }
    if (upload->at == upload->n)
        upload->at = upload->n = 0;
    upload->bytes -= all;
    return all;
}
