/* SPDX-License-Identifier: Apache-2.0 */
/* GetAttachment (up to 12.1): the bytes of one attachment as the whole answer; MS-ASCMD 2.2.1.9. */
#include "command_priv.h"

/* Unknown, tampered with, or deleted meanwhile: HTTP 500, protocol digest 5.15. */
static eas_err_t *not_there(eas_ctx_t *ctx, const eas_err_t *err)
{
    if (err)
        command_log(ctx, err);
    ctx->resp->http_status = 500;
    return NULL;
}

eas_err_t *cmd_getattachment(eas_ctx_t *ctx)
{
    const char *cid, *part, *type;
    const eas_hfolder_t *folder;
    eas_change_t known = {0};
    eas_mail_view_t *view;
    eas_item_t *item;
    eas_state_t *st;
    eas_err_t *err;

    if (!ctx->req->attachment_name ||
        !fileref_open(&cid, &known.uid, &part, ctx, ctx->req->attachment_name))
        return not_there(ctx, NULL);
    if ((err = command_state(&st, ctx)))
        return err;
    err = eas_hierarchy_find(&folder, st, cid, ctx->pool);
    eas_state_close(st);
    if (!err && folder &&
        !(err = mailitem_read(&item, &view, ctx, folder->oxid, &known, ctx->pool)))
        err = eas_mail_attachment(&ctx->resp->body, &type, view, part, ctx->pool);
    if (err && command_fatal(err))
        return err;
    if (err || !folder)
        return not_there(ctx, err);
    ctx->resp->content_type = type;
    ctx->resp->no_gzip = 1;
    return NULL;
}
