/* customresourcedefinition_table.c - the fields of CustomResourceDefinition. */
#include "kinds/columns.h"
#include "kinds/tables.h"

/* clang-format off */
static const struct field custom_resource_conversion_fields[] = {
    {"strategy", FIELD_STRING, .required = true, .doc = "None: versions have the same fields."},
    {"webhook", FIELD_RAW, .doc = "Who converts; not supported."},
    {0},
};
static const struct schema custom_resource_conversion_schema = {
    "apiextensions.v1.CustomResourceConversion", custom_resource_conversion_fields};

static const struct field custom_resource_definition_names_fields[] = {
    {"categories", FIELD_LIST, .item = FIELD_STRING,
     .doc = "Words that get it together with others, as all."},
    {"kind", FIELD_STRING, .required = true, .doc = "Kind of the object."},
    {"listKind", FIELD_STRING, .doc = "Kind of its lists."},
    {"plural", FIELD_STRING, .required = true, .doc = "Name in paths."},
    {"shortNames", FIELD_LIST, .item = FIELD_STRING, .doc = "Short names for the command line."},
    {"singular", FIELD_STRING, .doc = "Name of one."},
    {0},
};
static const struct schema custom_resource_definition_names_schema = {
    "apiextensions.v1.CustomResourceDefinitionNames", custom_resource_definition_names_fields};

static const struct field custom_resource_column_definition_fields[] = {
    {"description", FIELD_STRING, .doc = "What it is for."},
    {"format", FIELD_STRING, .doc = "How the value is written: date, int64 ..."},
    {"jsonPath", FIELD_STRING, .required = true, .doc = "Where the value is."},
    {"name", FIELD_STRING, .required = true, .doc = "Name."},
    {"priority", FIELD_INT, .doc = "0: always shown; more: with -o wide."},
    {"type", FIELD_STRING, .required = true, .doc = "What type it is."},
    {0},
};
static const struct schema custom_resource_column_definition_schema = {
    "apiextensions.v1.CustomResourceColumnDefinition", custom_resource_column_definition_fields};

static const struct field custom_resource_validation_fields[] = {
    {"openAPIV3Schema", FIELD_RAW, .doc = "A structural schema."},
    {0},
};
static const struct schema custom_resource_validation_schema = {
    "apiextensions.v1.CustomResourceValidation", custom_resource_validation_fields};

static const struct field selectable_field_fields[] = {
    {"jsonPath", FIELD_STRING, .required = true, .doc = "Where the value is."},
    {0},
};
static const struct schema selectable_field_schema = {
    "apiextensions.v1.SelectableField", selectable_field_fields};

static const struct field custom_resource_subresource_scale_fields[] = {
    {"labelSelectorPath", FIELD_STRING, .doc = "Where the selector stands, as text."},
    {"specReplicasPath", FIELD_STRING, .required = true, .doc = "Where the wanted number stands."},
    {"statusReplicasPath", FIELD_STRING, .required = true,
     .doc = "Where the present number stands."},
    {0},
};
static const struct schema custom_resource_subresource_scale_schema = {
    "apiextensions.v1.CustomResourceSubresourceScale", custom_resource_subresource_scale_fields};

static const struct field custom_resource_subresources_fields[] = {
    {"scale", FIELD_OBJECT, .of = &custom_resource_subresource_scale_schema,
     .doc = "Served at /scale."},
    {"status", FIELD_RAW, .doc = "What is."},
    {0},
};
static const struct schema custom_resource_subresources_schema = {
    "apiextensions.v1.CustomResourceSubresources", custom_resource_subresources_fields};

static const struct field custom_resource_definition_version_fields[] = {
    {"additionalPrinterColumns", FIELD_LIST, .of = &custom_resource_column_definition_schema,
     .doc = "What kubectl get shows."},
    {"deprecated", FIELD_BOOL, .doc = "Whether users are warned."},
    {"deprecationWarning", FIELD_STRING, .doc = "What they are told."},
    {"name", FIELD_STRING, .required = true, .doc = "Name."},
    {"schema", FIELD_OBJECT, .of = &custom_resource_validation_schema,
     .doc = "What its objects look like."},
    {"selectableFields", FIELD_LIST, .of = &selectable_field_schema,
     .doc = "Fields that field selectors may name."},
    {"served", FIELD_BOOL, .required = true, .doc = "Whether it is served."},
    {"storage", FIELD_BOOL, .required = true, .doc = "Whether objects are stored as this version."},
    {"subresources", FIELD_OBJECT, .of = &custom_resource_subresources_schema,
     .doc = "What is served behind its objects."},
    {0},
};
static const struct schema custom_resource_definition_version_schema = {
    "apiextensions.v1.CustomResourceDefinitionVersion", custom_resource_definition_version_fields};

static const struct field custom_resource_definition_spec_fields[] = {
    {"conversion", FIELD_OBJECT, .of = &custom_resource_conversion_schema,
     .doc = "How versions become each other."},
    {"group", FIELD_STRING, .required = true, .doc = "Group of the resource."},
    {"names", FIELD_OBJECT, .of = &custom_resource_definition_names_schema, .required = true,
     .doc = "What it is called."},
    {"preserveUnknownFields", FIELD_BOOL,
     .doc = "Must be false: what to keep is said in the schema."},
    {"scope", FIELD_STRING, .required = true, .doc = "Namespaced or Cluster."},
    {"versions", FIELD_LIST, .of = &custom_resource_definition_version_schema, .required = true,
     .doc = "The versions that are served."},
    {0},
};
static const struct schema custom_resource_definition_spec_schema = {
    "apiextensions.v1.CustomResourceDefinitionSpec", custom_resource_definition_spec_fields};

static const struct field custom_resource_definition_condition_fields[] = {
    {"lastTransitionTime", FIELD_TIME, .doc = "When status last changed."},
    {"message", FIELD_STRING, .doc = "A sentence why."},
    {"reason", FIELD_STRING, .doc = "Why."},
    {"status", FIELD_STRING, .required = true, .doc = "What is."},
    {"type", FIELD_STRING, .required = true, .doc = "What type it is."},
    {0},
};
static const struct schema custom_resource_definition_condition_schema = {
    "apiextensions.v1.CustomResourceDefinitionCondition",
     custom_resource_definition_condition_fields};

static const struct field custom_resource_definition_status_fields[] = {
    {"acceptedNames", FIELD_OBJECT, .of = &custom_resource_definition_names_schema,
     .doc = "The names in use."},
    {"conditions", FIELD_LIST, .of = &custom_resource_definition_condition_schema,
     .list_keys = "type",
     .doc = "What is known about it."},
    {"storedVersions", FIELD_LIST, .item = FIELD_STRING,
     .doc = "Versions that objects were ever stored as."},
    {0},
};
static const struct schema custom_resource_definition_status_schema = {
    "apiextensions.v1.CustomResourceDefinitionStatus", custom_resource_definition_status_fields};

static const struct field custom_resource_definition_fields[] = {
    META_ROWS,
    {"spec", FIELD_OBJECT, .of = &custom_resource_definition_spec_schema, .required = true,
     .doc = "What is wanted."},
    {"status", FIELD_OBJECT, .of = &custom_resource_definition_status_schema, .doc = "What is."},
    {0},
};
const struct schema custom_resource_definition_schema = {
    "apiextensions.v1.CustomResourceDefinition", custom_resource_definition_fields};

/* clang-format on */
