/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend as commands see it. Before each operation the breaker is asked: when Open-Xchange is
 * down, a phone whose session is known is told to come again at once, and holds no thread until a
 * connection times out. After an operation that changed a mailbox the change board is told, so that
 * whoever waits for news of this user, in any process, hears of it.
 */
#include "httpd_priv.h"

#include <apr_strings.h>

/* An operation is given a session and no backend, so these stand here; set in child_init, before
 * there are threads. */
static const httpd_shared_t *common;
static const eas_be_session_t *session_ops;
static const eas_be_folders_t *folder_ops;
static const eas_be_mail_t *mail_ops;

static eas_err_t *ask(eas_session_t *session, apr_pool_t *pool)
{
    return eas_auth_ask(common->auth, session_ops->identity(session)->backend, pool);
}

static eas_err_t *told(eas_session_t *session, eas_err_t *err)
{
    eas_auth_asked(common->auth, session_ops->identity(session)->backend, HTTPD_OUTAGE_TAG, err);
    return err;
}

static eas_err_t *changed(eas_session_t *session, eas_err_t *err, apr_pool_t *pool)
{
    const eas_identity_t *who = session_ops->identity(session);
    apr_uint32_t hash;

    if (!err) {
        hash = eas_board_hash(
            apr_pstrcat(pool, who->backend, "/", who->context_id, "/", who->user_id, NULL));
        eas_board_bump(common->board, &hash, 1);
    }
    return told(session, err);
}

static eas_err_t *list(const eas_folder_t **folders, int *count, eas_session_t *session,
                       eas_class_t klass, apr_pool_t *pool)
{
    eas_err_t *err = ask(session, pool);
    return err ? err : told(session, folder_ops->list(folders, count, session, klass, pool));
}

static eas_err_t *status(eas_mail_tuple_t *tuple, eas_session_t *session, const char *folder,
                         apr_pool_t *pool)
{
    eas_err_t *err = ask(session, pool);
    return err ? err : told(session, mail_ops->status(tuple, session, folder, pool));
}

static eas_err_t *rows(const eas_mail_row_t **out, apr_size_t *count, eas_session_t *session,
                       const char *folder, apr_size_t limit, apr_pool_t *pool)
{
    eas_err_t *err = ask(session, pool);
    return err ? err : told(session, mail_ops->rows(out, count, session, folder, limit, pool));
}

static eas_err_t *source(eas_span_t *out, eas_session_t *session, const char *folder,
                         apr_uint32_t uid, apr_pool_t *pool)
{
    eas_err_t *err = ask(session, pool);
    return err ? err : told(session, mail_ops->source(out, session, folder, uid, pool));
}

static eas_err_t *preview(eas_item_t **items, eas_session_t *session, const char *folder,
                          const apr_uint32_t *uids, int count, apr_size_t max_text,
                          apr_pool_t *pool)
{
    eas_err_t *err = ask(session, pool);
    return err ? err
               : told(session,
                      mail_ops->preview(items, session, folder, uids, count, max_text, pool));
}

static eas_err_t *set_flags(eas_session_t *session, const char *folder, eas_mail_flags_t *changes,
                            int count, apr_pool_t *pool)
{
    eas_err_t *err = ask(session, pool);
    return err ? err
               : changed(session, mail_ops->set_flags(session, folder, changes, count, pool), pool);
}

static eas_err_t *remove_mails(char *failed, eas_session_t *session, const char *folder,
                               const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool)
{
    eas_err_t *err = ask(session, pool);
    return err ? err
               : changed(session,
                         mail_ops->remove(failed, session, folder, uids, count, hard, pool), pool);
}

eas_backend_t *httpd_tap(eas_backend_t *be, const httpd_shared_t *shared, apr_pool_t *pool)
{
    static const eas_be_folders_t folders = {.list = list};
    eas_backend_t *tapped = apr_pmemdup(pool, be, sizeof(*be));
    eas_be_mail_t *mail = apr_palloc(pool, sizeof(*mail));

    common = shared;
    session_ops = be->session;
    folder_ops = be->folders;
    mail_ops = be->mail;
    *mail = (eas_be_mail_t){
        .status = status,
        .rows = rows,
        .source = source,
        .set_flags = set_flags,
        .remove = remove_mails,
        .preview = be->mail->preview ? preview : NULL,
    };
    tapped->folders = &folders;
    tapped->mail = mail;
    return tapped;
}
