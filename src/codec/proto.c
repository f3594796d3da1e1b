/* proto.c - one field at a time; groups, which nobody sends, are refused. */
#include "codec/proto.h"

static bool varint(str_t *rest, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < rest->len; i++) {
        unsigned char byte = (unsigned char)rest->at[i];
        if (i == 9 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *rest = (str_t){rest->at + i + 1, rest->len - i - 1};
            *out = value;
            return true;
        }
    }
    return false;
}

static bool fixed(str_t *rest, unsigned bytes, uint64_t *out)
{
    if (rest->len < bytes)
        return false;
    *out = 0;
    for (unsigned i = 0; i < bytes; i++)
        *out |= (uint64_t)(unsigned char)rest->at[i] << (8 * i);
    *rest = (str_t){rest->at + bytes, rest->len - bytes};
    return true;
}

int proto_next(struct proto_reader *reader, struct proto_field *field, struct err *err)
{
    if (reader->rest.len == 0)
        return 0;
    uint64_t tag;
    if (!varint(&reader->rest, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
        return err_set(err, ERR_INVALID, "proto: illegal tag");
    *field =
        (struct proto_field){.number = (uint32_t)(tag >> 3), .type = (enum proto_type)(tag & 7)};
    bool ok = false;
    switch (field->type) {
    case PROTO_VARINT:
        ok = varint(&reader->rest, &field->value);
        break;
    case PROTO_I64:
        ok = fixed(&reader->rest, 8, &field->value);
        break;
    case PROTO_I32:
        ok = fixed(&reader->rest, 4, &field->value);
        break;
    case PROTO_LEN:
        ok = varint(&reader->rest, &field->value) && field->value <= reader->rest.len;
        if (!ok)
            break;
        field->bytes = (str_t){reader->rest.at, (size_t)field->value};
        reader->rest =
            (str_t){reader->rest.at + field->value, reader->rest.len - (size_t)field->value};
        break;
    }
    return ok ? 1 : err_set(err, ERR_INVALID, "proto: field %u is cut short", field->number);
}

static void put_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_add_char(out, (char)(value | 0x80));
    buf_add_char(out, (char)value);
}

void proto_put_varint(struct buf *out, uint32_t number, uint64_t value)
{
    put_varint(out, (uint64_t)number << 3 | PROTO_VARINT);
    put_varint(out, value);
}

void proto_put_bytes(struct buf *out, uint32_t number, str_t bytes)
{
    put_varint(out, (uint64_t)number << 3 | PROTO_LEN);
    put_varint(out, bytes.len);
    buf_add(out, bytes);
}
