/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets in an array of words. A word holds 24 bits of the key's hash and the time at which
 * the bucket will be full again (40 bits, ms): taking a token moves that time on by window / count,
 * and there is none left when it would lie more than a window ahead. So a bucket nobody uses needs
 * no care, and a word whose time has passed is free for any key.
 */
#include "auth_priv.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <apr_strings.h>

enum { WAYS = 8, TAG_BITS = 24 };

#define TAG_OF(word) ((word) & ((1u << TAG_BITS) - 1))
#define TIME_OF(word) ((word) >> TAG_BITS)
#define WORD(time, tag) ((time) << TAG_BITS | (tag))

eas_auth_shared_t *eas_auth_shared_init(void *mem, apr_size_t size)
{
    eas_auth_shared_t *shared = mem;
    apr_size_t room = (size - sizeof(*shared)) / sizeof(shared->buckets[0]);

    memset(mem, 0, size);
    for (shared->nbuckets = WAYS; shared->nbuckets * 2 <= room;)
        shared->nbuckets *= 2;
    return shared;
}

/* The word of a key; when it has none: a free one, else the one that will be free first. */
static apr_uint64_t *find(eas_auth_shared_t *shared, apr_uint64_t hash, apr_uint64_t now)
{
    apr_uint64_t tag = TAG_OF(hash), set = (hash >> TAG_BITS) & (shared->nbuckets / WAYS - 1);
    apr_uint64_t *best = NULL, best_time = 0;

    for (int i = 0; i < WAYS; i++) {
        apr_uint64_t *at = &shared->buckets[set * WAYS + (apr_uint64_t)i];
        apr_uint64_t word = __atomic_load_n(at, __ATOMIC_ACQUIRE);
        if (TAG_OF(word) == tag && TIME_OF(word) > now)
            return at;
        if (!best || TIME_OF(word) < best_time) {
            best = at;
            best_time = TIME_OF(word);
        }
    }
    return best;
}

static apr_uint64_t step_of(const eas_auth_rate_t *rate)
{
    apr_uint64_t step = (apr_uint64_t)(rate->window / rate->count) / 1000;
    return step ? step : 1;
}

apr_uint64_t auth_limit_take(eas_auth_shared_t *shared, apr_uint64_t hash,
                             const eas_auth_rate_t *rate, apr_uint64_t now)
{
    apr_uint64_t step, window, old, full, *at;

    if (!rate->count)
        return 0;
    step = step_of(rate);
    window = step * (apr_uint64_t)rate->count;
    at = find(shared, hash, now);
    old = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    do {
        full = TAG_OF(old) == TAG_OF(hash) && TIME_OF(old) > now ? TIME_OF(old) : now;
        if (full > now + window) /* the clock was set back, or the rate is another one now */
            full = now;
        if (full + step > now + window)
            return full + step - (now + window);
    } while (!__atomic_compare_exchange_n(at, &old, WORD(full + step, TAG_OF(hash)), 0,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return 0;
}

void auth_limit_give(eas_auth_shared_t *shared, apr_uint64_t hash, const eas_auth_rate_t *rate,
                     apr_uint64_t now)
{
    apr_uint64_t old, full, *at;

    if (!rate->count)
        return;
    at = find(shared, hash, now);
    old = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    do {
        if (TAG_OF(old) != TAG_OF(hash) || TIME_OF(old) <= now)
            return; /* somebody else's by now */
        full = TIME_OF(old) - step_of(rate);
    } while (!__atomic_compare_exchange_n(at, &old, WORD(full > now ? full : now, TAG_OF(hash)), 0,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

const char *auth_limit_network(const char *ip, apr_pool_t *pool)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char a[16];

    if (!ip)
        return "";
    if (inet_pton(AF_INET, ip, a) == 1)
        return apr_psprintf(pool, "%d.%d.%d.0/24", a[0], a[1], a[2]);
    if (inet_pton(AF_INET6, ip, a) != 1)
        return ip;
    if (memcmp(a, mapped, sizeof(mapped)) == 0)
        return apr_psprintf(pool, "%d.%d.%d.0/24", a[12], a[13], a[14]);
    return apr_psprintf(pool, "%x:%x:%x:%x::/64", a[0] << 8 | a[1], a[2] << 8 | a[3],
                        a[4] << 8 | a[5], a[6] << 8 | a[7]);
}
