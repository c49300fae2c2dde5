/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_MAIL_H
#define EAS_MAIL_H
/**
 * The mail class: an item (flags, received time, RFC 5322 source) to ApplicationData and back.
 * Source of the rules: MS-ASEMAIL, MS-ASAIRS; protocol digest 5.1.3, 5.1.4, 7.1, 7.6.
 *
 * Two steps, so that one parse serves body, attachments and stub: eas_mail_parse() reads the MIME
 * (gmime) into a view, the writers put elements of the view on the wire. Everything of a message is
 * untrusted: parsing is bounded (depth 60, parts 1,000, header bytes 1 MB) and never fails for
 * broken MIME; it gives what can be read. Errors are for us (out of memory), and for messages that
 * cannot be made into an item at all: the caller writes a stub then.
 * Pools: a view points into the source span, which must outlive it. One thread at a time.
 */
#include "eas_err.h"
#include "eas_item.h"
#include "eas_wbxml.h"

/** One BodyPreference (or BodyPartPreference). */
typedef struct eas_bodypref_t {
    int type;               /**< 1 plain, 2 HTML, 3 RTF, 4 MIME */
    int has_truncation;
    apr_size_t truncation;  /**< bytes of UTF-8 */
    int all_or_none;
    int preview;            /**< characters, 0 = not asked */
} eas_bodypref_t;

#define EAS_BODYPREF_MAX 4

/** How the phone wants mail; from Options, sticky (the sync room keeps it as bytes). */
typedef struct eas_mail_opts_t {
    int version;            /**< EAS_V.. (protocol/eas_req.h has the names) */
    int nprefs;
    eas_bodypref_t prefs[EAS_BODYPREF_MAX];
    int has_part;           /**< BodyPartPreference given (14.1+) */
    eas_bodypref_t part;
    int mime_support;       /**< 0 never, 1 S/MIME only, 2 all */
    int mime_truncation;    /**< 0..8, 8 = none; -1 = not given */
    int truncation;         /**< 2.5: 0..9, 9 = none; -1 = not given */
    int whole;              /**< Fetch: truncation values are not applied */
} eas_mail_opts_t;

typedef struct eas_mail_view_t eas_mail_view_t;

/** True when a backend's preview (eas_backend.h) shows a mail to these options as its source would;
 *  *max_text is how much of a body the preview must hold. */
int eas_mail_preview_fits(apr_size_t *max_text, const eas_mail_opts_t *opts);

/** Reads what the item's MAIL_SOURCE holds. An item without one, but with the preview properties of
 *  eas_props.def, gives a view too; it has no Type 4 body and no bytes of attachments.
 *  EAS_E_INVALID when the item has neither. */
eas_err_t *eas_mail_parse(eas_mail_view_t **view, const eas_item_t *item, apr_pool_t *pool);

/** Makes the FileReference (or 2.5 AttName) of part @a part: sealed, bound to the user. */
typedef const char *(*eas_fileref_fn)(void *baton, const char *part, apr_pool_t *pool);

/** All elements of ApplicationData of a mail, in the order of the digest 7.1. */
eas_err_t *eas_mail_write(eas_writer_t *w, const eas_mail_view_t *view, const eas_mail_opts_t *opts,
                          eas_fileref_fn fileref, void *baton, apr_pool_t *scratch_pool);
/** Only Read and/or Flag: a minimal Change. @a what is a mask of EAS_MAIL_READ, EAS_MAIL_FLAG. */
#define EAS_MAIL_READ 1
#define EAS_MAIL_FLAG 2
void eas_mail_write_flags(eas_writer_t *w, const eas_item_t *item, int what, int version);
/** A stand-in for a mail that cannot be shown: valid ApplicationData whose body says so. */
void eas_mail_write_stub(eas_writer_t *w, const eas_item_t *item, const eas_mail_opts_t *opts,
                         const char *reason, apr_pool_t *scratch_pool);
/** For ItemOperations: as eas_mail_write into Properties, but the body goes out as multipart part
 *  @a part_no when @a multipart (then *data is its bytes and `Part` is written instead of Data),
 *  and only the elements whose tags stand in @a schema (ended by 0; NULL = all). */
eas_err_t *eas_mail_write_properties(eas_writer_t *w, eas_span_t *data, const eas_mail_view_t *view,
                                     const eas_mail_opts_t *opts, const eas_tag_t *schema,
                                     int multipart, int part_no, eas_fileref_fn fileref,
                                     void *baton, apr_pool_t *pool, apr_pool_t *scratch_pool);

/** An attachment: the decoded bytes of part @a part (IMAP section number as in FileReference).
 *  EAS_E_NOT_FOUND. */
eas_err_t *eas_mail_attachment(eas_span_t *data, const char **content_type,
                               const eas_mail_view_t *view, const char *part, apr_pool_t *pool);

/** What a client's Change of a mail asks for. -1 = absent. */
typedef struct eas_mail_change_t {
    int read;     /**< 0, 1, -1 */
    int flagged;  /**< 0 none, 1 active, 2 complete, -1 */
} eas_mail_change_t;
/** Reads ApplicationData; EAS_E_INVALID (item Status 6) for a bad value or a forbidden property. */
eas_err_t *eas_mail_read_change(eas_mail_change_t *change, const eas_node_t *data, int version,
                                apr_pool_t *pool);

/** Reads one Options element (its mail part; NULL = none) into @a opts: BodyPreference,
 *  BodyPartPreference, MIMESupport, truncations. EAS_E_BAD_REQUEST with status 4 or 164. Also for
 *  the Options of ItemOperations. */
eas_err_t *eas_mail_read_options(eas_mail_opts_t *opts, const eas_node_t *options, int version,
                                 apr_pool_t *pool);

/** HTML to plain text (libxml2), bounded; for bodies, previews, and notes of other classes. */
char *eas_html_to_text(apr_size_t *outlen, const char *html, apr_size_t len, apr_pool_t *pool);

#endif
