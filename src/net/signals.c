/* signals.c - blocked, and read from a descriptor. */
#include "net/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_ready(struct loop_fd *watch, unsigned events)
{
    struct signals *signals = CONTAINER_OF(watch, struct signals, watch);
    struct signalfd_siginfo info;
    (void)events;
    while (watch->loop != NULL && read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        signals->arrived(signals, (int)info.ssi_signo);
}

int signals_watch(struct loop *loop, struct signals *signals, const int *numbers,
                  void (*arrived)(struct signals *signals, int number), struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    for (; *numbers != 0; numbers++)
        sigaddset(&set, *numbers);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_errno(err, "block signals");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_errno(err, "signalfd");
    signals->arrived = arrived;
    int r = loop_watch(loop, &signals->watch, fd, LOOP_READ, on_ready, err);
    if (r < 0)
        close(fd);
    return r;
}

void signals_done(struct signals *signals)
{
    int fd = signals->watch.fd;
    if (signals->watch.loop == NULL)
        return;
    loop_forget(&signals->watch);
    close(fd);
}
