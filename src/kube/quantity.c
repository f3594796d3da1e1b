/* quantity.c - digits, a point, a suffix; and back. */
#include "kube/quantity.h"

#include <string.h>

#define NANO ((__int128)1000000000)
#define VALUE_MAX (((__int128)1 << 62) * NANO) /* 2^62: Ei times two. */

enum { DIGITS_MAX = 36, PLACES_MAX = 18 };

static const struct suffix {
    const char *text;
    int power; /* Of ten, or of 1024 if binary. */
    bool binary;
} suffixes[] = {
    {"n", -9, false}, {"u", -6, false}, {"m", -3, false}, {"", 0, false},
    {"k", 3, false},  {"M", 6, false},  {"G", 9, false},  {"T", 12, false},
    {"P", 15, false}, {"E", 18, false}, {"Ki", 1, true},  {"Mi", 2, true},
    {"Gi", 3, true},  {"Ti", 4, true},  {"Pi", 5, true},  {"Ei", 6, true},
};

static const struct suffix *find_suffix(str_t text)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (str_eq(text, str_from_z(suffixes[i].text)))
            return &suffixes[i];
    return NULL;
}

static __int128 power(int base, int n)
{
    __int128 out = 1;
    while (n-- > 0)
        out *= base;
    return out;
}

/* "e3", "E-2": a power of ten. */
static bool read_exponent(str_t text, int *out)
{
    int64_t number;
    if (text.len < 2 || (text.at[0] != 'e' && text.at[0] != 'E'))
        return false;
    str_t digits = {text.at + 1, text.len - 1};
    if (digits.at[0] == '+')
        digits = (str_t){digits.at + 1, digits.len - 1};
    if (!str_to_i64(digits, &number) || number < -18 || number > 18)
        return false;
    *out = (int)number;
    return true;
}

/* digits * 10^(exponent - places), in nano; what is finer is rounded away from zero. */
static bool scaled(__int128 digits, int exponent, bool binary, int places, __int128 *out)
{
    __int128 value = digits;
    bool rest = false;
    for (; places > PLACES_MAX; places--) {
        rest = rest || value % 10 != 0;
        value /= 10;
    }
    int tens = 9 - places + (binary ? 0 : exponent);
    if (binary && __builtin_mul_overflow(value, power(1024, exponent), &value))
        return false;
    for (; tens > 0; tens--) {
        if (value > VALUE_MAX)
            return false;
        value *= 10;
    }
    for (; tens < 0; tens++) {
        rest = rest || value % 10 != 0;
        value /= 10;
    }
    *out = value + rest;
    return *out <= VALUE_MAX;
}

bool quantity_parse(str_t text, quantity_t *out)
{
    size_t i = 0, n = 0;
    int places = 0, exponent = 0;
    bool negative = false, point = false;
    __int128 digits = 0;
    if (text.len > 0 && (text.at[0] == '+' || text.at[0] == '-'))
        negative = text.at[i++] == '-';
    for (; i < text.len && ((text.at[i] >= '0' && text.at[i] <= '9') || text.at[i] == '.'); i++) {
        if (text.at[i] == '.') {
            if (point)
                return false;
            point = true;
            continue;
        }
        if (++n > DIGITS_MAX)
            return false;
        digits = digits * 10 + (text.at[i] - '0');
        places += point;
    }
    str_t tail = {text.at + i, text.len - i};
    const struct suffix *suffix = find_suffix(tail);
    if (n == 0 || (suffix == NULL && !read_exponent(tail, &exponent)))
        return false;
    bool binary = suffix != NULL && suffix->binary;
    __int128 nano;
    if (!scaled(digits, suffix != NULL ? suffix->power : exponent, binary, places, &nano))
        return false;
    *out = (quantity_t){negative ? -nano : nano, binary};
    return true;
}

static str_t with_suffix(__int128 whole, bool negative, const char *suffix, struct arena *arena)
{
    char digits[DIGITS_MAX + 4];
    size_t at = sizeof(digits);
    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + (int)(whole % 10));
        whole /= 10;
    } while (whole > 0);
    return arena_printf(arena, "%s%s%s", negative ? "-" : "", digits + at, suffix);
}

str_t quantity_text(quantity_t q, struct arena *arena)
{
    bool negative = q.nano < 0;
    __int128 value = negative ? -q.nano : q.nano;
    if (value == 0)
        return STR("0");
    /* From the largest down; the binary way only for whole numbers of 1024 and more. */
    for (size_t i = ARRAY_LEN(suffixes); i-- > 0;) {
        const struct suffix *s = &suffixes[i];
        if (s->binary != (q.binary && value % NANO == 0 && value >= 1024 * NANO) &&
            !(s->power == 0 && q.binary))
            continue;
        __int128 unit = s->binary      ? power(1024, s->power) * NANO
                        : s->power < 0 ? power(10, 9 + s->power)
                                       : power(10, s->power) * NANO;
        if (value % unit == 0)
            return with_suffix(value / unit, negative, s->text, arena);
    }
    return with_suffix(value, negative, "n", arena);
}

quantity_t quantity_of(int64_t whole)
{
    return (quantity_t){whole * NANO, false};
}

quantity_t quantity_add(quantity_t a, quantity_t b)
{
    return (quantity_t){a.nano + b.nano, a.nano == 0 ? b.binary : a.binary};
}

quantity_t quantity_subtract(quantity_t a, quantity_t b)
{
    return (quantity_t){a.nano - b.nano, a.nano == 0 ? b.binary : a.binary};
}

int quantity_cmp(quantity_t a, quantity_t b)
{
    return (a.nano > b.nano) - (a.nano < b.nano);
}
