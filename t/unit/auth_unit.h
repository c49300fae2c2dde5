/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_UNIT_H
#define AUTH_UNIT_H
/** What the tests of the auth room share: a backend that counts and can be told to fail, a store in
 *  memory that counts and can be told to fail, and a fixture of all that eas_auth_create() wants.
 */
#include "util_unit.h"
#include <stdio.h>
#include <unistd.h>
#include "auth_priv.h"
#include "eas_mem_cache.h"
#include "eas_store_memory.h"
#include "eas_time.h"

struct eas_session_t {
    eas_backend_t *be;
    eas_identity_t identity;
    char sid[16];
    int changed;
};

typedef struct auth_fix_t {
    apr_pool_t *pool;
    eas_backend_t be;
    eas_store_t *store, counting;
    eas_store_vtable_t vtable;
    eas_auth_conf_t conf;
    eas_auth_t *auth;
    const char *password;   /* the right one */
    eas_kind_t fail;        /* login() fails with this */
    int fail_retry;         /* and this retry_after */
    const char *fail_tag;
    int delay_ms;           /* login() takes so long */
    int keep_fails;         /* the disk is full */
    /* counted, atomically */
    int logins, resumes, logouts, recalls, keeps, at_once, most_at_once;
    char logged_out[16];    /* sid of the last */
} auth_fix_t;

static auth_fix_t *auth_fix; /* for the store, which has no place for a pointer of ours */

#define ADD(counter) __atomic_add_fetch(&(counter), 1, __ATOMIC_SEQ_CST)

static inline eas_session_t *fake_session(eas_backend_t *be, const char *sid, apr_pool_t *pool)
{
    eas_session_t *s = apr_pcalloc(pool, sizeof(*s));
    s->be = be;
    s->identity = (eas_identity_t){"ox", "1", "4"};
    apr_cpystrn(s->sid, sid, sizeof(s->sid));
    return s;
}

static inline eas_err_t *fake_login(eas_session_t **out, eas_backend_t *be,
                                    const eas_credentials_t *cred, apr_pool_t *pool)
{
    auth_fix_t *f = be->ctx;
    int n = ADD(f->logins), now = ADD(f->at_once);
    int most = __atomic_load_n(&f->most_at_once, __ATOMIC_SEQ_CST);
    eas_err_t *err;

    while (now > most && !__atomic_compare_exchange_n(&f->most_at_once, &most, now, 0,
                                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    usleep((unsigned)f->delay_ms * 1000);
    __atomic_sub_fetch(&f->at_once, 1, __ATOMIC_SEQ_CST);
    if (f->fail) {
        err = eas_err_create(pool, f->fail, f->fail_tag ? f->fail_tag : "fake", "told to fail");
        err->retry_after = f->fail_retry;
        return err;
    }
    if (strcmp(cred->password, f->password) != 0)
        return eas_err_create(pool, EAS_E_CREDENTIALS, "fake", "wrong");
    *out = fake_session(be, apr_psprintf(pool, "S%d", n), pool);
    return NULL;
}

static inline eas_err_t *fake_resume(eas_session_t **out, eas_backend_t *be, const void *blob,
                                     apr_size_t len, const eas_credentials_t *cred,
                                     apr_pool_t *pool)
{
    auth_fix_t *f = be->ctx;
    ADD(f->resumes);
    if (!len || *(const char *)blob != 'S')
        return eas_err_create(pool, EAS_E_SESSION, "fake", "damaged");
    *out = fake_session(be, apr_pstrmemdup(pool, blob, len), pool);
    return NULL;
}

static inline eas_err_t *fake_dump(const void **blob, apr_size_t *len, eas_session_t *s,
                                   apr_pool_t *pool)
{
    *blob = apr_pstrdup(pool, s->sid);
    *len = strlen(s->sid);
    return NULL;
}

static inline int fake_changed(const eas_session_t *s)
{
    return s->changed;
}

static inline const eas_identity_t *fake_identity(const eas_session_t *s)
{
    return &s->identity;
}

static inline void fake_logout(eas_session_t *s, apr_pool_t *scratch_pool)
{
    auth_fix_t *f = s->be->ctx;
    ADD(f->logouts);
    apr_cpystrn(f->logged_out, s->sid, sizeof(f->logged_out));
}

static const eas_be_session_t fake_ops = {
    .login = fake_login, .resume = fake_resume, .dump = fake_dump,
    .changed = fake_changed, .identity = fake_identity, .logout = fake_logout,
};

static inline eas_err_t *counting_recall(const void **val, apr_size_t *len, eas_store_t *store,
                                         const char *area, const char *name, apr_pool_t *pool)
{
    ADD(auth_fix->recalls);
    return auth_fix->store->v->recall(val, len, store, area, name, pool);
}

static inline eas_err_t *counting_keep(eas_store_t *store, const char *area, const char *name,
                                       const void *val, apr_size_t len, apr_pool_t *scratch_pool)
{
    ADD(auth_fix->keeps);
    if (auth_fix->keep_fails)
        return eas_err_create(scratch_pool, EAS_E_UNAVAILABLE, "fake", "disk full");
    return auth_fix->store->v->keep(store, area, name, val, len, scratch_pool);
}

/** Makes f->auth anew after f->conf was changed: as another process, or after a restart. */
static inline void fix_restart(auth_fix_t *f)
{
    f->auth = eas_auth_create(&f->conf, f->pool);
}

static inline int auth_setup(void **state)
{
    auth_fix_t *f = calloc(1, sizeof(*f));
    eas_keyring_t *keys;

    apr_initialize();
    apr_pool_create(&f->pool, NULL);
    eas_clock_shift(0);
    auth_fix = f;
    f->password = "right";
    f->be = (eas_backend_t){.name = "ox", .session = &fake_ops, .ctx = f};
    OK(eas_store_memory_create(&f->store, f->pool));
    f->vtable = *f->store->v;
    f->vtable.recall = counting_recall;
    f->vtable.keep = counting_keep;
    f->counting = (eas_store_t){&f->vtable, f->store->ctx};
    OK(eas_keyring_random(&keys, f->pool));
    f->conf = (eas_auth_conf_t){
        .be = &f->be,
        .store = &f->counting,
        .cache = eas_mem_cache_create(f->pool),
        .keys = keys,
        .shared = eas_auth_shared_init(apr_palloc(f->pool, EAS_AUTH_SHARED_MIN),
                                       EAS_AUTH_SHARED_MIN),
        .ticket_age = apr_time_from_sec(7 * 86400),
        .negative_ttl = apr_time_from_sec(1200),
        .login_rate = {10, apr_time_from_sec(300)},
        .client_rate = {40, apr_time_from_sec(300)},
        .max_logins = 20,
        .login_wait = apr_time_from_sec(10),
    };
    fix_restart(f);
    *state = f;
    return 0;
}

static inline int auth_teardown(void **state)
{
    auth_fix_t *f = *state;
    eas_clock_shift(0);
    apr_pool_destroy(f->pool);
    free(f);
    return 0;
}

#define AUTH_TEST(f) cmocka_unit_test_setup_teardown(f, auth_setup, auth_teardown)

static inline eas_auth_verdict_t *try_as(auth_fix_t *f, const char *login, const char *password,
                                         const char *device, const char *ip)
{
    eas_auth_verdict_t *v = apr_palloc(f->pool, sizeof(*v));
    eas_credentials_t *cred = apr_pcalloc(f->pool, sizeof(*cred));

    *cred = (eas_credentials_t){login, password, device, ip, NULL};
    eas_auth_check(v, f->auth, cred, f->pool);
    return v;
}

/** Anna's phone. */
static inline eas_auth_verdict_t *try_login(auth_fix_t *f, const char *password)
{
    return try_as(f, "anna", password, "appl1", "192.0.2.7");
}

static inline void shift_s(int seconds)
{
    eas_clock_shift(apr_time_from_sec(seconds));
}

#endif
