/* SPDX-License-Identifier: Apache-2.0 */
/* From what the engine and the backend know of a mail to the item that the mail codec takes. */
#include "command_priv.h"

unsigned mailitem_visible(int version)
{
    unsigned visible = EAS_MF_SEEN;
    if (version >= EAS_V120)
        visible |= EAS_MF_FLAGGED; /* Flag */
    if (version >= EAS_V140)
        visible |= EAS_MF_ANSWERED | EAS_MF_FORWARDED; /* LastVerbExecuted */
    return visible;
}

void mailitem_know(eas_item_t *item, const eas_change_t *known)
{
    if (known->received)
        eas_item_set_time(item, EAS_P_MAIL_RECEIVED, known->received);
    eas_item_set_bool(item, EAS_P_MAIL_READ, (known->flags & EAS_MF_SEEN) != 0);
    eas_item_set_bool(item, EAS_P_MAIL_FLAGGED, (known->flags & EAS_MF_FLAGGED) != 0);
    eas_item_set_bool(item, EAS_P_MAIL_ANSWERED, (known->flags & EAS_MF_ANSWERED) != 0);
    eas_item_set_bool(item, EAS_P_MAIL_FORWARDED, (known->flags & EAS_MF_FORWARDED) != 0);
    eas_item_set_bool(item, EAS_P_MAIL_DRAFT, (known->flags & EAS_MF_DRAFT) != 0);
}

eas_item_t *mailitem_make(const eas_change_t *known, const eas_span_t *source, apr_pool_t *pool)
{
    eas_item_t *item = eas_item_create(pool);
    mailitem_know(item, known);
    if (source)
        eas_item_set_span(item, EAS_P_MAIL_SOURCE, source->data, source->len);
    return item;
}

eas_err_t *mailitem_read(eas_item_t **item, eas_mail_view_t **view, eas_ctx_t *ctx,
                         const char *oxid, const eas_change_t *known, apr_pool_t *pool)
{
    eas_span_t source;
    eas_err_t *err = ctx->env->be->mail->source(&source, ctx->session, oxid, known->uid, pool);
    *item = mailitem_make(known, err ? NULL : &source, pool);
    if (!err)
        err = eas_mail_parse(view, *item, pool);
    return err ? eas_err_wrap(pool, err, "command.mail", "cannot read mail %u", known->uid) : NULL;
}

int mailitem_stubbed(const eas_err_t *err)
{
    return !command_fatal(err) && err->kind != EAS_E_NOT_FOUND && err->kind != EAS_E_FOLDER_GONE;
}
