/* SPDX-License-Identifier: Apache-2.0 */
/* r/<collection>: the commands which the phone gave under one key and their results, among them the
 * ServerIds that Adds got (the ClientId memory). A phone that did not get the answer repeats them
 * under the same key; then they are answered from here and not done again. Never bytes of
 * answers. */
#include <apr_strings.h>
#include "sync_priv.h"

#define REPLAY_FORMAT 1
#define REPLAY_MAX 2000 /* commands kept; a request has at most 200 */

static const char *replay_key(const char *cid, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "r/", cid, NULL);
}

eas_err_t *replay_load(eas_ccmd_t **cmds, int *count, eas_state_t *st, const char *cid,
                       const char *uuid, apr_uint64_t n, apr_pool_t *pool)
{
    const void *val, *blob;
    apr_size_t len;
    eas_rd_t rd;
    unsigned format;
    apr_uint64_t i, total;
    eas_err_t *err = st->cfg->store->v->get(&val, &len, st->db, replay_key(cid, pool), pool);

    *cmds = NULL;
    *count = 0;
    if (err || !val)
        return err;
    eas_rd_init(&rd, val, len);
    format = eas_rd_u8(&rd);
    if (!rd.bad && format > REPLAY_FORMAT)
        return eas_err_create(pool, EAS_E_NEWER, "sync.replay", "replay record of format %u",
                              format);
    if (strcmp(eas_rd_str(&rd, pool), uuid) != 0 || eas_rd_var(&rd) != n)
        return NULL; /* of another key */
    total = eas_rd_var(&rd);
    if (rd.bad || total > REPLAY_MAX)
        return eas_err_create(pool, EAS_E_STATE, "sync.replay", "replay record is damaged");
    *cmds = apr_pcalloc(pool, sizeof(eas_ccmd_t) * (apr_size_t)(total + 1));
    for (i = 0; i < total; i++) {
        eas_ccmd_t *c = &(*cmds)[i];
        c->op = (eas_cop_t)eas_rd_u8(&rd);
        c->id = eas_rd_str(&rd, pool);
        blob = eas_rd_blob(&len, &rd);
        if (len == sizeof(c->digest))
            memcpy(c->digest, blob, len);
        c->set = (apr_uint16_t)eas_rd_var(&rd);
        c->clear = (apr_uint16_t)eas_rd_var(&rd);
        c->status = (int)eas_rd_var(&rd);
    }
    if (!eas_rd_done(&rd))
        return eas_err_create(pool, EAS_E_STATE, "sync.replay", "replay record is damaged");
    *count = (int)total;
    return NULL;
}

void replay_save(eas_state_t *st, const char *cid, const char *uuid, apr_uint64_t n,
                 const eas_ccmd_t *cmds, int count, apr_pool_t *scratch_pool)
{
    eas_buf_t b;
    int i;
    if (count > REPLAY_MAX)
        count = REPLAY_MAX;
    eas_buf_init(&b, 64 + (apr_size_t)count * 48, scratch_pool);
    eas_buf_u8(&b, REPLAY_FORMAT);
    eas_buf_str(&b, uuid);
    eas_buf_var(&b, n);
    eas_buf_var(&b, (apr_uint64_t)count);
    for (i = 0; i < count; i++) {
        eas_buf_u8(&b, cmds[i].op);
        eas_buf_str(&b, cmds[i].id);
        eas_buf_blob(&b, cmds[i].digest, sizeof(cmds[i].digest));
        eas_buf_var(&b, cmds[i].set);
        eas_buf_var(&b, cmds[i].clear);
        eas_buf_var(&b, (apr_uint64_t)cmds[i].status);
    }
    st->cfg->store->v->put(st->db, replay_key(cid, scratch_pool), b.data, b.len);
}

void replay_forget(eas_state_t *st, const char *cid, apr_pool_t *scratch_pool)
{
    st->cfg->store->v->put(st->db, replay_key(cid, scratch_pool), NULL, 0);
}
