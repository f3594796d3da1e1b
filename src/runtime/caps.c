/* caps.c - one table; the numbers are those of linux/capability.h. */
#include "runtime/caps.h"

#include <strings.h>
#include <sys/prctl.h>

static const char *const names[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

uint64_t caps_bit(str_t name)
{
    enum { PREFIX = 4 };
    if (name.len == 3 && strncasecmp(name.at, "ALL", 3) == 0)
        return (1ULL << ARRAY_LEN(names)) - 1;
    if (name.len > PREFIX && strncasecmp(name.at, "CAP_", PREFIX) == 0)
        name = (str_t){name.at + PREFIX, name.len - PREFIX};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        str_t own = str_from_z(names[i] + PREFIX);
        if (own.len == name.len && strncasecmp(own.at, name.at, own.len) == 0)
            return 1ULL << i;
    }
    return 0;
}

const char *caps_name(unsigned number)
{
    return number < ARRAY_LEN(names) ? names[number] : NULL;
}

uint64_t caps_own(void)
{
    uint64_t own = 0;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
            own |= 1ULL << i;
    return own;
}
