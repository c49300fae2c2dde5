/* SPDX-License-Identifier: Apache-2.0 */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <apr_strings.h>
#include "eas_crypto.h"

/* Two levels. Threads of one process queue in the table below and are served in order; the one at
 * the front then takes one byte of a shard's lock file with an open-file-description lock, which
 * the kernel drops when the process dies. Such locks do not tell threads apart, hence the table. */
#define TAG "lease"
#define SHARDS 16
#define SLOTS 256
#define RETRY apr_time_from_msec(50)

typedef struct waiter_t {
    struct waiter_t *next;
    pthread_cond_t turn;
    int granted;
} waiter_t;

/* A name that is held or waited for. */
typedef struct holder_t {
    struct holder_t *next;
    apr_uint64_t hash[2];
    waiter_t *first;
} holder_t;

struct eas_lease_table_t {
    const char *dir;
    pthread_mutex_t lock; /* guards all below */
    pid_t pid;
    holder_t *slots[SLOTS];
    int fds[SHARDS]; /* of this process; -1: not opened yet */
};

struct eas_lease_t {
    eas_lease_table_t *table;
    apr_pool_t *pool;
    apr_uint64_t hash[2];
    int fd; /* -1: within the process only */
    pid_t pid;
};

/* Closes what this process has open. Leases of a parent are its own: the kernel keeps its locks. */
static void forget(eas_lease_table_t *t)
{
    for (int i = 0; i < SHARDS; i++) {
        if (t->fds[i] >= 0)
            close(t->fds[i]);
        t->fds[i] = -1;
    }
    for (int i = 0; i < SLOTS; i++)
        while (t->slots[i]) {
            holder_t *h = t->slots[i];
            t->slots[i] = h->next;
            free(h);
        }
    t->pid = getpid();
}

static apr_status_t end_table(void *data)
{
    forget(data);
    return APR_SUCCESS;
}

eas_lease_table_t *eas_lease_table_create(const char *dir, apr_pool_t *pool)
{
    eas_lease_table_t *t = apr_pcalloc(pool, sizeof(*t));

    t->dir = dir ? apr_pstrdup(pool, dir) : NULL;
    t->pid = getpid();
    pthread_mutex_init(&t->lock, NULL);
    for (int i = 0; i < SHARDS; i++)
        t->fds[i] = -1;
    apr_pool_cleanup_register(pool, t, end_table, apr_pool_cleanup_null);
    return t;
}

static holder_t **find(eas_lease_table_t *t, const apr_uint64_t hash[2])
{
    holder_t **at = &t->slots[hash[0] % SLOTS];
    while (*at && memcmp((*at)->hash, hash, sizeof((*at)->hash)) != 0)
        at = &(*at)->next;
    return at;
}

/* Waits in the queue behind @a h; lock is held. */
static int wait_turn(eas_lease_table_t *t, holder_t *h, apr_time_t deadline)
{
    struct timespec until = {(time_t)(deadline / APR_USEC_PER_SEC),
                             (long)(deadline % APR_USEC_PER_SEC) * 1000};
    waiter_t me = {0}, **at = &h->first;
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&me.turn, &attr);
    pthread_condattr_destroy(&attr);
    while (*at)
        at = &(*at)->next;
    *at = &me;
    while (!me.granted && pthread_cond_timedwait(&me.turn, &t->lock, &until) != ETIMEDOUT)
        ;
    if (!me.granted) { /* others may have come and gone: look for the place again */
        for (at = &h->first; *at != &me; at = &(*at)->next)
            ;
        *at = me.next;
    }
    pthread_cond_destroy(&me.turn);
    return me.granted;
}

/* Becomes this process's holder of the name. */
static int enter(eas_lease_table_t *t, const apr_uint64_t hash[2], apr_time_t deadline)
{
    int ok = 1;

    pthread_mutex_lock(&t->lock);
    if (t->pid != getpid())
        forget(t);
    holder_t **at = find(t, hash);
    if (*at) {
        ok = wait_turn(t, *at, deadline);
    } else {
        holder_t *h = calloc(1, sizeof(*h));
        if (h) {
            memcpy(h->hash, hash, sizeof(h->hash));
            *at = h;
        }
        ok = h != NULL;
    }
    pthread_mutex_unlock(&t->lock);
    return ok;
}

/* Hands the name to the next thread, or forgets it. */
static void leave(eas_lease_table_t *t, const apr_uint64_t hash[2])
{
    pthread_mutex_lock(&t->lock);
    holder_t **at = find(t, hash), *h = *at;
    if (h && h->first) {
        waiter_t *next = h->first;
        h->first = next->next;
        next->granted = 1;
        pthread_cond_signal(&next->turn);
    } else if (h) {
        *at = h->next;
        free(h);
    }
    pthread_mutex_unlock(&t->lock);
}

static eas_err_t *shard_fd(int *fd, eas_lease_table_t *t, unsigned shard, apr_pool_t *pool)
{
    const char *dir = apr_pstrcat(pool, t->dir, "/v1/lock", NULL);
    const char *path = apr_psprintf(pool, "%s/%02u", dir, shard);
    eas_err_t *err = NULL;

    pthread_mutex_lock(&t->lock);
    if (t->fds[shard] < 0) {
        int made = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (made < 0 && errno == ENOENT && !(err = eas_store_mkdirs(dir, pool)))
            made = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (made < 0 && !err)
            err = eas_err_apr(pool, errno, TAG, "cannot open the lock file %s", path);
        t->fds[shard] = made;
    }
    *fd = t->fds[shard];
    pthread_mutex_unlock(&t->lock);
    return err;
}

static int set_lock(int fd, const apr_uint64_t hash[2], short type)
{
    struct flock fl = {.l_type = type,
                       .l_whence = SEEK_SET,
                       .l_start = (off_t)(hash[1] >> 2), /* positive for any off_t of 64 bits */
                       .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &fl);
}

/* Over all processes. */
static eas_err_t *take_file(eas_lease_t *lease, apr_time_t deadline)
{
    eas_err_t *err =
        shard_fd(&lease->fd, lease->table, (unsigned)(lease->hash[0] >> 60), lease->pool);

    if (err)
        return err;
    while (set_lock(lease->fd, lease->hash, F_WRLCK) != 0) {
        apr_interval_time_t left = deadline - eas_store_monotonic();
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EACCES)
            return eas_err_apr(lease->pool, errno, TAG, "cannot lock");
        if (left <= 0)
            return eas_err_create(lease->pool, EAS_E_BUSY, TAG, "held by another process");
        eas_store_sleep(left < RETRY ? left : RETRY);
    }
    return NULL;
}

static apr_status_t end_lease(void *data)
{
    eas_lease_t *lease = data;

    if (lease->pid != getpid()) /* a copy in a child: the lease is the parent's */
        return APR_SUCCESS;
    if (lease->fd >= 0)
        set_lock(lease->fd, lease->hash, F_UNLCK);
    leave(lease->table, lease->hash);
    return APR_SUCCESS;
}

eas_err_t *eas_lease_take(eas_lease_t **out, eas_lease_table_t *table, const char *name,
                          apr_interval_time_t wait, apr_pool_t *pool)
{
    apr_time_t deadline = eas_store_monotonic() + wait;
    unsigned char sum[EAS_HASH_LEN];
    eas_lease_t *lease = apr_pcalloc(pool, sizeof(*lease));
    eas_err_t *err = NULL;

    *out = NULL;
    lease->table = table;
    lease->pool = pool;
    lease->fd = -1;
    lease->pid = getpid();
    eas_sha256(sum, name, strlen(name));
    memcpy(lease->hash, sum, sizeof(lease->hash));
    if (!enter(table, lease->hash, deadline))
        return eas_err_create(pool, EAS_E_BUSY, TAG, "held by another request");
    if (table->dir && (err = take_file(lease, deadline))) {
        leave(table, lease->hash);
        return err;
    }
    apr_pool_cleanup_register(pool, lease, end_lease, apr_pool_cleanup_null);
    *out = lease;
    return NULL;
}

void eas_lease_release(eas_lease_t *lease)
{
    if (lease)
        apr_pool_cleanup_run(lease->pool, lease, end_lease);
}
