/* confine.c - user, capabilities, the parent's death, no_new_privs, seccomp: in this order. */
#include "supervise/confine.h"

#include "supervise/settings.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Each of them ends badly in the hands of whoever takes a server over. */
static const char *const refused[] = {
    "execve",
    "execveat",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "setns",
    "unshare",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "keyctl",
    "add_key",
    "request_key",
    "reboot",
    "swapon",
    "swapoff",
    "iopl",
    "ioperm",
    "acct",
    "quotactl",
    "settimeofday",
    "clock_settime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "open_by_handle_at",
    "mknod",
    "mknodat",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "move_mount",
    "fsopen",
    "fsmount",
    "open_tree",
    "personality",
    "vhangup",
    "lookup_dcookie",
};

bool confine_user(uint32_t *uid, uint32_t *gid)
{
    struct passwd *user = geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;
    if (user == NULL)
        return false;
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    return true;
}

static int drop_user(struct err *err)
{
    uint32_t uid, gid;
    if (!confine_user(&uid, &gid))
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return err_errno(err, "become user '%s'", SERVICE_USER);
    return 0;
}

static int drop_capabilities(struct err *err)
{
    for (int cap = 0; cap <= 63; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
            return err_errno(err, "drop capability %d", cap);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof(none));
    if (syscall(SYS_capset, &header, none) < 0)
        return err_errno(err, "drop capabilities");
    return 0;
}

static int filter_syscalls(struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return err_set(err, ERR_INTERNAL, "make a seccomp filter");
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(refused) && r >= 0; i++) {
        int number = seccomp_syscall_resolve_name(refused[i]);
        if (number >= 0) /* Not every architecture has every one. */
            r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    if (r >= 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    if (r < 0)
        return err_set(err, ERR_INTERNAL, "load a seccomp filter: %s", strerror(-r));
    return 0;
}

int confine(struct err *err)
{
    int r = drop_user(err);
    if (r == 0)
        r = drop_capabilities(err);
    if (r < 0)
        return r;
    /* Without its supervisor a role would hold ports and the store, and nobody could stop it. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
        return err_errno(err, "end with the supervisor");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(err, "set no_new_privs");
    return filter_syscalls(err);
}

void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* Fewer connections is all that follows. */
}
