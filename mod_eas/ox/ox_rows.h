/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OX_ROWS_H
#define OX_ROWS_H
/**
 * Reader of mail listings: `{"data":[["12",32,0,1497461068000],...],...}` with the columns
 * 600,611,102,610. jansson needs 50 to 70 ms for 100,000 rows; this one works on the bytes as curl
 * hands them over and keeps 12 bytes a row.
 *
 * Strict: a row is exactly an id (decimal, as string or number, 1..2^32-1) and three integers or
 * nulls, no escapes, no fractions. Anything that does not begin as a listing, an error envelope for
 * instance or another order of the keys, is collected and given to jansson (rest()).
 *
 *     ox_rows_t *rows = ox_rows_create(max_json, pool);
 *     ... ox_rows_sink(rows) into a call, or ox_rows_data() piece by piece ...
 *     err = ox_rows_finish(&list, &count, rows, root, pool);
 *
 * Memory: the rows are malloc'ed and belong to the pool of ox_rows_create(). One thread.
 */
#include "ox_priv.h"

typedef struct ox_rows_t ox_rows_t;

ox_rows_t *ox_rows_create(apr_size_t max_json, apr_pool_t *pool);
ox_sink_t *ox_rows_sink(ox_rows_t *rows);
void ox_rows_begin(void *rows);
eas_err_t *ox_rows_data(void *rows, const char *data, apr_size_t len);
/** Envelope text: all of it, or what stood behind the listing. EAS_E_UNAVAILABLE when cut. */
eas_err_t *ox_rows_rest(void *rows, const char **text, apr_size_t *len);
/** The rows. @a root: the parsed envelope of rest(); for answers the scanner declined. */
eas_err_t *ox_rows_finish(const eas_mail_row_t **list, apr_size_t *count, ox_rows_t *rows,
                          const json_t *root, apr_pool_t *pool);

#endif
