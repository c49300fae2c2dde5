/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are HTML: their text is clean UTF-8 of about their own length at most. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>

#include "eas_mail.h"
#include "eas_text.h"

/* A bad byte becomes U+FFFD and an <hr> ten dashes with its ends of line. */
enum { GROWTH = 4, SLACK = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool;
    apr_size_t len;
    char *text;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    text = eas_html_to_text(&len, (const char *)data, size, pool);
    if (!eas_text_clean(text, len) || strlen(text) != len || len > size * GROWTH + SLACK)
        abort();
    apr_pool_destroy(pool);
    return 0;
}
