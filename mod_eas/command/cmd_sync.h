/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SYNC_H
#define CMD_SYNC_H
/**
 * Sync in three steps: the request is read and judged whole (cmd_sync_parse.c), each collection is
 * worked through the engine (cmd_sync_collection.c), then the state is committed and the answer put
 * together (cmd_sync.c). MS-ASCMD 2.2.1.21; protocol digest 5.1.
 */
#include "command_priv.h"

/** Status values of Sync. */
enum {
    SYNC_OK = 1,
    SYNC_KEY = 3,
    SYNC_PROTOCOL = 4,
    SYNC_SERVER = 5,
    SYNC_CONVERSION = 6,
    SYNC_NOT_FOUND = 8,
    SYNC_HIERARCHY = 12,
    SYNC_INCOMPLETE = 13,
    SYNC_INTERVAL = 14,
    SYNC_FOLDERS = 15,
    SYNC_RETRY = 16
};

#define SYNC_COMMANDS_MAX 200
#define SYNC_WINDOW_DEFAULT 100
#define SYNC_WINDOW_MAX 512

/** Options of a mail collection; sticky, kept as bytes with the collection. */
typedef struct sync_opts_t {
    int filter; /**< 0..5 */
    eas_mail_opts_t mail;
} sync_opts_t;

/** One Collection of the request. */
typedef struct sync_want_t {
    const char *key, *cid, *klass;
    int deletes_as_moves;
    int get_changes; /**< -1: not said */
    int window;
    int has_options;
    sync_opts_t opts;
    eas_ccmd_t *cmds;
    int ncmds;
    const char **fetches; /**< ServerIds */
    int nfetches;
} sync_want_t;

/** The request. */
typedef struct sync_request_t {
    sync_want_t *want;
    int n;
    int partial, has_collections;
    int window;   /**< over all collections, 0: not said */
    int wait;     /**< seconds, 0: none */
    int limit;    /**< with Status 14, 15 */
} sync_request_t;

/** Reads the body. *status 0: fine; else the Status that is the whole answer. */
eas_err_t *sync_parse(sync_request_t *request, int *status, eas_ctx_t *ctx);
/** Bytes of the request as it may be repeated by an empty one; and back (1, or 0 when damaged). */
void sync_request_dump(const void **blob, apr_size_t *len, const sync_request_t *request,
                       apr_pool_t *pool);
int sync_request_load(sync_request_t *request, const void *blob, apr_size_t len, apr_pool_t *pool);
/** Options to bytes and back. */
void sync_opts_dump(const void **blob, apr_size_t *len, const sync_opts_t *opts, apr_pool_t *pool);
int sync_opts_load(sync_opts_t *opts, const void *blob, apr_size_t len);
void sync_opts_default(sync_opts_t *opts, int version);
/** Options of a GetItemEstimate or Sync; 0, or a Status. */
int sync_parse_options(sync_opts_t *opts, int *has_options, eas_ctx_t *ctx,
                       const eas_node_t *parent);

/** What came of one collection. */
typedef struct sync_done_t {
    const sync_want_t *want;
    const char *key; /**< to answer */
    int status;
    int more;
    int news; /**< must be in the answer of 12.1 and later */
    eas_writer_t *commands, *responses; /**< fragments on page AirSync, NULL: nothing */
} sync_done_t;

/** What is left of the answer's limits for the collections to come. */
typedef struct sync_left_t {
    int window;          /**< changes */
    apr_size_t bytes;
    apr_time_t deadline;
} sync_left_t;

/** Works a collection through the engine; queues its state. An error is for the whole request. */
eas_err_t *sync_collection(sync_done_t *done, sync_left_t *left, eas_ctx_t *ctx, eas_state_t *st,
                           const sync_want_t *want);

#endif
