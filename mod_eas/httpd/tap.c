/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of the backend that change a mailbox, with a word to the change board when they worked:
 * whoever waits for news of this user, in any process, hears of it without asking Open-Xchange. */
#include "httpd_priv.h"

#include <apr_strings.h>

/* An operation is given a session and no backend, so these stand here; set in child_init, before there
 * are threads, and the same for every backend of the implementation. */
static eas_board_t *board_of_all;
static const eas_be_session_t *session_ops;
static const eas_be_mail_t *mail_ops;

static void tell(eas_session_t *session, apr_pool_t *pool)
{
    const eas_identity_t *who = session_ops->identity(session);
    apr_uint32_t hash = eas_board_hash(
        apr_pstrcat(pool, who->backend, "/", who->context_id, "/", who->user_id, NULL));

    eas_board_bump(board_of_all, &hash, 1);
}

static eas_err_t *set_flags(eas_session_t *session, const char *folder, eas_mail_flags_t *changes,
                            int count, apr_pool_t *pool)
{
    eas_err_t *err = mail_ops->set_flags(session, folder, changes, count, pool);

    if (!err)
        tell(session, pool);
    return err;
}

static eas_err_t *remove_mails(char *lost, eas_session_t *session, const char *folder,
                               const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool)
{
    eas_err_t *err = mail_ops->remove(lost, session, folder, uids, count, hard, pool);

    if (!err)
        tell(session, pool);
    return err;
}

eas_backend_t *httpd_tap(eas_backend_t *be, eas_board_t *board, apr_pool_t *pool)
{
    eas_backend_t *tapped = apr_pmemdup(pool, be, sizeof(*be));
    eas_be_mail_t *mail;

    if (!be->mail)
        return be;
    board_of_all = board;
    session_ops = be->session;
    mail_ops = be->mail;
    mail = apr_pmemdup(pool, be->mail, sizeof(*mail));
    mail->set_flags = set_flags;
    mail->remove = remove_mails;
    tapped->mail = mail;
    return tapped;
}
