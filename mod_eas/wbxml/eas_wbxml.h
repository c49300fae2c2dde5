/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_WBXML_H
#define EAS_WBXML_H
/**
 * WBXML for ActiveSync: a reader that turns bytes into a small tree, a writer that turns calls into
 * bytes, and the table of all tokens (generated from build/codepages.tsv).
 * Source of the rules: MS-ASWBXML; WAP-192-WBXML; protocol digest section 2.
 *
 * Reader: iterative, linear, one contiguous span in, no copy of strings or OPAQUE data: nodes point
 * into the caller's bytes, which must outlive the tree. Limits before memory. Strict: unknown page
 * or token, attribute bit, invalid UTF-8, data behind the root are errors with the byte offset.
 *
 *     eas_node_t *root;
 *     err = eas_wbxml_read(&root, body.data, body.len, &limits, pool);
 *     c = eas_node_child(cols, EAS_AIRSYNC_COLLECTION);
 *     for (; c; c = eas_node_next(c, EAS_AIRSYNC_COLLECTION))
 *         key = eas_node_child_str(c, EAS_AIRSYNC_SYNCKEY, pool);
 *
 * Writer:
 *
 *     eas_writer_t *w = eas_writer_create(pool);
 *     eas_w_open(w, EAS_FOLDERHIERARCHY_FOLDERSYNC);
 *     eas_w_int(w, EAS_FOLDERHIERARCHY_STATUS, 1);
 *     eas_w_close(w);
 */
#include <apr_pools.h>
#include "eas_err.h"
#include "eas_item.h"
#include "eas_tags.h" /* generated: EAS_<PAGE>_<TAG> = page << 8 | token; EAS_PAGE_<NAME> */

typedef apr_uint16_t eas_tag_t;

typedef struct eas_node_t eas_node_t;
struct eas_node_t {
    eas_tag_t tag;
    unsigned char opaque;  /**< text came as OPAQUE */
    unsigned char content; /**< token had the content bit */
    eas_node_t *parent, *first, *last, *next;
    const char *data; /**< text or opaque bytes, NULL = none; not NUL-terminated */
    apr_size_t len;
};

typedef struct eas_wbxml_limits_t {
    unsigned depth;    /**< nesting, 64 */
    unsigned elements; /**< elements in all */
    apr_size_t string; /**< bytes of one string */
    apr_size_t opaque; /**< bytes of one OPAQUE */
} eas_wbxml_limits_t;

/** The defaults: 64, 100,000, 8 MB, the body itself. */
extern const eas_wbxml_limits_t eas_wbxml_limits;

/** EAS_E_BAD_WBXML with "... at byte N"; *root is the document element. */
eas_err_t *eas_wbxml_read(eas_node_t **root, const char *data, apr_size_t len,
                          const eas_wbxml_limits_t *limits, apr_pool_t *pool);

/** First child with that tag (tag 0: any), NULL when none or node is NULL. */
eas_node_t *eas_node_child(const eas_node_t *node, eas_tag_t tag);
/** Next sibling with that tag (tag 0: any). */
eas_node_t *eas_node_next(const eas_node_t *node, eas_tag_t tag);
/** The text as a C string in @a pool; "" for an empty element, NULL when node is NULL. */
const char *eas_node_str(const eas_node_t *node, apr_pool_t *pool);
/** Text of the named child, NULL when there is no such child. */
const char *eas_node_child_str(const eas_node_t *node, eas_tag_t tag, apr_pool_t *pool);
/** A whole decimal number in lo..hi: 1 and *value, else 0 (also when node is NULL). */
int eas_node_int(apr_int64_t *value, const eas_node_t *node, apr_int64_t lo, apr_int64_t hi);
/** A boolean: "0"/"1", an empty element means 1; -1 when the text is neither; dflt when NULL. */
int eas_node_bool(const eas_node_t *node, int dflt);

typedef struct eas_writer_t eas_writer_t;

/** Starts with the document header 03 01 6A 00. Memory up to 256 KB, above it an unlinked temp
 * file. */
eas_writer_t *eas_writer_create(apr_pool_t *pool);
/** A fragment without header, to be spliced later; begins on page @a page. */
eas_writer_t *eas_writer_fragment(int page, apr_pool_t *pool);
void eas_w_open(eas_writer_t *w, eas_tag_t tag);
/** Closes the innermost open element; one opened without content becomes an empty element. */
void eas_w_close(eas_writer_t *w);
void eas_w_empty(eas_writer_t *w, eas_tag_t tag);
/** Text elements; @a text is made safe first (valid UTF-8, no control characters but TAB LF CR).
 *  Without text, NULL or "", it is an empty element. */
void eas_w_str(eas_writer_t *w, eas_tag_t tag, const char *text);
void eas_w_strn(eas_writer_t *w, eas_tag_t tag, const char *text, apr_size_t len);
void eas_w_int(eas_writer_t *w, eas_tag_t tag, apr_int64_t value);
void eas_w_opaque(eas_writer_t *w, eas_tag_t tag, const void *data, apr_size_t len);
/** A text element whose content is the base64 of @a data, encoded in pieces. */
void eas_w_base64(eas_writer_t *w, eas_tag_t tag, const void *data, apr_size_t len);
/** Element with content written piecewise: open, any number of text pieces, close. Pieces are parts
 * of one STR_I; they are made safe too. */
void eas_w_text_begin(eas_writer_t *w, eas_tag_t tag);
void eas_w_text_piece(eas_writer_t *w, const char *text, apr_size_t len);
void eas_w_text_end(eas_writer_t *w);
/** Appends the fragment's bytes (all its elements closed). */
void eas_w_splice(eas_writer_t *w, const eas_writer_t *fragment);
/** Bytes written so far. */
apr_size_t eas_w_size(const eas_writer_t *w);
/** Marks a place / forgets everything written since (elements opened since are gone too). */
typedef struct eas_w_mark_t {
    apr_size_t size;
    int page, depth;
    int pending; /**< token of an element that was open and had no content yet */
} eas_w_mark_t;
eas_w_mark_t eas_w_mark(const eas_writer_t *w);
void eas_w_reset(eas_writer_t *w, eas_w_mark_t mark);
/** Ends writing. All bytes as one span (heap or mapped temp file), valid as long as the pool. An
 *  error of any earlier call (disk full) comes out here. */
eas_err_t *eas_w_finish(eas_span_t *out, eas_writer_t *w);

/** Page name ("AirSync") and tag name of a tag, NULL when unknown. */
const char *eas_tag_page_name(eas_tag_t tag);
const char *eas_tag_name(eas_tag_t tag);
/** Versions (25, 120, ... 161) in which the tag exists; last 0 = to the present. */
int eas_tag_versions(int *first, int *last, eas_tag_t tag);
/** Looks a tag up by page and name, 0 when unknown. */
eas_tag_t eas_tag_lookup(const char *page, const char *name);
/** The tree as indented XML for people: names as in codepages.tsv, page names as xmlns; with
 *  @a mask, text of secrets and bodies is replaced by its length. At most @a max bytes. */
const char *eas_node_xml(const eas_node_t *root, int mask, apr_size_t max, apr_pool_t *pool);

#endif
