/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

#define START "2026-03-09T00:00:00.000Z"
#define END "2026-03-10T00:00:00.000Z"

/* One element of ApplicationData: "Email:Read" "1", or a path into Flag. */
typedef struct elem_t {
    eas_tag_t tag;
    const char *text; /* NULL: empty element */
} elem_t;

static eas_node_t *data_of(const elem_t *direct, const elem_t *flag, apr_pool_t *pool)
{
    eas_writer_t *w = eas_writer_create(pool);

    eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
    for (; direct && direct->tag; direct++)
        if (direct->text)
            eas_w_str(w, direct->tag, direct->text);
        else
            eas_w_empty(w, direct->tag);
    if (flag) {
        eas_w_open(w, EAS_EMAIL_FLAG);
        for (; flag->tag; flag++)
            eas_w_str(w, flag->tag, flag->text);
        eas_w_close(w);
    }
    eas_w_close(w);
    return read_back(w, pool);
}

static void direct_elements(void **state)
{
    static const struct {
        elem_t elements[3];
        int version, ok, read, flagged;
    } rows[] = {
        {{{EAS_EMAIL_READ, "1"}}, 25, 1, 1, -1},
        {{{EAS_EMAIL_READ, "0"}}, 161, 1, 0, -1},
        {{{EAS_EMAIL_READ, "2"}}, 161, 0, 0, 0},
        {{{EAS_EMAIL_READ, "yes"}}, 141, 0, 0, 0},
        {{{EAS_EMAIL_READ, "1"}, {EAS_EMAIL_FLAG, NULL}}, 141, 1, 1, 0},
        {{{EAS_EMAIL_FLAG, NULL}}, 25, 0, 0, 0},
        {{{EAS_EMAIL_FLAG, NULL}}, 120, 1, -1, 0},
        {{{EAS_EMAIL_CATEGORIES, NULL}}, 140, 1, -1, -1},
        {{{EAS_EMAIL_CATEGORIES, NULL}}, 121, 0, 0, 0},
        {{{EAS_EMAIL_SUBJECT, "new"}}, 161, 0, 0, 0},
        {{{EAS_EMAIL2_CONVERSATIONID, "x"}}, 141, 0, 0, 0},
        {{{EAS_EMAIL2_RECEIVEDASBCC, "1"}}, 141, 0, 0, 0},
        {{{EAS_EMAIL2_SENDER, "a@b"}}, 141, 0, 0, 0},
        {{{EAS_CONTACTS_FIRSTNAME, "a"}}, 141, 0, 0, 0},
        {{{0, NULL}}, 141, 1, -1, -1},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        eas_mail_change_t c;
        eas_err_t *err =
            eas_mail_read_change(&c, data_of(rows[i].elements, NULL, pool), rows[i].version, pool);
        if (!rows[i].ok) {
            assert_non_null(err);
            assert_int_equal(err->kind, EAS_E_INVALID);
            continue;
        }
        assert_null(err);
        assert_int_equal(c.read, rows[i].read);
        assert_int_equal(c.flagged, rows[i].flagged);
    }
}

#define FOUR \
    {EAS_TASKS_STARTDATE, START}, {EAS_TASKS_DUEDATE, END}, {EAS_TASKS_UTCSTARTDATE, START}, \
        {EAS_TASKS_UTCDUEDATE, END}

static void flags(void **state)
{
    static const struct {
        elem_t elements[9];
        int flagged; /* -2: invalid */
    } rows[] = {
        {{{EAS_EMAIL_STATUS, "0"}}, 0},
        {{{EAS_EMAIL_STATUS, "1"}}, 2},
        {{{EAS_EMAIL_STATUS, "2"}, {EAS_EMAIL_FLAGTYPE, "for Follow Up"}}, 1},
        {{{EAS_EMAIL_STATUS, "2"}, {EAS_EMAIL_STATUS, "2"}}, 1}, /* twice is no error */
        {{{EAS_EMAIL_STATUS, "2"}, FOUR, {EAS_TASKS_REMINDERSET, "0"}}, 1},
        {{{EAS_EMAIL_STATUS, "3"}}, -2},
        {{{EAS_EMAIL_STATUS, "x"}}, -2},
        {{{EAS_EMAIL_FLAGTYPE, "x"}}, -1}, /* the flag stays as it is */
        {{{EAS_EMAIL_STATUS, "2"}, {EAS_TASKS_STARTDATE, START}}, -2},
        {{{EAS_EMAIL_STATUS, "2"},
          {EAS_TASKS_STARTDATE, END},
          {EAS_TASKS_DUEDATE, START},
          {EAS_TASKS_UTCSTARTDATE, START},
          {EAS_TASKS_UTCDUEDATE, END}},
         -2},
        {{{EAS_EMAIL_STATUS, "2"},
          {EAS_TASKS_STARTDATE, START},
          {EAS_TASKS_DUEDATE, END},
          {EAS_TASKS_UTCSTARTDATE, END},
          {EAS_TASKS_UTCDUEDATE, START}},
         -2},
        {{{EAS_EMAIL_STATUS, "2"}, FOUR, {EAS_TASKS_REMINDERSET, "1"}}, -2},
        {{{EAS_EMAIL_STATUS, "2"},
          FOUR,
          {EAS_TASKS_REMINDERSET, "1"},
          {EAS_TASKS_REMINDERTIME, START}},
         1},
        {{{EAS_EMAIL_STATUS, "2"}, {EAS_TASKS_ORDINALDATE, "tomorrow"}}, -2},
        {{{EAS_EMAIL_STATUS, "1"}, {EAS_EMAIL_COMPLETETIME, START}}, -2},
        {{{EAS_EMAIL_STATUS, "1"},
          {EAS_EMAIL_COMPLETETIME, START},
          {EAS_TASKS_DATECOMPLETED, START}},
         2},
        {{{EAS_EMAIL_STATUS, "2"}, {EAS_EMAIL_SUBJECT, "x"}}, -2},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        eas_mail_change_t c;
        eas_err_t *err = eas_mail_read_change(&c, data_of(NULL, rows[i].elements, pool), 141, pool);
        if (rows[i].flagged == -2) {
            assert_non_null(err);
            assert_int_equal(err->kind, EAS_E_INVALID);
            continue;
        }
        assert_null(err);
        assert_int_equal(c.flagged, rows[i].flagged);
        assert_int_equal(c.read, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(direct_elements), UNIT_TEST(flags)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
