/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_LOG_H
#define EAS_LOG_H
/**
 * Where log lines go. The httpd room sets a sink that ends in the error log with the request's
 * context; tools and tests set their own. Without a sink nothing is written.
 * Any thread may call eas_log(); the sink is set once at start.
 */
#include "eas_err.h"

typedef enum eas_level_t {
    EAS_LOG_ERROR,
    EAS_LOG_WARN,
    EAS_LOG_NOTICE,
    EAS_LOG_INFO,
    EAS_LOG_DEBUG
} eas_level_t;

/** @a where is what the caller was given as log handle (the httpd room: its request), may be
 * NULL. */
typedef void (*eas_log_fn)(void *where, eas_level_t level, const char *line);

void eas_log_sink(eas_log_fn fn);
void eas_log(void *where, eas_level_t level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
