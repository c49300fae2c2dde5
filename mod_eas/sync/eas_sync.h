/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_SYNC_H
#define EAS_SYNC_H
/**
 * The sync engine: what does this phone have, what has changed, and what may be said about it.
 *
 * It knows the state store and the backend, no WBXML and no HTTP. A command opens the device's
 * state (that takes the device's lease), opens collections, lets the engine apply the phone's
 * commands and pick the server's changes, writes the answer, finishes the collections and commits -
 * before the first byte of the answer leaves:
 *
 *     eas_state_open(&st, &cfg, identity, device, pool);
 *     eas_coll_open(&coll, &status, st, cid, key, pool);           // Status 3, 8 come out here
 *     eas_coll_commands(coll, cmds, n, session);                   // results per command
 *     eas_coll_refresh(coll, session);                             // probe, compare
 *     eas_coll_pick(&changes, &count, &more, coll, window, pool);  // at most a window of them
 *     for each: write it, then eas_coll_sent(coll, &changes[i]);
 *     eas_coll_finish(&newkey, coll);
 *     eas_state_commit(st); eas_state_close(st);
 *
 * Exactly once: a SyncKey "{uuid}N" names one state of the phone. The engine keeps the state of the
 * newest key and of the one before it. A repeat with the previous key starts from the previous
 * state and is worked out anew from the backend; commands of the phone that were done under it are
 * not done again (replay record). Until finish() nothing is queued for writing, so an error on the
 * way leaves the collection as it was.
 *
 * Thread: one at a time per eas_state_t. Memory: everything lives in the pool given to open.
 * Source of the rules: MS-ASCMD 2.2.3.181 (SyncKey), protocol digest 4 and 5.1;
 * docs/internals/sync.md.
 */
#include "eas_backend.h"
#include "eas_cache.h"
#include "eas_store.h"

/** What the engine is given by its caller; read-only. */
typedef struct eas_sync_cfg_t {
    eas_backend_t *be;
    eas_store_t *store;
    eas_cache_t *cache;
    void *log;                        /**< handle for eas_log() */
    int max_devices;                  /**< device records per user */
    apr_interval_time_t lease_wait;
    apr_interval_time_t flag_peek;    /**< compare the newest rows when the last time is older */
    apr_interval_time_t flag_refresh; /**< compare the whole folder when the last time is older */
} eas_sync_cfg_t;

typedef struct eas_state_t eas_state_t;

/** Takes the lease and opens the device's state. EAS_E_BUSY when another request of the device
 * holds it for longer than lease_wait. A damaged file is not an error: state is empty then. */
eas_err_t *eas_state_open(eas_state_t **st, const eas_sync_cfg_t *cfg, const eas_identity_t *who,
                          const char *device, apr_pool_t *pool);
/** Writes what finish() and the others queued. Nothing queued: nothing written. */
eas_err_t *eas_state_commit(eas_state_t *st);
/** Gives the lease back; what was not committed is forgotten. Also done when the pool ends. */
void eas_state_close(eas_state_t *st);

/* ---- device record ------------------------------------------------------------------------- */

/** Makes sure that there is a record of the device and that type, User-Agent and version in it are
 *  these; writes only when they differ. EAS_E_FORBIDDEN with status 177 when the user has
 *  max_devices others. The id "validate" (an account test) is never recorded. */
eas_err_t *eas_device_seen(eas_state_t *st, const char *type, const char *user_agent, int version);

/* ---- hierarchy ----------------------------------------------------------------------------- */

/** A folder as the phone knows it. */
typedef struct eas_hfolder_t {
    const char *id;     /**< CollectionId: fixed by role, else class letter and hash */
    const char *parent; /**< CollectionId of the parent, "0" = top */
    const char *title;
    int type;           /**< MS-ASCMD FolderSync Type */
    const char *oxid;   /**< the backend's id now */
    eas_role_t role;
    eas_class_t klass;
    int readonly;
} eas_hfolder_t;

typedef enum eas_hop_t { EAS_H_UPDATE, EAS_H_DELETE, EAS_H_ADD } eas_hop_t;
typedef struct eas_hchange_t {
    eas_hop_t op;
    const eas_hfolder_t *folder;
} eas_hchange_t;

/** FolderSync: compares the backend's folders with what the phone has at @a key. *newkey is the key
 * to answer (the same one when nothing changed); changes come updates, deletes, adds, parents
 * first. *status 1, or 9 for a key that is not known. Key "0" keeps ids and the collections'
 * keys. */
eas_err_t *eas_hierarchy_sync(const char **newkey, const eas_hchange_t **changes, int *count,
                              int *status, eas_state_t *st, eas_session_t *session, const char *key,
                              apr_pool_t *pool);
/** The folder behind a CollectionId; *folder NULL when the device was never told of it. */
eas_err_t *eas_hierarchy_find(const eas_hfolder_t **folder, eas_state_t *st, const char *cid,
                              apr_pool_t *pool);

/* ---- collections --------------------------------------------------------------------------- */

typedef struct eas_coll_t eas_coll_t;

/** Opens a collection at @a key. *status: 1, 3 (key not known; coll NULL), 8 (folder not
 *  known), 12 (no folder is known at all).
 * Key "0" starts anew: the old state goes when the collection is finished. @a pool must last as
 * long as @a st. */
eas_err_t *eas_coll_open(eas_coll_t **coll, int *status, eas_state_t *st, const char *cid,
                         const char *key, apr_pool_t *pool);
const eas_hfolder_t *eas_coll_folder(const eas_coll_t *coll);
int eas_coll_initial(const eas_coll_t *coll);  /**< opened with key "0" */
int eas_coll_replayed(const eas_coll_t *coll); /**< the phone did not get the last answer */

/** Sticky options: bytes that only the command understands. NULL = never given. */
const void *eas_coll_options(apr_size_t *len, const eas_coll_t *coll);
void eas_coll_set_options(eas_coll_t *coll, const void *blob, apr_size_t len);
/** FilterType 0..5 (clipped by the caller) and the EAS_MF_* bits that this phone can see. To be set
 *  before refresh. */
void eas_coll_set_view(eas_coll_t *coll, int filter, unsigned visible);

typedef enum eas_cop_t { EAS_C_ADD = 1, EAS_C_CHANGE, EAS_C_DELETE } eas_cop_t;

/** One command of the phone. */
typedef struct eas_ccmd_t {
    eas_cop_t op;
    const char *id;           /**< ServerId, or ClientId of an Add */
    unsigned char digest[16]; /**< hash of the command's content, tells a repeat from a new one */
    apr_uint16_t set, clear;  /**< flags of a Change */
    int status;               /**< in: 1, or why it is refused unread; out: item Status */
} eas_ccmd_t;

/** Applies the phone's commands, batched; what was recorded as done under this key is not done
 *  again. @a hard: delete for good (DeletesAsMoves 0). */
eas_err_t *eas_coll_commands(eas_coll_t *coll, eas_ccmd_t *cmds, int count, int hard,
                             eas_session_t *session);

/** The answer needs a new key although nothing changed: the phone gave a command that only
 * reads. */
void eas_coll_advance(eas_coll_t *coll);

/** Looks what is new on the server: one probe, and listings only as far as the probe asks for. */
eas_err_t *eas_coll_refresh(eas_coll_t *coll, eas_session_t *session);
/** How many changes wait for the phone. */
apr_size_t eas_coll_pending(const eas_coll_t *coll);

typedef enum eas_op_t { EAS_OP_DELETE, EAS_OP_SOFTDELETE, EAS_OP_CHANGE, EAS_OP_ADD } eas_op_t;

typedef struct eas_change_t {
    eas_op_t op;
    const char *id;        /**< ServerId */
    apr_uint32_t uid;
    apr_time_t received;
    unsigned flags;        /**< EAS_MF_* as on the server */
    unsigned changed;      /**< which of them differ from what the phone has */
    int suspect;           /**< this item seems to have broken earlier attempts: send a stub */
} eas_change_t;

/** At most @a window changes: deletes, then changes, then adds, newest first. *more: others
 * wait. */
eas_err_t *eas_coll_pick(const eas_change_t **changes, int *count, int *more, eas_coll_t *coll,
                         int window, apr_pool_t *pool);
/** The change is in the answer. */
void eas_coll_sent(eas_coll_t *coll, const eas_change_t *change);
/** The item vanished between listing and reading. */
void eas_coll_vanished(eas_coll_t *coll, const eas_change_t *change);

/** Flags and time of an item that the phone has, for Fetch. 0, or 8. */
int eas_coll_item(eas_change_t *item, eas_coll_t *coll, const char *server_id);

/** Queues the new state. *newkey: a new key when anything was sent or commanded, else the one
 * presented. */
eas_err_t *eas_coll_finish(const char **newkey, eas_coll_t *coll);
/** The newest key that was issued for a collection, NULL when none. */
eas_err_t *eas_coll_newest_key(const char **key, eas_state_t *st, const char *cid,
                               apr_pool_t *pool);

/** What the newest state of a collection knows of an item; *known 0 when nothing. For fetching by
 * id. */
eas_err_t *eas_coll_known(eas_change_t *item, int *known, eas_state_t *st, const char *cid,
                          const char *server_id, apr_pool_t *pool);

/** "<CollectionId>:<uid>" to uid: 1, else 0 (also when it is of another collection). */
int eas_server_id_parse(apr_uint32_t *uid, const char *cid, const char *server_id);

/* ---- the last Sync request of a device, for empty and partial ones -------------------------- */

/** Remembers bytes (of the command) until the cache forgets them. */
void eas_request_keep(eas_state_t *st, const void *blob, apr_size_t len);
const void *eas_request_recall(apr_size_t *len, eas_state_t *st, apr_pool_t *pool);

#endif
