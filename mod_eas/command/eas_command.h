/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_COMMAND_H
#define EAS_COMMAND_H
/**
 * ActiveSync commands: one file per command, one table of commands, one dispatcher.
 *
 *     eas_req_parse(req, env->ceiling, 0);
 *     eas_command_run(&resp, req, &env, session);     // always fills resp
 *
 * The dispatcher decodes the body, runs the command, turns errors into Status or HTTP, logs the
 * chain of an error once (with req->log) and traces when req->trace says so. A command runs on any
 * thread, blocks while it talks to the backend, and uses nothing but the request's pool.
 */
#include "eas_backend.h"
#include "eas_cache.h"
#include "eas_crypto.h"
#include "eas_protocol.h"
#include "eas_store.h"

/** What a command may use; set up by the httpd room per virtual host, read-only during requests. */
typedef struct eas_env_t {
    eas_backend_t *be;
    eas_store_t *store;
    eas_cache_t *cache;
    const eas_keyring_t *keys;
    int ceiling;                         /**< EASMaxVersion, EAS_V.. */
    int max_devices;                     /**< EASMaxDevices: device records per user */
    int max_collections;                 /**< EASMaxFolders: collections in one Sync (Status 15) */
    /** EASResponseBudget: bytes after which Sync says MoreAvailable */
    apr_size_t response_budget;
    apr_interval_time_t time_budget;     /**< EASTimeBudget: the same for time spent */
    /** EASFlagPeek: newest rows are compared when older than this */
    apr_interval_time_t flag_peek;
    apr_interval_time_t flag_refresh;    /**< EASFlagRefresh: whole folder is compared when older */
    apr_interval_time_t lease_wait;      /**< EASLeaseWait */
    apr_size_t trace_max;                /**< EASTraceSize: most bytes of a traced document */
} eas_env_t;

/** Runs the command of a parsed request. */
void eas_command_run(eas_resp_t *resp, const eas_req_t *req, const eas_env_t *env,
                     eas_session_t *session);

/** EAS_CMD_COUNT flags: which commands this build offers with this backend (for OPTIONS). */
const char *eas_commands_offered(const eas_env_t *env, apr_pool_t *pool);

#endif
