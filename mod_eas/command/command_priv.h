/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMAND_PRIV_H
#define COMMAND_PRIV_H
/** What the files of the command room share. */
#include "eas_command.h"
#include "eas_mail.h"
#include "eas_protocol.h"
#include "eas_sync.h"
#include "eas_wbxml.h"

/** One command at work. Everything lives in `pool`, the request's. */
typedef struct eas_ctx_t {
    apr_pool_t *pool;
    const eas_req_t *req;
    eas_resp_t *resp;
    const eas_env_t *env;
    eas_session_t *session;
    const eas_identity_t *who;
    eas_sync_cfg_t cfg;
    const eas_node_t *root; /**< decoded body, NULL when it was empty */
} eas_ctx_t;

/** Runs a command: fills resp, or returns an error for the dispatcher to convert. */
typedef eas_err_t *(*eas_run_fn)(eas_ctx_t *ctx);

eas_err_t *cmd_foldersync(eas_ctx_t *ctx);
eas_err_t *cmd_sync(eas_ctx_t *ctx);
eas_err_t *cmd_getitemestimate(eas_ctx_t *ctx);
eas_err_t *cmd_itemoperations(eas_ctx_t *ctx);
eas_err_t *cmd_getattachment(eas_ctx_t *ctx);

/** Ends a writer into the answer's body. */
eas_err_t *command_answer(eas_ctx_t *ctx, eas_writer_t *w);
/** Answers "<Root><Status>n</Status></Root>" of the command itself, in every version. */
eas_err_t *command_status(eas_ctx_t *ctx, int status);
/** Opens the device's state for this request. */
eas_err_t *command_state(eas_state_t **st, eas_ctx_t *ctx);
/** Errors that end the whole request whatever part of it they came from. */
int command_fatal(const eas_err_t *err);
/** One line for an error that a command answers itself. */
void command_log(eas_ctx_t *ctx, const eas_err_t *err);

/* ---- references to parts of items: sealed, good for their user only ---- */
typedef struct fileref_t {
    eas_ctx_t *ctx;
    const char *cid;
    apr_uint32_t uid;
} fileref_t;
/** An eas_fileref_fn; the baton is a fileref_t. */
const char *fileref_make(void *baton, const char *part, apr_pool_t *pool);
/** 1: *cid, *uid and *part, else 0 (tampered with, of another user, or no reference). */
int fileref_open(const char **cid, apr_uint32_t *uid, const char **part, eas_ctx_t *ctx,
                 const char *ref);

/* ---- mail items, for Sync and ItemOperations ---- */

/** EAS_MF_* that this version can show. */
unsigned mailitem_visible(int version);
/** The neutral item: what the engine knows of a mail, and its source when @a source is not NULL. */
eas_item_t *mailitem_make(const eas_change_t *known, const eas_span_t *source, apr_pool_t *pool);
/** Puts what the engine knows of a mail into an item, such as a preview of the backend. */
void mailitem_know(eas_item_t *item, const eas_change_t *known);
/** Reads and parses a mail. */
eas_err_t *mailitem_read(eas_item_t **item, eas_mail_view_t **view, eas_ctx_t *ctx,
                         const char *oxid, const eas_change_t *known, apr_pool_t *pool);
/** True when the error is about this one item: it gets a stub and the folder goes on. */
int mailitem_stubbed(const eas_err_t *err);

#endif
