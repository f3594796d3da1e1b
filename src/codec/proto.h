/*
 * proto.h - the protobuf wire format, field by field, without copying.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum proto_type { PROTO_VARINT = 0, PROTO_I64 = 1, PROTO_LEN = 2, PROTO_I32 = 5 };

struct proto_reader {
    str_t rest;
};

struct proto_field {
    uint32_t number;
    enum proto_type type;
    uint64_t value; /* VARINT, I64, I32 */
    str_t bytes;    /* LEN */
};

/* 1: a field; 0: the end; ERR_INVALID: cut short, group, or field number 0. */
int proto_next(struct proto_reader *reader, struct proto_field *field, struct err *err);

void proto_put_varint(struct buf *out, uint32_t number, uint64_t value);
void proto_put_bytes(struct buf *out, uint32_t number, str_t bytes);
