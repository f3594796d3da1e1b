/* api_review.c - kinds that are questions: which function answers which. */
#include "api/api_priv.h"
#include "api/authz.h"
#include "api/review.h"

static const struct {
    const struct kind *kind;
    review_fn *answer; /* The object's status. NULL: it has answered the call itself. */
} questions[] = {
    {&kind_tokenreview, review_token},
    {&kind_selfsubjectreview, review_self_subject},
    {&kind_selfsubjectaccessreview, review_self_access},
    {&kind_subjectaccessreview, review_access},
    {&kind_localsubjectaccessreview, review_access},
    {&kind_selfsubjectrulesreview, review_self_rules},
};

static review_fn *answer_of(const struct kind *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        if (questions[i].kind == kind)
            return questions[i].answer;
    return NULL;
}

static int check(struct call *call, const struct json *object)
{
    struct field_errors *errors = arena_new(call->arena, struct field_errors);
    errors->arena = call->arena;
    schema_check(call->kind->schema, object, errors);
    if (call->kind->check != NULL)
        call->kind->check(object, NULL, errors);
    if (errors->n == 0)
        return 0;
    answer_invalid(call, STR(""), errors);
    return -1;
}

bool review_answer(struct call *call, struct json *object)
{
    struct arena *arena = call->arena;
    review_fn *answer = answer_of(call->kind);
    if (!call->kind->only_create)
        return false;
    if (answer == NULL) { /* Or it would be stored. */
        answer_plain(call, 405, "MethodNotAllowed", "%s is not supported", call->kind->plural);
        return true;
    }
    struct json *meta = json_get(object, STR("metadata"));
    if (meta == NULL || meta->type != JSON_OBJECT)
        json_set(object, STR("metadata"), meta = json_object(arena));
    if (call->kind->namespaced)
        json_set(meta, STR("namespace"), json_string(arena, call->ns));
    (void)json_remove(object, STR("status")); /* The answer is ours. */
    if (check(call, object) < 0)
        return true;
    struct json *status = answer(call, object);
    if (status == NULL)
        return true;
    struct json *out = json_object(arena), *spec = json_get(object, STR("spec"));
    json_add(out, STR("kind"), json_string(arena, str_from_z(call->kind->name)));
    json_add(out, STR("apiVersion"), json_string(arena, kind_api_version(call->kind, arena)));
    json_add(out, STR("metadata"), json_clone(meta, arena));
    if (spec != NULL)
        json_add(out, STR("spec"), json_clone(spec, arena));
    json_add(out, STR("status"), status);
    answer_json(call, 201, out);
    return true;
}
