/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_CACHE_H
#define EAS_CACHE_H
/**
 * A cache shared by all children: only for what the store or the backend can give again. It may
 * forget anything at any time (a graceful reload empties it). The httpd room implements it over
 * ap_socache; util/mem_cache.c is the same in one process, for tests and tools.
 *
 * Keys are binary, at most 64 bytes; values at most EAS_CACHE_MAX bytes, larger ones are not kept.
 * Any thread may call.
 */
#include <apr_pools.h>
#include <apr_time.h>

#define EAS_CACHE_MAX 4096

typedef struct eas_cache_t eas_cache_t;
struct eas_cache_t {
    /** *val NULL when not there or expired. */
    void (*get)(const void **val, apr_size_t *len, eas_cache_t *cache, const void *key,
                apr_size_t keylen, apr_pool_t *pool);
    void (*set)(eas_cache_t *cache, const void *key, apr_size_t keylen, const void *val,
                apr_size_t len, apr_interval_time_t ttl, apr_pool_t *scratch_pool);
    void (*remove)(eas_cache_t *cache, const void *key, apr_size_t keylen,
                   apr_pool_t *scratch_pool);
    void *ctx;
};

#endif
