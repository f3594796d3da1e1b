/* image.c - each word becomes one request to the node; files go by their path. */
#include "cli/image.h"

#include "base/time.h"
#include "cli/local.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, PIECE = 64 * 1024 };

#define NODE_SOCKET "run/node.sock"

const char image_usage[] = "import FILE|- | pull NAME | ls | rm NAME | tag NAME NAME | prune |\n"
                           "        save NAME [-o FILE] [--data DIR]";

static int fail(const struct err *err)
{
    fprintf(stderr, "davy: %s\n", err->text);
    return 1;
}

/* The answer, or NULL: said what was wrong. */
static struct json *ask(str_t dir, str_t method, str_t target, struct arena *arena)
{
    struct local_question question = {dir, NODE_SOCKET, method, target, 0, NULL};
    struct err err;
    if (local_ask(&question, arena, &err) < 0) {
        fprintf(stderr, "davy: %s\n", err.text);
        return NULL;
    }
    if (question.status == 200)
        return question.json;
    fprintf(stderr, "davy: " STR_F "\n",
            STR_A(json_text(json_get(question.json, STR("error")), STR("the node refused"))));
    return NULL;
}

/* --- files --- */

static int copy(int from, int to, const char *name, struct err *err)
{
    char piece[PIECE];
    ssize_t n;
    while ((n = read(from, piece, sizeof(piece))) > 0)
        for (ssize_t at = 0; at < n;) {
            ssize_t done = write(to, piece + at, (size_t)(n - at));
            if (done < 0)
                return err_errno(err, "write '%s'", name);
            at += done;
        }
    return n < 0 ? err_errno(err, "read '%s'", name) : 0;
}

/* A file in the data directory, gone with its descriptor's path. */
static int temporary(str_t dir, char path[PATH_MAX], struct err *err)
{
    (void)snprintf(path, PATH_MAX, STR_F "/run/image-XXXXXX", STR_A(dir));
    int fd = mkostemp(path, O_CLOEXEC);
    return fd < 0 ? err_errno(err, "make '%s'", path) : fd;
}

static int import_path(str_t dir, const char *path, struct arena *arena)
{
    str_t target = arena_printf(arena, "/images/import?path=" STR_F,
                                STR_A(local_escape(str_from_z(path), arena)));
    const struct json *answer = ask(dir, STR("POST"), target, arena);
    JSON_EACH(json_get(answer, STR("images")), image)
    printf("imported " STR_F "\n", STR_A(json_get_text(image, STR("name"))));
    return answer != NULL ? 0 : 1;
}

static int import(str_t dir, const char *file, struct arena *arena)
{
    char path[PATH_MAX];
    struct err err;
    if (strcmp(file, "-") != 0) {
        if (realpath(file, path) != NULL)
            return import_path(dir, path, arena);
        (void)err_errno(&err, "find '%s'", file);
        return fail(&err);
    }
    int fd = temporary(dir, path, &err);
    if (fd < 0)
        return fail(&err);
    int code = copy(STDIN_FILENO, fd, path, &err) < 0 ? fail(&err) : import_path(dir, path, arena);
    close(fd);
    (void)unlink(path);
    return code;
}

static int save(str_t dir, const char *name, const char *output, struct arena *arena)
{
    char path[PATH_MAX];
    struct err err;
    int fd = temporary(dir, path, &err);
    if (fd < 0)
        return fail(&err);
    str_t target = arena_printf(arena, "/images/save?name=" STR_F "&path=" STR_F,
                                STR_A(local_escape(str_from_z(name), arena)),
                                STR_A(local_escape(str_from_z(path), arena)));
    int code = ask(dir, STR("POST"), target, arena) != NULL ? 0 : 1;
    int from = code != 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    int to = output == NULL ? STDOUT_FILENO
                            : open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (code == 0 && (from < 0 || to < 0)) {
        (void)err_errno(&err, "open '%s'", from < 0 ? path : output);
        code = fail(&err);
    } else if (code == 0 && copy(from, to, output == NULL ? "the output" : output, &err) < 0) {
        code = fail(&err);
    }
    close(fd);
    if (from >= 0)
        close(from);
    if (to > STDOUT_FILENO)
        close(to);
    (void)unlink(path);
    return code;
}

/* --- lists --- */

static void print_size(int64_t bytes)
{
    static const char units[] = "BkMGT";
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= 1000 && unit + 2 < sizeof(units)) {
        size /= 1000;
        unit++;
    }
    if (unit == 0)
        printf("%lldB\n", (long long)bytes);
    else
        printf("%.3g%cB\n", size, units[unit]);
}

static int list(str_t dir, struct arena *arena)
{
    const struct json *answer = ask(dir, STR("GET"), STR("/images"), arena);
    const struct json *images = json_get(answer, STR("images"));
    int wide = 5;
    if (answer == NULL)
        return 1;
    JSON_EACH(images, image)
    {
        int len = (int)json_get_text(image, STR("name")).len;
        wide = len > wide ? len : wide;
    }
    printf("%-*s  %-12s  SIZE\n", wide, "IMAGE", "ID");
    JSON_EACH(images, image)
    {
        int64_t bytes = 0;
        str_t name = json_get_text(image, STR("name")), id = json_get_text(image, STR("id"));
        (void)json_to_i64(json_get(image, STR("bytes")), &bytes);
        printf("%-*.*s  %-12.12s  ", wide, (int)name.len, name.at, id.len > 7 ? id.at + 7 : "");
        print_size(bytes);
    }
    return 0;
}

static int prune(str_t dir, struct arena *arena)
{
    const struct json *answer = ask(dir, STR("POST"), STR("/images/prune"), arena);
    int64_t freed = 0;
    (void)json_to_i64(json_get(answer, STR("freed")), &freed);
    if (answer == NULL)
        return 1;
    printf("freed ");
    print_size(freed);
    return 0;
}

static int remove_name(str_t dir, const char *name, struct arena *arena)
{
    str_t target =
        arena_printf(arena, "/images?name=" STR_F, STR_A(local_escape(str_from_z(name), arena)));
    return ask(dir, STR("DELETE"), target, arena) != NULL ? 0 : 1;
}

static int tag(str_t dir, const char *name, const char *as, struct arena *arena)
{
    str_t target = arena_printf(arena, "/images/tag?name=" STR_F "&as=" STR_F,
                                STR_A(local_escape(str_from_z(name), arena)),
                                STR_A(local_escape(str_from_z(as), arena)));
    return ask(dir, STR("POST"), target, arena) != NULL ? 0 : 1;
}

static int pull(str_t dir, const char *name, struct arena *arena)
{
    str_t target = arena_printf(arena, "/images/pull?name=" STR_F,
                                STR_A(local_escape(str_from_z(name), arena)));
    const struct json *answer = ask(dir, STR("POST"), target, arena);
    JSON_EACH(json_get(answer, STR("images")), image)
    printf("pulled " STR_F "\n", STR_A(json_get_text(image, STR("name"))));
    return answer != NULL ? 0 : 1;
}

int image_command(str_t dir, const char *const *words, size_t n, const char *output,
                  struct arena *arena)
{
    const char *word = n > 0 ? words[0] : "";
    if (n == 2 && strcmp(word, "import") == 0)
        return import(dir, words[1], arena);
    if (n == 2 && strcmp(word, "pull") == 0)
        return pull(dir, words[1], arena);
    if (n == 1 && strcmp(word, "ls") == 0)
        return list(dir, arena);
    if (n == 1 && strcmp(word, "prune") == 0)
        return prune(dir, arena);
    if (n == 2 && strcmp(word, "rm") == 0)
        return remove_name(dir, words[1], arena);
    if (n == 2 && strcmp(word, "save") == 0)
        return save(dir, words[1], output, arena);
    if (n == 3 && strcmp(word, "tag") == 0)
        return tag(dir, words[1], words[2], arena);
    fprintf(stderr, "davy: usage: davy image %s\n", image_usage);
    return EXIT_USAGE;
}
