/*
 * json_reader.h - a JSON document as a row of items, for those who need a few of its members only.
 *
 *     {"a":[1,2]}  ->  OPEN object, OPEN array (key a), VALUE 1, VALUE 2, CLOSE, CLOSE, END
 *
 * It holds nothing but its place in the text and a byte for each open container.
 */
#pragma once

#include "base/json.h"

enum json_event { JSON_VALUE, JSON_OPEN, JSON_CLOSE, JSON_END };

struct json_item {
    enum json_event event;
    enum json_type type; /* Of VALUE and OPEN. */
    bool boolean;
    str_t key;  /* Of VALUE and OPEN inside an object. */
    str_t text; /* A string's decoded bytes, or a number as it was written. */
};

struct json_reader { /* Start with .at, .start, .end, .arena and .err set: json_reader_of(). */
    const char *at, *start, *end;
    struct arena *arena; /* For strings with escapes. */
    struct err *err;
    unsigned depth;
    bool begun;
    bool behind_member; /* A comma or the end must come. */
    unsigned char open[JSON_DEPTH_MAX];
};

static inline void json_reader_init(struct json_reader *reader, str_t text, struct arena *arena,
                                    struct err *err)
{
    reader->at = reader->start = text.at;
    reader->end = text.at + text.len;
    reader->arena = arena;
    reader->err = err;
    reader->depth = 0;
    reader->begun = reader->behind_member = false;
}

/* 0, or ERR_INVALID as json_parse() says it; do not go on after an error or END. */
int json_next(struct json_reader *p, struct json_item *item);
/* The rest of the container that was opened last and is not closed, with its CLOSE. */
int json_skip(struct json_reader *p);
/* The tree of the value that `item`, just read, begins; the reader stands behind it. */
int json_build(struct json_reader *reader, struct json_item *item, struct arena *arena,
               struct json **out);
