/*
 * profile.h - seccomp: which system calls a container may make.
 *
 * Profiles are JSON as Docker, containers/common and the OCI specification write them. What a
 * profile says about other architectures is left out, and of rules that depend on capabilities
 * those that do not apply. Making a filter of the usual profile takes libseccomp milliseconds, so
 * each is made once and kept. Any thread.
 */
#pragma once

#include "base/json.h"

struct profiles;

struct profiles *profiles_new(const char *default_file); /* "" : the usual file. */
void profiles_free(struct profiles *profiles);

/*
 * `file` "" : the default one. With `caps` as the container has them. *bpf: the filter in base64
 * for crun; *json: for runc. Both in the arena, NULL: not
 * needed. ERR_NOT_FOUND, ERR_INVALID.
 */
int profile_get(struct profiles *profiles, str_t file, uint64_t caps, struct arena *arena,
                str_t *bpf, struct json **json, struct err *err);

/* For tests: the OCI form, and the BPF instructions of it. */
int profile_filter(const struct json *profile, uint64_t caps, struct arena *arena,
                   struct json **json, struct err *err);
int profile_compile(const struct json *filtered, struct arena *arena, str_t *bpf, struct err *err);
