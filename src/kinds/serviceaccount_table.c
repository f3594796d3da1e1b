/* serviceaccount_table.c - the fields of ServiceAccount (v1). */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field service_account_fields[] = {
    META_ROWS,
    {"automountServiceAccountToken", FIELD_BOOL, 4,
     .doc = "Whether pods get a token without asking for one."},
    {"imagePullSecrets", FIELD_LIST, 3, .of = &local_object_reference_schema,
     .doc = "Secrets for the registries of its pods' images."},
    {"secrets", FIELD_LIST, 2, .of = &object_reference_schema, .merge_key = "name",
     .list_keys = "name",
     .doc = "Secrets its pods may use."},
    {0},
};
const struct schema service_account_schema = {
    "core.v1.ServiceAccount", service_account_fields, "Who a pod is when it asks the API server."};

/* clang-format on */
