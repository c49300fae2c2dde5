/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_STORE_MEMORY_H
#define EAS_STORE_MEMORY_H
/** The store in the memory of one process, for tests and tools; ends with @a pool. Any thread. */
#include "eas_store.h"

eas_err_t *eas_store_memory_create(eas_store_t **store, apr_pool_t *pool);
/** The next open() of this device says EAS_E_STATE and finds it empty, as after damage on disk. */
void eas_store_memory_damage(eas_store_t *store, const char *user, const char *device);

#endif
