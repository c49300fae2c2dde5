/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNC_FIXTURE_H
#define SYNC_FIXTURE_H
/**
 * A world for the tests of the rooms sync and command: mail folders in memory behind a backend that
 * counts its calls and fails on demand, a store that counts writes and can die between two of them,
 * and a phone that keeps what it was told and complains about nonsense.
 *
 *     fx_t *fx = fx_create(pool);
 *     fx_folder_t *inbox = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
 *     fx_deliver(fx, inbox, 0);
 *     fx_hierarchy(fx);                          // FolderSync until nothing is new
 *     fx_phone_t *ph = fx_phone(fx, "2");
 *     fx_result_t r = fx_sync(fx, ph, &(fx_opts_t){0});
 */
#include <apr_tables.h>
#include "util_unit.h"
#include "eas_mem_cache.h"
#include "eas_store_memory.h"
#include "eas_time.h"
#include "sync_priv.h"

#define FX_DAY ((apr_time_t)86400)

typedef struct fx_mail_t {
    apr_uint32_t uid, received;
    unsigned flags;
    const char *source; /**< NULL: a small one is made up */
    eas_kind_t broken;  /**< what source() says of it, 0 = fine */
} fx_mail_t;

typedef struct fx_folder_t {
    char *id, *parent, *title;
    eas_role_t role;
    int readonly, gone;
    apr_uint64_t validity, modseq;
    apr_uint32_t next;
    fx_mail_t *mails; /**< sorted by uid */
    int n, cap;
} fx_folder_t;

typedef struct fx_calls_t {
    int list, status, rows, source, set_flags, remove; /**< of the backend */
    apr_size_t limits[8];                              /**< of the first calls of rows */
    int hard;                                          /**< as remove was told */
    int puts, chunk_puts, syncs, each, keeps;          /**< of the store */
} fx_calls_t;

typedef struct fx_command_t {
    apr_uint32_t uid;
    eas_cop_t op;
    unsigned set, clear;
    unsigned serial; /**< makes its digest */
    int tries, done; /**< sent so often; executed so often by the backend */
} fx_command_t;

typedef struct fx_phone_t {
    const char *cid;
    char key[80];
    unsigned char *has; /**< by uid: 0x80 | flags */
    apr_uint32_t cap;
    char folder[64]; /**< the backend's id, once synced */
    int filter, count, resyncs;
    fx_command_t pending[32];
    int npending;
    struct fx_phone_t *next;
} fx_phone_t;

#define FX_FOLDERS 32
typedef struct fx_t {
    apr_pool_t *pool;
    eas_backend_t be;
    eas_store_t *memory, store;
    eas_cache_t *cache;
    eas_sync_cfg_t cfg;
    eas_identity_t who;
    eas_session_t *session;
    const char *device;
    unsigned visible;
    fx_folder_t folders[FX_FOLDERS];
    int nfolders;
    int with_modseq;
    char hkey[80];
    fx_calls_t calls;
    /* faults */
    /** 1: the next backend call fails, 2: the one after it ...; 0: none does */
    int fail_in;
    eas_kind_t fail_kind;
    int die_after;       /**< the next commit dies after so many writes; -1: it does not */
    int died;
    int refuse_delete;   /**< remove() deletes nothing and says so */
    apr_uint32_t watch;  /**< cmd digests are made unique by it */
    fx_phone_t *phones;
} fx_t;

struct eas_session_t {
    fx_t *fx;
};

fx_t *fx_create(apr_pool_t *pool);
/** Everything counted so far is forgotten. */
void fx_reset(fx_t *fx);

fx_folder_t *fx_folder(fx_t *fx, const char *id, const char *parent, const char *title,
                       eas_role_t role);
fx_folder_t *fx_find_folder(fx_t *fx, const char *id);
/** A mail that is @a age seconds old; its uid. */
apr_uint32_t fx_deliver(fx_t *fx, fx_folder_t *f, apr_time_t age);
void fx_deliver_many(fx_t *fx, fx_folder_t *f, int count, apr_time_t age);
fx_mail_t *fx_mail(fx_folder_t *f, apr_uint32_t uid);
void fx_delete(fx_folder_t *f, apr_uint32_t uid);
void fx_flag(fx_folder_t *f, apr_uint32_t uid, unsigned flip);
/** Other ids for everything in the folder. */
void fx_new_validity(fx_folder_t *f);

eas_state_t *fx_open(fx_t *fx, apr_pool_t *pool);
/** FolderSync until the key stays; the phone must be told nothing impossible. Returns the
 * rounds. */
int fx_hierarchy(fx_t *fx);

fx_phone_t *fx_phone(fx_t *fx, const char *cid);
int fx_phone_has(const fx_phone_t *ph, apr_uint32_t uid);
/** The phone's user changes or deletes something: goes out with the next Sync. */
void fx_command(fx_t *fx, fx_phone_t *ph, eas_cop_t op, apr_uint32_t uid, unsigned set,
                unsigned clear);

typedef struct fx_opts_t {
    int window;       /**< 0: 100; -1: the engine is given 0 */
    int no_changes;   /**< GetChanges 0 */
    int lose;         /**< the answer gets lost */
    /** the request ends after picking, nothing is finished: an error on the way */
    int stop;
    int vanish;       /**< every so many-th change is found gone when it is to be read */
    int hard;
} fx_opts_t;

typedef struct fx_result_t {
    int status;       /**< of the collection; 0: an error ended it */
    eas_kind_t error;
    int adds, changes, deletes, softs, more;
    int pending;      /**< before picking */
    int suspects;
    int replayed;
    int same_key;
    int cmd_status[32];
} fx_result_t;

/** One Sync of one collection, as the command does it. Status 3 makes the phone begin with key
 * 0. */
fx_result_t fx_sync(fx_t *fx, fx_phone_t *ph, const fx_opts_t *opts);
/** Syncs until nothing more comes; the number of rounds. Fails the test after @a most. */
int fx_quiet(fx_t *fx, fx_phone_t *ph, int most);
/** What GetItemEstimate would say; -1 for any Status but 1. */
int fx_estimate(fx_t *fx, fx_phone_t *ph, int filter);
/** The phone has exactly what the server shows through its filter. */
void fx_same(fx_t *fx, fx_phone_t *ph);

/** A test with a world: *state is an fx_t. */
int fx_setup(void **state);
int fx_teardown(void **state);
#define FX_TEST(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)

#endif
