/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_AUTH_H
#define EAS_AUTH_H
/**
 * Who may come in, and how seldom the backend is asked.
 *
 * A ticket is one backend session per user and device, sealed, kept in the store and copied into
 * the cache. It is found by HMAC(backend, login name, device) and counts only for the password it
 * was made with, of which it holds an HMAC. A ticket that counts is accepted without asking the
 * backend. Requests without a device of their own (DeviceId "validate" or none) have theirs in the
 * cache only. Everything else is a cold login, and cold logins are rationed, in this order:
 *
 *   negative cache   a password known to be wrong is refused for negative_ttl: a phone with a stale
 *                    password causes at most 3600 / negative_ttl logins per hour
 *   breaker          3 failures of the backend within 10 s: nobody asks for 5 s, then one; its own
 *                    wish to be left alone (HTTP 429) is obeyed at once
 *   token buckets    refused logins per client network (/24, /64) and per login name
 *   slots            so many cold logins at once in this process
 *   single flight    one login per user and device at a time, over all processes
 *
 *     eas_auth_check(&verdict, auth, &cred, pool);
 *     if (verdict.result == EAS_AUTH_GRANTED) {
 *         ... run the command with verdict.session ...
 *         err = eas_auth_done(auth, &verdict, refused, pool);   // writes the ticket if it changed
 *     }
 *
 * Only EAS_AUTH_DENIED means "wrong password" (HTTP 401). Nothing here logs; verdict.err is the
 * story.
 * Threads: an eas_auth_t is shared by all threads of a process, a verdict belongs to its request.
 * Memory: the verdict's contents live in the pool given to eas_auth_check(); @a cred must live as
 * long. Source of the rules: docs/internals/auth.md; OX API reference 1.5, 1.9.
 */
#include <apr_time.h>
#include "eas_backend.h"
#include "eas_cache.h"
#include "eas_crypto.h"
#include "eas_store.h"

typedef struct eas_auth_t eas_auth_t;

/** What the processes share: token buckets and breakers, in memory that they all map. It has no
 *  locks, so a process that dies leaves none behind. */
typedef struct eas_auth_shared_t eas_auth_shared_t;
#define EAS_AUTH_SHARED_MIN 65536
/** Lays out @a size bytes (at least EAS_AUTH_SHARED_MIN) of memory, before the processes fork. */
eas_auth_shared_t *eas_auth_shared_init(void *mem, apr_size_t size);

/** @a count failures in @a window, then one more each window / count. count 0: no limit. */
typedef struct eas_auth_rate_t {
    int count;
    apr_interval_time_t window;
} eas_auth_rate_t;

typedef struct eas_auth_conf_t {
    eas_backend_t *be;
    eas_store_t *store;
    eas_cache_t *cache;
    const eas_keyring_t *keys;
    eas_auth_shared_t *shared;
    const char *outage_tag; /**< EAS_E_UNAVAILABLE counts for the breaker when this tag is in the
                                 chain; NULL: it always does */
    apr_interval_time_t ticket_age;   /**< a ticket older than this is replaced */
    apr_interval_time_t negative_ttl; /**< how long a wrong password is remembered, 0 = not */
    eas_auth_rate_t login_rate;       /**< refused logins per login name */
    eas_auth_rate_t client_rate;      /**< refused logins per client network */
    int max_logins;                   /**< cold logins at once in this process; as many may wait */
    apr_interval_time_t login_wait;   /**< longest wait for another login of the same device */
} eas_auth_conf_t;

/** Keeps the pointers of @a conf, not the struct. */
eas_auth_t *eas_auth_create(const eas_auth_conf_t *conf, apr_pool_t *pool);

typedef enum eas_auth_result_t {
    EAS_AUTH_GRANTED = 1,
    EAS_AUTH_DENIED,      /**< wrong password */
    EAS_AUTH_FORBIDDEN,   /**< account locked or not entitled */
    EAS_AUTH_UNAVAILABLE  /**< cannot be decided for retry_after seconds */
} eas_auth_result_t;

/** Where a ticket lies (private to the room). */
typedef struct eas_auth_key_t {
    unsigned char id[EAS_HASH_LEN];
    int durable; /* in the store, too; not for requests without a device of their own */
} eas_auth_key_t;

typedef struct eas_auth_verdict_t {
    eas_auth_result_t result;
    int retry_after;        /**< seconds, with EAS_AUTH_UNAVAILABLE */
    int asked;              /**< the backend was asked, not only remembered */
    eas_err_t *err;         /**< why not; with GRANTED: why the ticket was not kept, or NULL */
    eas_session_t *session; /**< with GRANTED */
    /* private to the room */
    const eas_credentials_t *cred;
    eas_auth_key_t key;
    unsigned char password_mac[EAS_HASH_LEN];
    unsigned char serial[8];
    apr_time_t born;
} eas_auth_verdict_t;

void eas_auth_check(eas_auth_verdict_t *verdict, eas_auth_t *auth, const eas_credentials_t *cred,
                    apr_pool_t *pool);

/** After the command. Writes the ticket back when the session changed and nobody else has replaced
 *  it. @a refused: the session had ended and the backend called the password wrong; the ticket goes
 *  and the password is remembered as wrong. Does nothing for other verdicts than GRANTED. */
eas_err_t *eas_auth_done(eas_auth_t *auth, eas_auth_verdict_t *verdict, int refused,
                         apr_pool_t *scratch_pool);

/** The breaker for calls that are no logins: before each one; EAS_E_UNAVAILABLE with retry_after
 *  means do not call. After NULL eas_auth_asked() must say what came of it; @a err NULL: it worked.
 *  A 429 is a failure like others here: OX counts requests and failed logins apart. */
eas_err_t *eas_auth_ask(eas_auth_shared_t *shared, const char *backend, apr_pool_t *pool);
void eas_auth_asked(eas_auth_shared_t *shared, const char *backend, const char *outage_tag,
                    const eas_err_t *err);

#endif
