/* pool.c - a queue, its threads, and a post back to the loop for each job. */
#include "net/pool.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS_MAX = 16 };

struct pool {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct job *first;
    struct job **end;
    bool stopping;
    unsigned n_threads;
    pthread_t threads[THREADS_MAX];
};

static void job_done(struct post *post)
{
    struct job *job = CONTAINER_OF(post, struct job, post);
    job->done(job);
}

static void job_here(struct post *post)
{
    struct job *job = CONTAINER_OF(post, struct job, post);
    job->work(job);
    job->done(job);
}

static struct job *pool_take(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->stopping)
        pthread_cond_wait(&pool->some, &pool->lock);
    struct job *job = pool->stopping ? NULL : pool->first;
    if (job != NULL) {
        pool->first = job->next;
        if (pool->first == NULL)
            pool->end = &pool->first;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *pool_thread(void *arg)
{
    struct pool *pool = arg;
    struct job *job;
    while ((job = pool_take(pool)) != NULL) {
        job->work(job);
        job->post.run = job_done;
        loop_post(pool->loop, &job->post);
    }
    return NULL;
}

int pool_new(struct loop *loop, unsigned threads, struct pool **out, struct err *err)
{
    MUST(threads <= THREADS_MAX);
    struct pool *pool = calloc(1, sizeof(*pool));
    MUST(pool != NULL);
    pool->loop = loop;
    pool->end = &pool->first;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->some, NULL);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (size_t)256 * 1024);
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&pool->threads[i], &attr, pool_thread, pool) != 0) {
            pthread_attr_destroy(&attr);
            pool_free(pool);
            return err_set(err, ERR_BUSY, "cannot start a thread");
        }
        pool->n_threads++;
    }
    pthread_attr_destroy(&attr);
    *out = pool;
    return 0;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->some);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->some);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void pool_run(struct pool *pool, struct job *job)
{
    job->pool = pool;
    job->next = NULL;
    if (pool->n_threads == 0) {
        job->post.run = job_here;
        loop_later(pool->loop, &job->post);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    *pool->end = job;
    pool->end = &job->next;
    pthread_cond_signal(&pool->some);
    pthread_mutex_unlock(&pool->lock);
}
