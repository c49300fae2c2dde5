/* SPDX-License-Identifier: Apache-2.0 */
/* MessageClass (MS-ASEMAIL 2.2.2.49): ordinary mail, S/MIME, and reports (RFC 3464, RFC 8098). */
#include <string.h>
#include <strings.h>
#include "mail_priv.h"

#define MAX_REPORT (64 * 1024)

static const char *const smime_classes[] = {
    [MAIL_SMIME_NONE] = "IPM.Note",
    [MAIL_SMIME_CLEAR] = "IPM.Note.SMIME.MultipartSigned",
    [MAIL_SMIME_OPAQUE] = "IPM.Note.SMIME",
    [MAIL_SMIME_RECEIPT] = "IPM.Note.Receipt.SMIME",
};

/* Which field of the machine-readable part says what, the worst first. */
static const struct {
    const char *report_type, *field, *word, *message_class;
} reports[] = {
    {"delivery-status", "action:", "failed", "REPORT.IPM.NOTE.NDR"},
    {"delivery-status", "action:", "delayed", "REPORT.IPM.NOTE.DELAYED"},
    {"delivery-status", "action:", "delivered", "REPORT.IPM.NOTE.DR"},
    {"delivery-status", "action:", "relayed", "REPORT.IPM.NOTE.DR"},
    {"delivery-status", "action:", "expanded", "REPORT.IPM.NOTE.DR"},
    {"disposition-notification", "disposition:", "displayed", "REPORT.IPM.NOTE.IPNRN"},
    {"disposition-notification", "disposition:", "deleted", "REPORT.IPM.NOTE.IPNNRN"},
};

/* True when a line begins with the field and holds the word. */
static int says(eas_span_t text, const char *field, const char *word)
{
    const char *p = text.data, *end = p + (text.len < MAX_REPORT ? text.len : MAX_REPORT);
    apr_size_t f = strlen(field), w = strlen(word);

    while (p < end) {
        const char *nl = memchr(p, '\n', end - p), *stop = nl ? nl : end;
        if ((apr_size_t)(stop - p) >= f + w && strncasecmp(p, field, f) == 0)
            for (p += f; (apr_size_t)(stop - p) >= w; p++)
                if (strncasecmp(p, word, w) == 0)
                    return 1;
        p = nl ? nl + 1 : end;
    }
    return 0;
}

static const char *report_class(const eas_mail_view_t *view)
{
    const char *kind = mail_ct_param(view->root, "report-type");
    eas_span_t text = {"", 0};
    eas_err_t *err = NULL;

    if (!kind)
        return NULL;
    for (const mail_part_t *c = view->root->first; c; c = c->next)
        if (!c->multipart && strncmp(c->type, "message/", 8) == 0 &&
            strcasecmp(c->type + 8, kind) == 0) {
            err = mail_decode(&text, c, view->pool);
            break;
        }
    for (unsigned i = 0; !err && i < sizeof(reports) / sizeof(*reports); i++)
        if (strcasecmp(kind, reports[i].report_type) == 0 &&
            says(text, reports[i].field, reports[i].word))
            return reports[i].message_class;
    return NULL;
}

const char *mail_message_class(const eas_mail_view_t *view)
{
    const char *report = NULL;
    if (view->root && strcmp(view->root->type, "multipart/report") == 0)
        report = report_class(view);
    return report ? report : smime_classes[view->smime];
}
