/* json_write.c - a tree to text: compact, or indented for people. */
#include "base/json.h"

#include <string.h>

static bool plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static void write_escape(unsigned char c, struct buf *out)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *hit = c == 0 ? NULL : memchr(from, c, sizeof(from) - 1);
    if (hit != NULL) {
        buf_add_char(out, '\\');
        buf_add_char(out, to[hit - from]);
    } else {
        buf_printf(out, "\\u%04x", c);
    }
}

void json_write_string(str_t text, struct buf *out)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len && plain((unsigned char)text.at[i]))
            i++;
        buf_add(out, (str_t){text.at + from, i - from});
        if (i < text.len)
            write_escape((unsigned char)text.at[i++], out);
    }
    buf_add_char(out, '"');
}

static void new_line(struct buf *out, int indent)
{
    if (indent < 0)
        return;
    buf_add_char(out, '\n');
    for (int i = 0; i < indent; i++)
        buf_add(out, STR("  "));
}

/* `indent` is the depth, or negative for no white space at all. */
static void write_node(const struct json *json, int indent, struct buf *out)
{
    switch (json->type) {
    case JSON_NULL:
        buf_add(out, STR("null"));
        return;
    case JSON_BOOL:
        buf_add(out, json->boolean ? STR("true") : STR("false"));
        return;
    case JSON_NUMBER:
        buf_add(out, json->text);
        return;
    case JSON_STRING:
        json_write_string(json->text, out);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    bool object = json->type == JSON_OBJECT;
    int inner = indent < 0 ? -1 : indent + 1;
    buf_add_char(out, object ? '{' : '[');
    for (const struct json *child = json->first; child != NULL; child = child->next) {
        if (child != json->first)
            buf_add_char(out, ',');
        new_line(out, inner);
        if (object) {
            json_write_string(child->key, out);
            buf_add(out, indent < 0 ? STR(":") : STR(": "));
        }
        write_node(child, inner, out);
    }
    if (json->first != NULL)
        new_line(out, indent);
    buf_add_char(out, object ? '}' : ']');
}

void json_write(const struct json *json, struct buf *out)
{
    write_node(json, -1, out);
}

void json_write_pretty(const struct json *json, struct buf *out)
{
    write_node(json, 0, out);
}
