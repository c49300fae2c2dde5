/* SPDX-License-Identifier: Apache-2.0 */
/* Mail listings. First byte: size of the pieces the body comes in. What the scanner accepts,
 * jansson must read as the same rows. */
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include "ox_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const char *text, size_t len, const eas_mail_row_t *list, apr_size_t count,
                    apr_pool_t *pool)
{
    const char *first = memmem(text, len, "data", 4);
    const eas_mail_row_t *slow;
    apr_size_t n;
    json_t *root = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
    ox_rows_t *rows = ox_rows_create(len + 1, pool);

    if (!root)
        abort();
    ox_rows_begin(rows);
    /* The last of two equal keys counts for jansson, the first for the scanner. */
    if (!memmem(first + 1, len - (size_t)(first + 1 - text), "dat", 3)
        && !memchr(first, '\\', len - (size_t)(first - text))) {
        if (ox_rows_finish(&slow, &n, rows, root, pool) || n != count)
            abort();
        for (apr_size_t i = 0; i < n; i++)
            if (memcmp(&slow[i], &list[i], sizeof(*list)) != 0)
                abort();
    }
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int started;
    apr_pool_t *pool;
    const char *text = (const char *)data + 1, *rest;
    const eas_mail_row_t *list;
    apr_size_t count, len;
    json_t *root = NULL;
    eas_err_t *err = NULL;

    if (!started) {
        apr_initialize();
        started = 1;
    }
    if (size < 2)
        return 0;
    size_t piece = data[0] ? data[0] : 1;
    apr_pool_create(&pool, NULL);
    ox_rows_t *rows = ox_rows_create(1 << 20, pool);
    size--;
    ox_rows_begin(rows);
    for (size_t at = 0; !err && at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        char *copy = malloc(n);
        memcpy(copy, text + at, n);
        err = ox_rows_data(rows, copy, n);
        free(copy);
    }
    if (!err)
        err = ox_rows_rest(rows, &rest, &len);
    if (!err) {
        ox_envelope_parse(&root, rest, len);
        if (root && !ox_envelope_check(root, "fuzz", pool)
            && !ox_rows_finish(&list, &count, rows, root, pool) && text[0] == '{')
            compare(text, size, list, count, pool);
        json_decref(root);
    }
    apr_pool_destroy(pool);
    return 0;
}
