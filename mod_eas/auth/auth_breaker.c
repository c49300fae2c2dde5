/* SPDX-License-Identifier: Apache-2.0 */
/* One breaker per backend, for all processes. Closed: everybody may ask. Open: nobody, until a
 * point in time. After that one caller asks and the rest goes on waiting for what he finds out;
 * should he die, the next one tries when his time is up. */
#include <apr_strings.h>
#include "auth_priv.h"

#include <string.h>
#include "eas_time.h"

enum {
    FAILURES = 3,
    WINDOW_MS = 10000,
    OPEN_MS = 5000,
    PROBE_MS = 5000,
    THROTTLED_S = 60 /* from here on a Retry-After is taken at its word, and up to here obeyed */
};

/* 2020-01-01: 40 bits of milliseconds last to 2054. */
#define EPOCH ((apr_time_t)1577836800 * APR_USEC_PER_SEC)

apr_uint64_t auth_ms(void)
{
    apr_time_t t = eas_now() - EPOCH;
    return t > 0 ? (apr_uint64_t)t / 1000 : 0;
}

auth_breaker_t *auth_breaker_of(eas_auth_shared_t *shared, const char *backend)
{
    unsigned char hash[EAS_HASH_LEN];
    apr_uint64_t owner;

    eas_sha256(hash, backend, strlen(backend));
    memcpy(&owner, hash, sizeof(owner));
    owner |= 1; /* 0 is a free one */
    for (unsigned i = 0; i < AUTH_BREAKERS; i++) {
        auth_breaker_t *b = &shared->breakers[(owner + i) % AUTH_BREAKERS];
        apr_uint64_t found = 0;
        if (__atomic_compare_exchange_n(&b->owner, &found, owner, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE) ||
            found == owner)
            return b;
    }
    return &shared->breakers[owner % AUTH_BREAKERS]; /* more backends than breakers: they share */
}

/* A time that a clock set back since has put out of reach must not shut everybody out. */
static apr_uint64_t left(apr_uint64_t until, apr_uint64_t now)
{
    return until > now && until - now <= THROTTLED_S * 1000 ? until - now : 0;
}

apr_uint64_t auth_breaker_wait(const auth_breaker_t *breaker, apr_uint64_t now)
{
    return left(__atomic_load_n(&breaker->open_until, __ATOMIC_ACQUIRE), now);
}

apr_uint64_t auth_breaker_enter(auth_breaker_t *breaker, apr_uint64_t now)
{
    apr_uint64_t until = __atomic_load_n(&breaker->open_until, __ATOMIC_ACQUIRE);

    if (!until)
        return 0;
    if (left(until, now))
        return left(until, now);
    if (__atomic_compare_exchange_n(&breaker->open_until, &until, now + PROBE_MS, 0,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return 0;
    return until ? left(until, now) : 0; /* another one asks, or has found it to work */
}

static int count_failure(auth_breaker_t *breaker, apr_uint64_t now)
{
    apr_uint64_t old = __atomic_load_n(&breaker->failures, __ATOMIC_ACQUIRE), next;
    int count;

    do {
        apr_uint64_t first = old >> 8;
        count = (int)(old & 0xff) + 1;
        if (count == 1 || now < first || now > first + WINDOW_MS) {
            first = now;
            count = 1;
        }
        next = first << 8 | (apr_uint64_t)(count < FAILURES ? count : FAILURES);
    } while (!__atomic_compare_exchange_n(&breaker->failures, &old, next, 0, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return count;
}

void auth_breaker_failed(auth_breaker_t *breaker, apr_uint64_t now, int retry_after)
{
    int count = count_failure(breaker, now);
    int probing = __atomic_load_n(&breaker->open_until, __ATOMIC_ACQUIRE) != 0;

    if (retry_after >= THROTTLED_S)
        __atomic_store_n(&breaker->open_until, now + THROTTLED_S * 1000, __ATOMIC_RELEASE);
    else if (probing || count >= FAILURES)
        __atomic_store_n(&breaker->open_until, now + OPEN_MS, __ATOMIC_RELEASE);
}

void auth_breaker_worked(auth_breaker_t *breaker)
{
    if (__atomic_load_n(&breaker->failures, __ATOMIC_RELAXED))
        __atomic_store_n(&breaker->failures, 0, __ATOMIC_RELEASE);
    if (__atomic_load_n(&breaker->open_until, __ATOMIC_RELAXED))
        __atomic_store_n(&breaker->open_until, 0, __ATOMIC_RELEASE);
}

void auth_breaker_unknown(auth_breaker_t *breaker, apr_uint64_t now)
{
    apr_uint64_t until = __atomic_load_n(&breaker->open_until, __ATOMIC_ACQUIRE);

    if (until) /* let the next one find out */
        __atomic_compare_exchange_n(&breaker->open_until, &until, now, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE);
}

static int is_outage(const char *tag, const eas_err_t *err)
{
    if (!tag)
        return err->kind == EAS_E_UNAVAILABLE;
    for (; err; err = err->cause)
        if (err->kind == EAS_E_UNAVAILABLE && strcmp(err->tag, tag) == 0)
            return 1;
    return 0;
}

void auth_breaker_tell(auth_breaker_t *breaker, const char *outage_tag, const eas_err_t *err,
                       int obey)
{
    if (err && is_outage(outage_tag, err))
        auth_breaker_failed(breaker, auth_ms(), obey ? err->retry_after : 0);
    else if (err && (err->kind == EAS_E_BUSY || err->kind == EAS_E_INTERNAL))
        auth_breaker_unknown(breaker, auth_ms());
    else
        auth_breaker_worked(breaker);
}

/* Not the breaker of logins: a backend that wants no more guesses at passwords still serves those
 * who are logged in, and a call that works says nothing about logins. */
static auth_breaker_t *calls_of(eas_auth_shared_t *shared, const char *backend)
{
    char name[256] = "calls ";
    apr_cpystrn(name + 6, backend, sizeof(name) - 6);
    return auth_breaker_of(shared, name);
}

eas_err_t *eas_auth_ask(eas_auth_shared_t *shared, const char *backend, apr_pool_t *pool)
{
    apr_uint64_t ms = auth_breaker_enter(calls_of(shared, backend), auth_ms());
    eas_err_t *err;

    if (!ms)
        return NULL;
    err = eas_err_create(pool, EAS_E_UNAVAILABLE, "breaker",
                         "the backend has failed and is left alone for a moment");
    err->retry_after = (int)((ms + 999) / 1000);
    return err;
}

void eas_auth_asked(eas_auth_shared_t *shared, const char *backend, const char *outage_tag,
                    const eas_err_t *err)
{
    auth_breaker_tell(calls_of(shared, backend), outage_tag, err, 0);
}
