/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_STORE_H
#define EAS_STORE_H
/**
 * The state store: blobs per user and device, and small durable records beside them.
 *
 * It sees blobs only. It promises no order between rows and no handle across calls; whoever needs
 * atomicity writes rows that carry their generation and the row that makes them count last
 * (see sync/sync_row.h). Losing a device's rows costs that device a resync, never user data.
 *
 *     eas_db_t *db;
 *     err = store->v->open(&db, store, user, device, pool);
 *     err = store->v->get(&val, &len, db, "c/2", pool);      // val NULL: no such row
 *     store->v->put(db, "c/2", buf, n);                      // kept in memory
 *     err = store->v->sync(db);                              // written, in the order of the puts
 *     store->v->close(db);                                   // what was not synced is forgotten
 *
 * Errors: EAS_E_STATE = the device's file was damaged and has been set aside: state is empty now,
 * let the device resync. EAS_E_UNAVAILABLE = disk full, permissions: answer 503.
 * Threads: a store is shared by all threads and processes; an eas_db_t belongs to one thread. The
 * caller holds the device's lease around open..close when it means to write.
 */
#include "eas_err.h"

typedef struct eas_store_t eas_store_t;
typedef struct eas_db_t eas_db_t;
typedef struct eas_lease_t eas_lease_t;

/** For each(): return non-zero to stop. Pointers are valid during the call only. */
typedef int (*eas_row_fn)(void *baton, const char *key, const void *val, apr_size_t len);
typedef int (*eas_device_fn)(void *baton, const char *device_hash);

typedef struct eas_store_vtable_t {
    const char *name;
    /** @a user is the identity string "<backend>/<context>/<user>", @a device the lower-cased
     *  DeviceId. Nothing is created on disk before the first sync(). */
    eas_err_t *(*open)(eas_db_t **db, eas_store_t *store, const char *user, const char *device,
                       apr_pool_t *pool);
    /** Reads a row, own unsynced puts included; *val NULL when there is none. */
    eas_err_t *(*get)(const void **val, apr_size_t *len, eas_db_t *db, const char *key,
                      apr_pool_t *pool);
    /** Queues a write (@a val is copied) or, with @a val NULL, a deletion. */
    void (*put)(eas_db_t *db, const char *key, const void *val, apr_size_t len);
    /** Writes what is queued, in order; returns when it is handed to the disk. Nothing queued:
     *  nothing touched. */
    eas_err_t *(*sync)(eas_db_t *db);
    void (*close)(eas_db_t *db);
    /** All rows whose key begins with @a prefix; for reset and tools only. */
    eas_err_t *(*each)(eas_db_t *db, const char *prefix, eas_row_fn fn, void *baton);
    /** Forgets one device's rows. */
    eas_err_t *(*drop)(eas_store_t *store, const char *user, const char *device,
                       apr_pool_t *scratch_pool);
    /** The devices of a user which have rows. */
    eas_err_t *(*devices)(eas_store_t *store, const char *user, eas_device_fn fn, void *baton,
                          apr_pool_t *scratch_pool);

    /** One lease per name, over all threads and processes of this machine; for one command's
     *  read-modify-write, never for a wait for events. Waits up to @a wait (retrying each 50 ms
     *  across processes, queueing inside one), then EAS_E_BUSY. Ends with release() or @a pool. */
    eas_err_t *(*lease)(eas_lease_t **lease, eas_store_t *store, const char *name,
                        apr_interval_time_t wait, apr_pool_t *pool);
    void (*release)(eas_lease_t *lease);

    /** Durable records: small files replaced by write + fsync + rename. For what may not be lost:
     *  device records, policies, sealed session tickets. @a area is a short word ("ticket",
     *  "device"), @a name anything (hashed). *val NULL when there is none. val NULL in keep = drop.
     */
    eas_err_t *(*recall)(const void **val, apr_size_t *len, eas_store_t *store, const char *area,
                         const char *name, apr_pool_t *pool);
    eas_err_t *(*keep)(eas_store_t *store, const char *area, const char *name, const void *val,
                       apr_size_t len, apr_pool_t *scratch_pool);
} eas_store_vtable_t;

struct eas_store_t {
    const eas_store_vtable_t *v;
    void *ctx;
};

#endif
