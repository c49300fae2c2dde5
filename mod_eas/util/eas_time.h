/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_TIME_H
#define EAS_TIME_H
/** Times on the wire, and the one clock of the module. */
#include <apr_pools.h>
#include <apr_time.h>

/** Now; the only place that asks the clock. A test may shift it (eas_clock_shift, microseconds). */
apr_time_t eas_now(void);
void eas_clock_shift(apr_interval_time_t shift);

/** "2026-03-09T08:15:00.000Z" (mail, contacts, tasks, settings). */
const char *eas_time_dashed(apr_time_t t, apr_pool_t *pool);
/** "20260309T081500Z" (calendar, notes, InstanceId). */
const char *eas_time_compact(apr_time_t t, apr_pool_t *pool);
/** Parses either form strictly (UTC, real calendar date); 1 and *t, else 0. */
int eas_time_parse(apr_time_t *t, const char *text);

#endif
