/*
 * loop.c - epoll, a heap of timers, and two queues of posts; see loop.h for the contract.
 *
 * Events of one turn are fetched as a batch. A watch that is forgotten while the batch is handled
 * has its remaining events struck out of it, so a callback may free any watch.
 */
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MAX = 128 };

struct queue {
    struct post *first;
    struct post **end;
};

struct loop {
    int epoll_fd;
    struct clock *clock;
    msec_t now_ms;
    bool stopping;
    struct epoll_event events[EVENTS_MAX];
    int n_events;
    struct timer **heap; /* heap[0] unused; each is due no later than its children. */
    size_t n_timers;
    size_t heap_cap;
    struct queue later;
    struct loop_fd wake;  /* An eventfd. */
    pthread_mutex_t lock; /* Guards posted and stopping. */
    struct queue posted;
};

/* --- posts --- */

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void queue_add(struct queue *queue, struct post *post)
{
    post->next = NULL;
    *queue->end = post;
    queue->end = &post->next;
}

/* Runs what is there now; what is added meanwhile waits for the next turn. */
static void queue_run(struct post *post)
{
    while (post != NULL) {
        struct post *next = post->next;
        post->run(post);
        post = next;
    }
}

static struct post *queue_take(struct queue *queue)
{
    struct post *first = queue->first;
    queue_init(queue);
    return first;
}

static void wake_up(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t n;
    do
        n = write(loop->wake.fd, &one, sizeof(one));
    while (n < 0 && errno == EINTR); /* EAGAIN: it is awake already. */
}

static void on_wake(struct loop_fd *watch, unsigned events)
{
    (void)events;
    uint64_t count;
    ssize_t n = read(watch->fd, &count, sizeof(count));
    MUST(n == sizeof(count) || errno == EAGAIN || errno == EINTR);
}

void loop_post(struct loop *loop, struct post *post)
{
    pthread_mutex_lock(&loop->lock);
    bool first = loop->posted.first == NULL;
    queue_add(&loop->posted, post);
    pthread_mutex_unlock(&loop->lock);
    if (first)
        wake_up(loop);
}

void loop_later(struct loop *loop, struct post *post)
{
    queue_add(&loop->later, post);
}

void loop_stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    pthread_mutex_unlock(&loop->lock);
    wake_up(loop);
}

/* --- timers --- */

static void heap_place(struct loop *loop, struct timer *timer, size_t place)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void heap_up(struct loop *loop, struct timer *timer, size_t place)
{
    while (place > 1 && loop->heap[place / 2]->due_ms > timer->due_ms) {
        heap_place(loop, loop->heap[place / 2], place);
        place /= 2;
    }
    heap_place(loop, timer, place);
}

static void heap_down(struct loop *loop, struct timer *timer, size_t place)
{
    for (size_t child; (child = place * 2) <= loop->n_timers; place = child) {
        if (child < loop->n_timers && loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
            child++;
        if (loop->heap[child]->due_ms >= timer->due_ms)
            break;
        heap_place(loop, loop->heap[child], place);
    }
    heap_place(loop, timer, place);
}

void timer_stop(struct timer *timer)
{
    size_t place = timer->place;
    if (place == 0)
        return;
    struct loop *loop = timer->loop;
    struct timer *last = loop->heap[loop->n_timers--];
    timer->place = 0;
    if (last == timer)
        return;
    heap_up(loop, last, place);
    heap_down(loop, last, last->place);
}

void timer_set(struct loop *loop, struct timer *timer, msec_t in_ms, void (*fire)(struct timer *))
{
    timer_stop(timer);
    if (loop->n_timers + 2 > loop->heap_cap) {
        loop->heap_cap = loop->heap_cap == 0 ? 64 : loop->heap_cap * 2;
        loop->heap = reallocarray(loop->heap, loop->heap_cap, sizeof(struct timer *));
        MUST(loop->heap != NULL);
    }
    timer->loop = loop;
    timer->due_ms = loop->now_ms + (in_ms > 0 ? in_ms : 0);
    timer->fire = fire;
    heap_up(loop, timer, ++loop->n_timers);
}

static void timers_run(struct loop *loop)
{
    /* A timer that sets itself anew for now waits for the next turn: its number is counted. */
    for (size_t n = loop->n_timers; n > 0 && loop->n_timers > 0; n--) {
        struct timer *timer = loop->heap[1];
        if (timer->due_ms > loop->now_ms)
            return;
        timer_stop(timer);
        timer->fire(timer);
    }
}

/* --- descriptors --- */

static int watch_add(struct loop *loop, struct loop_fd *watch, int fd, unsigned events,
                     struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return err_errno(err, "watch descriptor %d", fd);
    watch->fd = fd;
    watch->loop = loop;
    return 0;
}

int loop_watch(struct loop *loop, struct loop_fd *watch, int fd, unsigned events,
               void (*ready)(struct loop_fd *, unsigned), struct err *err)
{
    watch->ready = ready;
    watch->events = events;
    return watch_add(loop, watch, fd, events, err);
}

int loop_watch_exclusive(struct loop *loop, struct loop_fd *watch, int fd,
                         void (*ready)(struct loop_fd *, unsigned), struct err *err)
{
    watch->ready = ready;
    watch->events = LOOP_READ;
    return watch_add(loop, watch, fd, EPOLLIN | EPOLLEXCLUSIVE, err);
}

void loop_want(struct loop_fd *watch, unsigned events)
{
    if (watch->loop == NULL || watch->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int r = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    MUST(r == 0);
    watch->events = events;
}

void loop_forget(struct loop_fd *watch)
{
    struct loop *loop = watch->loop;
    if (loop == NULL)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = 0; i < loop->n_events; i++)
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
    watch->loop = NULL;
    watch->fd = -1;
}

static void events_run(struct loop *loop)
{
    for (int i = 0; i < loop->n_events; i++) {
        struct loop_fd *watch = loop->events[i].data.ptr;
        unsigned events = loop->events[i].events;
        if (watch == NULL)
            continue;
        if (events & EPOLLERR)
            events |= LOOP_READ | LOOP_WRITE | LOOP_HANGUP;
        watch->ready(watch, events & (LOOP_READ | LOOP_WRITE | LOOP_HANGUP));
    }
    loop->n_events = 0;
}

/* --- turning --- */

static msec_t wait_time(const struct loop *loop, msec_t wait_ms_max)
{
    if (loop->later.first != NULL)
        return 0;
    msec_t wait = wait_ms_max;
    if (loop->n_timers > 0) {
        msec_t left = loop->heap[1]->due_ms - loop->clock->mono_ms(loop->clock);
        left = left > 0 ? left : 0;
        wait = wait < 0 || left < wait ? left : wait;
    }
    return wait > INT32_MAX ? INT32_MAX : wait;
}

int loop_turn(struct loop *loop, msec_t wait_ms_max, struct err *err)
{
    int n = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, (int)wait_time(loop, wait_ms_max));
    if (n < 0 && errno != EINTR)
        return err_errno(err, "epoll_wait");
    loop->n_events = n > 0 ? n : 0;
    loop->now_ms = loop->clock->mono_ms(loop->clock);
    timers_run(loop);
    events_run(loop);

    pthread_mutex_lock(&loop->lock);
    struct post *posted = queue_take(&loop->posted);
    pthread_mutex_unlock(&loop->lock);
    queue_run(posted);
    queue_run(queue_take(&loop->later));
    return 0;
}

int loop_run(struct loop *loop, struct err *err)
{
    for (;;) {
        pthread_mutex_lock(&loop->lock);
        bool stop = loop->stopping;
        pthread_mutex_unlock(&loop->lock);
        if (stop)
            return 0;
        int r = loop_turn(loop, -1, err);
        if (r < 0)
            return r;
    }
}

int loop_new(struct clock *clock, struct loop **out, struct err *err)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    MUST(loop != NULL);
    loop->clock = clock;
    loop->now_ms = clock->mono_ms(clock);
    queue_init(&loop->later);
    queue_init(&loop->posted);
    pthread_mutex_init(&loop->lock, NULL);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || wake_fd < 0) {
        err_errno(err, "make an event loop");
        loop->wake.fd = wake_fd;
        loop_free(loop);
        return err->code;
    }
    int r = loop_watch(loop, &loop->wake, wake_fd, LOOP_READ, on_wake, err);
    if (r < 0) {
        loop->wake.fd = wake_fd;
        loop_free(loop);
        return r;
    }
    *out = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    for (size_t i = 1; i <= loop->n_timers; i++)
        loop->heap[i]->place = 0;
    if (loop->wake.fd >= 0)
        close(loop->wake.fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop);
}

msec_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ms;
}

msec_t loop_wall_ms(const struct loop *loop)
{
    return loop->clock->wall_ms(loop->clock);
}

struct clock *loop_clock(const struct loop *loop)
{
    return loop->clock;
}
