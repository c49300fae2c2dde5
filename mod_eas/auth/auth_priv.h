/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_PRIV_H
#define AUTH_PRIV_H
/** What the files of the room share. */
#include <pthread.h>
#include "eas_auth.h"

/* ---- shared memory ------------------------------------------------------------------------- */

#define AUTH_BREAKERS 64

/* One breaker per backend: words that are only ever replaced whole. */
typedef struct auth_breaker_t {
    apr_uint64_t owner;      /* hash of the backend's name, 0 = free */
    apr_uint64_t open_until; /* ms of auth_ms(), 0 = closed */
    apr_uint64_t failures;   /* time of the first in ms << 8 | their number */
} auth_breaker_t;

struct eas_auth_shared_t {
    apr_uint64_t nbuckets; /* a power of two */
    auth_breaker_t breakers[AUTH_BREAKERS];
    apr_uint64_t buckets[];
};

/** Milliseconds since 2020 on the module's clock. */
apr_uint64_t auth_ms(void);

/** The breaker of a backend; the first who asks takes a free one for it. */
auth_breaker_t *auth_breaker_of(eas_auth_shared_t *shared, const char *backend);
/** Milliseconds until somebody may ask again, 0 = now. */
apr_uint64_t auth_breaker_wait(const auth_breaker_t *breaker, apr_uint64_t now);
/** Right before the backend is asked: the same, but of those who come when it has been open for
 *  long enough only one gets 0. Who gets 0 says afterwards which of the three it was. */
apr_uint64_t auth_breaker_enter(auth_breaker_t *breaker, apr_uint64_t now);
/** Counts a failure; @a retry_after: seconds for which the backend wants to be left alone, or 0. */
void auth_breaker_failed(auth_breaker_t *breaker, apr_uint64_t now, int retry_after);
void auth_breaker_worked(auth_breaker_t *breaker);
/** The backend was not reached for a reason of our own. */
void auth_breaker_unknown(auth_breaker_t *breaker, apr_uint64_t now);
/** One of the three, by what the backend's answer was; @a err NULL: it worked. @a obey: its wish to
 *  be left alone for a minute is followed. */
void auth_breaker_tell(auth_breaker_t *breaker, const char *outage_tag, const eas_err_t *err,
                       int obey);

/** Takes a token; 0, or milliseconds until there is one. */
apr_uint64_t auth_limit_take(eas_auth_shared_t *shared, apr_uint64_t hash,
                             const eas_auth_rate_t *rate, apr_uint64_t now);
/** Gives a token back. */
void auth_limit_give(eas_auth_shared_t *shared, apr_uint64_t hash, const eas_auth_rate_t *rate,
                     apr_uint64_t now);
/** The network of an address, as text: "192.0.2.0/24", "2001:db8:1:2::/64"; other text as it is. */
const char *auth_limit_network(const char *ip, apr_pool_t *pool);

/* ---- one process --------------------------------------------------------------------------- */

typedef struct auth_slots_t {
    pthread_mutex_t lock; /* guards the numbers */
    pthread_cond_t freed;
    int max, used, waiting;
} auth_slots_t;

void auth_slots_init(auth_slots_t *slots, int max, apr_pool_t *pool);
/** 0 when all are taken and none becomes free within a second, or as many wait already. */
int auth_slots_take(auth_slots_t *slots);
void auth_slots_give(auth_slots_t *slots);

struct eas_auth_t {
    eas_auth_conf_t conf;
    auth_slots_t slots;
    auth_breaker_t *breaker;
    /* keys of the uses, so that a request hashes once for each */
    unsigned char name_key[EAS_HASH_LEN];
    unsigned char password_key[EAS_HASH_LEN];
    unsigned char negative_key[EAS_HASH_LEN];
    unsigned char limit_key[EAS_HASH_LEN];
};

/** HMAC of the parts, each preceded by its length. */
void auth_mac(unsigned char out[EAS_HASH_LEN], const unsigned char key[EAS_HASH_LEN],
              const char *const *parts, apr_pool_t *scratch_pool);

/* ---- tickets ------------------------------------------------------------------------------- */

typedef struct auth_ticket_t {
    unsigned char password_mac[EAS_HASH_LEN];
    unsigned char serial[8]; /* another one whenever it is written */
    apr_time_t born;         /* of the login */
    const void *session;     /* what the backend's dump() gave */
    apr_size_t session_len;
} auth_ticket_t;

/** The ticket of this key, NULL when there is none or it cannot be opened any more. @a stored: past
 *  the cache, where the key is durable. EAS_E_NEWER: written by a later version. */
eas_err_t *auth_ticket_load(auth_ticket_t **ticket, eas_auth_t *auth, const eas_auth_key_t *key,
                            int stored, apr_pool_t *pool);
/** Gives the ticket a new serial and writes it to store and cache. */
eas_err_t *auth_ticket_save(eas_auth_t *auth, const eas_auth_key_t *key, auth_ticket_t *ticket,
                            apr_pool_t *scratch_pool);
eas_err_t *auth_ticket_drop(eas_auth_t *auth, const eas_auth_key_t *key, apr_pool_t *scratch_pool);
/** The lease under which a ticket is replaced. */
eas_err_t *auth_ticket_lease(eas_lease_t **lease, eas_auth_t *auth, const eas_auth_key_t *key,
                             apr_interval_time_t wait, apr_pool_t *pool);

#endif
