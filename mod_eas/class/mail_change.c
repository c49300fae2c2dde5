/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone may change of a mail: Read, Flag, Categories (MS-ASEMAIL 3.2.5; digest 7.1). */
#include <string.h>
#include "eas_time.h"
#include "mail_priv.h"

static eas_err_t *invalid(apr_pool_t *pool, const char *what)
{
    return eas_err_create(pool, EAS_E_INVALID, "class.mail", "change of a mail: %s", what);
}

/* What may stand in a Flag. Of the dates those that are kept are checked against each other. */
enum {
    F_STATUS,
    F_TEXT,
    F_COMPLETE,
    F_COMPLETED,
    F_START,
    F_DUE,
    F_UTC_START,
    F_UTC_DUE,
    F_SET,
    F_REMIND,
    F_DATE,
    F_COUNT
};

static const struct {
    eas_tag_t tag;
    int field;
} flag_children[] = {
    {EAS_EMAIL_STATUS, F_STATUS},           {EAS_EMAIL_FLAGTYPE, F_TEXT},
    {EAS_TASKS_SUBJECT, F_TEXT},            {EAS_TASKS_SUBORDINALDATE, F_TEXT},
    {EAS_EMAIL_COMPLETETIME, F_COMPLETE},   {EAS_TASKS_DATECOMPLETED, F_COMPLETED},
    {EAS_TASKS_STARTDATE, F_START},         {EAS_TASKS_DUEDATE, F_DUE},
    {EAS_TASKS_UTCSTARTDATE, F_UTC_START},  {EAS_TASKS_UTCDUEDATE, F_UTC_DUE},
    {EAS_TASKS_REMINDERSET, F_SET},         {EAS_TASKS_REMINDERTIME, F_REMIND},
    {EAS_TASKS_ORDINALDATE, F_DATE},
};

typedef struct flag_t {
    int seen[F_COUNT];
    apr_time_t time[F_COUNT];
    int status, reminder;
} flag_t;

static eas_err_t *read_child(flag_t *f, const eas_node_t *n, apr_pool_t *pool)
{
    const char *text;
    apr_int64_t status;
    unsigned i = 0;

    while (i < sizeof(flag_children) / sizeof(*flag_children) && flag_children[i].tag != n->tag)
        i++;
    if (i == sizeof(flag_children) / sizeof(*flag_children))
        return invalid(pool, "an element that does not belong in Flag");
    int field = flag_children[i].field;
    switch (field) {
    case F_STATUS:
        if (!eas_node_int(&status, n, 0, 2))
            return invalid(pool, "Status of Flag");
        f->status = (int)status;
        break;
    case F_TEXT:
        break;
    case F_SET:
        if ((f->reminder = eas_node_bool(n, 0)) < 0)
            return invalid(pool, "ReminderSet of Flag");
        break;
    default:
        text = eas_node_str(n, pool);
        if (!*text)
            return NULL; /* an empty date says nothing */
        if (!eas_time_parse(&f->time[field], text))
            return invalid(pool, "a date of Flag");
        break;
    }
    f->seen[field] = 1;
    return NULL;
}

static eas_err_t *read_flag(int *flagged, const eas_node_t *node, apr_pool_t *pool)
{
    flag_t f;
    eas_err_t *err = NULL;
    int dates;

    memset(&f, 0, sizeof(f));
    if (!node->first) {
        *flagged = 0;
        return NULL;
    }
    for (const eas_node_t *n = node->first; n && !err; n = n->next)
        err = read_child(&f, n, pool);
    if (err)
        return err;
    dates = f.seen[F_START] + f.seen[F_DUE] + f.seen[F_UTC_START] + f.seen[F_UTC_DUE];
    if (dates != 0 && dates != 4)
        return invalid(pool, "Flag with some of its four dates");
    if (dates && (f.time[F_START] > f.time[F_DUE] || f.time[F_UTC_START] > f.time[F_UTC_DUE]))
        return invalid(pool, "Flag that starts after it is due");
    if (f.seen[F_COMPLETE] != f.seen[F_COMPLETED])
        return invalid(pool, "Flag with one of CompleteTime and DateCompleted");
    if (f.reminder && !f.seen[F_REMIND])
        return invalid(pool, "Flag with ReminderSet and no ReminderTime");
    if (f.seen[F_STATUS]) /* else other dates for a flag that stays as it is */
        *flagged = f.status == 2 ? 1 : f.status == 1 ? 2 : 0;
    return NULL;
}

eas_err_t *eas_mail_read_change(eas_mail_change_t *change, const eas_node_t *data, int version,
                                apr_pool_t *pool)
{
    eas_err_t *err = NULL;

    change->read = change->flagged = -1;
    for (const eas_node_t *n = data ? data->first : NULL; n && !err; n = n->next) {
        if (n->tag == EAS_EMAIL_READ) {
            change->read = eas_node_bool(n, 0);
            if (change->read < 0)
                return invalid(pool, "Read is no boolean");
        } else if (n->tag == EAS_EMAIL_FLAG && version >= MAIL_V120) {
            err = read_flag(&change->flagged, n, pool);
        } else if (n->tag == EAS_EMAIL_CATEGORIES && version >= MAIL_V140) {
            continue; /* the backend keeps no such list */
        } else {
            return invalid(pool, "a property that phones may not change");
        }
    }
    return err;
}
