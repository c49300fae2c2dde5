/* SPDX-License-Identifier: Apache-2.0 */
/* format=flowed (RFC 3676): a line that ends in a space goes on in the next one of the same quoting
 * depth; phones flow text themselves, so the soft breaks are taken out. */
#include <string.h>
#include "eas_buf.h"
#include "mail_priv.h"

eas_span_t mail_unflow(eas_span_t text, int delsp, apr_pool_t *pool)
{
    const char *p = text.data, *end = p + text.len;
    int open = 0; /* the line before ended softly */
    apr_size_t last_depth = 0;
    eas_buf_t b;

    eas_buf_init(&b, text.len + 64, pool);
    while (p < end) {
        const char *nl = memchr(p, '\n', end - p), *next = nl ? nl + 1 : end;
        apr_size_t len = next - p, depth = 0;
        int soft;

        while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
            len--;
        while (depth < len && p[depth] == '>')
            depth++;
        const char *line = p + depth;
        apr_size_t n = len - depth;
        if (n && *line == ' ') /* stuffed */
            line++, n--;
        int signature = n == 3 && memcmp(line, "-- ", 3) == 0;
        if (open && (depth != last_depth || signature)) {
            eas_buf_bytes(&b, "\r\n", 2);
            open = 0;
        }
        if (!open && depth) {
            for (apr_size_t i = 0; i < depth; i++)
                eas_buf_bytes(&b, ">", 1);
            eas_buf_bytes(&b, " ", 1);
        }
        soft = n && line[n - 1] == ' ' && !signature && nl;
        eas_buf_bytes(&b, line, soft && delsp ? n - 1 : n);
        if (!soft && nl)
            eas_buf_bytes(&b, "\r\n", 2);
        open = soft;
        last_depth = depth;
        p = next;
    }
    return (eas_span_t){b.data, b.len};
}
