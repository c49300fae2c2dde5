/* SPDX-License-Identifier: Apache-2.0 */
/* A device's state during one command: lease, database, and the remembered request. */
#include <apr_strings.h>
#include "eas_crypto.h"
#include "eas_log.h"
#include "sync_priv.h"

#define REQUEST_TTL apr_time_from_sec(24 * 3600)

static apr_status_t close_cleanup(void *data)
{
    eas_state_close(data);
    return APR_SUCCESS;
}

eas_err_t *eas_state_open(eas_state_t **out, const eas_sync_cfg_t *cfg, const eas_identity_t *who,
                          const char *device, apr_pool_t *pool)
{
    eas_state_t *st = apr_pcalloc(pool, sizeof(*st));
    const eas_store_vtable_t *v = cfg->store->v;
    eas_err_t *err;

    st->cfg = cfg;
    st->pool = pool;
    st->user = apr_pstrcat(pool, who->backend, "/", who->context_id, "/", who->user_id, NULL);
    st->device = device;
    err = v->lease(&st->lease, cfg->store, apr_pstrcat(pool, st->user, "\n", device, NULL),
                   cfg->lease_wait, pool);
    if (err)
        return eas_err_wrap(pool, err, "sync.state", "no lease for the device");
    /* before pools below this one end, the database lives in one */
    apr_pool_pre_cleanup_register(pool, st, close_cleanup);
    err = v->open(&st->db, cfg->store, st->user, device, pool);
    if (err && err->kind == EAS_E_STATE) {
        /* the store has set the file aside; the phone meets unknown keys and starts anew */
        eas_log(cfg->log, EAS_LOG_WARN, "device state was damaged and set aside, it resyncs: %s",
                eas_err_chain(err, pool));
        err = v->open(&st->db, cfg->store, st->user, device, pool);
    }
    if (err) {
        eas_state_close(st);
        return eas_err_wrap(pool, err, "sync.state", "cannot open the device's state");
    }
    *out = st;
    return NULL;
}

eas_err_t *eas_state_commit(eas_state_t *st)
{
    eas_err_t *err = st->cfg->store->v->sync(st->db);
    if (!err)
        coll_tries_committed(st);
    return err ? eas_err_wrap(st->pool, err, "sync.state", "cannot write the device's state")
               : NULL;
}

void eas_state_close(eas_state_t *st)
{
    coll_tries_undone(st);
    if (st->db) {
        st->cfg->store->v->close(st->db);
        st->db = NULL;
    }
    if (st->lease) {
        st->cfg->store->v->release(st->lease);
        st->lease = NULL;
    }
    apr_pool_cleanup_kill(st->pool, st, close_cleanup);
}

const char *sync_cache_key(apr_size_t *len, const eas_state_t *st, const char *what,
                           const char *cid, apr_pool_t *pool)
{
    unsigned char *key = apr_palloc(pool, EAS_HASH_LEN);
    const char *text = apr_pstrcat(pool, what, "\n", st->user, "\n", st->device, "\n", cid, NULL);
    eas_sha256(key, text, strlen(text));
    *len = EAS_HASH_LEN;
    return (const char *)key;
}

void eas_request_keep(eas_state_t *st, const void *blob, apr_size_t len)
{
    apr_size_t keylen;
    const char *key = sync_cache_key(&keylen, st, "request", "", st->pool);
    st->cfg->cache->set(st->cfg->cache, key, keylen, blob, len, REQUEST_TTL, st->pool);
}

const void *eas_request_recall(apr_size_t *len, eas_state_t *st, apr_pool_t *pool)
{
    apr_size_t keylen;
    const void *val = NULL;
    const char *key = sync_cache_key(&keylen, st, "request", "", pool);
    st->cfg->cache->get(&val, len, st->cfg->cache, key, keylen, pool);
    return val;
}
