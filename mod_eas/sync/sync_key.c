/* SPDX-License-Identifier: Apache-2.0 */
/* SyncKeys: "{uuid}N". The uuid names the relationship (a new one for every key 0), N counts
 * states. MS-ASCMD 2.2.3.181: at most 64 characters, "0" reserved, otherwise up to the server. */
#include <apr_strings.h>
#include "sync_priv.h"

int sync_key_parse(sync_key_t *key, const char *text, apr_pool_t *pool)
{
    const char *p, *close;
    apr_uint64_t n = 0;
    if (!text || text[0] != '{' || strlen(text) > 64)
        return 0;
    close = strchr(text, '}');
    if (!close || close - text < 9 || close - text > 41)
        return 0;
    for (p = text + 1; p < close; p++)
        if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f') || *p == '-'))
            return 0;
    p = close + 1;
    if (*p < '1' || *p > '9' || strlen(p) > 10)
        return 0;
    for (; *p; p++) {
        if (*p < '0' || *p > '9')
            return 0;
        n = n * 10 + (apr_uint64_t)(*p - '0');
    }
    key->uuid = apr_pstrmemdup(pool, text + 1, (apr_size_t)(close - text - 1));
    key->n = n;
    return 1;
}

const char *sync_key_text(const char *uuid, apr_uint64_t n, apr_pool_t *pool)
{
    return apr_psprintf(pool, "{%s}%" APR_UINT64_T_FMT, uuid, n);
}
