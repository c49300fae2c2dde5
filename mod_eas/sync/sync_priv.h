/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNC_PRIV_H
#define SYNC_PRIV_H
/** What the files of the sync room share. */
#include "eas_buf.h"
#include "eas_sync.h"

struct eas_state_t {
    const eas_sync_cfg_t *cfg;
    apr_pool_t *pool;
    const char *user;    /**< "<backend>/<context>/<user>" */
    const char *device;  /**< lower case */
    eas_lease_t *lease;
    eas_db_t *db;
    eas_coll_t *picking; /**< collections whose picked changes are not committed yet */
};

/** Key of something cached for this device and, where given, one collection. */
const char *sync_cache_key(apr_size_t *len, const eas_state_t *st, const char *what,
                           const char *cid, apr_pool_t *pool);

/* ---- SyncKey ---- */
typedef struct sync_key_t {
    const char *uuid;
    apr_uint64_t n;
} sync_key_t;
/** 1: "{uuid}N"; 0: anything else. */
int sync_key_parse(sync_key_t *key, const char *text, apr_pool_t *pool);
const char *sync_key_text(const char *uuid, apr_uint64_t n, apr_pool_t *pool);

/* ---- two-state rows: what counts now and what counted one key ago ---- */
typedef struct sync_side_t {
    /** what tells the sides apart: SyncKey number of heads, serial of chunks */
    apr_uint64_t stamp;
    const char *data;    /**< NULL: this side does not exist */
    apr_size_t len;
} sync_side_t;
typedef struct sync_row_t {
    sync_side_t cur, prev;
} sync_row_t;
#define SYNC_ROW_FORMAT 1
eas_err_t *sync_row_get(sync_row_t *row, eas_state_t *st, const char *key, apr_pool_t *pool);
void sync_row_put(eas_state_t *st, const char *key, const sync_side_t *cur, const sync_side_t *prev,
                  apr_pool_t *scratch_pool);

/* ---- mail snapshot ---- */

/** What is known of one mail, on both sides. */
typedef struct snap_entry_t {
    apr_uint32_t uid;
    apr_uint32_t received; /**< seconds */
    unsigned char srv, cli;  /**< EAS_MF_* and the bits below */
    apr_uint16_t reserved; /**< 0 */
} snap_entry_t;
#define SNAP_HAS 0x80  /**< the side has the mail */
#define SNAP_SOFT 0x40 /**< srv: still there, but out of the filter's window */
#define SNAP_FLAGS 0x1f

#define SNAP_CHUNK 2048 /**< most entries of a row */

/** A row of entries, sorted by uid, and its entry in the directory. */
typedef struct snap_chunk_t {
    apr_uint64_t id, serial;         /**< serial: version of the row in the store */
    apr_uint32_t first;              /**< lowest uid */
    apr_uint32_t oldest, newest;     /**< received, of its entries */
    apr_uint32_t count, adds, others; /**< entries, waiting adds, other waiting changes */
    snap_entry_t *e;                 /**< NULL: not loaded */
    int dirty;
} snap_chunk_t;

typedef struct snap_t {
    eas_state_t *st;
    const char *cid;
    apr_pool_t *pool;
    unsigned visible;      /**< EAS_MF_* that count */
    snap_chunk_t *chunks;
    int nchunks, cap;
    apr_uint64_t next_id;
} snap_t;

void snap_init(snap_t *snap, eas_state_t *st, const char *cid, apr_pool_t *pool);
void snap_write_dir(eas_buf_t *b, const snap_t *snap);
void snap_read_dir(snap_t *snap, eas_rd_t *rd);
/** Recounts what waits when the phone's view of the flags has changed. */
eas_err_t *snap_set_visible(snap_t *snap, unsigned visible);
eas_err_t *snap_load(snap_t *snap, int c);
/** *entry NULL when there is none. Whoever writes to it calls snap_touched(chunk) afterwards. */
eas_err_t *snap_find(snap_entry_t **entry, int *chunk, snap_t *snap, apr_uint32_t uid);
/** Chunk @a c was written to: counts anew, forgets entries that neither side has. Pointers into it
 * are void. */
void snap_touched(snap_t *snap, int c);
apr_size_t snap_count(const snap_t *snap);
apr_size_t snap_waiting(const snap_t *snap);
int snap_dirty(const snap_t *snap);

/** What a comparison found, seen from the server: to be checked against the probe. */
typedef struct snap_delta_t {
    apr_int64_t total, unread;
    apr_uint64_t fresh; /**< rows with uids that were not given out at the last probe */
} snap_delta_t;

/** Takes in a listing. @a rows: sorted by uid. @a since: entries received at or before it are not
 *  covered by the listing (0: it covers all). @a cutoff: rows received before it are out of the
 * filter's window.
 *  @a old_next: UIDNEXT of the last probe; rows at or above it are new on the server. */
eas_err_t *snap_compare(snap_delta_t *delta, snap_t *snap, const eas_mail_row_t *rows,
                        apr_size_t count, apr_uint32_t since, apr_uint32_t cutoff,
                        apr_uint64_t old_next);
/** Entries received before @a cutoff leave the window. */
eas_err_t *snap_age_out(snap_t *snap, apr_uint32_t cutoff);
eas_err_t *snap_pick(eas_change_t *changes, int *count, snap_t *snap, int window, apr_pool_t *pool);
/** Queues the touched rows as version @a serial beside the version that @a keep (NULL: none) refers
 * to, and deletes the rows that only @a gone refer to (ended by NULL). */
eas_err_t *snap_save(snap_t *snap, const snap_t *keep, const snap_t *const *gone,
                     apr_uint64_t serial);

/** Queues the deletion of all rows. */
void snap_forget(snap_t *snap);

/* ---- replay record: what the phone commanded under a key, and how it ended ---- */
eas_err_t *replay_load(eas_ccmd_t **cmds, int *count, eas_state_t *st, const char *cid,
                       const char *uuid, apr_uint64_t n, apr_pool_t *pool);
void replay_save(eas_state_t *st, const char *cid, const char *uuid, apr_uint64_t n,
                 const eas_ccmd_t *cmds, int count, apr_pool_t *scratch_pool);

void replay_forget(eas_state_t *st, const char *cid, apr_pool_t *scratch_pool);

/* ---- collection ---- */
struct eas_coll_t {
    eas_state_t *st;
    apr_pool_t *pool;
    const char *cid;
    const eas_hfolder_t *folder;
    sync_row_t head;           /**< as in the store */
    int initial, replayed;
    const char *uuid;
    apr_uint64_t n;            /**< presented key number, 0 when initial */
    apr_uint64_t serial;       /**< highest serial ever used in this collection */
    apr_uint64_t opened;       /**< serial of the state opened */
    /* the state being worked out */
    const char *options;
    apr_size_t options_len;
    int filter;
    unsigned visible;
    int listed;                /**< the snapshot has seen the whole window once */
    eas_mail_tuple_t tuple;    /**< last probe, moved on by own changes */
    snap_t snap;
    int looked, looked_full;   /**< flags were compared in this request: of some mails, of all */
    int head_dirty, sent;
    eas_ccmd_t *cmds;          /**< done under the presented key, earlier ones included */
    int ncmds, commanded;
    int settled;               /**< earlier commands under this key are in the snapshot */
    int tries;                 /**< how often changes were picked under this key */
    int finished;
    eas_coll_t *next_picking;
};
/** The state is written / will not be: an attempt that failed in good order does not count as a
 * try. */
void coll_tries_committed(eas_state_t *st);
void coll_tries_undone(eas_state_t *st);
/** sync_commands.c: takes in what was done under the presented key and is not commanded again. */
eas_err_t *commands_not_repeated(eas_coll_t *coll);
/** sync_mail.c: probe and compare. */
eas_err_t *mail_refresh(eas_coll_t *coll, eas_session_t *session);
/** Remembers that the flags were compared for the state of @a serial; called once that state is
 * queued. */
void mail_compared(eas_coll_t *coll, apr_uint64_t serial);
/** Cutoff in seconds of a FilterType now, whole days. */
apr_uint32_t mail_cutoff(int filter);
/** The probe that a collection's newest state remembers; 0 when it has none. */
int coll_last_tuple(eas_mail_tuple_t *tuple, eas_state_t *st, const char *cid, apr_pool_t *pool);
/** Queues the deletion of all rows of a collection whose folder is gone or has become another
 * one. */
void coll_forget(eas_state_t *st, const char *cid, apr_pool_t *pool);

#endif
