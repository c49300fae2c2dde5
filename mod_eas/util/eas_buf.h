/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_BUF_H
#define EAS_BUF_H
/**
 * Growing byte buffer and bounded reader for our own records (state rows, tickets, cached things).
 * Integers are little endian; varint is LEB128; a string is varint length + bytes.
 * Reading never goes beyond the end: after any short read `bad` is set and zeros/"" come out, so a
 * record is read straight through and checked once at the end.
 */
#include <apr_pools.h>

typedef struct eas_buf_t {
    char *data;
    apr_size_t len, cap;
    apr_pool_t *pool;
} eas_buf_t;

void eas_buf_init(eas_buf_t *b, apr_size_t cap, apr_pool_t *pool);
void eas_buf_bytes(eas_buf_t *b, const void *data, apr_size_t len);
void eas_buf_u8(eas_buf_t *b, unsigned v);
void eas_buf_u32(eas_buf_t *b, apr_uint32_t v);
void eas_buf_var(eas_buf_t *b, apr_uint64_t v);
void eas_buf_str(eas_buf_t *b, const char *s);             /**< NULL is written as "" */
void eas_buf_blob(eas_buf_t *b, const void *data, apr_size_t len);

typedef struct eas_rd_t {
    const unsigned char *p, *end;
    int bad;
} eas_rd_t;

void eas_rd_init(eas_rd_t *r, const void *data, apr_size_t len);
unsigned eas_rd_u8(eas_rd_t *r);
apr_uint32_t eas_rd_u32(eas_rd_t *r);
apr_uint64_t eas_rd_var(eas_rd_t *r);
const char *eas_rd_str(eas_rd_t *r, apr_pool_t *pool);     /**< NUL-terminated copy */
const void *eas_rd_blob(apr_size_t *len, eas_rd_t *r);     /**< points into the record */
int eas_rd_done(const eas_rd_t *r);                        /**< read to the end and not bad */

#endif
