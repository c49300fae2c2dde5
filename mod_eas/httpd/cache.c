/* SPDX-License-Identifier: Apache-2.0 */
/* eas_cache_t over httpd's small object cache. Everything in it can be had again, so a cache that
 * fails is a cache that is empty. */
#include "httpd_priv.h"

#include <string.h>
#include <ap_provider.h>
#include <util_mutex.h>
#include <apr_strings.h>

#define MUTEX "eas-cache"
#define CNAME "mod_eas"
#define SHMCB "shmcb"
#define SHMCB_DEFAULT "eas-cache(16777216)" /* about 20,000 phones */

typedef struct httpd_cache_t {
    eas_cache_t cache;
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    apr_global_mutex_t *mutex; /* NULL: the provider looks after itself */
    server_rec *s;
} httpd_cache_t;

void httpd_cache_register(apr_pool_t *pconf)
{
    ap_mutex_register(pconf, MUTEX, NULL, APR_LOCK_DEFAULT, 0);
}

static int enter(httpd_cache_t *c)
{
    return !c->mutex || apr_global_mutex_lock(c->mutex) == APR_SUCCESS;
}

static void leave(httpd_cache_t *c)
{
    if (c->mutex)
        apr_global_mutex_unlock(c->mutex);
}

static void cache_get(const void **val, apr_size_t *len, eas_cache_t *cache, const void *key,
                      apr_size_t keylen, apr_pool_t *pool)
{
    httpd_cache_t *c = cache->ctx;
    unsigned char buf[EAS_CACHE_MAX];
    unsigned int n = sizeof(buf);
    apr_status_t rv = APR_EGENERAL;

    *val = NULL;
    *len = 0;
    if (enter(c)) {
        rv = c->provider->retrieve(c->instance, c->s, key, (unsigned)keylen, buf, &n, pool);
        leave(c);
    }
    if (rv != APR_SUCCESS || n > sizeof(buf))
        return;
    *val = apr_pmemdup(pool, buf, n);
    *len = n;
}

static void cache_set(eas_cache_t *cache, const void *key, apr_size_t keylen, const void *val,
                      apr_size_t len, apr_interval_time_t ttl, apr_pool_t *pool)
{
    httpd_cache_t *c = cache->ctx;

    if (len > EAS_CACHE_MAX || !enter(c))
        return;
    c->provider->store(c->instance, c->s, key, (unsigned)keylen, apr_time_now() + ttl,
                       (unsigned char *)val, (unsigned)len, pool);
    leave(c);
}

static void cache_remove(eas_cache_t *cache, const void *key, apr_size_t keylen, apr_pool_t *pool)
{
    httpd_cache_t *c = cache->ctx;

    if (!enter(c))
        return;
    c->provider->remove(c->instance, c->s, key, (unsigned)keylen, pool);
    leave(c);
}

static const ap_socache_provider_t *lookup(const char **args, const char *spec, apr_pool_t *pool)
{
    const char *colon = strchr(spec, ':');

    *args = colon ? colon + 1 : NULL;
    if (colon)
        spec = apr_pstrmemdup(pool, spec, (apr_size_t)(colon - spec));
    return ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, spec, AP_SOCACHE_PROVIDER_VERSION);
}

const char *httpd_cache_check(const char *spec, apr_pool_t *pool)
{
    const char *args;

    return lookup(&args, spec, pool)
               ? NULL
               : apr_psprintf(pool,
                              "EASCache \"%s\": there is no such cache; is mod_socache_%.*s "
                              "loaded?",
                              spec, (int)strcspn(spec, ":"), spec);
}

static apr_status_t destroy(void *data)
{
    httpd_cache_t *c = data;
    c->provider->destroy(c->instance, c->s);
    return APR_SUCCESS;
}

apr_status_t httpd_cache_create(eas_cache_t **cache, const char *spec, server_rec *s,
                                apr_pool_t *pconf, apr_pool_t *ptemp)
{
    httpd_cache_t *c = apr_pcalloc(pconf, sizeof(*c));
    struct ap_socache_hints hints = {EAS_HASH_LEN, 512, apr_time_from_sec(300)};
    const char *args, *wrong;
    apr_status_t rv;

    c->provider = lookup(&args, spec, ptemp);
    if (!c->provider)
        return APR_ENOTIMPL;
    if (!args && strcmp(spec, SHMCB) == 0)
        args = ap_runtime_dir_relative(ptemp, SHMCB_DEFAULT);
    if ((c->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) &&
        (rv = ap_global_mutex_create(&c->mutex, NULL, MUTEX, NULL, s, pconf, 0)) != APR_SUCCESS)
        return rv;
    wrong = c->provider->create(&c->instance, args, ptemp, pconf);
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "eas: EASCache \"%s\": %s", spec, wrong);
        return APR_EINVAL;
    }
    if ((rv = c->provider->init(c->instance, CNAME, &hints, s, pconf)) != APR_SUCCESS)
        return rv;
    c->s = s;
    c->cache = (eas_cache_t){.get = cache_get, .set = cache_set, .remove = cache_remove, .ctx = c};
    apr_pool_cleanup_register(pconf, c, destroy, apr_pool_cleanup_null);
    *cache = &c->cache;
    return APR_SUCCESS;
}

void httpd_cache_child_init(eas_cache_t *cache, server_rec *s, apr_pool_t *pchild)
{
    httpd_cache_t *c = cache->ctx;
    apr_status_t rv;

    if (!c->mutex)
        return;
    rv = apr_global_mutex_child_init(&c->mutex, apr_global_mutex_lockfile(c->mutex), pchild);
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, "eas: cannot use the mutex of EASCache");
}
