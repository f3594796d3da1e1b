/* bench.c - how fast JSON is parsed: lists of objects as the API server sees and stores them. */
#include "base/json.h"

#include <stdio.h>
#include <time.h>

static double cpu_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void item(struct buf *out, int i)
{
    buf_printf(
        out,
        "%s{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web-%d\",\"namespace\":"
        "\"default\",\"uid\":\"06dc98af-1aea-4855-bcbe-57be0d05%04x\",\"resourceVersion\":\"%d\","
        "\"creationTimestamp\":\"2026-11-24T13:54:57Z\",\"labels\":{\"app\":\"web\",\"pod-template-"
        "hash\":\"6c5f9f8bd4\"},\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration"
        "\":\"{\\\"apiVersion\\\":\\\"v1\\\",\\\"kind\\\":\\\"Pod\\\"}\\n\"}},\"spec\":{"
        "\"containers"
        "\":[{\"name\":\"web\",\"image\":\"registry.example.com/team/web:v1.2.3\",\"ports\":[{"
        "\"containerPort\":8080,\"protocol\":\"TCP\"}],\"resources\":{\"limits\":{\"cpu\":\"500m\","
        "\"memory\":\"256Mi\"}},\"terminationMessagePath\":\"/dev/termination-log\","
        "\"imagePullPolicy\":\"IfNotPresent\"}],\"restartPolicy\":\"Always\","
        "\"terminationGracePeriodSeconds\":30},\"status\":{\"phase\":\"Pending\"}}",
        i > 0 ? "," : "", i, i & 0xffff, i);
}

int main(void)
{
    AUTO(buf_done) struct buf text = {0};
    buf_add(&text, STR("{\"kind\":\"List\",\"items\":["));
    for (int i = 0; i < 2000; i++)
        item(&text, i);
    buf_add(&text, STR("]}"));

    struct json *json;
    struct err err;
    double best = 0, best_write = 0;
    for (int round = 0; round < 20; round++) {
        AUTO(arena_done) struct arena arena = {0};
        AUTO(buf_done) struct buf out = {0};
        double start = cpu_s();
        MUST(json_parse(buf_str(&text), &arena, &json, &err) == 0);
        double rate = (double)text.len / 1e6 / (cpu_s() - start);
        best = rate > best ? rate : best;
        start = cpu_s();
        json_write(json, &out);
        rate = (double)out.len / 1e6 / (cpu_s() - start);
        best_write = rate > best_write ? rate : best_write;
    }
    printf(
        "{\"json_parse_mb_per_s\": %.0f, \"json_write_mb_per_s\": %.0f, \"document_bytes\": %zu}\n",
        best, best_write, text.len);
    return 0;
}
