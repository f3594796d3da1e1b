/* signals.h - signals as events of a loop, through a signalfd. */
#pragma once

#include "net/loop.h"

struct signals {
    struct loop_fd watch;
    void (*arrived)(struct signals *signals, int number);
};

/* `numbers` ends with 0. They stay blocked in this thread and those it makes. */
int signals_watch(struct loop *loop, struct signals *signals, const int *numbers,
                  void (*arrived)(struct signals *signals, int number), struct err *err);
void signals_done(struct signals *signals);
