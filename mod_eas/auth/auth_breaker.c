/* SPDX-License-Identifier: Apache-2.0 */
#include "auth_priv.h"

#include "eas_time.h"

enum {
    FAILURES = 3,
    WINDOW_MS = 10000,
    OPEN_MS = 5000,
    THROTTLED_S = 60 /* from here on a Retry-After is taken at its word, and up to here obeyed */
};

/* 2020-01-01: 40 bits of milliseconds last to 2054. */
#define EPOCH ((apr_time_t)1577836800 * APR_USEC_PER_SEC)

apr_uint64_t auth_ms(void)
{
    apr_time_t t = eas_now() - EPOCH;
    return t > 0 ? (apr_uint64_t)t / 1000 : 0;
}

apr_uint64_t auth_breaker_wait(const auth_breaker_t *breaker, apr_uint64_t now)
{
    apr_uint64_t until = __atomic_load_n(&breaker->open_until, __ATOMIC_ACQUIRE);
    /* a clock that was set back must not shut everybody out until it has caught up */
    return until > now && until - now <= THROTTLED_S * 1000 ? until - now : 0;
}

static void open_for(auth_breaker_t *breaker, apr_uint64_t now, apr_uint64_t ms)
{
    __atomic_store_n(&breaker->open_until, now + ms, __ATOMIC_RELEASE);
    /* the first who fails after that opens it again */
    __atomic_store_n(&breaker->failures, (now + ms) << 8 | (FAILURES - 1), __ATOMIC_RELEASE);
}

void auth_breaker_failed(auth_breaker_t *breaker, apr_uint64_t now, int retry_after)
{
    apr_uint64_t old = __atomic_load_n(&breaker->failures, __ATOMIC_ACQUIRE), next;
    int count;

    if (retry_after >= THROTTLED_S) {
        open_for(breaker, now, THROTTLED_S * 1000);
        return;
    }
    do {
        apr_uint64_t first = old >> 8;
        count = (int)(old & 0xff) + 1;
        if (count == 1 || now > first + WINDOW_MS) {
            first = now;
            count = 1;
        }
        next = first << 8 | (apr_uint64_t)count;
    } while (!__atomic_compare_exchange_n(&breaker->failures, &old, next, 0, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    if (count >= FAILURES)
        open_for(breaker, now, OPEN_MS);
}

void auth_breaker_worked(auth_breaker_t *breaker)
{
    if (__atomic_load_n(&breaker->failures, __ATOMIC_RELAXED))
        __atomic_store_n(&breaker->failures, 0, __ATOMIC_RELEASE);
}
