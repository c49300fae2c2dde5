/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WBXML_TOKENS_H
#define WBXML_TOKENS_H
/**
 * The generated tables behind eas_tag_name() and friends; only for the files of this room and their
 * tests. Rows are sorted by tag, pages by number.
 */
#include "eas_wbxml.h"

/** Bits of the token byte and the global tokens that ActiveSync uses (WAP-192-WBXML 7.1). */
enum {
    WBXML_SWITCH_PAGE = 0x00,
    WBXML_END = 0x01,
    WBXML_ENTITY = 0x02,
    WBXML_STR_I = 0x03,
    WBXML_STR_T = 0x83,
    WBXML_OPAQUE = 0xC3,
    WBXML_HAS_CONTENT = 0x40,
    WBXML_HAS_ATTRIBUTES = 0x80,
    WBXML_IDENTITY = 0x3F
};

typedef struct wbxml_page_t {
    apr_uint16_t page, first, count; /**< rows first .. first + count - 1 of wbxml_tokens */
    const char *name;
} wbxml_page_t;

typedef struct wbxml_token_t {
    eas_tag_t tag;
    apr_int16_t first, last; /**< versions * 10, last 0 = still there */
    const char *name;
} wbxml_token_t;

/** Per page one bit for each token that exists: the reader's fast check. */
extern const apr_uint64_t wbxml_known[256];
extern const wbxml_page_t wbxml_pages[];
extern const int wbxml_page_count;
extern const wbxml_token_t wbxml_tokens[];
extern const int wbxml_token_count;

#endif
