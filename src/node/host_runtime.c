/* host_runtime.c - containers of pods are made, watched and ended by the runtime. */
#include "node/host_priv.h"

static struct runtime *runtime_of(void *self)
{
    return ((struct host *)self)->settings.runtime;
}

static void create(void *self, struct runtime_call *call, const struct container_spec *spec,
                   void (*done)(struct runtime_call *call))
{
    runtime_create(runtime_of(self), call, spec, done);
}

static void start(void *self, struct runtime_call *call, str_t id,
                  void (*done)(struct runtime_call *call))
{
    runtime_start(runtime_of(self), call, id, done);
}

static void remove_container(void *self, struct runtime_call *call, str_t id,
                             void (*done)(struct runtime_call *call))
{
    runtime_delete(runtime_of(self), call, id, done);
}

static int send_signal(void *self, str_t id, int signal, struct err *err)
{
    return runtime_signal(runtime_of(self), id, signal, err);
}

static void run(void *self, struct runtime_run *run, str_t id, const struct exec_spec *exec,
                msec_t limit_ms, void (*done)(struct runtime_run *run))
{
    runtime_run(runtime_of(self), run, id, exec, limit_ms, done);
}

static void run_cancel(void *self, struct runtime_run *run)
{
    (void)self;
    runtime_run_cancel(run);
}

void host_runtime_fill(struct host *host)
{
    host->ops.create = create;
    host->ops.start = start;
    host->ops.remove = remove_container;
    host->ops.signal = send_signal;
    host->ops.run = run;
    host->ops.run_cancel = run_cancel;
}
