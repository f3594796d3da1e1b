/*
 * load.c - a bounded load on a Kubernetes API server over TLS with a client certificate.
 *
 *     load HOST PORT CA CERT KEY create|get CONNECTIONS SECONDS
 *     load HOST PORT CA CERT KEY watch WATCHERS ROUNDS
 *     load HOST PORT CA CERT KEY send CONNECTIONS COUNT METHOD PATH TYPE BODY
 *     load HOST PORT CA CERT KEY list 1 COUNT ACCEPT PATH
 *
 * One blocking thread a connection, keep-alive, one request at a time. Prints one line of JSON:
 * what was done, how fast, and the quantiles of the latency in microseconds. The `watch` mode
 * creates ROUNDS ConfigMaps, one at a time, and reports how long after the POST's answer the last
 * of the watchers had the event (0 when it came before the answer). `send` makes COUNT requests;
 * `#` in PATH and BODY is the request's number.
 */
#include <netdb.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 1 << 20, BODY_MAX = 1 << 16, HEAD_MAX = 1 << 10 };

static struct {
    const char *host, *port;
    SSL_CTX *tls;
    bool create;
    int64_t until_us;
    int connections;
    const char *method, *path, *type, *body; /* Of `send`; of `list`, type is what is accepted. */
    int count;
} job;

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    _exit(1);
}

static SSL *dial(void)
{
    struct addrinfo *info, hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(job.host, job.port, &hints, &info) != 0)
        die("no such address");
    int fd = socket(info->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, info->ai_addr, info->ai_addrlen) < 0)
        die("connect");
    freeaddrinfo(info);
    SSL *ssl = SSL_new(job.tls);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1)
        die("TLS handshake");
    return ssl;
}

/* Reads one answer with a Content-Length and returns its status. */
static int answer(SSL *ssl, char *buffer)
{
    size_t n = 0;
    char *end = NULL;
    while (end == NULL) {
        int got = SSL_read(ssl, buffer + n, (int)(BODY_MAX - 1 - n));
        if (got <= 0)
            die("the connection ended");
        n += (size_t)got;
        buffer[n] = '\0';
        end = strstr(buffer, "\r\n\r\n");
    }
    int status = (int)strtol(buffer + 9, NULL, 10);
    char *length = strcasestr(buffer, "\r\ncontent-length:");
    if (length == NULL || length > end)
        die("an answer without Content-Length");
    size_t whole = (size_t)(end + 4 - buffer) + strtoul(length + 17, NULL, 10);
    while (n < whole) {
        int got = SSL_read(ssl, buffer, BODY_MAX);
        if (got <= 0)
            die("the connection ended");
        n += (size_t)got;
    }
    return status;
}

struct worker {
    pthread_t thread;
    int number;
    int64_t done;
    uint32_t *sample_us;
    int64_t failed;
};

static int post(SSL *ssl, char *buffer, const char *name)
{
    char body[256];
    int body_len = snprintf(body, sizeof(body),
                            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                            "\"%s\"},\"data\":{\"key\":\"value\",\"other\":\"thing\"}}",
                            name);
    int n = snprintf(buffer, BODY_MAX,
                     "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: davy\r\n"
                     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                     body_len, body);
    if (SSL_write(ssl, buffer, n) != n)
        die("write");
    return answer(ssl, buffer);
}

static int get(SSL *ssl, char *buffer)
{
    static const char text[] = "GET /api/v1/namespaces/default/configmaps/bench-get HTTP/1.1\r\n"
                               "Host: davy\r\nAccept: application/json\r\n\r\n";
    if (SSL_write(ssl, text, sizeof(text) - 1) != sizeof(text) - 1)
        die("write");
    return answer(ssl, buffer);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    char *buffer = malloc(BODY_MAX);
    SSL *ssl = dial();
    char name[64];
    for (int64_t at = now_us(); at < job.until_us && worker->done < SAMPLES_MAX;) {
        snprintf(name, sizeof(name), "b-%d-%d-%lld", (int)getpid(), worker->number,
                 (long long)worker->done);
        int status = job.create ? post(ssl, buffer, name) : get(ssl, buffer);
        if (status < 200 || status > 299)
            worker->failed++;
        int64_t end = now_us();
        worker->sample_us[worker->done++] = (uint32_t)(end - at);
        at = end;
    }
    SSL_free(ssl);
    free(buffer);
    return NULL;
}

/* `text` with its number in the place of each '#'. */
static size_t numbered(const char *text, int number, char *out, size_t room)
{
    size_t n = 0;
    for (; *text != '\0' && n + 12 < room; text++)
        if (*text == '#')
            n += (size_t)snprintf(out + n, room - n, "%05d", number);
        else
            out[n++] = *text;
    out[n] = '\0';
    return n;
}

static void *work_send(void *arg)
{
    struct worker *worker = arg;
    char *buffer = malloc(BODY_MAX), *body = malloc(BODY_MAX);
    char path[HEAD_MAX];
    SSL *ssl = dial();
    for (int i = worker->number; i < job.count; i += job.connections) {
        numbered(job.path, i, path, sizeof(path));
        size_t len = numbered(job.body, i, body, BODY_MAX - HEAD_MAX);
        int n =
            snprintf(buffer, BODY_MAX,
                     "%s %s HTTP/1.1\r\nHost: davy\r\n%s: %s\r\nContent-Length: %zu\r\n\r\n%s",
                     job.method, path, len > 0 ? "Content-Type" : "Accept", job.type, len, body);
        int64_t at = now_us();
        if (SSL_write(ssl, buffer, n) != n)
            die("write");
        int status = answer(ssl, buffer);
        if (status < 200 || status > 299)
            worker->failed++;
        worker->sample_us[worker->done++] = (uint32_t)(now_us() - at);
    }
    SSL_free(ssl);
    free(buffer);
    free(body);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void load(double seconds)
{
    struct worker *workers = calloc((size_t)job.connections, sizeof(*workers));
    int64_t start = now_us();
    job.until_us = start + (int64_t)(seconds * 1e6);
    for (int i = 0; i < job.connections; i++) {
        workers[i].number = i;
        workers[i].sample_us = malloc(SAMPLES_MAX * sizeof(uint32_t));
        pthread_create(&workers[i].thread, NULL, job.method != NULL ? work_send : work,
                       &workers[i]);
    }
    int64_t done = 0, failed = 0;
    for (int i = 0; i < job.connections; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].done;
        failed += workers[i].failed;
    }
    double took = (double)(now_us() - start) / 1e6;
    uint32_t *all = malloc((size_t)(done + 1) * sizeof(*all));
    int64_t n = 0;
    for (int i = 0; i < job.connections; i++) {
        memcpy(all + n, workers[i].sample_us, (size_t)workers[i].done * sizeof(*all));
        n += workers[i].done;
    }
    qsort(all, (size_t)n, sizeof(*all), by_value);
    printf("{\"done\": %lld, \"failed\": %lld, \"seconds\": %.3f, \"per_second\": %.0f, "
           "\"p50_us\": %u, \"p99_us\": %u}\n",
           (long long)done, (long long)failed, took, (double)done / took, n > 0 ? all[n / 2] : 0,
           n > 0 ? all[n * 99 / 100] : 0);
}

/* --- watchers --- */

static _Atomic int events, ready;
static _Atomic int64_t last_event_us;

static char from_version[32]; /* Watches begin here: with nothing that was there before. */

static void read_version(void)
{
    static const char list[] = "GET /api/v1/namespaces/default/configmaps?limit=1 HTTP/1.1\r\n"
                               "Host: davy\r\n\r\n";
    SSL *ssl = dial();
    char *buffer = malloc(BODY_MAX);
    if (SSL_write(ssl, list, sizeof(list) - 1) != sizeof(list) - 1)
        die("write");
    char *at = NULL;
    for (int n = 0; at == NULL;) {
        int got = SSL_read(ssl, buffer + n, BODY_MAX - 1 - n);
        if (got <= 0)
            die("no version in the list");
        n += got;
        buffer[n] = '\0';
        at = strstr(buffer, "\"metadata\":{\"resourceVersion\":\"");
    }
    snprintf(from_version, sizeof(from_version), "%.*s", (int)strcspn(at + 31, "\""), at + 31);
    SSL_free(ssl);
    free(buffer);
}

static void *watch(void *arg)
{
    (void)arg;
    SSL *ssl = dial();
    char buffer[16384];
    int asked = snprintf(buffer, sizeof(buffer),
                         "GET /api/v1/namespaces/default/configmaps?watch=true&resourceVersion=%s "
                         "HTTP/1.1\r\nHost: davy\r\n\r\n",
                         from_version);
    if (SSL_write(ssl, buffer, asked) != asked)
        die("write");
    bool first = true;
    for (;;) {
        int got = SSL_read(ssl, buffer, sizeof(buffer) - 1);
        if (got <= 0)
            return NULL;
        buffer[got] = '\0';
        if (first) {
            first = false;
            ready++;
        }
        if (strstr(buffer, "\"w-") != NULL) {
            last_event_us = now_us();
            events++;
        }
    }
}

static void watchers(int n, int rounds)
{
    pthread_attr_t attr;
    read_version();
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    for (int i = 0; i < n; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attr, watch, NULL) != 0)
            die("a thread for each watcher");
    }
    while (ready < n)
        usleep(1000);
    usleep(300000);

    SSL *ssl = dial();
    char *buffer = malloc(BODY_MAX);
    uint32_t *late = calloc((size_t)rounds, sizeof(*late));
    for (int i = 0; i < rounds; i++) {
        char name[64];
        snprintf(name, sizeof(name), "w-%d-%d", (int)getpid(), i);
        events = 0;
        post(ssl, buffer, name);
        int64_t answered = now_us(), limit = answered + 10000000;
        while (events < n && now_us() < limit)
            usleep(100);
        if (events < n)
            die("a watcher did not get its event within 10 s");
        late[i] = last_event_us > answered ? (uint32_t)(last_event_us - answered) : 0;
        usleep(5000);
    }
    qsort(late, (size_t)rounds, sizeof(*late), by_value);
    printf("{\"watchers\": %d, \"rounds\": %d, \"last_event_p50_us\": %u, "
           "\"last_event_p99_us\": %u}\n",
           n, rounds, late[rounds / 2], late[rounds * 99 / 100]);
}

int main(int argc, char **argv)
{
    if (argc != 9 && argc != 11 && argc != 13)
        die("usage: see the head of load.c");
    signal(SIGPIPE, SIG_IGN);
    job.host = argv[1];
    job.port = argv[2];
    job.tls = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(job.tls, argv[3], NULL) != 1 ||
        SSL_CTX_use_certificate_file(job.tls, argv[4], SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(job.tls, argv[5], SSL_FILETYPE_PEM) != 1)
        die("certificates");
    SSL_CTX_set_verify(job.tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(job.tls, SSL_MODE_AUTO_RETRY);
    job.connections = (int)strtol(argv[7], NULL, 10);
    job.count = (int)strtol(argv[8], NULL, 10);
    if (argc > 9) {
        bool list = strcmp(argv[6], "list") == 0;
        job.method = list ? "GET" : argv[9];
        job.path = argv[10];
        job.type = list ? argv[9] : argv[11];
        job.body = list ? "" : argv[12];
        load(0);
    } else if (strcmp(argv[6], "watch") == 0) {
        watchers(job.connections, (int)strtol(argv[8], NULL, 10));
    } else {
        job.create = strcmp(argv[6], "create") == 0;
        load(strtod(argv[8], NULL));
    }
    fflush(stdout);
    _exit(0);
}
