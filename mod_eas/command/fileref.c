/* SPDX-License-Identifier: Apache-2.0 */
/* FileReference and AttName: which part of which mail, sealed for one user. The phone gives it back
 * verbatim; tampered ones and those of another user do not open. Short, since 2.5 phones put it
 * into a query. */
#include <apr_strings.h>
#include "command_priv.h"
#include "eas_buf.h"
#include "eas_text.h"

#define REF_FORMAT 1
#define REF_MAX 512

static const char *owner(const eas_ctx_t *ctx, apr_pool_t *pool)
{
    return apr_pstrcat(pool, ctx->who->backend, "/", ctx->who->context_id, "/", ctx->who->user_id,
                       NULL);
}

const char *fileref_make(void *baton, const char *part, apr_pool_t *pool)
{
    fileref_t *ref = baton;
    const char *aad = owner(ref->ctx, pool);
    const void *sealed;
    apr_size_t len;
    eas_buf_t b;

    eas_buf_init(&b, 64, pool);
    eas_buf_u8(&b, REF_FORMAT);
    eas_buf_str(&b, ref->cid);
    eas_buf_u32(&b, ref->uid);
    eas_buf_str(&b, part);
    if (eas_seal(&sealed, &len, ref->ctx->env->keys, "reference", aad, strlen(aad), b.data, b.len,
                 pool))
        return "";
    return eas_base64url(sealed, len, pool);
}

int fileref_open(const char **cid, apr_uint32_t *uid, const char **part, eas_ctx_t *ctx,
                 const char *ref)
{
    const char *aad = owner(ctx, ctx->pool);
    unsigned char *sealed;
    const void *text;
    apr_size_t len;
    eas_rd_t rd;

    if (strlen(ref) > REF_MAX || !eas_base64_decode(&sealed, &len, ref, ctx->pool) ||
        eas_unseal(&text, &len, ctx->env->keys, "reference", aad, strlen(aad), sealed, len,
                   ctx->pool))
        return 0;
    eas_rd_init(&rd, text, len);
    if (eas_rd_u8(&rd) != REF_FORMAT)
        return 0;
    *cid = eas_rd_str(&rd, ctx->pool);
    *uid = eas_rd_u32(&rd);
    *part = eas_rd_str(&rd, ctx->pool);
    return eas_rd_done(&rd);
}
