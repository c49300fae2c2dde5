/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_TEXT_H
#define EAS_TEXT_H
/** UTF-8 and character sets. Everything that goes on the wire is valid UTF-8 without control
 *  characters other than TAB, LF, CR. */
#include <apr_pools.h>

int eas_utf8_valid(const char *s, apr_size_t len);
/** True when @a s may go on the wire as it is. */
int eas_text_clean(const char *s, apr_size_t len);
/** A copy that is clean: bad bytes become U+FFFD, control characters vanish. NUL-terminated;
 * *outlen may be NULL. */
char *eas_text_sanitize(apr_size_t *outlen, const char *s, apr_size_t len, apr_pool_t *pool);
/** The largest n <= max that does not split a UTF-8 character. */
apr_size_t eas_utf8_cut(const char *s, apr_size_t len, apr_size_t max);
/** Length in characters; and the byte length of the first @a chars characters. */
apr_size_t eas_utf8_chars(const char *s, apr_size_t len);
apr_size_t eas_utf8_prefix(const char *s, apr_size_t len, apr_size_t chars);
/** Converts from any charset iconv knows (mail names too: "iso-8859-1", "ks_c_5601-1987", NULL or
 * unknown: guess UTF-8, else windows-1252). Never fails: undecodable bytes become U+FFFD. */
char *eas_charset_to_utf8(apr_size_t *outlen, const char *charset, const char *s, apr_size_t len,
                          apr_pool_t *pool);
/** Base32 (lower-case a-z2-7, no padding) of @a len bytes; base64 both ways, strict on input. */
char *eas_base32(const unsigned char *data, apr_size_t len, apr_pool_t *pool);
char *eas_base64(const void *data, apr_size_t len, apr_pool_t *pool);
/** 1 and the bytes, or 0. Accepts URL-safe alphabet, missing padding. */
int eas_base64_decode(unsigned char **data, apr_size_t *len, const char *text, apr_pool_t *pool);
/** URL-safe base64 without padding (references, sealed things in URLs). */
char *eas_base64url(const void *data, apr_size_t len, apr_pool_t *pool);

#endif
