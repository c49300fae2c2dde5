/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_gzip.h"

#include <string.h>
#include <zlib.h>

#define TAG "gzip"
#define CHUNK (64 * 1024)
/* An answer of this size needs no 256 KB of tables, which cost more than the packing. */
#define SMALL 4096
#define LEVEL 3 /* answers are small and phones wait: most of the gain for half of the time of 6 */

eas_err_t *eas_gzip(eas_spool_t *out, eas_span_t in, apr_pool_t *scratch_pool)
{
    int small = in.len <= SMALL;
    uInt room = small ? 2 * SMALL : CHUNK;
    unsigned char *buf = apr_palloc(scratch_pool, room);
    eas_err_t *err = NULL;
    z_stream z;
    int rv;

    memset(&z, 0, sizeof(z));
    if (deflateInit2(&z, LEVEL, Z_DEFLATED, (small ? 12 : 15) + 16, small ? 5 : 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return eas_err_create(scratch_pool, EAS_E_UNAVAILABLE, TAG, "out of memory");
    z.next_in = (unsigned char *)in.data;
    do {
        if (z.avail_in == 0 && in.len) { /* zlib counts in unsigned int */
            z.avail_in = in.len > (1u << 30) ? (1u << 30) : (uInt)in.len;
            in.len -= z.avail_in;
        }
        z.next_out = buf;
        z.avail_out = room;
        rv = deflate(&z, in.len ? Z_NO_FLUSH : Z_FINISH);
        if (rv == Z_STREAM_ERROR) {
            err = eas_err_create(scratch_pool, EAS_E_INTERNAL, TAG, "zlib failed");
            break;
        }
        err = eas_spool_write(out, buf, room - z.avail_out);
    } while (!err && rv != Z_STREAM_END);
    deflateEnd(&z);
    return err;
}
