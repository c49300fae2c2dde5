/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of our own records (eas_rd_*): the first byte of the input says how many reads, their
 * kinds come from the following bytes, the rest is the record. Checks the header's promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include "eas_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writing what was read and reading it again must give the same. */
static void check_back(const void *blob, apr_size_t len, apr_uint64_t number, apr_pool_t *pool)
{
    eas_buf_t b;
    eas_rd_t r;
    apr_size_t again;
    const void *got;

    eas_buf_init(&b, 0, pool);
    eas_buf_var(&b, number);
    eas_buf_blob(&b, blob, len);
    eas_rd_init(&r, b.data, b.len);
    if (eas_rd_var(&r) != number)
        abort();
    got = eas_rd_blob(&again, &r);
    if (again != len || memcmp(got, blob, len) != 0 || !eas_rd_done(&r))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;
    eas_rd_t r;
    size_t ops;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    if (size == 0 || (ops = data[0] % 64) + 1 > size)
        return 0;
    apr_pool_create(&pool, root);
    eas_rd_init(&r, data + 1 + ops, size - 1 - ops);
    for (size_t i = 0; i < ops; i++) {
        int was_bad = r.bad;
        apr_size_t len = 0;
        apr_uint64_t n = 0;
        const void *blob = "";
        switch (data[1 + i] % 5) {
        case 0:
            n = eas_rd_u8(&r);
            break;
        case 1:
            n = eas_rd_u32(&r);
            break;
        case 2:
            n = eas_rd_var(&r);
            break;
        case 3:
            blob = eas_rd_str(&r, pool);
            len = strlen(blob);
            break;
        default:
            blob = eas_rd_blob(&len, &r);
        }
        /* bad stays bad and gives nothing; never beyond the end */
        if (was_bad && (!r.bad || n || len))
            abort();
        if (r.p > r.end || (r.bad && eas_rd_done(&r)))
            abort();
        check_back(blob, len, n, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
