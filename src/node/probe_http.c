/* probe_http.c - GET with an answer below 400; gRPC's health check (grpc.health.v1) over HTTP/2. */
#include "codec/proto.h"
#include "node/probe_priv.h"

#include <string.h>

enum { GRPC_FRAME_HEAD = 5, GRPC_SERVING = 1, GRPC_UNKNOWN = -1 };

static void on_head(struct http_call *call, const struct http_answer_head *head)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    probe->status = head->status;
}

static bool on_piece(struct http_call *call, str_t bytes)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    size_t room = sizeof(probe->body) - probe->n_body;
    size_t n = bytes.len < room ? bytes.len : room;
    memcpy(probe->body + probe->n_body, bytes.at, n);
    probe->n_body += n;
    return true;
}

static bool dial(struct probe *probe, str_t host, uint16_t port, struct tls_config *tls, bool http2,
                 msec_t limit_ms)
{
    struct err err;
    str_t address = host.len > 0 ? arena_printf(&probe->arena, STR_F, STR_A(host))
                                 : str_from_z(probe->target.ip);
    struct http_client_settings settings = {
        .address = address.at,
        .port = port,
        .tls = tls,
        .http2 = http2,
        .server_name = arena_printf(&probe->arena, STR_F ":%u", STR_A(address), port).at,
        .idle_max = 1,
        .head_ms = limit_ms + 1000, /* Our own timer is first. */
    };
    if (port == 0) {
        tls_config_unref(tls);
        probe_end(probe, false, "no such port");
        return false;
    }
    if (http_client_new(probe->target.host->loop, &settings, &probe->client, &err) < 0) {
        probe_end(probe, false, "%s", err.text);
        return false;
    }
    return true;
}

/* --- HTTP --- */

static void http_done(struct http_call *call, int r, const struct err *err)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    probe->calling = false;
    bool answered = r == 0 || (probe->status >= 200 && probe->n_body == sizeof(probe->body));
    if (!answered)
        probe_end(probe, false, "Get \"http://%s" STR_F "\": %s", probe->target.ip,
                  STR_A(probe->call.target), err->text);
    else if ((probe->status >= 200 && probe->status < 400) || probe->target.any_status)
        probe_end(probe, true, "%s", "");
    else
        probe_end(probe, false, "HTTP probe failed with statuscode: %d", probe->status);
}

static void add_fields(struct probe *probe, const struct json *headers)
{
    enum { OUR_OWN = 2 };
    struct http_field *fields =
        arena_array(&probe->arena, struct http_field, json_count(headers) + OUR_OWN);
    size_t n = 0;
    fields[n++] = (struct http_field){STR("User-Agent"), STR("kube-probe/1.32")};
    fields[n++] = (struct http_field){STR("Accept"), STR("*/*")};
    JSON_EACH(headers, header)
    fields[n++] =
        (struct http_field){arena_str(&probe->arena, json_get_text(header, STR("name"))),
                            arena_str(&probe->arena, json_get_text(header, STR("value")))};
    probe->call.fields = fields;
    probe->call.n_fields = n;
}

void probe_http(struct probe *probe, const struct json *how, msec_t limit_ms)
{
    struct tls_config *tls = NULL;
    struct tls_settings any = {.any_server = true};
    struct err err;
    str_t path = json_get_text(how, STR("path"));
    uint16_t port = probe_port(json_get(how, STR("port")), probe->target.container);
    bool secure = str_eq(json_get_text(how, STR("scheme")), STR("HTTPS"));
    if (secure && tls_config_new(&any, &tls, &err) < 0) {
        probe_end(probe, false, "%s", err.text);
        return;
    }
    if (!dial(probe, json_get_text(how, STR("host")), port, tls, false, limit_ms))
        return;
    probe->call = (struct http_call){
        .method = STR("GET"),
        .target = arena_printf(&probe->arena, "%s" STR_F,
                               path.len > 0 && path.at[0] == '/' ? "" : "/", STR_A(path)),
        .head = on_head,
        .piece = on_piece,
        .done = http_done,
    };
    add_fields(probe, json_get(how, STR("httpHeaders")));
    probe->calling = true;
    http_client_send(probe->client, &probe->call);
}

/* --- gRPC: HealthCheckRequest{service = 1}, HealthCheckResponse{status = 1} --- */

static void on_trailers(struct http_call *call, const struct http_field *fields, size_t n_fields)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    int64_t number;
    for (size_t i = 0; i < n_fields; i++)
        if (str_eq(fields[i].name, STR("grpc-status")) && str_to_i64(fields[i].value, &number))
            probe->grpc_status = (int)number;
}

/* A call that fails has no body: its status is in the head then. */
static void grpc_head(struct http_call *call, const struct http_answer_head *head)
{
    on_head(call, head);
    on_trailers(call, head->fields, head->n_fields);
}

static uint64_t serving_status(const struct probe *probe)
{
    struct proto_field field;
    struct err err;
    if (probe->n_body < GRPC_FRAME_HEAD)
        return 0;
    struct proto_reader reader = {{probe->body + GRPC_FRAME_HEAD, probe->n_body - GRPC_FRAME_HEAD}};
    while (proto_next(&reader, &field, &err) > 0)
        if (field.number == 1 && field.type == PROTO_VARINT)
            return field.value;
    return 0;
}

static void grpc_done(struct http_call *call, int r, const struct err *err)
{
    struct probe *probe = CONTAINER_OF(call, struct probe, call);
    static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    uint64_t status = serving_status(probe);
    probe->calling = false;
    if (r < 0)
        probe_end(probe, false, "error: health rpc failed: %s", err->text);
    else if (probe->grpc_status != 0)
        probe_end(probe, false, "error: health rpc failed with grpc-status %d", probe->grpc_status);
    else if (status != GRPC_SERVING)
        probe_end(probe, false, "service unhealthy (responded with \"%s\")",
                  names[status < ARRAY_LEN(names) ? status : 0]);
    else
        probe_end(probe, true, "%s", "");
}

void probe_grpc(struct probe *probe, const struct json *how, msec_t limit_ms)
{
    static const struct http_field fields[] = {
        {STR("content-type"), STR("application/grpc")},
        {STR("te"), STR("trailers")},
        {STR("user-agent"), STR("kube-probe/1.32")},
    };
    AUTO(buf_done) struct buf message = {0}, frame = {0};
    str_t service = json_get_text(how, STR("service"));
    uint16_t port = probe_port(json_get(how, STR("port")), probe->target.container);
    if (!dial(probe, STR(""), port, NULL, true, limit_ms))
        return;
    if (service.len > 0)
        proto_put_bytes(&message, 1, service);
    char head[GRPC_FRAME_HEAD] = {0, 0, 0, (char)(message.len >> 8), (char)(message.len & 0xff)};
    buf_add(&frame, (str_t){head, sizeof(head)});
    buf_add(&frame, buf_str(&message));
    probe->grpc_status = GRPC_UNKNOWN;
    probe->call = (struct http_call){
        .method = STR("POST"),
        .target = STR("/grpc.health.v1.Health/Check"),
        .fields = fields,
        .n_fields = ARRAY_LEN(fields),
        .body = arena_str(&probe->arena, buf_str(&frame)),
        .head = grpc_head,
        .piece = on_piece,
        .trailers = on_trailers,
        .done = grpc_done,
    };
    probe->calling = true;
    http_client_send(probe->client, &probe->call);
}
