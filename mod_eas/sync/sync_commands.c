/* SPDX-License-Identifier: Apache-2.0 */
/* The phone's commands on mail: read and follow-up flags, deletes. Done in batches: one call for
 * all flag changes, one for all deletes. What the phone now believes goes into the snapshot, so
 * that a command that failed comes back to it as a change of the server. */
#include <apr_strings.h>
#include "sync_priv.h"

#define HAS(bits) ((bits) & SNAP_HAS)

static int same_command(const eas_ccmd_t *a, const eas_ccmd_t *b)
{
    return a->op == b->op && strcmp(a->id, b->id) == 0 &&
           memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* The probe moves with our own changes, so that they do not look like somebody else's. A mail which
 * came between the last probe and its listing is not in it. */
static void tuple_flags(eas_coll_t *coll, apr_uint32_t uid, unsigned before, unsigned after)
{
    if (uid < coll->tuple.next && ((before ^ after) & EAS_MF_SEEN)) {
        if (after & EAS_MF_SEEN)
            coll->tuple.unread -= coll->tuple.unread > 0;
        else
            coll->tuple.unread++;
    }
}

static void tuple_removed(eas_coll_t *coll, apr_uint32_t uid, unsigned flags)
{
    if (uid >= coll->tuple.next)
        return;
    coll->tuple.total -= coll->tuple.total > 0;
    if (!(flags & EAS_MF_SEEN))
        coll->tuple.unread -= coll->tuple.unread > 0;
}

static unsigned flagged(unsigned bits, const eas_ccmd_t *cmd)
{
    return (bits | cmd->set) & ~(unsigned)cmd->clear;
}

/* Takes the result of a Change into the snapshot. @a settled: the phone takes it as done. */
static eas_err_t *settle_change(eas_coll_t *coll, const eas_ccmd_t *cmd, apr_uint32_t uid, int done,
                                int settled)
{
    snap_entry_t *e;
    int c;
    eas_err_t *err = snap_find(&e, &c, &coll->snap, uid);
    if (err || !e)
        return err;
    if (HAS(e->cli) && settled)
        e->cli = (unsigned char)flagged(e->cli, cmd);
    if (done && HAS(e->srv)) {
        unsigned after = flagged(e->srv, cmd);
        tuple_flags(coll, uid, e->srv, after);
        e->srv = (unsigned char)after;
    }
    snap_touched(&coll->snap, c);
    return NULL;
}

/* Takes the result of a Delete into the snapshot: gone on both sides, or only from the phone. */
static eas_err_t *settle_delete(eas_coll_t *coll, apr_uint32_t uid, int done, int settled)
{
    snap_entry_t *e;
    int c;
    eas_err_t *err = snap_find(&e, &c, &coll->snap, uid);
    if (err || !e)
        return err;
    if (settled)
        e->cli = 0;
    if (done && HAS(e->srv)) {
        tuple_removed(coll, uid, e->srv);
        e->srv = 0;
    }
    snap_touched(&coll->snap, c);
    return NULL;
}

/* The item Status for what the backend said of one mail. */
static int item_status(const eas_err_t *err)
{
    switch (err->kind) {
    case EAS_E_NOT_FOUND:
        return 8;
    case EAS_E_QUOTA:
        return 9;
    case EAS_E_PERMISSION:
    case EAS_E_INVALID:
        return 6;
    default:
        return 5;
    }
}

/* A command that was done under this key before. @a settled: the phone gave it again, and what it
 * did to its copy stands; otherwise its outcome comes to the phone like any other change of the
 * server. */
static eas_err_t *done_before(eas_coll_t *coll, const eas_ccmd_t *old, int settled)
{
    apr_uint32_t uid;
    if (old->op == EAS_C_ADD || !eas_server_id_parse(&uid, coll->cid, old->id))
        return NULL;
    return old->op == EAS_C_CHANGE ? settle_change(coll, old, uid, old->status == 1, settled)
                                   : settle_delete(coll, uid, old->status == 1, settled);
}

/* Sorts a command out: 1 = to be done, with *uid; 0 = its status is final. */
static eas_err_t *examine(int *todo, apr_uint32_t *uid, eas_coll_t *coll, eas_ccmd_t *cmd)
{
    snap_entry_t *e = NULL;
    int c;
    eas_err_t *err;

    *todo = 0;
    if (cmd->op == EAS_C_ADD)
        cmd->status = 6; /* received mail comes from the server only */
    if (cmd->status != 1)
        return NULL;
    if (eas_server_id_parse(uid, coll->cid, cmd->id) &&
        (err = snap_find(&e, &c, &coll->snap, *uid)))
        return err;
    if (!e || !HAS(e->cli)) {
        cmd->status = cmd->op == EAS_C_DELETE ? 1 : 8; /* already gone is as good as deleted */
    } else if (!HAS(e->srv)) {
        if (cmd->op == EAS_C_DELETE)
            return settle_delete(coll, *uid, 1, 1);
        cmd->status = 8; /* its Delete follows in this answer */
    } else if (coll->folder->readonly) {
        cmd->status = 6;
        return cmd->op == EAS_C_CHANGE ? settle_change(coll, cmd, *uid, 0, 1)
                                       : settle_delete(coll, *uid, 0, 1);
    } else {
        *todo = 1;
    }
    return NULL;
}

/* The commands of one kind that are still to be done. */
typedef struct batch_t {
    eas_ccmd_t **cmds;
    apr_uint32_t *uids;
    int n;
} batch_t;

static void batch_init(batch_t *b, int room, apr_pool_t *pool)
{
    b->cmds = apr_palloc(pool, sizeof(*b->cmds) * (apr_size_t)(room + 1));
    b->uids = apr_palloc(pool, sizeof(*b->uids) * (apr_size_t)(room + 1));
    b->n = 0;
}

static void batch_add(batch_t *b, eas_ccmd_t *cmd, apr_uint32_t uid)
{
    b->cmds[b->n] = cmd;
    b->uids[b->n++] = uid;
}

/* Several Changes of one mail become one: the backend promises no order. */
static int entry_of(eas_mail_flags_t *f, int *n, apr_uint32_t uid)
{
    int i;
    for (i = 0; i < *n; i++)
        if (f[i].uid == uid)
            return i;
    f[*n].uid = uid;
    return (*n)++;
}

static eas_err_t *do_changes(eas_coll_t *coll, const batch_t *b, eas_session_t *session)
{
    eas_mail_flags_t *f = apr_pcalloc(coll->pool, sizeof(*f) * (apr_size_t)(b->n + 1));
    int *at = apr_palloc(coll->pool, sizeof(*at) * (apr_size_t)(b->n + 1));
    eas_err_t *err;
    int i, n = 0;
    for (i = 0; i < b->n; i++) {
        const eas_ccmd_t *cmd = b->cmds[i];
        eas_mail_flags_t *e = &f[at[i] = entry_of(f, &n, b->uids[i])];
        e->set = (apr_uint16_t)((e->set | cmd->set) & ~cmd->clear);
        e->clear = (apr_uint16_t)((e->clear & ~cmd->set) | cmd->clear);
    }
    err = coll->st->cfg->be->mail->set_flags(session, coll->folder->oxid, f, n, coll->pool);
    if (err)
        return eas_err_wrap(coll->pool, err, "sync.commands", "cannot change flags in %s",
                            coll->cid);
    for (i = 0; i < b->n; i++) {
        const eas_err_t *failed = f[at[i]].result;
        if (failed)
            b->cmds[i]->status = item_status(failed);
        if ((err = settle_change(coll, b->cmds[i], b->uids[i], !failed, 1)))
            return err;
    }
    return NULL;
}

static eas_err_t *do_deletes(eas_coll_t *coll, const batch_t *b, int hard, eas_session_t *session)
{
    char *failed = apr_pcalloc(coll->pool, (apr_size_t)b->n + 1);
    eas_err_t *err = coll->st->cfg->be->mail->remove(failed, session, coll->folder->oxid, b->uids,
                                                     b->n, hard, coll->pool);
    int i;
    if (err)
        return eas_err_wrap(coll->pool, err, "sync.commands", "cannot delete in %s", coll->cid);
    for (i = 0; i < b->n; i++) {
        if (failed[i])
            b->cmds[i]->status = 9; /* not deleted: the trash is full; it comes back */
        if ((err = settle_delete(coll, b->uids[i], !failed[i], 1)))
            return err;
    }
    return NULL;
}

/* The recorded command that this one repeats, -1 when it is new. */
static int find_same(const eas_ccmd_t *cmds, int count, const eas_ccmd_t *cmd)
{
    int i;
    for (i = 0; i < count; i++)
        if (same_command(&cmds[i], cmd))
            return i;
    return -1;
}

/* Keeps what is recorded under this key: the earlier ones that were not repeated, and these. */
static void record(eas_coll_t *coll, const eas_ccmd_t *old, int nold, const eas_ccmd_t *cmds,
                   int count)
{
    int i;
    coll->cmds = apr_palloc(coll->pool, sizeof(*cmds) * (apr_size_t)(nold + count + 1));
    for (i = 0; i < nold; i++)
        if (find_same(cmds, count, &old[i]) < 0)
            coll->cmds[coll->ncmds++] = old[i];
    memcpy(coll->cmds + coll->ncmds, cmds, sizeof(*cmds) * (apr_size_t)count);
    coll->ncmds += count;
    coll->commanded = 1;
}

/* What was done under this key and is not asked for again. Only for a phone which comes back with
 * the key before the newest: in the newest state it is settled already. */
static eas_err_t *not_repeated(eas_coll_t *coll, const eas_ccmd_t *old, int nold,
                               const eas_ccmd_t *cmds, int count)
{
    eas_err_t *err = NULL;
    int i;
    coll->settled = 1;
    for (i = 0; coll->replayed && i < nold && !err; i++)
        if (find_same(cmds, count, &old[i]) < 0)
            err = done_before(coll, &old[i], 0);
    return err;
}

eas_err_t *commands_not_repeated(eas_coll_t *coll)
{
    eas_ccmd_t *old;
    int nold;
    eas_err_t *err;
    if (!coll->replayed || coll->settled)
        return NULL;
    err = replay_load(&old, &nold, coll->st, coll->cid, coll->uuid, coll->n, coll->pool);
    return err ? err : not_repeated(coll, old, nold, NULL, 0);
}

eas_err_t *eas_coll_commands(eas_coll_t *coll, eas_ccmd_t *cmds, int count, int hard,
                             eas_session_t *session)
{
    eas_ccmd_t *old;
    int nold, i, j;
    batch_t changes, deletes;
    eas_err_t *err;

    if (!count)
        return NULL;
    /* Also with the newest key there may be a record: of a repeat without the commands which did
     * not need a new key, or of a process that died before its head was written. */
    err = replay_load(&old, &nold, coll->st, coll->cid, coll->uuid, coll->n, coll->pool);
    if (!err)
        err = not_repeated(coll, old, nold, cmds, count);
    if (err)
        return err;
    batch_init(&changes, count, coll->pool);
    batch_init(&deletes, count, coll->pool);
    for (i = 0; i < count; i++) {
        apr_uint32_t uid = 0;
        int todo = 0;
        j = find_same(old, nold, &cmds[i]);
        if (j >= 0) {
            cmds[i].status = old[j].status;
            err = done_before(coll, &old[j], 1);
        } else {
            err = examine(&todo, &uid, coll, &cmds[i]);
        }
        if (err)
            return err;
        if (todo)
            batch_add(cmds[i].op == EAS_C_CHANGE ? &changes : &deletes, &cmds[i], uid);
    }
    if (changes.n && (err = do_changes(coll, &changes, session)))
        return err;
    if (deletes.n && (err = do_deletes(coll, &deletes, hard, session)))
        return err;
    record(coll, old, nold, cmds, count);
    return NULL;
}

int eas_coll_item(eas_change_t *item, eas_coll_t *coll, const char *server_id)
{
    snap_entry_t *e = NULL;
    apr_uint32_t uid;
    int c;
    if (!eas_server_id_parse(&uid, coll->cid, server_id) ||
        snap_find(&e, &c, &coll->snap, uid) || !e || !HAS(e->srv) || !HAS(e->cli))
        return 8;
    memset(item, 0, sizeof(*item));
    item->op = EAS_OP_CHANGE;
    item->id = server_id;
    item->uid = uid;
    item->received = apr_time_from_sec((apr_time_t)e->received);
    item->flags = e->srv & SNAP_FLAGS;
    return 0;
}
