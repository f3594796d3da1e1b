/* serviceaccount.c - ServiceAccount: who a pod is when it asks the API server. */
#include "kinds/columns.h"
#include "kinds/kinds.h"
#include "kinds/tables.h"

static str_t column_secrets(const struct json *object, msec_t wall_ms, struct arena *arena)
{
    (void)wall_ms;
    return column_count(json_count(json_get(object, STR("secrets"))), arena);
}

/* clang-format off */
static const struct column service_account_columns[] = {
    COLUMN_NAME,
    {"Secrets", "string", "", "How many Secrets its pods may use.", 0, column_secrets},
    COLUMN_AGE,
    {0},
};

static const char *const create_verb[] = {"create", NULL};
static const struct subresource service_account_subresources[] = {
    {"token", &kind_tokenrequest, create_verb}, {0}};

const struct kind kind_serviceaccount = {
    .group = "", .version = "v1", .name = "ServiceAccount", .plural = "serviceaccounts",
    .singular = "serviceaccount", .shortcuts = (const char *const[]){"sa", NULL},
    .namespaced = true, .schema = &service_account_schema, .columns = service_account_columns,
    .subresources = service_account_subresources,
};
/* clang-format on */
