/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_GZIP_H
#define EAS_GZIP_H
/** gzip for answers (zlib). */
#include "eas_spool.h"

/** Compresses @a in into @a out (a fresh spool). */
eas_err_t *eas_gzip(eas_spool_t *out, eas_span_t in, apr_pool_t *scratch_pool);

#endif
