/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_STORE_DBM_H
#define EAS_STORE_DBM_H
/**
 * The store in files of this machine (eas_store.h is the contract; docs/internals/store.md the
 * layout).
 *
 *     err = eas_store_dbm_make(dir, uid, gid, pool);      // at start, as root: directory 0700
 *     err = eas_store_dbm_create(&store, dir, pool);      // writes nothing yet
 *
 * What is promised when a process dies: rows of a commit that returned are there. A process that
 * dies inside sync() leaves its marker, and the next open() sets that one device's file aside and
 * says EAS_E_STATE once; after that the device is empty. Old rows, new rows or EAS_E_STATE, never
 * a mix. A kept record is the old or the new one.
 *
 * Readers need no lease: they wait while somebody commits, and a commit waits for them (10 s, then
 * EAS_E_BUSY), so whoever reads without the lease closes soon. Writers hold the lease.
 *
 * Threads: any. fork(): a child may use the store it inherited, once no other thread of the parent
 * is inside it; leases stay with the parent.
 */
#include <sys/types.h>
#include "eas_store.h"

/** @a dir is absolute. EAS_E_UNSUPPORTED when APR has no gdbm driver. */
eas_err_t *eas_store_dbm_create(eas_store_t **store, const char *dir, apr_pool_t *pool);
/** For configtest: an existing @a dir must be a directory without access for group and others; a
 *  missing one is fine when its parent is there. EAS_E_INVALID with a sentence for the admin. */
eas_err_t *eas_store_dbm_check(const char *dir, apr_pool_t *pool);
/** Refuses what is emptied behind our back: /tmp, /var/tmp, /dev/shm (a build with failure points
 *  allows them: it is one for tests). EAS_E_INVALID. */
eas_err_t *eas_store_place_check(const char *dir, apr_pool_t *pool);
/** Makes @a dir 0700 and gives it to @a uid and @a gid ((uid_t)-1: leaves the owner), then
 * checks. */
eas_err_t *eas_store_dbm_make(const char *dir, uid_t uid, gid_t gid, apr_pool_t *pool);

#endif
