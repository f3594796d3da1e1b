/* base64.c - three bytes to four characters and back. */
#include "codec/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static str_t encode(str_t bytes, const char *alphabet, bool pad, struct arena *arena)
{
    char *to = arena_bytes(arena, bytes.len / 3 * 4 + 5);
    size_t n = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t word = 0;
        for (size_t j = 0; j < 3; j++)
            word = word << 8 | (j < left ? (unsigned char)bytes.at[i + j] : 0);
        for (size_t j = 0; j < 4; j++) {
            if (j <= left)
                to[n++] = alphabet[word >> (18 - 6 * j) & 63];
            else if (pad)
                to[n++] = '=';
        }
    }
    return (str_t){to, n};
}

static int value_of(char c, const char *alphabet)
{
    for (int i = 0; i < 64; i++)
        if (alphabet[i] == c)
            return i;
    return -1;
}

/* `tables` has the value + 1 of each character. */
static void table_of(const char *alphabet, unsigned char *table)
{
    for (int c = 0; c < 256; c++)
        table[c] = (unsigned char)(c == 0 ? 0 : value_of((char)c, alphabet) + 1);
}

static int bad(size_t at, struct err *err)
{
    return err_set(err, ERR_INVALID, "illegal base64 data at input byte %zu", at);
}

static int decode(str_t text, const char *alphabet, bool pad, struct arena *arena, str_t *bytes,
                  struct err *err)
{
    unsigned char table[256];
    table_of(alphabet, table);
    char *to = arena_bytes(arena, text.len / 4 * 3 + 4);
    size_t n = 0, i = 0;
    uint32_t word = 0;
    unsigned have = 0;
    for (; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\n' || c == '\r') /* As Go does. */
            continue;
        if (c == '=')
            break;
        unsigned char value = table[(unsigned char)c];
        if (value == 0)
            return bad(i, err);
        word = word << 6 | (value - 1u);
        if (++have < 4)
            continue;
        to[n++] = (char)(word >> 16);
        to[n++] = (char)(word >> 8);
        to[n++] = (char)word;
        have = 0;
        word = 0;
    }
    size_t padding = 0;
    for (size_t j = i; j < text.len; j++) {
        if (text.at[j] == '=')
            padding++;
        else if (text.at[j] != '\n' && text.at[j] != '\r')
            return bad(j, err);
    }
    if (have == 1 || padding != (pad && have > 0 ? 4 - have : 0))
        return bad(i, err);
    if (have >= 2)
        to[n++] = (char)(word >> (have == 2 ? 4 : 10));
    if (have == 3)
        to[n++] = (char)(word >> 2);
    *bytes = (str_t){to, n};
    return 0;
}

str_t base64_encode(str_t bytes, struct arena *arena)
{
    return encode(bytes, standard, true, arena);
}

str_t base64url_encode(str_t bytes, struct arena *arena)
{
    return encode(bytes, url, false, arena);
}

int base64_decode(str_t text, struct arena *arena, str_t *bytes, struct err *err)
{
    return decode(text, standard, true, arena, bytes, err);
}

int base64url_decode(str_t text, struct arena *arena, str_t *bytes, struct err *err)
{
    return decode(text, url, false, arena, bytes, err);
}
