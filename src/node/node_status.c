/* node_status.c - capacity, conditions, addresses and versions as JSON. */
#include "node/node_status.h"

#include "base/time.h"
#include "kube/quantity.h"
#include "kube/version.h"

static void add_text(struct json *object, const char *key, str_t text, struct arena *arena)
{
    json_add(object, str_from_z(key), json_string(arena, text));
}

/* As the API would write it, so that what it gives back is the same. */
static void add_amount(struct json *object, str_t key, uint64_t n, bool binary, struct arena *arena)
{
    quantity_t q = quantity_of((int64_t)n);
    q.binary = binary;
    json_add(object, key, json_string(arena, quantity_text(q, arena)));
}

/* --- pressure --- */

void pressures_see(struct pressures *pressures, const struct machine *machine,
                   const struct machine_now *now, msec_t mono_ms)
{
    msec_t seen_ms = mono_ms > 0 ? mono_ms : 1;
    if (now->memory_free < NODE_MEMORY_KEPT)
        pressures->memory_ms = seen_ms;
    if (now->disk_free < machine->disk_bytes / 10 || now->inodes_free < now->inodes / 20)
        pressures->disk_ms = seen_ms;
    if (now->tasks_max > 0 && now->tasks > now->tasks_max - now->tasks_max / 20)
        pressures->tasks_ms = seen_ms;
}

static bool is_under(msec_t seen_ms, msec_t mono_ms)
{
    return seen_ms > 0 && mono_ms - seen_ms < PRESSURE_CALM_MS;
}

/* --- conditions --- */

static const struct json *condition_in(const struct json *status, str_t type)
{
    JSON_EACH(json_get(status, STR("conditions")), condition)
    if (str_eq(json_get_text(condition, STR("type")), type))
        return condition;
    return NULL;
}

struct wording {
    const char *type, *reason, *message;
};

static void add_condition(struct json *list, const struct node_facts *facts, bool is,
                          const struct wording *words, const struct json *before,
                          struct arena *arena)
{
    str_t status = is ? STR("True") : STR("False"), now = time_text(facts->wall_ms, arena);
    const struct json *was = condition_in(before, str_from_z(words->type));
    str_t since = str_eq(json_get_text(was, STR("status")), status)
                      ? json_get_text(was, STR("lastTransitionTime"))
                      : STR("");
    struct json *condition = json_object(arena);
    add_text(condition, "type", str_from_z(words->type), arena);
    add_text(condition, "status", status, arena);
    add_text(condition, "lastHeartbeatTime", now, arena);
    add_text(condition, "lastTransitionTime", since.len > 0 ? since : now, arena);
    add_text(condition, "reason", str_from_z(words->reason), arena);
    add_text(condition, "message", str_from_z(words->message), arena);
    json_add(list, STR(""), condition);
}

static struct json *conditions(const struct node_facts *facts, const struct json *before,
                               struct arena *arena)
{
    static const struct wording words[][2] = {
        {{"MemoryPressure", "KubeletHasSufficientMemory",
          "kubelet has sufficient memory available"},
         {"MemoryPressure", "KubeletHasInsufficientMemory",
          "kubelet has insufficient memory available"}},
        {{"DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
         {"DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure"}},
        {{"PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
         {"PIDPressure", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"}},
    };
    const struct pressures *seen = facts->pressures;
    const msec_t seen_ms[] = {seen->memory_ms, seen->disk_ms, seen->tasks_ms};
    struct json *list = json_array(arena);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        bool is = is_under(seen_ms[i], facts->mono_ms);
        add_condition(list, facts, is, &words[i][is], before, arena);
    }
    struct wording ready = {"Ready", "KubeletReady", "kubelet is posting ready status"};
    if (facts->not_ready != NULL)
        ready = (struct wording){"Ready", "KubeletNotReady", facts->not_ready};
    add_condition(list, facts, facts->not_ready == NULL, &ready, before, arena);
    return list;
}

/* --- what there is --- */

static void add_hugepages(struct json *amounts, const struct machine *machine, struct arena *arena)
{
    for (size_t i = 0; i < machine->n_hugepages; i++) {
        const struct hugepages *huge = &machine->hugepages[i];
        quantity_t size = quantity_of((int64_t)huge->page_kb * 1024);
        size.binary = true;
        str_t name = quantity_text(size, arena);
        add_amount(amounts, arena_printf(arena, "hugepages-" STR_F, STR_A(name)),
                   huge->pages * huge->page_kb * 1024, true, arena);
    }
}

/* Memory that is set aside as huge pages is no other memory. */
static uint64_t memory_left(const struct machine *machine)
{
    uint64_t huge = 0, kept = NODE_MEMORY_KEPT;
    for (size_t i = 0; i < machine->n_hugepages; i++)
        huge += machine->hugepages[i].pages * machine->hugepages[i].page_kb * 1024;
    return machine->memory_bytes > huge + kept ? machine->memory_bytes - huge - kept : 0;
}

static struct json *amounts(const struct machine *machine, bool allocatable, struct arena *arena)
{
    struct json *out = json_object(arena);
    uint64_t disk = machine->disk_bytes, kib = 1024;
    add_amount(out, STR("cpu"), machine->cpus, false, arena);
    if (allocatable)
        add_amount(out, STR("ephemeral-storage"), disk - disk / 10, false, arena);
    else
        add_amount(out, STR("ephemeral-storage"), disk / kib * kib, true, arena);
    add_hugepages(out, machine, arena);
    add_amount(out, STR("memory"), allocatable ? memory_left(machine) : machine->memory_bytes, true,
               arena);
    add_amount(out, STR("pods"), NODE_PODS_MAX, false, arena);
    return out;
}

static struct json *address(const char *type, const char *text, struct arena *arena)
{
    struct json *out = json_object(arena);
    add_text(out, "type", str_from_z(type), arena);
    add_text(out, "address", str_from_z(text), arena);
    return out;
}

static struct json *addresses(const struct node_facts *facts, struct arena *arena)
{
    struct json *out = json_array(arena);
    const char *own = facts->now->address;
    json_add(out, STR(""), address("InternalIP", own[0] != '\0' ? own : "127.0.0.1", arena));
    return json_add(out, STR(""), address("Hostname", facts->name, arena));
}

static struct json *node_info(const struct node_facts *facts, struct arena *arena)
{
    const struct machine *machine = facts->machine;
    struct json *out = json_object(arena);
    add_text(out, "machineID", machine->machine_id, arena);
    add_text(out, "systemUUID", machine->system_uuid, arena);
    add_text(out, "bootID", machine->boot_id, arena);
    add_text(out, "kernelVersion", machine->kernel, arena);
    add_text(out, "osImage", machine->os_image, arena);
    add_text(out, "containerRuntimeVersion", str_from_z(facts->runtime), arena);
    add_text(out, "kubeletVersion", STR(KUBE_VERSION), arena);
    add_text(out, "kubeProxyVersion", STR(KUBE_VERSION), arena);
    add_text(out, "operatingSystem", STR("linux"), arena);
    add_text(out, "architecture", machine->architecture, arena);
    return out;
}

struct json *node_status(const struct node_facts *facts, const struct json *before,
                         struct arena *arena)
{
    struct json *status = json_object(arena);
    json_add(status, STR("capacity"), amounts(facts->machine, false, arena));
    json_add(status, STR("allocatable"), amounts(facts->machine, true, arena));
    json_add(status, STR("conditions"), conditions(facts, before, arena));
    json_add(status, STR("addresses"), addresses(facts, arena));
    json_add(status, STR("nodeInfo"), node_info(facts, arena));
    return status;
}

/* --- what it is called --- */

static struct json *labels(const struct node_facts *facts, struct arena *arena)
{
    struct json *out = json_object(arena);
    add_text(out, "beta.kubernetes.io/arch", facts->machine->architecture, arena);
    add_text(out, "beta.kubernetes.io/os", STR("linux"), arena);
    add_text(out, "kubernetes.io/arch", facts->machine->architecture, arena);
    add_text(out, "kubernetes.io/hostname", str_from_z(facts->name), arena);
    add_text(out, "kubernetes.io/os", STR("linux"), arena);
    return out;
}

struct json *node_object(const struct node_facts *facts, struct arena *arena)
{
    struct json *node = json_object(arena), *meta = json_object(arena);
    add_text(meta, "name", str_from_z(facts->name), arena);
    json_add(meta, STR("labels"), labels(facts, arena));
    add_text(node, "apiVersion", STR("v1"), arena);
    add_text(node, "kind", STR("Node"), arena);
    return json_add(node, STR("metadata"), meta);
}

struct json *node_labels_missing(const struct node_facts *facts, const struct json *node,
                                 struct arena *arena)
{
    const struct json *has = json_at(node, "metadata.labels");
    struct json *missing = json_object(arena);
    JSON_EACH(labels(facts, arena), label)
    if (!str_eq(json_get_text(has, label->key), label->text))
        add_text(missing, label->key.at, label->text, arena);
    return missing->first == NULL ? NULL : missing;
}

/* --- what is new --- */

static bool same_conditions(const struct json *before, const struct json *now)
{
    JSON_EACH(json_get(now, STR("conditions")), condition)
    {
        const struct json *was = condition_in(before, json_get_text(condition, STR("type")));
        JSON_EACH(condition, field)
        if (!str_eq(field->key, STR("lastHeartbeatTime")) &&
            !str_eq(json_get_text(was, field->key), field->text))
            return false;
    }
    return true;
}

bool node_status_changed(const struct json *before, const struct json *now)
{
    JSON_EACH(now, part)
    {
        const struct json *was = json_get(before, part->key);
        if (!str_eq(part->key, STR("conditions")) && (was == NULL || !json_eq(was, part)))
            return true;
    }
    return !same_conditions(before, now);
}

size_t node_status_news(const struct json *before, const struct json *now, str_t *reasons,
                        size_t max)
{
    size_t n = 0;
    JSON_EACH(json_get(now, STR("conditions")), condition)
    {
        const struct json *was = condition_in(before, json_get_text(condition, STR("type")));
        bool same =
            str_eq(json_get_text(was, STR("status")), json_get_text(condition, STR("status")));
        if (!same && n < max)
            reasons[n++] = json_get_text(condition, STR("reason"));
    }
    return n;
}
