/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_MEM_CACHE_H
#define EAS_MEM_CACHE_H
/** An eas_cache_t within one process, for tests and tools. Ends with @a pool. When it is full
 *  (4096 entries) it forgets everything. Time is eas_now(). Any thread may call. */
#include "eas_cache.h"

eas_cache_t *eas_mem_cache_create(apr_pool_t *pool);

#endif
