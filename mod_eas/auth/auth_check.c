/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a request: a ticket that counts, or a cold login through all gates of eas_auth.h. */
#include "auth_priv.h"

#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "eas_time.h"

#define TAG "auth"

enum {
    RETRY_BACKEND_S = 60, /* protocol digest 1.7: what costs nothing on any client */
    RETRY_BUSY_S = 5,
    RETRY_MAX_S = 300
};

/* Users who are not entitled come again too; when they become so they need not wait for long. */
#define FORBIDDEN_TTL apr_time_from_sec(300)
/* A ticket that cannot be written back within this time is written by the next request. */
#define WRITE_BACK_WAIT apr_time_from_sec(2)

void auth_mac(unsigned char out[EAS_HASH_LEN], const unsigned char key[EAS_HASH_LEN],
              const char *const *parts, apr_pool_t *scratch_pool)
{
    apr_size_t total = 0;
    unsigned char *msg, *q;

    for (const char *const *p = parts; *p; p++)
        total += 4 + strlen(*p);
    q = msg = apr_palloc(scratch_pool, total + 1);
    for (const char *const *p = parts; *p; p++) {
        apr_size_t n = strlen(*p);
        for (int shift = 0; shift < 32; shift += 8)
            *q++ = (unsigned char)(n >> shift);
        memcpy(q, *p, n);
        q += n;
    }
    eas_hmac_key(out, key, EAS_HASH_LEN, msg, total);
    eas_wipe(msg, total); /* a part may be a password */
}

eas_auth_t *eas_auth_create(const eas_auth_conf_t *conf, apr_pool_t *pool)
{
    eas_auth_t *auth = apr_pcalloc(pool, sizeof(*auth));
    const char *backend[] = {conf->be->name, NULL};

    auth->conf = *conf;
    auth_slots_init(&auth->slots, conf->max_logins, pool);
    auth->breaker = auth_breaker_of(conf->shared, conf->be->name);
    eas_hmac(auth->name_key, conf->keys, "ticket name", backend);
    eas_hmac(auth->password_key, conf->keys, "ticket password", backend);
    eas_hmac(auth->negative_key, conf->keys, "negative cache", backend);
    eas_hmac(auth->limit_key, conf->keys, "token bucket", backend);
    return auth;
}

static void unavailable(eas_auth_verdict_t *v, eas_err_t *err, int retry_after)
{
    v->result = EAS_AUTH_UNAVAILABLE;
    v->err = err;
    v->retry_after = retry_after < 1 ? 1 : retry_after > RETRY_MAX_S ? RETRY_MAX_S : retry_after;
}

static void wait_ms(eas_auth_verdict_t *v, apr_uint64_t ms, const char *why, apr_pool_t *pool)
{
    unavailable(v, eas_err_create(pool, EAS_E_BUSY, TAG, "%s", why), (int)((ms + 999) / 1000));
}

static void breaker_is_open(eas_auth_verdict_t *v, apr_uint64_t ms, apr_pool_t *pool)
{
    wait_ms(v, ms, "the backend has failed and is left alone for a moment", pool);
    v->err->kind = EAS_E_UNAVAILABLE;
}

/* ---- tickets ------------------------------------------------------------------------------- */

/* Does the ticket open the door for this password? */
static int counts(const auth_ticket_t *t, const eas_auth_verdict_t *v, const eas_auth_t *auth)
{
    apr_time_t age = eas_now() - t->born;
    return age < auth->conf.ticket_age && age > -auth->conf.ticket_age &&
           eas_equal(t->password_mac, v->password_mac, EAS_HASH_LEN);
}

/* True when decided. Without a decision *ticket is what is there, if anything. */
static int by_ticket(eas_auth_verdict_t *v, auth_ticket_t **ticket, eas_auth_t *auth, int stored,
                     apr_pool_t *pool)
{
    eas_backend_t *be = auth->conf.be;
    eas_err_t *err = auth_ticket_load(ticket, auth, &v->key, stored, pool);

    if (err) {
        unavailable(v, err, RETRY_BACKEND_S);
        return 1;
    }
    if (!*ticket || !counts(*ticket, v, auth) ||
        be->session->resume(&v->session, be, (*ticket)->session, (*ticket)->session_len, v->cred,
                            pool))
        return 0;
    memcpy(v->serial, (*ticket)->serial, sizeof(v->serial));
    v->born = (*ticket)->born;
    v->result = EAS_AUTH_GRANTED;
    return 1;
}

static void set_place(eas_auth_verdict_t *v, const eas_auth_t *auth, const char *device,
                      apr_pool_t *pool)
{
    const char *name[] = {v->cred->login, device, NULL};
    const char *password[] = {v->cred->login, device, v->cred->password, NULL};

    v->key.durable = *device && strcmp(device, "validate") != 0;
    auth_mac(v->key.id, auth->name_key, name, pool);
    auth_mac(v->password_mac, auth->password_key, password, pool);
}

/* ---- negative cache ------------------------------------------------------------------------ */

static void negative_name(unsigned char out[EAS_HASH_LEN], const eas_auth_t *auth,
                          const eas_credentials_t *cred, apr_pool_t *pool)
{
    const char *parts[] = {cred->login, cred->password, NULL};
    auth_mac(out, auth->negative_key, parts, pool);
}

static void remember_no(eas_auth_t *auth, const eas_credentials_t *cred, eas_auth_result_t result,
                        apr_pool_t *pool)
{
    apr_interval_time_t ttl = auth->conf.negative_ttl;
    unsigned char name[EAS_HASH_LEN], val = (unsigned char)result;

    if (result == EAS_AUTH_FORBIDDEN && ttl > FORBIDDEN_TTL)
        ttl = FORBIDDEN_TTL;
    if (ttl <= 0)
        return;
    negative_name(name, auth, cred, pool);
    auth->conf.cache->set(auth->conf.cache, name, sizeof(name), &val, 1, ttl, pool);
}

static int by_memory(eas_auth_verdict_t *v, eas_auth_t *auth, apr_pool_t *pool)
{
    unsigned char name[EAS_HASH_LEN];
    const void *val;
    apr_size_t len;

    negative_name(name, auth, v->cred, pool);
    auth->conf.cache->get(&val, &len, auth->conf.cache, name, sizeof(name), pool);
    if (!val || len != 1)
        return 0;
    if (*(const unsigned char *)val == EAS_AUTH_FORBIDDEN) {
        v->result = EAS_AUTH_FORBIDDEN;
        v->err = eas_err_create(pool, EAS_E_FORBIDDEN, TAG, "the backend refused this user lately");
    } else {
        v->result = EAS_AUTH_DENIED;
        v->err = eas_err_create(pool, EAS_E_CREDENTIALS, TAG, "the password is known to be wrong");
    }
    return 1;
}

/* ---- the backend --------------------------------------------------------------------------- */

static void refused_by_backend(eas_auth_verdict_t *v, eas_auth_t *auth, eas_err_t *err,
                               apr_pool_t *pool)
{
    v->err = err;
    auth_breaker_tell(auth->breaker, auth->conf.outage_tag, err, 1);
    if (err->kind == EAS_E_CREDENTIALS)
        v->result = EAS_AUTH_DENIED;
    else if (err->kind == EAS_E_FORBIDDEN)
        v->result = EAS_AUTH_FORBIDDEN;
    else {
        unavailable(v, err, err->retry_after ? err->retry_after : RETRY_BACKEND_S);
        return;
    }
    remember_no(auth, v->cred, v->result, pool);
}

static eas_err_t *write_ticket(eas_auth_verdict_t *v, eas_auth_t *auth, apr_pool_t *pool)
{
    auth_ticket_t t = {.born = v->born};
    eas_err_t *err;

    err = auth->conf.be->session->dump(&t.session, &t.session_len, v->session, pool);
    if (err)
        return err;
    memcpy(t.password_mac, v->password_mac, sizeof(t.password_mac));
    err = auth_ticket_save(auth, &v->key, &t, pool);
    memcpy(v->serial, t.serial, sizeof(v->serial));
    return err;
}

/* The session of a ticket that was replaced, whosever password it was made with. */
static void log_out(eas_auth_t *auth, const auth_ticket_t *old, const eas_credentials_t *cred,
                    apr_pool_t *pool)
{
    eas_backend_t *be = auth->conf.be;
    eas_session_t *session;

    if (!be->session->resume(&session, be, old->session, old->session_len, cred, pool))
        be->session->logout(session, pool);
}

static void ask_backend(eas_auth_verdict_t *v, eas_auth_t *auth, apr_pool_t *pool)
{
    eas_backend_t *be = auth->conf.be;
    apr_uint64_t wait = auth_breaker_enter(auth->breaker, auth_ms());
    eas_err_t *err;

    if (wait) {
        breaker_is_open(v, wait, pool);
        return;
    }
    v->asked = 1;
    err = be->session->login(&v->session, be, v->cred, pool);
    if (err) {
        v->session = NULL;
        refused_by_backend(v, auth, err, pool);
        return;
    }
    auth_breaker_worked(auth->breaker);
    v->result = EAS_AUTH_GRANTED;
    v->born = eas_now();
    v->err = write_ticket(v, auth, pool); /* not kept: the phone need not suffer from that */
}

/* Phones are set up by an OPTIONS that names no device. The session it made becomes that of the
 * first device which comes with the same password, instead of lying about until the backend ends
 * it. */
static int inherit(eas_auth_verdict_t *v, eas_auth_t *auth, apr_pool_t *pool)
{
    eas_auth_verdict_t nameless = {.cred = v->cred};
    auth_ticket_t *ticket;
    eas_lease_t *lease;
    int found;

    if (!v->key.durable)
        return 0;
    set_place(&nameless, auth, "", pool);
    if (auth_ticket_load(&ticket, auth, &nameless.key, 0, pool) || !ticket ||
        auth_ticket_lease(&lease, auth, &nameless.key, 0, pool))
        return 0;
    found = by_ticket(&nameless, &ticket, auth, 0, pool) && nameless.result == EAS_AUTH_GRANTED;
    if (found)
        auth_ticket_drop(auth, &nameless.key, pool);
    auth->conf.store->v->release(lease);
    if (!found)
        return 0;
    v->session = nameless.session;
    v->born = nameless.born;
    v->result = EAS_AUTH_GRANTED;
    v->err = write_ticket(v, auth, pool);
    return 1;
}

/* Alone with this user and device: somebody may have logged in while we waited. */
static void single_flight(eas_auth_verdict_t *v, eas_auth_t *auth, apr_pool_t *pool)
{
    auth_ticket_t *old = NULL;
    eas_lease_t *lease;
    int fresh = 0; /* has another session than the ticket that was there */
    eas_err_t *err = auth_ticket_lease(&lease, auth, &v->key, auth->conf.login_wait, pool);

    if (err) {
        unavailable(v, err, err->kind == EAS_E_BUSY ? RETRY_BUSY_S : RETRY_BACKEND_S);
        return;
    }
    /* the cache first: when the disk is full the store has not got what the other one wrote */
    if (!by_ticket(v, &old, auth, 0, pool) && !by_ticket(v, &old, auth, 1, pool) &&
        !by_memory(v, auth, pool)) {
        fresh = 1;
        if (!inherit(v, auth, pool))
            ask_backend(v, auth, pool);
    }
    auth->conf.store->v->release(lease);
    if (fresh && v->result == EAS_AUTH_GRANTED && old)
        log_out(auth, old, v->cred, pool);
}

/* ---- the gates ----------------------------------------------------------------------------- */

static const char *folded(const char *s, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, s ? s : "");

    for (char *p = copy; *p; p++)
        *p = (char)apr_tolower(*p);
    return copy;
}

static apr_uint64_t limit_hash(const eas_auth_t *auth, const char *kind, const char *name,
                               apr_pool_t *pool)
{
    const char *parts[] = {kind, folded(name, pool), NULL};
    unsigned char mac[EAS_HASH_LEN];
    apr_uint64_t hash;

    auth_mac(mac, auth->limit_key, parts, pool);
    memcpy(&hash, mac, sizeof(hash));
    return hash;
}

static void cold(eas_auth_verdict_t *v, eas_auth_t *auth, apr_pool_t *pool)
{
    const eas_auth_conf_t *conf = &auth->conf;
    apr_uint64_t now = auth_ms(), wait, client, login;

    if (by_memory(v, auth, pool))
        return;
    if ((wait = auth_breaker_wait(auth->breaker, now))) {
        breaker_is_open(v, wait, pool);
        return;
    }
    client = limit_hash(auth, "client", auth_limit_network(v->cred->client_ip, pool), pool);
    login = limit_hash(auth, "login", v->cred->login, pool);
    if ((wait = auth_limit_take(conf->shared, client, &conf->client_rate, now))) {
        wait_ms(v, wait, "too many failed logins from this network", pool);
        return;
    }
    if ((wait = auth_limit_take(conf->shared, login, &conf->login_rate, now))) {
        auth_limit_give(conf->shared, client, &conf->client_rate, now);
        wait_ms(v, wait, "too many failed logins of this user", pool);
        return;
    }
    if (auth_slots_take(&auth->slots)) {
        single_flight(v, auth, pool);
        auth_slots_give(&auth->slots);
    } else {
        wait_ms(v, RETRY_BUSY_S * 1000, "too many logins at once", pool);
    }
    if (v->asked && (v->result == EAS_AUTH_DENIED || v->result == EAS_AUTH_FORBIDDEN))
        return; /* a backend that locks accounts may say "forbidden" to guesses */
    now = auth_ms();
    auth_limit_give(conf->shared, login, &conf->login_rate, now);
    auth_limit_give(conf->shared, client, &conf->client_rate, now);
}

void eas_auth_check(eas_auth_verdict_t *verdict, eas_auth_t *auth, const eas_credentials_t *cred,
                    apr_pool_t *pool)
{
    auth_ticket_t *ticket;

    memset(verdict, 0, sizeof(*verdict));
    verdict->cred = cred;
    set_place(verdict, auth, folded(cred->device_id, pool), pool); /* device ids have no case */
    if (!by_ticket(verdict, &ticket, auth, 0, pool))
        cold(verdict, auth, pool);
}

eas_err_t *eas_auth_done(eas_auth_t *auth, eas_auth_verdict_t *verdict, int refused,
                         apr_pool_t *scratch_pool)
{
    auth_ticket_t *now;
    eas_lease_t *lease;
    eas_err_t *err;

    if (verdict->result != EAS_AUTH_GRANTED)
        return NULL;
    if (refused)
        remember_no(auth, verdict->cred, EAS_AUTH_DENIED, scratch_pool);
    else if (!auth->conf.be->session->changed(verdict->session))
        return NULL;
    err = auth_ticket_lease(&lease, auth, &verdict->key, WRITE_BACK_WAIT, scratch_pool);
    if (err)
        return eas_err_wrap(scratch_pool, err, TAG, "the ticket was not written back");
    err = auth_ticket_load(&now, auth, &verdict->key, 1, scratch_pool);
    if (!err && now && memcmp(now->serial, verdict->serial, sizeof(now->serial)) == 0)
        err = refused ? auth_ticket_drop(auth, &verdict->key, scratch_pool)
                      : write_ticket(verdict, auth, scratch_pool);
    auth->conf.store->v->release(lease);
    return err;
}
