/* SPDX-License-Identifier: Apache-2.0 */
/* The phone's commands on mail: read and follow-up flags, deletes. Done in batches: one call for all
 * flag changes, one for all deletes. What the phone now believes goes into the snapshot, so that a
 * command that failed comes back to it as a change of the server. */
#include <apr_strings.h>
#include "sync_priv.h"

#define HAS(bits) ((bits) & SNAP_HAS)

static int same_command(const eas_ccmd_t *a, const eas_ccmd_t *b)
{
    return a->op == b->op && strcmp(a->id, b->id) == 0 &&
           memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* The probe moves with our own changes, so that they do not look like somebody else's. A mail which came
 * between the last probe and its listing is not in it. */
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

/* Takes the result of a Change into the snapshot. */
static eas_err_t *settle_change(eas_coll_t *coll, const eas_ccmd_t *cmd, apr_uint32_t uid, int done)
{
    snap_entry_t *e;
    int c;
    eas_err_t *err = snap_find(&e, &c, &coll->snap, uid);
    if (err || !e)
        return err;
    e->cli = (unsigned char)flagged(e->cli, cmd);
    if (done) {
        unsigned after = flagged(e->srv, cmd);
        tuple_flags(coll, uid, e->srv, after);
        e->srv = (unsigned char)after;
    }
    snap_touched(&coll->snap, c);
    return NULL;
}

/* Takes the result of a Delete into the snapshot: gone on both sides, or only from the phone. */
static eas_err_t *settle_delete(eas_coll_t *coll, apr_uint32_t uid, int done)
{
    snap_entry_t *e;
    int c;
    eas_err_t *err = snap_find(&e, &c, &coll->snap, uid);
    if (err || !e)
        return err;
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

/* Answers a command that was done under this key before. */
static eas_err_t *repeat(eas_coll_t *coll, eas_ccmd_t *cmd, const eas_ccmd_t *old)
{
    apr_uint32_t uid;
    cmd->status = old->status;
    if (cmd->op == EAS_C_ADD || !eas_server_id_parse(&uid, coll->cid, cmd->id))
        return NULL;
    return cmd->op == EAS_C_CHANGE ? settle_change(coll, cmd, uid, cmd->status == 1)
                                   : settle_delete(coll, uid, cmd->status == 1);
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
            return settle_delete(coll, *uid, 1);
        cmd->status = 8; /* its Delete follows in this answer */
    } else if (coll->folder->readonly) {
        cmd->status = 6;
        return cmd->op == EAS_C_CHANGE ? settle_change(coll, cmd, *uid, 0)
                                       : settle_delete(coll, *uid, 0);
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

static eas_err_t *do_changes(eas_coll_t *coll, const batch_t *b, eas_session_t *session)
{
    eas_mail_flags_t *f = apr_pcalloc(coll->pool, sizeof(*f) * (apr_size_t)(b->n + 1));
    eas_err_t *err;
    int i;
    for (i = 0; i < b->n; i++) {
        f[i].uid = b->uids[i];
        f[i].set = b->cmds[i]->set;
        f[i].clear = b->cmds[i]->clear;
    }
    err = coll->st->cfg->be->mail->set_flags(session, coll->folder->oxid, f, b->n, coll->pool);
    if (err)
        return eas_err_wrap(coll->pool, err, "sync.commands", "cannot change flags in %s",
                            coll->cid);
    for (i = 0; i < b->n; i++) {
        if (f[i].result)
            b->cmds[i]->status = item_status(f[i].result);
        if ((err = settle_change(coll, b->cmds[i], b->uids[i], !f[i].result)))
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
        if ((err = settle_delete(coll, b->uids[i], !failed[i])))
            return err;
    }
    return NULL;
}

/* Keeps what is recorded under this key: the earlier ones that were not repeated, and these. */
static void record(eas_coll_t *coll, const eas_ccmd_t *old, int nold, const eas_ccmd_t *cmds,
                   int count)
{
    int i, j;
    coll->cmds = apr_palloc(coll->pool, sizeof(*cmds) * (apr_size_t)(nold + count + 1));
    for (i = 0; i < nold; i++) {
        for (j = 0; j < count && !same_command(&old[i], &cmds[j]); j++)
            ;
        if (j == count)
            coll->cmds[coll->ncmds++] = old[i];
    }
    memcpy(coll->cmds + coll->ncmds, cmds, sizeof(*cmds) * (apr_size_t)count);
    coll->ncmds += count;
    coll->commanded = 1;
}

eas_err_t *eas_coll_commands(eas_coll_t *coll, eas_ccmd_t *cmds, int count, int hard,
                             eas_session_t *session)
{
    eas_ccmd_t *old = NULL;
    int nold = 0, i, j;
    batch_t changes, deletes;
    eas_err_t *err = NULL;

    if (!count)
        return NULL;
    if (coll->replayed)
        err = replay_load(&old, &nold, coll->st, coll->cid, coll->uuid, coll->n, coll->pool);
    if (err)
        return err;
    batch_init(&changes, count, coll->pool);
    batch_init(&deletes, count, coll->pool);
    for (i = 0; i < count; i++) {
        apr_uint32_t uid = 0;
        int todo;
        for (j = 0; j < nold && !same_command(&old[j], &cmds[i]); j++)
            ;
        if (j < nold)
            err = repeat(coll, &cmds[i], &old[j]);
        else if (!(err = examine(&todo, &uid, coll, &cmds[i])) && todo)
            batch_add(cmds[i].op == EAS_C_CHANGE ? &changes : &deletes, &cmds[i], uid);
        if (err)
            return err;
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
