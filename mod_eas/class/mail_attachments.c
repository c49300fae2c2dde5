/* SPDX-License-Identifier: Apache-2.0 */
/* The list of attachments on the wire (MS-ASAIRS 2.2.2.7; before 12.0 on the Email page). */
#include "mail_priv.h"

static const mail_att_t *attachment(const mail_writer_t *mw, int i)
{
    return &APR_ARRAY_IDX(mw->view->atts, i, mail_att_t);
}

static const char *reference(const mail_writer_t *mw, const mail_att_t *a)
{
    return mw->fileref ? mw->fileref(mw->baton, a->section, mw->pool) : a->section;
}

void mail_write_attachments(mail_writer_t *mw)
{
    eas_writer_t *w = mw->w;

    if (!mw->view->atts->nelts)
        return;
    eas_w_open(w, EAS_AIRSYNCBASE_ATTACHMENTS);
    for (int i = 0; i < mw->view->atts->nelts; i++) {
        const mail_att_t *a = attachment(mw, i);
        eas_w_open(w, EAS_AIRSYNCBASE_ATTACHMENT);
        eas_w_str(w, EAS_AIRSYNCBASE_DISPLAYNAME, a->name);
        eas_w_str(w, EAS_AIRSYNCBASE_FILEREFERENCE, reference(mw, a));
        eas_w_int(w, EAS_AIRSYNCBASE_METHOD, a->method);
        eas_w_int(w, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, a->size);
        if (a->content_id)
            eas_w_str(w, EAS_AIRSYNCBASE_CONTENTID, a->content_id);
        if (a->location)
            eas_w_str(w, EAS_AIRSYNCBASE_CONTENTLOCATION, a->location);
        if (a->is_inline)
            eas_w_int(w, EAS_AIRSYNCBASE_ISINLINE, 1);
        eas_w_close(w);
    }
    eas_w_close(w);
}

void mail_write_attachments25(mail_writer_t *mw)
{
    eas_writer_t *w = mw->w;

    if (!mw->view->atts->nelts)
        return;
    eas_w_open(w, EAS_EMAIL_ATTACHMENTS);
    for (int i = 0; i < mw->view->atts->nelts; i++) {
        const mail_att_t *a = attachment(mw, i);
        eas_w_open(w, EAS_EMAIL_ATTACHMENT);
        eas_w_str(w, EAS_EMAIL_ATTNAME, reference(mw, a));
        eas_w_int(w, EAS_EMAIL_ATTSIZE, a->size);
        eas_w_int(w, EAS_EMAIL_ATTMETHOD, a->method);
        eas_w_str(w, EAS_EMAIL_DISPLAYNAME, a->name);
        eas_w_close(w);
    }
    eas_w_close(w);
}
