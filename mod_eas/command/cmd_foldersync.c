/* SPDX-License-Identifier: Apache-2.0 */
/* FolderSync: MS-ASCMD 2.2.1.5, protocol digest 5.2. */
#include <apr_strings.h>
#include "command_priv.h"

enum { ST_OK = 1, ST_SERVER = 6, ST_KEY = 9, ST_MALFORMED = 10 };

static void write_change(eas_writer_t *w, const eas_hchange_t *c)
{
    static const eas_tag_t tags[] = {
        [EAS_H_UPDATE] = EAS_FOLDERHIERARCHY_UPDATE,
        [EAS_H_DELETE] = EAS_FOLDERHIERARCHY_DELETE,
        [EAS_H_ADD] = EAS_FOLDERHIERARCHY_ADD,
    };
    eas_w_open(w, tags[c->op]);
    eas_w_str(w, EAS_FOLDERHIERARCHY_SERVERID, c->folder->id);
    if (c->op != EAS_H_DELETE) {
        eas_w_str(w, EAS_FOLDERHIERARCHY_PARENTID, c->folder->parent);
        eas_w_str(w, EAS_FOLDERHIERARCHY_DISPLAYNAME, c->folder->title);
        eas_w_int(w, EAS_FOLDERHIERARCHY_TYPE, c->folder->type);
    }
    eas_w_close(w);
}

static eas_err_t *answer(eas_ctx_t *ctx, const char *key, const eas_hchange_t *changes, int count)
{
    eas_writer_t *w = eas_writer_create(ctx->pool);
    int i;
    eas_w_open(w, EAS_FOLDERHIERARCHY_FOLDERSYNC);
    eas_w_int(w, EAS_FOLDERHIERARCHY_STATUS, ST_OK);
    eas_w_str(w, EAS_FOLDERHIERARCHY_SYNCKEY, key);
    eas_w_open(w, EAS_FOLDERHIERARCHY_CHANGES);
    eas_w_int(w, EAS_FOLDERHIERARCHY_COUNT, count);
    for (i = 0; i < count; i++)
        write_change(w, &changes[i]);
    eas_w_close(w);
    eas_w_close(w);
    ctx->resp->note = apr_psprintf(ctx->pool, "folders=%d", count);
    return command_answer(ctx, w);
}

eas_err_t *cmd_foldersync(eas_ctx_t *ctx)
{
    const eas_node_t *node = eas_node_child(ctx->root, EAS_FOLDERHIERARCHY_SYNCKEY);
    const char *key = eas_node_str(node, ctx->pool);
    const eas_hchange_t *changes;
    const char *newkey;
    eas_state_t *st;
    int status, count;
    eas_err_t *err;

    if (!key || !*key || strlen(key) > 64 || eas_node_next(node, 0))
        return command_status(ctx, ST_MALFORMED);
    if ((err = command_state(&st, ctx)))
        return err;
    err = eas_device_seen(st, ctx->req->device_type, ctx->req->user_agent, ctx->req->version);
    if (!err)
        err = eas_hierarchy_sync(&newkey, &changes, &count, &status, st, ctx->session, key,
                                 ctx->pool);
    if (!err && status == ST_OK)
        err = eas_state_commit(st);
    eas_state_close(st);
    if (err && (command_fatal(err) || err->status))
        return err;
    if (err) {
        command_log(ctx, err);
        return command_status(ctx, ST_SERVER);
    }
    if (status != ST_OK)
        return command_status(ctx, status);
    if (strcmp(key, "0") == 0)
        eas_resp_options(ctx->resp, eas_commands_offered(ctx->env, ctx->pool), ctx->env->ceiling, 1,
                         ctx->pool);
    return answer(ctx, newkey, changes, count);
}
