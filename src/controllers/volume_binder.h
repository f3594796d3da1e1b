/* volume_binder.h - what the halves of the binder share: claims, volumes, and what both know. */
#pragma once

#include "control/cache.h"
#include "control/recorder.h"
#include "control/writer.h"
#include "controllers/volume_known.h"
#include "kinds/kinds.h"

/* volume_claim.c: one claim, a step nearer to a volume. */
int volume_claim_reconcile(struct reconcile *rc, struct err *err);
/* volume_provision.c: a volume is made for the claim, or it is said why not. */
struct provision {
    struct json *claim;
    const struct claim_facts *facts;
    struct waiting_claim *waiting;
};
int volume_provision_for(struct reconcile *rc, const struct provision *p, struct err *err);
/* An Event about the claim, unless the last one said the same. */
void volume_tell(struct reconcile *rc, const struct provision *p, bool warning, const char *reason,
                 str_t message);
/* NULL: there is none of that name. */
const struct json *volume_class(struct reconcile *rc, str_t name);
