/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_STORE_INT_H
#define EAS_STORE_INT_H
/** What the files of the store room share; no other room includes it. */
#include <apr_dbm.h>
#include "eas_store.h"

#define EAS_STORE_HASH_LEN 32 /**< hex digits: 128 bits of SHA-256 */
/** How long a reader waits for a commit, and a commit for readers. */
#define EAS_STORE_WAIT apr_time_from_sec(10)

/* --- store_path.c: names and directories ------------------------------------------------------ */

void eas_store_hash(char out[EAS_STORE_HASH_LEN + 1], const char *text);
/** "<dir>/v1/<backend>/<hh>/<hash(user)>". */
const char *eas_store_user_dir(const char *dir, const char *user, apr_pool_t *pool);
/** Makes @a path and its missing parents, 0700. */
eas_err_t *eas_store_mkdirs(const char *path, apr_pool_t *pool);
/** fsync of a directory: makes a new or renamed name last. */
eas_err_t *eas_store_sync_dir(const char *path, apr_pool_t *pool);
void eas_store_sleep(apr_interval_time_t t);
apr_time_t eas_store_monotonic(void);

/* --- row_envelope.c: rows as they lie on disk ------------------------------------------------- */

#define EAS_ENVELOPE_VERSION 1
#define EAS_ENVELOPE_LEN 5 /**< version, 32 bits of check over key and value */

typedef enum eas_envelope_t { EAS_ENV_OK, EAS_ENV_DAMAGED, EAS_ENV_NEWER } eas_envelope_t;

apr_uint64_t eas_store_mix(apr_uint64_t seed, const void *data, apr_size_t len);
/** Header for a row. */
void eas_envelope_make(unsigned char head[EAS_ENVELOPE_LEN], const char *key, const void *val,
                       apr_size_t len);
/** Checks; *val points into @a data. */
eas_envelope_t eas_envelope_open(const void **val, apr_size_t *len, const char *key,
                                 const void *data, apr_size_t datalen);

/* --- lease.c ---------------------------------------------------------------------------------- */

typedef struct eas_lease_table_t eas_lease_table_t;
/** @a dir: where lock files go, NULL: leases between threads of this process only. */
eas_lease_table_t *eas_lease_table_create(const char *dir, apr_pool_t *pool);
eas_err_t *eas_lease_take(eas_lease_t **lease, eas_lease_table_t *table, const char *name,
                          apr_interval_time_t wait, apr_pool_t *pool);
void eas_lease_release(eas_lease_t *lease);

/* --- keep.c: durable records under "<dir>/v1/keep" -------------------------------------------- */

eas_err_t *eas_keep_recall(const void **val, apr_size_t *len, const char *dir, const char *area,
                           const char *name, apr_pool_t *pool);
eas_err_t *eas_keep_write(const char *dir, const char *area, const char *name, const void *val,
                          apr_size_t len, apr_pool_t *scratch_pool);

/* --- dbm_file.c: one device's file, its marker, setting aside --------------------------------- */

typedef struct eas_dbm_file_t {
    const char *dir;    /**< the user's directory */
    const char *path;   /**< "<dir>/<hash>.db" */
    const char *marker; /**< "<dir>/<hash>.w" */
    const char *fresh;  /**< "<dir>/<hash>.wt": the marker before it is locked */
} eas_dbm_file_t;

void eas_dbm_file_init(eas_dbm_file_t *f, const char *user_dir, const char *device,
                       apr_pool_t *pool);
/** Waits while somebody commits; sets aside what a dead commit left: then EAS_E_STATE. */
eas_err_t *eas_dbm_settle(const eas_dbm_file_t *f, apr_pool_t *pool);
/** Opens to read; *dbm NULL when there is no file. Ends with apr_dbm_close(). */
eas_err_t *eas_dbm_read(apr_dbm_t **dbm, const eas_dbm_file_t *f, apr_pool_t *dbm_pool,
                        apr_pool_t *pool);
/** Sets the marker (locked by *marker_fd) and opens to write; *fresh: the file was not there. On an
 *  error the marker is gone again. */
eas_err_t *eas_dbm_write(apr_dbm_t **dbm, int *marker_fd, int *fresh, const eas_dbm_file_t *f,
                         apr_size_t bytes, apr_pool_t *dbm_pool, apr_pool_t *pool);
/** After apr_dbm_close() of a writer: takes the marker away when @a clean, else leaves it for the
 *  next open() to find. */
void eas_dbm_written(const eas_dbm_file_t *f, int marker_fd, int clean);
/** Moves the file away, logs it, and gives the EAS_E_STATE to return. */
eas_err_t *eas_dbm_set_aside(const eas_dbm_file_t *f, const char *why, apr_pool_t *pool);
/** True for gdbm's "no such row", which some calls report as an error. */
int eas_dbm_is_not_found(apr_status_t rv);
/** True when a failed write is the disk's fault, not the file's. */
int eas_dbm_is_disk(apr_status_t rv);

#endif
