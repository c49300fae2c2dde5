/* SPDX-License-Identifier: Apache-2.0 */
/* How many threads of this process may be busy with cold logins. A slow backend must not take the
 * threads that serve phones whose tickets are good: so few may log in, as few may wait for that. */
#include "auth_priv.h"

#include <errno.h>
#include <time.h>

enum { WAIT_S = 1 };

static apr_status_t end(void *data)
{
    auth_slots_t *slots = data;
    pthread_cond_destroy(&slots->freed);
    pthread_mutex_destroy(&slots->lock);
    return APR_SUCCESS;
}

void auth_slots_init(auth_slots_t *slots, int max, apr_pool_t *pool)
{
    pthread_condattr_t attr;

    slots->max = max > 0 ? max : 1;
    slots->used = slots->waiting = 0;
    pthread_mutex_init(&slots->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&slots->freed, &attr);
    pthread_condattr_destroy(&attr);
    apr_pool_cleanup_register(pool, slots, end, apr_pool_cleanup_null);
}

int auth_slots_take(auth_slots_t *slots)
{
    struct timespec until;
    int ok;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&slots->lock);
    if (slots->used >= slots->max && slots->waiting < slots->max) {
        slots->waiting++;
        while (slots->used >= slots->max &&
               pthread_cond_timedwait(&slots->freed, &slots->lock, &until) != ETIMEDOUT)
            ;
        slots->waiting--;
    }
    ok = slots->used < slots->max;
    slots->used += ok;
    pthread_mutex_unlock(&slots->lock);
    return ok;
}

void auth_slots_give(auth_slots_t *slots)
{
    pthread_mutex_lock(&slots->lock);
    slots->used--;
    pthread_cond_signal(&slots->freed);
    pthread_mutex_unlock(&slots->lock);
}
