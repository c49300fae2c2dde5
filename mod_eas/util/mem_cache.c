/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_mem_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "eas_time.h"

#define CACHE_KEY_MAX 64
#define ENTRIES_MAX 4096
#define SLOTS 1024

typedef struct entry_t {
    struct entry_t *next;
    apr_time_t expires;
    apr_size_t keylen, len;
    unsigned char bytes[]; /* key, then value */
} entry_t;

typedef struct mem_cache_t {
    eas_cache_t cache;
    pthread_mutex_t lock; /* guards the rest */
    entry_t *slots[SLOTS];
    int count;
} mem_cache_t;

static entry_t **slot_of(mem_cache_t *mc, const unsigned char *key, apr_size_t keylen)
{
    unsigned h = 2166136261u; /* FNV-1a */
    for (apr_size_t i = 0; i < keylen; i++)
        h = (h ^ key[i]) * 16777619u;
    return &mc->slots[h % SLOTS];
}

static entry_t **find(mem_cache_t *mc, const void *key, apr_size_t keylen)
{
    entry_t **at = slot_of(mc, key, keylen);
    while (*at && ((*at)->keylen != keylen || memcmp((*at)->bytes, key, keylen) != 0))
        at = &(*at)->next;
    return at;
}

static void drop(mem_cache_t *mc, entry_t **at)
{
    entry_t *gone = *at;
    *at = gone->next;
    free(gone);
    mc->count--;
}

static void forget_all(mem_cache_t *mc)
{
    for (int i = 0; i < SLOTS; i++)
        while (mc->slots[i])
            drop(mc, &mc->slots[i]);
}

static void cache_get(const void **val, apr_size_t *len, eas_cache_t *cache, const void *key,
                      apr_size_t keylen, apr_pool_t *pool)
{
    mem_cache_t *mc = cache->ctx;

    *val = NULL;
    *len = 0;
    pthread_mutex_lock(&mc->lock);
    entry_t **at = find(mc, key, keylen);
    if (*at && (*at)->expires <= eas_now())
        drop(mc, at);
    else if (*at) {
        char *copy = apr_palloc(pool, (*at)->len + 1);
        memcpy(copy, (*at)->bytes + keylen, (*at)->len);
        *val = copy;
        *len = (*at)->len;
    }
    pthread_mutex_unlock(&mc->lock);
}

static void cache_remove(eas_cache_t *cache, const void *key, apr_size_t keylen,
                         apr_pool_t *scratch_pool)
{
    mem_cache_t *mc = cache->ctx;

    pthread_mutex_lock(&mc->lock);
    entry_t **at = find(mc, key, keylen);
    if (*at)
        drop(mc, at);
    pthread_mutex_unlock(&mc->lock);
}

static void cache_set(eas_cache_t *cache, const void *key, apr_size_t keylen, const void *val,
                      apr_size_t len, apr_interval_time_t ttl, apr_pool_t *scratch_pool)
{
    mem_cache_t *mc = cache->ctx;
    entry_t *e;

    if (keylen > CACHE_KEY_MAX || len > EAS_CACHE_MAX || !(e = malloc(sizeof(*e) + keylen + len))) {
        cache_remove(cache, key, keylen, scratch_pool); /* the old value is no longer true */
        return;
    }
    e->expires = eas_now() + ttl;
    e->keylen = keylen;
    e->len = len;
    memcpy(e->bytes, key, keylen);
    if (len)
        memcpy(e->bytes + keylen, val, len);
    pthread_mutex_lock(&mc->lock);
    entry_t **at = find(mc, key, keylen);
    if (*at)
        drop(mc, at);
    if (mc->count >= ENTRIES_MAX)
        forget_all(mc);
    at = slot_of(mc, e->bytes, keylen);
    e->next = *at;
    *at = e;
    mc->count++;
    pthread_mutex_unlock(&mc->lock);
}

static apr_status_t cleanup(void *data)
{
    mem_cache_t *mc = data;
    forget_all(mc);
    pthread_mutex_destroy(&mc->lock);
    return APR_SUCCESS;
}

eas_cache_t *eas_mem_cache_create(apr_pool_t *pool)
{
    mem_cache_t *mc = apr_pcalloc(pool, sizeof(*mc));
    mc->cache = (eas_cache_t){
        .get = cache_get, .set = cache_set, .remove = cache_remove, .ctx = mc};
    pthread_mutex_init(&mc->lock, NULL);
    apr_pool_cleanup_register(pool, mc, cleanup, apr_pool_cleanup_null);
    return &mc->cache;
}
