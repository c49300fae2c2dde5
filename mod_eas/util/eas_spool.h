/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_SPOOL_H
#define EAS_SPOOL_H
/**
 * Bytes of unknown length: in memory up to EAS_SPOOL_MEM, above it in an unlinked temp file that is
 * mapped when done. For request bodies, mail sources and large answers.
 *
 *     eas_spool_t *sp = eas_spool_create(limit, dir, pool);
 *     while (...) if ((err = eas_spool_write(sp, buf, n))) return err;   // EAS_E_TOO_LARGE
 *     err = eas_spool_finish(&span, sp);
 */
#include <apr_file_io.h>
#include "eas_err.h"
#include "eas_item.h"

#define EAS_SPOOL_MEM (256 * 1024)

typedef struct eas_spool_t eas_spool_t;

/** @a limit: most bytes ever, 0 = no limit. @a dir NULL: APR's temp dir. */
eas_spool_t *eas_spool_create(apr_size_t limit, const char *dir, apr_pool_t *pool);
eas_err_t *eas_spool_write(eas_spool_t *sp, const void *data, apr_size_t len);
apr_size_t eas_spool_size(const eas_spool_t *sp);
/** Cuts back to @a size bytes. */
eas_err_t *eas_spool_truncate(eas_spool_t *sp, apr_size_t size);
/** The bytes: heap or mapped file, valid until the pool is cleared. No writes afterwards. */
eas_err_t *eas_spool_finish(eas_span_t *out, eas_spool_t *sp);
/** The temp file behind it, NULL when it is in memory (for a file bucket). */
apr_file_t *eas_spool_file(const eas_spool_t *sp);

#endif
