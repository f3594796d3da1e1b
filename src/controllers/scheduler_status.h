/* scheduler_status.h - what the scheduler writes about pods. */
#pragma once

#include "control/controller.h"
#include "controllers/scheduler_plan.h"

/* The condition PodScheduled=False, if it does not say so already; `nominated` "": nowhere. */
int sched_write_waiting(struct reconcile *rc, struct json *pod, const char *reason, str_t message,
                        str_t nominated, struct err *err);
/* Sends the pod there. */
int sched_write_binding(struct reconcile *rc, const struct json *pod, str_t node, struct err *err);
/* Marks the victim as one, and deletes it. */
int sched_write_victim(struct reconcile *rc, const struct sched_pod *victim, const struct json *pod,
                       str_t node, struct err *err);
void sched_say(struct reconcile *rc, const struct json *pod, bool warning, const char *reason,
               str_t message);
