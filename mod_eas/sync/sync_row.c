/* SPDX-License-Identifier: Apache-2.0 */
/* Rows with two sides. A key names a state; the phone may come back with the newest key or the one
 * before it, so a row keeps what it held at both. Which side counts is told by the stamp that the
 * reader looks for, never by "the newest": a row left behind by an attempt whose answer was lost,
 * or whose head was never written, is then simply not referred to. */
#include "sync_priv.h"

eas_err_t *sync_row_get(sync_row_t *row, eas_state_t *st, const char *key, apr_pool_t *pool)
{
    const void *val;
    apr_size_t len;
    eas_rd_t rd;
    unsigned format;
    eas_err_t *err = st->cfg->store->v->get(&val, &len, st->db, key, pool);
    memset(row, 0, sizeof(*row));
    if (err || !val)
        return err;
    eas_rd_init(&rd, val, len);
    format = eas_rd_u8(&rd);
    if (!rd.bad && format > SYNC_ROW_FORMAT)
        return eas_err_create(pool, EAS_E_NEWER, "sync.row",
                              "row %.40s has format %u, this version knows up to %d", key, format,
                              SYNC_ROW_FORMAT);
    row->cur.stamp = eas_rd_var(&rd);
    row->cur.data = eas_rd_blob(&row->cur.len, &rd);
    if (eas_rd_u8(&rd)) {
        row->prev.stamp = eas_rd_var(&rd);
        row->prev.data = eas_rd_blob(&row->prev.len, &rd);
    }
    if (!eas_rd_done(&rd) || format == 0)
        return eas_err_create(pool, EAS_E_STATE, "sync.row", "row %.40s is damaged", key);
    return NULL;
}

void sync_row_put(eas_state_t *st, const char *key, const sync_side_t *cur, const sync_side_t *prev,
                  apr_pool_t *scratch_pool)
{
    eas_buf_t b;
    eas_buf_init(&b, cur->len + (prev ? prev->len : 0) + 32, scratch_pool);
    eas_buf_u8(&b, SYNC_ROW_FORMAT);
    eas_buf_var(&b, cur->stamp);
    eas_buf_blob(&b, cur->data, cur->len);
    if (prev && prev->data) {
        eas_buf_u8(&b, 1);
        eas_buf_var(&b, prev->stamp);
        eas_buf_blob(&b, prev->data, prev->len);
    } else {
        eas_buf_u8(&b, 0);
    }
    st->cfg->store->v->put(st->db, key, b.data, b.len);
}
