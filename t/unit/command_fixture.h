/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMAND_FIXTURE_H
#define COMMAND_FIXTURE_H
/**
 * Commands for tests, as text: a request in, the answer out, over the world of sync_fixture.h.
 *
 *     cx_t *cx = cx_create(fx, EAS_V141);
 *     cx_folders(cx);                             // FolderSync
 *     cx_start(cx, "2");                          // key 0
 *     const char *xml = cx_sync(cx, "<Collection><SyncKey>{2}</SyncKey>...");
 *
 * A tag without a prefix is of the command's page; airsync:, base:, email:, search: name others. In
 * a request "{2}" is replaced by the phone's key of collection 2; answers show their keys as "{k}"
 * when they are new and "{same}" when they are the presented
 * ones. */
#include "sync_fixture.h"
#include "command_priv.h"

typedef struct cx_t {
    fx_t *fx;
    eas_env_t env;
    int version;
    int trace, multipart;
    const char *attachment; /**< AttachmentName of the query */
    char keys[8][2][80];    /**< CollectionId, key */
    int nkeys;
    eas_resp_t resp;        /**< of the last request */
} cx_t;

cx_t *cx_create(fx_t *fx, int version);
/** Runs a command with this document (NULL: empty body); the answer as text, "" when it is empty,
 * "HTTP n" when it is no 200. */
const char *cx_run(cx_t *cx, eas_cmd_t cmd, const char *xml);
/** "<Sync><Collections>" + @a collections + ... */
const char *cx_sync(cx_t *cx, const char *collections);
void cx_folders(cx_t *cx);
/** Key 0 of a collection. */
void cx_start(cx_t *cx, const char *cid);
/** Sync of a collection until nothing more comes. */
void cx_quiet(cx_t *cx, const char *cid);
/** The WBXML of a document. */
eas_span_t cx_document(cx_t *cx, eas_cmd_t cmd, const char *xml);
const char *cx_text(const eas_node_t *root, apr_pool_t *pool);
/** The answer contains it, or the test fails and shows the answer. */
void cx_has(const char *answer, const char *part);
void cx_lacks(const char *answer, const char *part);
int cx_count(const char *answer, const char *part);

/** What was logged since the last cx_log_clear(). */
extern char cx_log[65536];
void cx_log_clear(void);

#endif
