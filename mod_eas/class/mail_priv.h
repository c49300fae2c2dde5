/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_PRIV_H
#define MAIL_PRIV_H
/**
 * What the files of the mail class share: the tree of MIME parts, the view, decoded fields, bodies.
 * Nobody outside of this room includes it. See docs/internals/class.md.
 *
 * A message becomes a tree of mail_part_t by one linear pass over its bytes (mail_scan.c): parts
 * and headers are spans of the source. gmime decodes what the spans hold: header words, parameters,
 * addresses, dates, transfer encodings. A view made of a backend's preview (mail_preview.c) has no
 * tree.
 */
#include <gmime/gmime.h>
#include <apr_tables.h>
#include "eas_mail.h"

/** Headers that anything here reads; the rest of a header block is passed over. */
#define MAIL_HEADERS(X) \
    X(FROM, "from") \
    X(TO, "to") \
    X(CC, "cc") \
    X(BCC, "bcc") \
    X(SENDER, "sender") \
    X(REPLY_TO, "reply-to") \
    X(SUBJECT, "subject") \
    X(DATE, "date") \
    X(MESSAGE_ID, "message-id") \
    X(IN_REPLY_TO, "in-reply-to") \
    X(REFERENCES, "references") \
    X(THREAD_INDEX, "thread-index") \
    X(IMPORTANCE, "importance") \
    X(X_PRIORITY, "x-priority") \
    X(X_MSMAIL_PRIORITY, "x-msmail-priority") \
    X(PRIORITY, "priority") \
    X(CONTENT_TYPE, "content-type") \
    X(CONTENT_ENCODING, "content-transfer-encoding") \
    X(CONTENT_DISPOSITION, "content-disposition") \
    X(CONTENT_ID, "content-id") \
    X(CONTENT_LOCATION, "content-location") \
    X(CONTENT_DESCRIPTION, "content-description")

typedef enum mail_hdr_t {
#define X(id, name) MH_##id,
    MAIL_HEADERS(X)
#undef X
    MH_COUNT
} mail_hdr_t;

enum {
    MAIL_MAX_DEPTH = 60,   /**< multiparts within each other; deeper ones are one attachment */
    MAIL_MAX_PARTS = 1000, /**< what follows is not looked at */
    MAIL_MAX_HEADERS = 1024 * 1024, /**< bytes of one header block; the rest of it is passed over */
    MAIL_MAX_VALUE = 128 * 1024,    /**< bytes of one header that are decoded */
    MAIL_MAX_TEXT = 8 * 1024 * 1024, /**< bytes of a text part; a larger one is an attachment */
    MAIL_MAX_GROUPS = 40,            /**< colons in an address list: groups */
    MAIL_MAX_LIST = 32768,           /**< an address list on the wire (MS-ASEMAIL To, From) */
    MAIL_MAX_BCC = 1024,             /**< and Bcc */
    MAIL_MAX_LINE = 4096,            /**< subject and other one-line texts on the wire */
    MAIL_MAX_NAME = 255              /**< name of an attachment */
};

/** Protocol versions at which something of a mail changes, as in eas_mail_opts_t.version. */
enum { MAIL_V25 = 25, MAIL_V120 = 120, MAIL_V140 = 140, MAIL_V141 = 141, MAIL_V160 = 160 };

typedef struct mail_part_t mail_part_t;
struct mail_part_t {
    mail_part_t *parent, *first, *last, *next;
    int count;             /**< children */
    const char *section;   /**< IMAP section number: "1", "2.1"; "" = a message that is multipart */
    eas_span_t hdr[MH_COUNT]; /**< raw values, folded; data NULL = not there */
    eas_span_t body;       /**< still encoded */
    const char *type;      /**< "text/plain", lower case, never NULL */
    int multipart;
    GMimeContentType *ct;  /**< NULL when the header is missing */
    GMimeContentDisposition *disp;
    GMimeContentEncoding encoding;
    int in_related;        /**< companion of a multipart/related root */
};

typedef struct mail_att_t {
    mail_part_t *part;     /**< NULL in a preview */
    const char *section, *type, *name, *content_id, *location;
    int method;            /**< MS-ASAIRS Method: 1 normal, 5 embedded message, 6 inline image */
    int is_inline;
    apr_int64_t size;      /**< estimate of the decoded size */
} mail_att_t;

/** S/MIME kinds that MessageClass tells apart. */
typedef enum mail_smime_t {
    MAIL_SMIME_NONE,
    MAIL_SMIME_CLEAR,
    MAIL_SMIME_OPAQUE,
    MAIL_SMIME_RECEIPT
} mail_smime_t;

/** Decoded header fields; clean UTF-8 on one line, NULL = nothing to say. */
typedef struct mail_fields_t {
    const char *to, *cc, *bcc, *from, *sender, *reply_to, *display_to, *subject, *topic;
    const char *message_class;
    const char *message_id, *in_reply_to, *references, *thread_index;
    int importance;        /**< 0 low, 1 normal, 2 high */
    apr_time_t received;   /**< 0 = not known */
    apr_time_t sent;
} mail_fields_t;

struct eas_mail_view_t {
    apr_pool_t *pool;
    const eas_item_t *item;
    eas_span_t source;     /**< empty in a preview */
    mail_part_t *root;     /**< NULL in a preview */
    int nparts;
    mail_smime_t smime;
    apr_array_header_t *plain, *html; /**< mail_part_t *: the mail as text, the mail as HTML */
    apr_array_header_t *atts;         /**< mail_att_t */
    int native;            /**< NativeBodyType: 1 plain, 2 HTML */
    /* made when first asked for */
    mail_fields_t *fields;
    eas_span_t text[3];    /**< by type 1, 2: the whole body */
    int have_text[3];
};

/* gmime_pool.c */
/** Starts gmime once per process; any thread. */
void mail_gmime_start(void);
/** Drops one reference of @a object when @a pool ends. NULL is fine. */
void *mail_gmime_hold(void *object, apr_pool_t *pool);
/** Loose parsing; bytes without a charset are UTF-8, else windows-1252. */
GMimeParserOptions *mail_gmime_options(void);

/* mail_scan.c */
/** The tree of @a source; sets *nparts. Never fails. */
mail_part_t *mail_scan(int *nparts, eas_span_t source, apr_pool_t *pool);
/** A value without folding and NULs, at most @a max bytes; NULL when the header is missing. */
char *mail_hdr_raw(const mail_part_t *part, mail_hdr_t id, apr_size_t max, apr_pool_t *pool);
const char *mail_ct_param(const mail_part_t *part, const char *name);

/* mail_headers.c */
mail_fields_t *mail_fields(const eas_mail_view_t *view);
/** Encoded words decoded; one clean line of at most @a max bytes; NULL when missing or blank. */
const char *mail_hdr_text(const mail_part_t *part, mail_hdr_t id, apr_size_t max, apr_pool_t *pool);
/** Clean UTF-8 on one line, trimmed, cut at a character. */
char *mail_line(const char *s, apr_size_t len, apr_size_t max, apr_pool_t *pool);
/** The subject without its reply and forward prefixes. */
const char *mail_topic(const char *subject);

/* mail_parts.c */
/** Fills plain, html, atts, native, smime from the tree. */
void mail_sort_parts(eas_mail_view_t *view);
/** Marks the attachments that the HTML body shows as IsInline. */
void mail_mark_inline(eas_mail_view_t *view);
const char *mail_att_name(const char *given, const char *type, const char *section,
                          apr_pool_t *pool);

/* mail_decode.c */
/** Transfer encoding taken off: the source itself, memory, or a spool when large. */
eas_err_t *mail_decode(eas_span_t *out, const mail_part_t *part, apr_pool_t *pool);
/** A text part as clean UTF-8; charset of the part, for HTML else of its meta element. */
eas_span_t mail_decode_text(const mail_part_t *part, apr_pool_t *pool);

/* mail_text.c */
/** The whole body as type 1 (plain, CRLF) or 2 (HTML, UTF-8). */
eas_span_t mail_text(const eas_mail_view_t *view, int type);
/** The first @a chars characters of the plain text, white space collapsed. */
const char *mail_preview_text(const eas_mail_view_t *view, int chars, apr_pool_t *pool);
/** Full size of a body; an estimate when a preview holds only its beginning. */
apr_size_t mail_text_size(const eas_mail_view_t *view, int type);

/* mail_flowed.c */
/** Joins the soft line breaks of format=flowed (RFC 3676). */
eas_span_t mail_unflow(eas_span_t text, int delsp, apr_pool_t *pool);

/* mail_preview.c */
/** A view of the preview properties; NULL when the item has none. */
eas_mail_view_t *mail_preview_view(const eas_item_t *item, apr_pool_t *pool);

/* mail_msgclass.c */
const char *mail_message_class(const eas_mail_view_t *view);

/* mail_conversation.c */
#define MAIL_CONVERSATION_ID 16
void mail_conversation_id(unsigned char id[MAIL_CONVERSATION_ID], const mail_fields_t *fields,
                          apr_pool_t *pool);
eas_span_t mail_conversation_index(const mail_fields_t *fields, apr_pool_t *pool);

/* mail_body.c */
typedef struct mail_writer_t {
    eas_writer_t *w;
    const eas_mail_view_t *view;
    const mail_fields_t *fields;
    const eas_mail_opts_t *opts;
    eas_fileref_fn fileref;
    void *baton;
    apr_pool_t *pool;      /**< scratch */
    apr_pool_t *data_pool; /**< where *data must live */
    int multipart, part_no;
    eas_span_t *data;
} mail_writer_t;
void mail_write_body(mail_writer_t *mw);      /**< AirSyncBase Body */
void mail_write_bodypart(mail_writer_t *mw);  /**< AirSyncBase BodyPart */
void mail_write_body25(mail_writer_t *mw);    /**< Email Body, or MIMEData */

/* mail_attachments.c */
void mail_write_attachments(mail_writer_t *mw);   /**< AirSyncBase */
void mail_write_attachments25(mail_writer_t *mw); /**< Email page */

#endif
