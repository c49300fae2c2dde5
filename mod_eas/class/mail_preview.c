/* SPDX-License-Identifier: Apache-2.0 */
/* A view made of what a backend tells of a mail without giving its source. */
#include <string.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_text.h"
#include "mail_priv.h"

/* Any of these makes an item a preview. */
static const eas_prop_t signs[] = {EAS_P_MAIL_SUBJECT, EAS_P_MAIL_FROM, EAS_P_MAIL_TEXT,
                                   EAS_P_MAIL_HTML, EAS_P_MAIL_CONTENT_TYPE, EAS_P_MAIL_PARTS};

static void read_parts(eas_mail_view_t *view)
{
    eas_span_t span = eas_item_span(view->item, EAS_P_MAIL_PARTS);
    apr_uint64_t count;
    eas_rd_t rd;

    eas_rd_init(&rd, span.data, span.len);
    count = span.len ? eas_rd_var(&rd) : 0;
    for (apr_uint64_t i = 0; i < count && i < MAIL_MAX_PARTS && !rd.bad; i++) {
        mail_att_t a = {.section = eas_rd_str(&rd, view->pool)};
        const char *name = eas_rd_str(&rd, view->pool), *id;
        apr_uint64_t size;
        int disp_inline;

        a.type = eas_rd_str(&rd, view->pool);
        id = eas_rd_str(&rd, view->pool);
        size = eas_rd_var(&rd);
        disp_inline = (int)eas_rd_u8(&rd);
        if (rd.bad)
            break;
        a.name = mail_att_name(*name ? name : NULL, a.type, a.section, view->pool);
        a.method = strcmp(a.type, "message/rfc822") == 0 ? 5 : 1;
        a.size = size ? (apr_int64_t)(size - 1) : 0;
        if (*id == '<')
            id++;
        a.content_id = mail_line(id, strcspn(id, ">"), MAIL_MAX_LINE, view->pool);
        if (!*a.content_id)
            a.content_id = NULL;
        a.is_inline = disp_inline && a.content_id && strncmp(a.type, "image/", 6) == 0;
        if (a.is_inline)
            a.method = 6;
        APR_ARRAY_PUSH(view->atts, mail_att_t) = a;
    }
}

eas_mail_view_t *mail_preview_view(const eas_item_t *item, apr_pool_t *pool)
{
    eas_mail_view_t *view;
    unsigned i = 0;

    while (i < sizeof(signs) / sizeof(*signs) && eas_item_state(item, signs[i]) != EAS_PS_VALUE)
        i++;
    if (i == sizeof(signs) / sizeof(*signs))
        return NULL;
    view = apr_pcalloc(pool, sizeof(*view));
    view->pool = pool;
    view->item = item;
    view->atts = apr_array_make(pool, 4, sizeof(mail_att_t));
    view->native = eas_item_state(item, EAS_P_MAIL_HTML) == EAS_PS_VALUE ? 2 : 1;
    read_parts(view);
    mail_mark_inline(view);
    return view;
}
