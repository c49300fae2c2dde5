/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed record: format version, serial, HMAC of the password, time of the login, the backend's
 * session. The lookup key is also what the seal is bound to, so that a record put in another's
 * place does not open. */
#include "auth_priv.h"

#include <string.h>
#include <apr_strings.h>
#include "eas_buf.h"

#define TAG "ticket"
#define AREA "ticket"
#define LABEL "ticket"

enum { FORMAT = 1 };

/* The cache's copy is renewed from the store that often. */
#define CACHE_TTL apr_time_from_sec(3600)

static const char *hex(const unsigned char key[EAS_HASH_LEN], apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    char *out = apr_palloc(pool, 2 * EAS_HASH_LEN + 1);

    for (int i = 0; i < EAS_HASH_LEN; i++) {
        out[2 * i] = digits[key[i] >> 4];
        out[2 * i + 1] = digits[key[i] & 15];
    }
    out[2 * EAS_HASH_LEN] = '\0';
    return out;
}

static int take_bytes(unsigned char *out, apr_size_t len, eas_rd_t *r)
{
    apr_size_t n;
    const void *p = eas_rd_blob(&n, r);

    if (r->bad || n != len)
        return 0;
    memcpy(out, p, len);
    return 1;
}

/* *ticket stays NULL when the record is of no use: sealed with a key that is gone, or not ours. */
static eas_err_t *unpack(auth_ticket_t **ticket, eas_auth_t *auth, const eas_auth_key_t *key,
                         const void *sealed, apr_size_t len, apr_pool_t *pool)
{
    auth_ticket_t *t = apr_pcalloc(pool, sizeof(*t));
    const void *text;
    unsigned format;
    int good;
    eas_rd_t r;
    eas_err_t *err = eas_unseal(&text, &len, auth->conf.keys, LABEL, key->id, EAS_HASH_LEN, sealed,
                                len, pool);

    if (err)
        return err->kind == EAS_E_INVALID ? NULL : err;
    eas_rd_init(&r, text, len);
    format = eas_rd_u8(&r);
    if (format > FORMAT)
        return eas_err_create(pool, EAS_E_NEWER, TAG, "a ticket of format %u, written by a later "
                              "version", format);
    good = format == FORMAT && take_bytes(t->serial, sizeof(t->serial), &r) &&
           take_bytes(t->password_mac, sizeof(t->password_mac), &r);
    t->born = apr_time_from_sec((apr_time_t)eas_rd_var(&r));
    t->session = eas_rd_blob(&t->session_len, &r);
    if (good && eas_rd_done(&r))
        *ticket = t;
    return NULL;
}

eas_err_t *auth_ticket_load(auth_ticket_t **ticket, eas_auth_t *auth, const eas_auth_key_t *key,
                            int stored, apr_pool_t *pool)
{
    eas_store_t *store = auth->conf.store;
    eas_cache_t *cache = auth->conf.cache;
    const void *val = NULL;
    apr_size_t len;
    eas_err_t *err;

    *ticket = NULL;
    if (!stored || !key->durable)
        cache->get(&val, &len, cache, key->id, EAS_HASH_LEN, pool);
    if (val) {
        err = unpack(ticket, auth, key, val, len, pool);
        if (err || *ticket)
            return err;
    }
    if (!key->durable)
        return NULL;
    err = store->v->recall(&val, &len, store, AREA, hex(key->id, pool), pool);
    if (err && err->kind == EAS_E_STATE) /* damaged and set aside: a login makes a new one */
        return NULL;
    if (err)
        return eas_err_wrap(pool, err, TAG, "cannot read a ticket");
    if (!val)
        return NULL;
    err = unpack(ticket, auth, key, val, len, pool);
    if (!err && *ticket)
        cache->set(cache, key->id, EAS_HASH_LEN, val, len, CACHE_TTL, pool);
    return err;
}

eas_err_t *auth_ticket_save(eas_auth_t *auth, const eas_auth_key_t *key, auth_ticket_t *ticket,
                            apr_pool_t *scratch_pool)
{
    eas_store_t *store = auth->conf.store;
    eas_cache_t *cache = auth->conf.cache;
    const void *sealed;
    apr_size_t len;
    eas_buf_t b;
    eas_err_t *err;

    eas_random(ticket->serial, sizeof(ticket->serial));
    eas_buf_init(&b, 128 + ticket->session_len, scratch_pool);
    eas_buf_u8(&b, FORMAT);
    eas_buf_blob(&b, ticket->serial, sizeof(ticket->serial));
    eas_buf_blob(&b, ticket->password_mac, sizeof(ticket->password_mac));
    eas_buf_var(&b, (apr_uint64_t)apr_time_sec(ticket->born));
    eas_buf_blob(&b, ticket->session, ticket->session_len);
    err = eas_seal(&sealed, &len, auth->conf.keys, LABEL, key->id, EAS_HASH_LEN, b.data, b.len,
                   scratch_pool);
    eas_wipe(b.data, b.len);
    if (err)
        return err;
    cache->set(cache, key->id, EAS_HASH_LEN, sealed, len, CACHE_TTL, scratch_pool);
    if (key->durable)
        err = store->v->keep(store, AREA, hex(key->id, scratch_pool), sealed, len, scratch_pool);
    return err ? eas_err_wrap(scratch_pool, err, TAG, "cannot keep a ticket") : NULL;
}

eas_err_t *auth_ticket_drop(eas_auth_t *auth, const eas_auth_key_t *key, apr_pool_t *scratch_pool)
{
    eas_store_t *store = auth->conf.store;
    eas_cache_t *cache = auth->conf.cache;
    eas_err_t *err = NULL;

    cache->remove(cache, key->id, EAS_HASH_LEN, scratch_pool);
    if (key->durable)
        err = store->v->keep(store, AREA, hex(key->id, scratch_pool), NULL, 0, scratch_pool);
    return err ? eas_err_wrap(scratch_pool, err, TAG, "cannot remove a ticket") : NULL;
}

eas_err_t *auth_ticket_lease(eas_lease_t **lease, eas_auth_t *auth, const eas_auth_key_t *key,
                             apr_interval_time_t wait, apr_pool_t *pool)
{
    eas_store_t *store = auth->conf.store;
    const char *name = apr_pstrcat(pool, "login\n", hex(key->id, pool), NULL);
    return store->v->lease(lease, store, name, wait, pool);
}
