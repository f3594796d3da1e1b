/* request.c - libcurl set up once for all that registries are asked. */
#include "images/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_MS = 30000, REDIRECTS_MAX = 10, SLOW_BYTES = 64 };

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void)
{
    MUST(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

/* --- what comes back --- */

static bool take(str_t line, const char *name, struct arena *arena, str_t *value)
{
    size_t n = strlen(name);
    if (line.len <= n || line.at[n] != ':' || strncasecmp(line.at, name, n) != 0)
        return false;
    str_t rest = {line.at + n + 1, line.len - n - 1};
    while (rest.len > 0 && (unsigned char)rest.at[0] <= ' ')
        rest = (str_t){rest.at + 1, rest.len - 1};
    while (rest.len > 0 && (unsigned char)rest.at[rest.len - 1] <= ' ')
        rest.len--;
    *value = arena_str(arena, rest);
    return true;
}

static void forget_fields(struct request *request)
{
    request->challenge = request->type = request->digest = STR("");
    request->range_from = -1;
}

/* Of several challenges all are kept: one of them may be of a kind we know. */
static size_t on_field(const char *at, size_t size, size_t n, void *self)
{
    struct request *request = self;
    str_t line = {at, size * n}, value, first, rest;
    if (line.len > REQUEST_FIELD_BYTES_MAX)
        return line.len;
    if (str_starts(line, STR("HTTP/"))) { /* Also behind a redirection. */
        forget_fields(request);
    } else if (take(line, "WWW-Authenticate", request->arena, &value)) {
        if (request->challenge.len < REQUEST_FIELD_BYTES_MAX)
            request->challenge =
                arena_printf(request->arena, STR_F "%s" STR_F, STR_A(request->challenge),
                             request->challenge.len > 0 ? ", " : "", STR_A(value));
    } else if (take(line, "Content-Range", request->arena, &value)) {
        value = str_starts(value, STR("bytes ")) ? (str_t){value.at + 6, value.len - 6} : value;
        str_cut(value, '-', &first, &rest);
        if (!str_to_i64(first, &request->range_from))
            request->range_from = -1;
    } else if (!take(line, "Content-Type", request->arena, &request->type)) {
        (void)take(line, "Docker-Content-Digest", request->arena, &request->digest);
    }
    return line.len;
}

static size_t on_body(const char *at, size_t size, size_t n, void *self)
{
    struct request *request = self;
    str_t bytes = {at, size * n};
    if (request->sink != NULL)
        return request->sink(request, bytes) ? bytes.len : 0;
    if (bytes.len > request->body_max - request->body.len) {
        request->too_large = true;
        return 0;
    }
    buf_add(&request->body, bytes);
    return bytes.len;
}

/* libcurl forgets whom it could not reach; people want to know. */
static curl_socket_t on_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct request *request = self;
    (void)purpose;
    if (address->addrlen <= sizeof(request->peer))
        memcpy(&request->peer, &address->addr, address->addrlen);
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Asked about once a second, also while nothing comes. */
static int on_progress(void *self, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up)
{
    const struct request *request = self;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up;
    return request->stopping != NULL && atomic_load(request->stopping) ? 1 : 0;
}

/* --- asking --- */

static void add_field(struct request *request, const char *name, str_t value)
{
    str_t line = arena_printf(request->arena, "%s: " STR_F, name, STR_A(value));
    struct curl_slist *more = curl_slist_append(request->fields, line.at);
    MUST(more != NULL);
    request->fields = more;
}

#define SET(option, value) MUST(curl_easy_setopt(request->curl, option, value) == CURLE_OK)

static void set_limits(struct request *request)
{
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    SET(CURLOPT_PROTOCOLS_STR, request->plain ? "http,https" : "https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, request->plain ? "http,https" : "https");
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    SET(CURLOPT_LOW_SPEED_TIME, (long)REQUEST_STALL_S);
}

void request_begin(struct request *request)
{
    MUST(pthread_once(&started, start) == 0);
    request->curl = curl_easy_init();
    MUST(request->curl != NULL);
    request->status = 0;
    request->too_large = false;
    request->why[0] = '\0';
    request->peer.ss_family = AF_UNSPEC;
    request->body.len = 0;
    forget_fields(request);
    SET(CURLOPT_URL, request->url.at);
    SET(CURLOPT_PRIVATE, request);
    SET(CURLOPT_ERRORBUFFER, request->why);
    SET(CURLOPT_USERAGENT, "davy/" DAVY_VERSION);
    SET(CURLOPT_NOBODY, strcmp(request->method, "HEAD") == 0 ? 1L : 0L);
    SET(CURLOPT_HEADERFUNCTION, on_field);
    SET(CURLOPT_HEADERDATA, request);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, request);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, request);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, request);
    set_limits(request);
    if (request->plain)
        SET(CURLOPT_PROXY, "");
    if (request->authorization.len > 0)
        add_field(request, "Authorization", request->authorization);
    if (request->accept.len > 0)
        add_field(request, "Accept", request->accept);
    SET(CURLOPT_HTTPHEADER, request->fields);
    if (request->from > 0) {
        str_t range = arena_printf(request->arena, "%llu-", (unsigned long long)request->from);
        SET(CURLOPT_RANGE, range.at);
    }
}

void request_done(struct request *request)
{
    if (request->curl != NULL)
        curl_easy_cleanup(request->curl);
    curl_slist_free_all(request->fields);
    request->curl = NULL;
    request->fields = NULL;
    buf_done(&request->body);
}

int request_run(struct request *request, str_t *text)
{
    request_begin(request);
    CURLcode code = curl_easy_perform(request->curl);
    if (code == CURLE_OK) {
        MUST(curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &request->status) ==
             CURLE_OK);
        return 0;
    }
    *text = request_error(request, code);
    return ERR_IO;
}

/* --- why not --- */

static str_t peer_text(const struct request *request)
{
    char text[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *v4 = (const void *)&request->peer;
    const struct sockaddr_in6 *v6 = (const void *)&request->peer;
    if (request->peer.ss_family == AF_INET &&
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)) != NULL)
        return arena_printf(request->arena, " %s:%u", text, (unsigned)ntohs(v4->sin_port));
    if (request->peer.ss_family == AF_INET6 &&
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text)) != NULL)
        return arena_printf(request->arena, " [%s]:%u", text, (unsigned)ntohs(v6->sin6_port));
    return STR("");
}

static str_t host_of(const struct request *request)
{
    const char *at = strstr(request->url.at, "://");
    str_t rest = at != NULL ? str_from_z(at + 3) : request->url, host;
    str_cut(rest, '/', &host, &rest);
    str_cut(host, ':', &host, &rest);
    return host;
}

static str_t connect_error(const struct request *request)
{
    long number = 0;
    str_t peer = peer_text(request);
    (void)curl_easy_getinfo(request->curl, CURLINFO_OS_ERRNO, &number);
    const char *said = number != 0 ? strerrordesc_np((int)number) : request->why;
    char *name = (char *)arena_printf(request->arena, "%s", said != NULL ? said : "failed").at;
    if (name[0] >= 'A' && name[0] <= 'Z')
        name[0] = (char)(name[0] - 'A' + 'a'); /* As Go writes them. */
    return arena_printf(request->arena, "dial tcp" STR_F ": connect: %s", STR_A(peer), name);
}

static str_t timeout_error(const struct request *request)
{
    str_t peer = peer_text(request);
    curl_off_t connected = 0;
    (void)curl_easy_getinfo(request->curl, CURLINFO_CONNECT_TIME_T, &connected);
    return arena_printf(request->arena, "%s tcp" STR_F ": i/o timeout",
                        connected > 0 ? "read" : "dial", STR_A(peer));
}

str_t request_error(const struct request *request, CURLcode code)
{
    str_t host = host_of(request);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return connect_error(request);
    case CURLE_COULDNT_RESOLVE_HOST:
        return arena_printf(request->arena, "dial tcp: lookup " STR_F ": no such host",
                            STR_A(host));
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_error(request);
    case CURLE_ABORTED_BY_CALLBACK:
        return STR("context canceled");
    case CURLE_GOT_NOTHING:
        return STR("EOF");
    case CURLE_PARTIAL_FILE:
        return STR("unexpected EOF");
    case CURLE_PEER_FAILED_VERIFICATION:
        return arena_printf(request->arena, "tls: failed to verify certificate: x509: %s",
                            request->why);
    case CURLE_TOO_MANY_REDIRECTS:
        return arena_printf(request->arena, "stopped after %d redirects", REDIRECTS_MAX);
    default:
        break;
    }
    if (request->too_large)
        return arena_printf(request->arena, "answer is larger than %zu bytes", request->body_max);
    if (code == CURLE_SSL_CONNECT_ERROR && strstr(request->why, "wrong version number") != NULL)
        return STR("http: server gave HTTP response to HTTPS client");
    return arena_printf(request->arena, "%s",
                        request->why[0] != '\0' ? request->why : curl_easy_strerror(code));
}

str_t request_escape(str_t text, struct arena *arena)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_bytes(arena, text.len * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = digits[c >> 4];
        out[n++] = digits[c & 15];
    }
    return (str_t){out, n};
}
