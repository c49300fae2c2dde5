/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone may change of a mail: Read and Flag; Categories are heard and not kept. Everything else of
 * a mail belongs to the server (MS-ASEMAIL 3.2.5, digest 5.1.8 and 7.1). */
#include <string.h>
#include "eas_time.h"
#include "mail_priv.h"

enum { FLAG_CLEAR = 0, FLAG_COMPLETE = 1, FLAG_ACTIVE = 2 };

static eas_err_t *invalid(const char *what, apr_pool_t *pool)
{
    return eas_err_create(pool, EAS_E_INVALID, "class.change", "change of a mail: %s", what);
}

/* ---- Flag ---- */

typedef enum flag_child_t {
    FC_STATUS,
    FC_TYPE,
    FC_COMPLETE,
    FC_DATE_COMPLETED,
    FC_START,
    FC_DUE,
    FC_UTC_START,
    FC_UTC_DUE,
    FC_REMINDER_SET,
    FC_REMINDER_TIME,
    FC_SUBJECT,
    FC_ORDINAL,
    FC_SUB_ORDINAL,
    FC_COUNT
} flag_child_t;

static const struct {
    eas_tag_t tag;
    int is_date;
} flag_children[FC_COUNT] = {
    [FC_STATUS] = {EAS_EMAIL_STATUS, 0},
    [FC_TYPE] = {EAS_EMAIL_FLAGTYPE, 0},
    [FC_COMPLETE] = {EAS_EMAIL_COMPLETETIME, 1},
    [FC_DATE_COMPLETED] = {EAS_TASKS_DATECOMPLETED, 1},
    [FC_START] = {EAS_TASKS_STARTDATE, 1},
    [FC_DUE] = {EAS_TASKS_DUEDATE, 1},
    [FC_UTC_START] = {EAS_TASKS_UTCSTARTDATE, 1},
    [FC_UTC_DUE] = {EAS_TASKS_UTCDUEDATE, 1},
    [FC_REMINDER_SET] = {EAS_TASKS_REMINDERSET, 0},
    [FC_REMINDER_TIME] = {EAS_TASKS_REMINDERTIME, 1},
    [FC_SUBJECT] = {EAS_TASKS_SUBJECT, 0},
    [FC_ORDINAL] = {EAS_TASKS_ORDINALDATE, 1},
    [FC_SUB_ORDINAL] = {EAS_TASKS_SUBORDINALDATE, 0},
};

typedef struct flag_t {
    const eas_node_t *node[FC_COUNT]; /* repeated: the last one counts */
    apr_time_t date[FC_COUNT];
} flag_t;

static const char *collect_flag(flag_t *f, const eas_node_t *flag, apr_pool_t *pool)
{
    memset(f, 0, sizeof(*f));
    for (const eas_node_t *n = eas_node_child(flag, 0); n; n = eas_node_next(n, 0)) {
        int i = 0;
        while (i < FC_COUNT && flag_children[i].tag != n->tag)
            i++;
        if (i == FC_COUNT)
            return "an unknown element in Flag";
        if (flag_children[i].is_date && !eas_time_parse(&f->date[i], eas_node_str(n, pool)))
            return "a date in Flag that is none";
        f->node[i] = n;
    }
    return NULL;
}

static const char *check_dates(const flag_t *f)
{
    int n = !!f->node[FC_START] + !!f->node[FC_DUE] + !!f->node[FC_UTC_START] + !!f->node[FC_UTC_DUE];
    int reminder = eas_node_bool(f->node[FC_REMINDER_SET], 0);

    if (n != 0 && n != 4)
        return "some of the four dates of Flag";
    if (n && (f->date[FC_START] > f->date[FC_DUE] || f->date[FC_UTC_START] > f->date[FC_UTC_DUE]))
        return "a Flag that is due before it starts";
    if (!f->node[FC_COMPLETE] != !f->node[FC_DATE_COMPLETED])
        return "one of CompleteTime and DateCompleted alone";
    if (reminder < 0)
        return "a ReminderSet that is no boolean";
    if (reminder && !f->node[FC_REMINDER_TIME])
        return "a reminder without ReminderTime";
    return NULL;
}

static const char *read_flag(int *flagged, const eas_node_t *flag, apr_pool_t *pool)
{
    static const int meaning[] = {[FLAG_CLEAR] = 0, [FLAG_COMPLETE] = 2, [FLAG_ACTIVE] = 1};
    const char *wrong;
    apr_int64_t status;
    flag_t f;

    if (!eas_node_child(flag, 0)) { /* <Flag/> takes the flag away */
        *flagged = 0;
        return NULL;
    }
    wrong = collect_flag(&f, flag, pool);
    if (!wrong)
        wrong = check_dates(&f);
    if (wrong)
        return wrong;
    if (!f.node[FC_STATUS]) /* other dates for a flag that stays as it is */
        return NULL;
    if (!eas_node_int(&status, f.node[FC_STATUS], FLAG_CLEAR, FLAG_ACTIVE))
        return "a Status in Flag that is none of 0 to 2";
    *flagged = meaning[status];
    return NULL;
}

/* ---- the properties ---- */

static const char *change_read(eas_mail_change_t *change, const eas_node_t *node, apr_pool_t *pool)
{
    change->read = eas_node_bool(node, -1);
    return change->read < 0 ? "a Read that is no boolean" : NULL;
}

static const char *change_flag(eas_mail_change_t *change, const eas_node_t *node, apr_pool_t *pool)
{
    return read_flag(&change->flagged, node, pool);
}

static const char *change_nothing(eas_mail_change_t *change, const eas_node_t *node, apr_pool_t *pool)
{
    return NULL;
}

static const struct {
    eas_tag_t tag;
    int since;
    const char *(*read)(eas_mail_change_t *change, const eas_node_t *node, apr_pool_t *pool);
} properties[] = {
    {EAS_EMAIL_READ, MAIL_V25, change_read},
    {EAS_EMAIL_FLAG, MAIL_V120, change_flag},
    {EAS_EMAIL_CATEGORIES, MAIL_V140, change_nothing},
};

eas_err_t *eas_mail_read_change(eas_mail_change_t *change, const eas_node_t *data, int version,
                                apr_pool_t *pool)
{
    const unsigned count = sizeof(properties) / sizeof(properties[0]);

    change->read = change->flagged = -1;
    for (const eas_node_t *n = eas_node_child(data, 0); n; n = eas_node_next(n, 0)) {
        const char *wrong;
        unsigned i = 0;
        while (i < count && properties[i].tag != n->tag)
            i++;
        if (i == count || version < properties[i].since)
            return invalid("a property that a phone may not change", pool);
        wrong = properties[i].read(change, n, pool);
        if (wrong)
            return invalid(wrong, pool);
    }
    return NULL;
}
