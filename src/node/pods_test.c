/*
 * pods_test.c - lives of pods on a machine that is made up: every step ends when the test says so,
 * well or badly.
 */
#include "node/pod.h"
#include "testkit/test.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, TURNS = 40 };

struct world {
    struct fake_clock clock;
    struct loop *loop;
    struct pods *pods;
    struct pod_host host;
    char dir[32];
    /* What was asked for. */
    int grounds, clears, gone, creates, starts, removes, signals, last_signal, mounts, unmounts,
        forgets;
    char created[CONTAINER_ID_MAX + 1];
    char label[128];
    char events[EVENTS_MAX][160];
    size_t n_events;
    char *status; /* The last that was reported. */
    /* What fails. */
    const char *image_error, *create_error, *start_error;
    bool config_missing;
    bool report_fails;
};

struct later { /* One answer on its way. */
    struct post post;
    struct step *step;
    struct runtime_call *call;
    struct runtime_run *run;
    int r;
    char text[160];
};

static void tell(struct post *post)
{
    struct later *later = CONTAINER_OF(post, struct later, post);
    if (later->step != NULL) {
        later->step->r = later->r;
        (void)snprintf(later->step->err.text, sizeof(later->step->err.text), "%s", later->text);
        later->step->done(later->step);
    } else if (later->call != NULL) {
        later->call->r = later->r;
        (void)snprintf(later->call->err.text, sizeof(later->call->err.text), "%s", later->text);
        later->call->done(later->call);
    } else {
        later->run->r = later->r;
        later->run->done(later->run);
    }
    free(later);
}

static struct later *answer(struct world *w, const char *error)
{
    struct later *later = calloc(1, sizeof(*later));
    MUST(later != NULL);
    later->post.run = tell;
    later->r = error == NULL ? 0 : ERR_IO;
    (void)snprintf(later->text, sizeof(later->text), "%s", error == NULL ? "" : error);
    loop_later(w->loop, &later->post);
    return later;
}

static void image(void *self, struct step *step, const struct image_want *want,
                  struct image_got *got)
{
    struct world *w = self;
    (void)want;
    *got = (struct image_got){.name = strdup("docker.io/library/x:1"),
                              .id = strdup("sha256:abc"),
                              .key = strdup("k"),
                              .config = strdup("{\"Cmd\":[\"/x\"],\"StopSignal\":\"SIGINT\"}")};
    answer(w, w->image_error)->step = step;
}

static void rootfs(void *self, struct step *step, str_t key, str_t path)
{
    struct world *w = self;
    char parent[64];
    (void)key;
    w->mounts++;
    (void)snprintf(parent, sizeof(parent), "%s/u/rootfs", w->dir);
    MUST(mkdir(parent, 0755) == 0 || errno == EEXIST);
    MUST(mkdir(path.at, 0755) == 0 || errno == EEXIST);
    answer(w, NULL)->step = step;
}

static void rootfs_gone(void *self, struct step *step, str_t path)
{
    struct world *w = self;
    (void)path;
    w->unmounts++;
    answer(w, NULL)->step = step;
}

static void ground(void *self, struct step *step, const struct json *pod, struct ground *out)
{
    struct world *w = self;
    char own[64];
    (void)pod;
    w->grounds++;
    (void)snprintf(own, sizeof(own), "%s/u", w->dir);
    MUST(mkdir(own, 0755) == 0 || errno == EEXIST);
    (void)snprintf(out->ip, sizeof(out->ip), "10.244.0.7");
    answer(w, NULL)->step = step;
}

static void clear(void *self, struct step *step, str_t uid)
{
    struct world *w = self;
    (void)uid;
    w->clears++;
    answer(w, NULL)->step = step;
}

static void gone(void *self, str_t ns, str_t name, str_t uid)
{
    struct world *w = self;
    (void)ns, (void)name, (void)uid;
    w->gone++;
}

static int mounts(void *self, const struct mounts_want *want, struct arena *arena,
                  struct mounts *out, struct err *err)
{
    (void)self, (void)want, (void)arena, (void)err;
    *out = (struct mounts){0};
    return 0;
}

static void configs(void *self, struct step *step, str_t uid, str_t ns,
                    const struct config_ref *refs, size_t n)
{
    struct world *w = self;
    (void)uid, (void)ns, (void)refs, (void)n;
    answer(w, NULL)->step = step;
}

static const struct json *config(void *self, bool secret, str_t ns, str_t name, struct arena *arena)
{
    struct world *w = self;
    (void)secret, (void)ns, (void)name;
    struct json *data = json_object(arena);
    return w->config_missing ? NULL : json_add(data, STR("k"), json_string(arena, STR("v")));
}

static void each_service(void *self, str_t ns, void (*each)(void *, const struct json *), void *to,
                         struct arena *arena)
{
    (void)self, (void)ns, (void)each, (void)to, (void)arena;
}

static void create(void *self, struct runtime_call *call, const struct container_spec *spec,
                   void (*done)(struct runtime_call *call))
{
    struct world *w = self;
    w->creates++;
    (void)snprintf(w->created, sizeof(w->created), STR_F, STR_A(spec->id));
    (void)snprintf(w->label, sizeof(w->label), STR_F, STR_A(spec->label));
    call->done = done;
    answer(w, w->create_error)->call = call;
}

static void start(void *self, struct runtime_call *call, str_t id,
                  void (*done)(struct runtime_call *call))
{
    struct world *w = self;
    (void)id;
    w->starts++;
    call->done = done;
    answer(w, w->start_error)->call = call;
}

static void remove_it(void *self, struct runtime_call *call, str_t id,
                      void (*done)(struct runtime_call *call))
{
    struct world *w = self;
    (void)id;
    w->removes++;
    call->done = done;
    answer(w, NULL)->call = call;
}

static int send(void *self, str_t id, int number, struct err *err)
{
    struct world *w = self;
    (void)id, (void)err;
    w->signals++;
    w->last_signal = number;
    return 0;
}

static void run(void *self, struct runtime_run *run, str_t id, const struct exec_spec *exec,
                msec_t limit_ms, void (*done)(struct runtime_run *run))
{
    struct world *w = self;
    (void)id, (void)exec, (void)limit_ms;
    run->done = done;
    run->code = 0;
    answer(w, NULL)->run = run;
}

static void run_cancel(void *self, struct runtime_run *run)
{
    (void)self, (void)run; /* Commands here end by themselves. */
}

static void report(void *self, struct step *step, const struct json *pod, const struct json *status)
{
    struct world *w = self;
    AUTO(buf_done) struct buf text = {0};
    (void)pod;
    json_write(status, &text);
    buf_add_char(&text, '\0');
    if (!w->report_fails) {
        free(w->status);
        w->status = strdup(text.at);
    }
    answer(w, w->report_fails ? "no route" : NULL)->step = step;
}

static void forget(void *self, struct step *step, str_t ns, str_t name, str_t uid)
{
    struct world *w = self;
    (void)ns, (void)name, (void)uid;
    w->forgets++;
    answer(w, NULL)->step = step;
}

static void event(void *self, const struct pod_event *event)
{
    struct world *w = self;
    if (w->n_events < EVENTS_MAX)
        (void)snprintf(w->events[w->n_events++], sizeof(w->events[0]), "%s " STR_F, event->reason,
                       STR_A(event->message));
}

static void quiet(const struct log *log, str_t line)
{
    (void)log, (void)line;
}

static void world_init(struct world *w)
{
    static const struct log log = {.write = quiet, .least = LOG_ERROR};
    struct err err;
    *w = (struct world){.dir = "/tmp/davy-pods-XXXXXX"};
    MUST(mkdtemp(w->dir) != NULL);
    fake_clock_init(&w->clock, 1767225600000);
    MUST(loop_new(&w->clock.clock, &w->loop, &err) == 0);
    w->host = (struct pod_host){.self = w,
                                .loop = w->loop,
                                .log = &log,
                                .pods_dir = w->dir,
                                .logs_dir = w->dir,
                                .seccomp_dir = "/s",
                                .memory_bytes = 1 << 30,
                                .cpu_millis = 2000,
                                .host_ip = "192.0.2.1",
                                .image = image,
                                .rootfs = rootfs,
                                .rootfs_gone = rootfs_gone,
                                .ground = ground,
                                .clear = clear,
                                .gone = gone,
                                .mounts = mounts,
                                .configs = configs,
                                .config = config,
                                .each_service = each_service,
                                .create = create,
                                .start = start,
                                .remove = remove_it,
                                .signal = send,
                                .run = run,
                                .run_cancel = run_cancel,
                                .report = report,
                                .forget = forget,
                                .event = event};
    w->pods = pods_new(&w->host);
}

static void turns(struct world *w)
{
    struct err err;
    for (int i = 0; i < TURNS; i++)
        MUST(loop_turn(w->loop, 0, &err) == 0);
}

static void after(struct world *w, msec_t ms)
{
    fake_clock_advance(&w->clock, ms);
    turns(w);
}

static void remove_tree(const char *path)
{
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        execlp("rm", "rm", "-rf", path, (char *)NULL);
        _exit(1);
    }
    MUST(waitpid(pid, NULL, 0) == pid);
}

static void world_done(struct world *w)
{
    pods_free(w->pods);
    turns(w); /* What was under way has its end now. */
    loop_free(w->loop);
    free(w->status);
    remove_tree(w->dir);
}

static str_t state(struct world *w, const char *path, struct arena *arena)
{
    struct json *json;
    struct err err;
    MUST(w->status != NULL && json_parse(str_from_z(w->status), arena, &json, &err) == 0);
    const struct json *row = json_first(json_get(json, STR("containerStatuses")));
    if (strncmp(path, "0.", 2) == 0)
        return json_text(json_at(row, path + 2), STR("<none>"));
    return json_text(json_at(json, path), STR("<none>"));
}

static bool said(const struct world *w, const char *event)
{
    for (size_t i = 0; i < w->n_events; i++)
        if (strcmp(w->events[i], event) == 0)
            return true;
    return false;
}

static void pod_set(struct world *w, const char *container, const char *meta, const char *spec)
{
    AUTO(arena_done) struct arena arena = {0};
    pods_set(w->pods, arena_printf(&arena,
                                   "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"uid\":\"u\""
                                   "%s},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"x:1\""
                                   "%s}]%s},\"status\":{\"qosClass\":\"BestEffort\"}}",
                                   meta, container, spec));
    turns(w);
}

static void exits(struct world *w, int code)
{
    struct container_exit exit = {.code = code, .started_at_ms = 1, .finished_at_ms = 2};
    pods_exited(w->pods, str_from_z(w->created), &exit);
    turns(w);
}

TEST(pods_run_and_end_when_deleted)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    pod_set(&w, "", "", "");
    CHECK_STR(state(&w, "phase", &arena), "Running");
    CHECK_STR(state(&w, "podIP", &arena), "10.244.0.7");
    CHECK_STR(state(&w, "0.image", &arena), "docker.io/library/x:1");
    CHECK(w.grounds == 1 && w.mounts == 1 && w.creates == 1 && w.starts == 1);
    CHECK(strcmp(w.label, "u/c/0") == 0);
    CHECK(said(&w, "Started Started container c"));

    pod_set(&w, "",
            ",\"deletionTimestamp\":\"2026-01-01T00:00:30Z\",\"deletionGracePeriodSeconds\":30",
            "");
    CHECK(w.signals == 1 && w.last_signal == SIGINT); /* Its image's own. */
    CHECK(w.clears == 0 && w.forgets == 0);
    after(&w, 29000);
    CHECK(w.signals == 1);
    after(&w, 1000);
    CHECK(w.signals == 2 && w.last_signal == SIGKILL);
    exits(&w, 137);
    CHECK(w.removes == 1 && w.unmounts == 1 && w.clears == 1 && w.forgets == 1);
    CHECK_STR(state(&w, "phase", &arena), "Failed");
    CHECK_INT(pods_count(w.pods), 0);
    CHECK_INT(w.gone, 1);
    world_done(&w);
}

#define DELETED ",\"deletionTimestamp\":\"2026-01-01T00:00:30Z\",\"deletionGracePeriodSeconds\":30"

TEST(pods_rest_before_they_end)
{
    static const char rests[] = ",\"lifecycle\":{\"preStop\":{\"sleep\":{\"seconds\":3}},"
                                "\"postStart\":{\"sleep\":{\"seconds\":2}}}";
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    pod_set(&w, rests, "", "");
    CHECK_STR(state(&w, "phase", &arena), "Pending");
    after(&w, 2000);
    CHECK_STR(state(&w, "phase", &arena), "Running");
    pod_set(&w, rests, DELETED, "");
    after(&w, 2000);
    CHECK(w.signals == 0);
    after(&w, 1000);
    CHECK(w.signals == 1 && w.last_signal == SIGINT);
    exits(&w, 0);
    CHECK_INT(pods_count(w.pods), 0);
    world_done(&w);
}

TEST(pods_that_end_while_they_rest)
{
    struct world w;
    world_init(&w);
    pod_set(&w, ",\"lifecycle\":{\"postStart\":{\"sleep\":{\"seconds\":20}}}", "", "");
    exits(&w, 1);
    CHECK_INT(w.creates, 2);
    world_done(&w);
}

TEST(pods_restart_with_backoff)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    pod_set(&w, "", "", "");
    exits(&w, 3); /* The first time at once. */
    CHECK_INT(w.creates, 2);
    CHECK(strcmp(w.label, "u/c/1") == 0);
    CHECK_STR(state(&w, "0.lastState.terminated.reason", &arena), "Error");
    exits(&w, 3);
    CHECK_INT(w.creates, 2);
    CHECK_STR(state(&w, "0.state.waiting.reason", &arena), "CrashLoopBackOff");
    CHECK_STR(state(&w, "0.state.waiting.message", &arena),
              "back-off 10s restarting failed container=c pod=p_n(u)");
    CHECK(said(&w, "BackOff Back-off restarting failed container c in pod p_n(u)"));
    after(&w, 9000);
    CHECK_INT(w.creates, 2);
    after(&w, 1000);
    CHECK_INT(w.creates, 3);
    CHECK_STR(state(&w, "0.state.waiting.reason", &arena), "<none>");
    world_done(&w);
}

TEST(pods_that_end_by_themselves)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    pod_set(&w, "", "", ",\"restartPolicy\":\"Never\"");
    exits(&w, 0);
    CHECK_STR(state(&w, "phase", &arena), "Succeeded");
    CHECK_STR(state(&w, "0.state.terminated.reason", &arena), "Completed");
    CHECK(w.creates == 1 && w.removes == 1 && w.clears == 1 && w.forgets == 0);
    CHECK_INT(pods_count(w.pods), 1); /* Until somebody deletes it. */
    pod_set(&w, "", ",\"deletionTimestamp\":\"2026-01-01T00:00:30Z\"",
            ",\"restartPolicy\":\"Never\"");
    CHECK(w.forgets == 1 && w.signals == 0);
    world_done(&w);
}

TEST(pods_without_their_image)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    w.image_error = "no such image";
    pod_set(&w, "", "", "");
    CHECK_STR(state(&w, "phase", &arena), "Pending");
    CHECK_STR(state(&w, "0.state.waiting.reason", &arena), "ErrImagePull");
    CHECK(said(&w, "Failed Failed to pull image \"x:1\": no such image"));
    after(&w, 5000);
    CHECK_STR(state(&w, "0.state.waiting.reason", &arena), "ImagePullBackOff");
    CHECK_STR(state(&w, "0.state.waiting.message", &arena),
              "Back-off pulling image \"x:1\": ErrImagePull: no such image");
    w.image_error = NULL;
    after(&w, 5000);
    CHECK_STR(state(&w, "phase", &arena), "Running");
    world_done(&w);
}

TEST(pods_that_cannot_be_made)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    const char *env = ",\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\","
                      "\"key\":\"k\"}}}]";
    world_init(&w);
    w.config_missing = true;
    pod_set(&w, env, "", "");
    CHECK_STR(state(&w, "0.state.waiting.reason", &arena), "CreateContainerConfigError");
    CHECK_STR(state(&w, "0.state.waiting.message", &arena), "secret \"s\" not found");
    w.config_missing = false;
    w.create_error = "no such program";
    after(&w, 10000);
    CHECK_STR(state(&w, "0.state.waiting.reason", &arena), "CreateContainerError");
    w.create_error = NULL;
    w.start_error = "no";
    after(&w, 20000);
    CHECK_STR(state(&w, "0.state.waiting.reason", &arena), "RunContainerError");
    w.start_error = NULL;
    after(&w, 40000);
    CHECK_STR(state(&w, "phase", &arena), "Running");
    world_done(&w);
}

TEST(pods_report_until_it_is_heard)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    w.report_fails = true;
    pod_set(&w, "", "", ",\"restartPolicy\":\"Never\"");
    exits(&w, 0);
    CHECK(w.removes == 0 && w.clears == 0); /* Nobody knows yet how it ended. */
    w.report_fails = false;
    after(&w, 1000);
    CHECK_STR(state(&w, "phase", &arena), "Succeeded");
    CHECK(w.removes == 1 && w.clears == 1);
    world_done(&w);
}

TEST(pods_adopt_what_runs_and_remove_what_nobody_wants)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    struct container_seen seen[] = {
        {.id = STR("a"), .label = STR("u/c/4"), .state = CONTAINER_EXITED},
        {.id = STR("b"), .label = STR("u/c/5"), .state = CONTAINER_RUNNING, .started_at_ms = 9},
        {.id = STR("d"), .label = STR("gone/c/0"), .state = CONTAINER_RUNNING},
        {.id = STR("e"), .label = STR("u/c/6"), .state = CONTAINER_BROKEN},
    };
    world_init(&w);
    pods_found(w.pods, seen, 2);
    pods_found(w.pods, seen + 2, 1);
    pod_set(&w, "", "", "");
    pods_synced(w.pods);
    turns(&w);
    CHECK(w.creates == 0 && w.removes == 2); /* The older one and the stranger. */
    CHECK_STR(state(&w, "phase", &arena), "Running");
    CHECK_STR(state(&w, "0.containerID", &arena), "davy://b");
    struct container_exit exit = {.code = 1};
    pods_exited(w.pods, STR("b"), &exit);
    turns(&w);
    CHECK(strcmp(w.label, "u/c/6") == 0);
    world_done(&w);

    world_init(&w); /* What was half made is made again, under the same count. */
    pods_found(w.pods, seen + 3, 1);
    pod_set(&w, "", "", "");
    CHECK(w.removes == 1 && w.creates == 1 && strcmp(w.label, "u/c/6") == 0);
    world_done(&w);
}

TEST(pods_probe_with_commands)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    pod_set(&w,
            ",\"readinessProbe\":{\"exec\":{\"command\":[\"a\"]},\"initialDelaySeconds\":5,"
            "\"periodSeconds\":10,\"successThreshold\":2}",
            "", "");
    CHECK(!status_is_ready(NULL));
    CHECK_STR(state(&w, "phase", &arena), "Running");
    CHECK(strstr(w.status, "containers with unready status: [c]") != NULL);
    after(&w, 5000);
    CHECK(strstr(w.status, "containers with unready status: [c]") != NULL);
    after(&w, 10000);
    CHECK(strstr(w.status, "unready") == NULL);
    world_done(&w);
}

TEST(pods_end_at_their_deadline)
{
    struct world w;
    AUTO(arena_done) struct arena arena = {0};
    world_init(&w);
    pod_set(&w, "", "", ",\"activeDeadlineSeconds\":60,\"terminationGracePeriodSeconds\":7");
    after(&w, 59000);
    CHECK_INT(w.signals, 0);
    after(&w, 1000);
    CHECK_INT(w.signals, 1);
    exits(&w, 0);
    CHECK_STR(state(&w, "phase", &arena), "Failed");
    CHECK_STR(state(&w, "reason", &arena), "DeadlineExceeded");
    world_done(&w);
}
