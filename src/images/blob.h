/*
 * blob.h - files by the SHA-256 of their bytes: DIR/blobs/sha256/DIGITS. What is there is whole
 * and was checked when it was written. Blocks; any thread.
 */
#pragma once

#include "images/reference.h"

struct blob_writer {
    int fd; /* -1: not open. */
    void *hash;
    uint64_t bytes;
    char path[512]; /* In DIR/tmp, until blob_end(). */
};

int blob_begin(const char *dir, struct blob_writer *writer, struct err *err);
int blob_add(struct blob_writer *writer, const void *bytes, size_t n, struct err *err);
/* Synced and in its place. ERR_INVALID if it is another than `wanted` ("" : any). */
int blob_end(const char *dir, struct blob_writer *writer, str_t wanted, char digest[DIGEST_BYTES],
             struct err *err);
void blob_drop(struct blob_writer *writer); /* Harmless after blob_end(). */

int blob_put(const char *dir, str_t bytes, char digest[DIGEST_BYTES], struct err *err);
/* ERR_NOT_FOUND names it. */
int blob_open(const char *dir, str_t digest, int *fd, uint64_t *bytes, struct err *err);
int blob_read(const char *dir, str_t digest, struct arena *arena, str_t *text, struct err *err);
bool blob_is_there(const char *dir, str_t digest);
int blob_remove(const char *dir, str_t digest, struct err *err); /* What is not there is fine. */
