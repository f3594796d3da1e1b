/* env.c - a container's environment: names, and where values come from. */
#include "kinds/container.h"
#include "kinds/volume.h"

#include <string.h>

enum { CONFIG_KEY_MAX = 253 };

static void check_env_name(str_t name, const struct place *at, struct field_errors *errors)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] < 0x20 || name.at[i] > 0x7e || name.at[i] == '=') {
            rule_error(errors, FIELD_INVALID, at,
                       "Invalid value: \"" STR_F
                       "\": a valid environment variable name must consist only of printable "
                       "ASCII characters other than '='",
                       STR_A(name));
            return;
        }
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static void check_key_ref(const struct json *ref, const struct place *at,
                          struct field_errors *errors)
{
    str_t key = json_get_text(ref, STR("key"));
    bool fits = true;
    rule_name(NAME_SUBDOMAIN, json_get_text(ref, STR("name")), false, IN(at, "name"), errors);
    for (size_t i = 0; i < key.len; i++)
        fits = fits && is_key_char(key.at[i]);
    if (key.len > CONFIG_KEY_MAX)
        rule_error(errors, FIELD_INVALID, IN(at, "key"),
                   "Invalid value: \"" STR_F "\": must be no more than 253 characters", STR_A(key));
    if (!fits)
        rule_error(errors, FIELD_INVALID, IN(at, "key"),
                   "Invalid value: \"" STR_F
                   "\": a valid config key must consist of alphanumeric characters, '-', '_' or "
                   "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for "
                   "validation is '[-._a-zA-Z0-9]+')",
                   STR_A(key));
}

static void check_value_from(const struct json *from, bool value, const struct place *at,
                             struct field_errors *errors)
{
    const struct json *field = json_get(from, STR("fieldRef"));
    const struct json *resource = json_get(from, STR("resourceFieldRef"));
    const struct json *config = json_get(from, STR("configMapKeyRef"));
    const struct json *secret = json_get(from, STR("secretKeyRef"));
    size_t sources = (field != NULL) + (resource != NULL) + (config != NULL) + (secret != NULL);
    if (field != NULL)
        field_ref_check(field, false, IN(at, "fieldRef"), errors);
    if (resource != NULL)
        resource_ref_check(resource, false, IN(at, "resourceFieldRef"), errors);
    if (config != NULL)
        check_key_ref(config, IN(at, "configMapKeyRef"), errors);
    if (secret != NULL)
        check_key_ref(secret, IN(at, "secretKeyRef"), errors);
    if (sources == 0)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, "
                   "`configMapKeyRef` or `secretKeyRef`");
    else if (value)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": may not be specified when `value` is not empty");
    else if (sources > 1)
        rule_error(errors, FIELD_INVALID, at,
                   "Invalid value: \"\": may not have more than one field specified at a time");
}

static void check_env_from(const struct json *source, const struct place *list, long i,
                           struct field_errors *errors)
{
    const struct place *at = ITEM(list, "envFrom", i);
    const struct json *config = json_get(source, STR("configMapRef"));
    const struct json *secret = json_get(source, STR("secretRef"));
    check_env_name(json_get_text(source, STR("prefix")), IN(at, "prefix"), errors);
    if (config != NULL)
        rule_name(NAME_SUBDOMAIN, json_get_text(config, STR("name")), true,
                  IN(IN(at, "configMapRef"), "name"), errors);
    if (secret != NULL)
        rule_name(NAME_SUBDOMAIN, json_get_text(secret, STR("name")), true,
                  IN(IN(at, "secretRef"), "name"), errors);
    if (config == NULL && secret == NULL) /* Kubernetes names the list here, not the item. */
        rule_error(errors, FIELD_INVALID, IN(list, "envFrom"),
                   "Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`");
    else if (config != NULL && secret != NULL)
        rule_error(errors, FIELD_INVALID, IN(list, "envFrom"),
                   "Invalid value: \"\": may not have more than one field specified at a time");
}

void env_check(const struct json *container, const struct place *at, struct field_errors *errors)
{
    long i = 0;
    JSON_EACH(json_get(container, STR("env")), variable)
    {
        const struct place *here = ITEM(at, "env", i++);
        const struct json *from = json_get(variable, STR("valueFrom"));
        check_env_name(json_get_text(variable, STR("name")), IN(here, "name"), errors);
        if (from != NULL)
            check_value_from(from, json_get_text(variable, STR("value")).len > 0,
                             IN(here, "valueFrom"), errors);
    }
    i = 0;
    JSON_EACH(json_get(container, STR("envFrom")), source)
    check_env_from(source, at, i++, errors);
}
