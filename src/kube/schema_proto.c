/*
 * schema_proto.c - the protobuf bodies of client-go, by a kind's table.
 *
 * Numbers are those of Kubernetes' generated.proto. Maps are repeated entries {1: key, 2: value}.
 * client-go writes fields that are empty; they are left out here as Go's `omitempty` leaves them
 * out of JSON, so both forms of one object become the same text.
 */
#include "codec/base64.h"
#include "codec/proto.h"
#include "kube/meta.h"

#include <math.h>
#include <string.h>

struct reader {
    struct arena *arena;
    struct err *err;
};

static int message(const struct reader *reader, const struct schema *schema, str_t bytes,
                   struct json *object, unsigned depth);

/* `within`: the number of the message we are in that JSON does not show, else 0. */
static const struct field *by_number(const struct schema *schema, uint32_t number, int within)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++)
        if (field->proto == (int)number && field->proto_in == within)
            return field;
    return NULL;
}

static bool holds_inline(const struct schema *schema, uint32_t number)
{
    for (const struct field *field = schema->fields; field->name != NULL; field++)
        if (field->proto_in == (int)number)
            return number > 0;
    return false;
}

/* Reads the numbered plain fields of a small message: {1: ..., 2: ...}. */
static int small(const struct reader *reader, str_t bytes, struct proto_field *one,
                 struct proto_field *two, struct proto_field *three)
{
    struct proto_reader proto = {bytes};
    struct proto_field field;
    int r;
    *one = *two = *three = (struct proto_field){0};
    while ((r = proto_next(&proto, &field, reader->err)) == 1) {
        if (field.number >= 1 && field.number <= 3)
            *(field.number == 1 ? one : field.number == 2 ? two : three) = field;
    }
    return r;
}

static int times(const struct reader *reader, bool micro, str_t bytes, struct json **out)
{
    struct proto_field seconds, nanos, ignored;
    int r = small(reader, bytes, &seconds, &nanos, &ignored);
    if (r < 0)
        return r;
    int64_t s = (int64_t)seconds.value;
    if (s < -62135596800 || s > 253402300799)
        return err_set(reader->err, ERR_INVALID, "a time is out of range");
    if (s == -62135596800 || (s == 0 && bytes.len == 0))
        return 0; /* Go's zero time is no time. */
    msec_t ms = s * 1000 + (micro ? (int64_t)(nanos.value % 1000000000) / 1000000 : 0);
    *out = json_string(reader->arena,
                       micro ? micro_time_text(ms, reader->arena) : time_text(ms, reader->arena));
    return 0;
}

static int int_or_string(const struct reader *reader, str_t bytes, struct json **out)
{
    struct proto_field type, number, text;
    int r = small(reader, bytes, &type, &number, &text);
    if (r < 0)
        return r;
    *out = type.value == 1 ? json_string(reader->arena, text.bytes)
                           : json_int(reader->arena, (int32_t)number.value);
    return 0;
}

static int raw(const struct reader *reader, str_t bytes, struct json **out)
{
    struct proto_field text, ignored, unused;
    int r = small(reader, bytes, &text, &ignored, &unused);
    if (r < 0 || text.bytes.len == 0)
        return r;
    return json_parse(text.bytes, reader->arena, out, reader->err);
}

static bool wire_fits(enum field_type type, enum proto_type wire)
{
    bool number = type == FIELD_INT || type == FIELD_LONG || type == FIELD_BOOL;
    return wire == (number ? PROTO_VARINT : type == FIELD_NUMBER ? PROTO_I64 : PROTO_LEN);
}

/* *out stays NULL for what JSON would leave out. */
static int plain(const struct reader *reader, enum field_type type, const struct proto_field *field,
                 bool keep_empty, struct json **out)
{
    struct arena *arena = reader->arena;
    *out = NULL;
    if (!wire_fits(type, field->type))
        return err_set(reader->err, ERR_INVALID, "proto: wrong wire type for field %u",
                       field->number);
    bool empty = field->type == PROTO_VARINT ? field->value == 0 : field->bytes.len == 0;
    switch (type) {
    case FIELD_INT:
        *out = empty && !keep_empty ? NULL : json_int(arena, (int32_t)field->value);
        return 0;
    case FIELD_LONG:
        *out = empty && !keep_empty ? NULL : json_int(arena, (int64_t)field->value);
        return 0;
    case FIELD_BOOL:
        *out = empty && !keep_empty ? NULL : json_bool(arena, field->value != 0);
        return 0;
    case FIELD_NUMBER: {
        double number;
        memcpy(&number, &field->value, sizeof(number));
        if (!isfinite(number))
            return err_set(reader->err, ERR_INVALID, "proto: field %u is not a finite number",
                           field->number);
        *out = json_string(arena, arena_printf(arena, "%.17g", number));
        (*out)->type = JSON_NUMBER;
        return 0;
    }
    case FIELD_STRING:
        *out = empty && !keep_empty ? NULL : json_string(arena, field->bytes);
        return 0;
    case FIELD_BYTES:
        *out = json_string(arena, base64_encode(field->bytes, arena));
        return 0;
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
        return times(reader, type == FIELD_MICRO_TIME, field->bytes, out);
    case FIELD_QUANTITY: {
        struct proto_field text, ignored, unused;
        int r = small(reader, field->bytes, &text, &ignored, &unused);
        *out = r < 0 ? NULL : json_string(arena, text.bytes);
        return r;
    }
    case FIELD_INT_OR_STRING:
        return int_or_string(reader, field->bytes, out);
    case FIELD_RAW:
        return raw(reader, field->bytes, out);
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_MAP:
        return err_set(reader->err, ERR_INTERNAL, "not a plain field");
    }
    return 0;
}

static int object_of(const struct reader *reader, const struct schema *schema, str_t bytes,
                     struct json **out, unsigned depth)
{
    *out = json_object(reader->arena);
    return message(reader, schema, bytes, *out, depth + 1);
}

static int map_entry(const struct reader *reader, const struct field *field, str_t bytes,
                     struct json *map, unsigned depth)
{
    struct proto_field key, value, ignored;
    int r = small(reader, bytes, &key, &value, &ignored);
    if (r < 0)
        return r;
    struct json *json = NULL;
    if (field->of != NULL) {
        r = object_of(reader, field->of, value.bytes, &json, depth);
    } else {
        if (value.number == 0)
            value.type = PROTO_LEN; /* An empty value is not written. */
        r = plain(reader, field->item, &value, true, &json);
    }
    if (r == 0 && json != NULL)
        json_add(map, key.bytes, json); /* Its doubles are dropped at the end. */
    return r;
}

static struct json *member(struct json *object, str_t name, bool list, struct arena *arena)
{
    struct json *there = json_get(object, name);
    if (there == NULL) {
        there = list ? json_array(arena) : json_object(arena);
        json_add(object, name, there);
    }
    return there;
}

static int one_field(const struct reader *reader, const struct field *field,
                     const struct proto_field *proto, struct json *object, unsigned depth)
{
    str_t name = str_from_z(field->name);
    struct json *json = NULL;
    int r;
    bool nested =
        field->type == FIELD_OBJECT || field->type == FIELD_LIST || field->type == FIELD_MAP;
    if (nested && proto->type != PROTO_LEN && (field->of != NULL || field->type == FIELD_MAP))
        return err_set(reader->err, ERR_INVALID, "proto: wrong wire type for field %u",
                       proto->number);
    if (field->type == FIELD_MAP)
        return map_entry(reader, field, proto->bytes, member(object, name, false, reader->arena),
                         depth);
    if (field->type == FIELD_LIST) {
        r = field->of != NULL ? object_of(reader, field->of, proto->bytes, &json, depth)
                              : plain(reader, field->item, proto, true, &json);
        if (r == 0 && json != NULL)
            json_add(member(object, name, true, reader->arena), STR(""), json);
        return r;
    }
    if (field->type == FIELD_OBJECT) {
        r = object_of(reader, field->of, proto->bytes, &json, depth);
        if (r == 0)
            json_set(object, name, json);
        return r;
    }
    r = plain(reader, field->type, proto, field->pointer, &json);
    if (r == 0 && json != NULL)
        json_set(object, name, json);
    return r;
}

static int members(const struct reader *reader, const struct schema *schema, str_t bytes,
                   struct json *object, unsigned depth, int within)
{
    if (depth > SCHEMA_DEPTH_MAX)
        return err_set(reader->err, ERR_INVALID, "the object is nested too deeply");
    MUST(schema != NULL); /* Every object row names its table. */
    struct proto_reader proto = {bytes};
    struct proto_field field;
    int r;
    while ((r = proto_next(&proto, &field, reader->err)) == 1) {
        const struct field *row = by_number(schema, field.number, within);
        if (row != NULL)
            r = one_field(reader, row, &field, object, depth);
        else if (within == 0 && field.type == PROTO_LEN && holds_inline(schema, field.number))
            r = members(reader, schema, field.bytes, object, depth + 1, (int)field.number);
        if (r < 0)
            return r;
    }
    return r;
}

static int message(const struct reader *reader, const struct schema *schema, str_t bytes,
                   struct json *object, unsigned depth)
{
    MUST(schema != NULL);
    int r = members(reader, schema, bytes, object, depth, 0);
    for (const struct field *row = schema->fields; r == 0 && row->name != NULL; row++) {
        struct json *map = row->type == FIELD_MAP ? json_get(object, str_from_z(row->name)) : NULL;
        if (map != NULL)
            (void)json_drop_duplicates(map, reader->arena);
    }
    return r;
}

int schema_from_protobuf(const struct schema *schema, str_t bytes, struct arena *arena,
                         struct json **out, struct err *err)
{
    struct reader reader = {arena, err};
    struct json *object = json_object(arena);
    int r = message(&reader, schema, bytes, object, 0);
    if (r == 0)
        *out = object;
    return r;
}
