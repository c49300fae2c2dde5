/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 2560

static eas_log_fn sink; /* set once at start, before there are threads */

void eas_log_sink(eas_log_fn fn)
{
    sink = fn;
}

void eas_log(void *where, eas_level_t level, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;

    if (!sink)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    for (char *p = line; *p; p++) /* one call, one line */
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    sink(where, level, line);
}
