/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

/* Options as text, so that a table can hold them: "MIMESupport=2 BodyPreference(Type=1 Preview=9)".
 */
static eas_node_t *options_of(const char *text, apr_pool_t *pool)
{
    static const struct {
        const char *name;
        eas_tag_t tag;
    } names[] = {
        {"MIMESupport", EAS_AIRSYNC_MIMESUPPORT},
        {"MIMETruncation", EAS_AIRSYNC_MIMETRUNCATION},
        {"Truncation", EAS_AIRSYNC_TRUNCATION},
        {"FilterType", EAS_AIRSYNC_FILTERTYPE},
        {"BodyPreference", EAS_AIRSYNCBASE_BODYPREFERENCE},
        {"BodyPartPreference", EAS_AIRSYNCBASE_BODYPARTPREFERENCE},
        {"Type", EAS_AIRSYNCBASE_TYPE},
        {"TruncationSize", EAS_AIRSYNCBASE_TRUNCATIONSIZE},
        {"AllOrNone", EAS_AIRSYNCBASE_ALLORNONE},
        {"Preview", EAS_AIRSYNCBASE_PREVIEW},
    };
    eas_writer_t *w = eas_writer_create(pool);

    eas_w_open(w, EAS_AIRSYNC_OPTIONS);
    while (*text) {
        apr_size_t n = strcspn(text, "=() "), v;
        eas_tag_t tag = 0;
        if (*text == ' ' || *text == ')') {
            if (*text == ')')
                eas_w_close(w);
            text++;
            continue;
        }
        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
            if (strlen(names[i].name) == n && memcmp(names[i].name, text, n) == 0)
                tag = names[i].tag;
        assert_int_not_equal(tag, 0);
        text += n;
        if (*text == '(') {
            eas_w_open(w, tag);
            text++;
            continue;
        }
        v = strcspn(text + 1, " )");
        eas_w_strn(w, tag, text + 1, v);
        text += 1 + v;
    }
    eas_w_close(w);
    return read_back(w, pool);
}

static void accepted(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_opts_t o;

    assert_null(eas_mail_read_options(&o, NULL, 141, pool));
    assert_int_equal(o.version, 141);
    assert_int_equal(o.nprefs + o.has_part + o.mime_support + o.whole, 0);
    assert_int_equal(o.mime_truncation, -1);
    assert_int_equal(o.truncation, -1);

    assert_null(eas_mail_read_options(
        &o, options_of("FilterType=3 MIMESupport=2 MIMETruncation=8 BodyPreference(Type=1 "
                       "TruncationSize=512 AllOrNone=1 Preview=100) BodyPreference(Type=2) "
                       "BodyPartPreference(Type=2 TruncationSize=4294967295)", pool), 161, pool));
    assert_int_equal(o.mime_support, 2);
    assert_int_equal(o.mime_truncation, 8);
    assert_int_equal(o.nprefs, 2);
    assert_int_equal(o.prefs[0].type, 1);
    assert_true(o.prefs[0].has_truncation);
    assert_int_equal(o.prefs[0].truncation, 512);
    assert_true(o.prefs[0].all_or_none);
    assert_int_equal(o.prefs[0].preview, 100);
    assert_int_equal(o.prefs[1].type, 2);
    assert_false(o.prefs[1].has_truncation);
    assert_true(o.has_part);
    assert_int_equal(o.part.truncation, 4294967295UL);

    assert_null(
        eas_mail_read_options(&o, options_of("Truncation=9 MIMESupport=1", pool), 25, pool));
    assert_int_equal(o.truncation, 9);
    assert_int_equal(o.mime_support, 1);
}

static void refused(void **state)
{
    static const struct {
        const char *options;
        int version, status;
    } rows[] = {
        {"MIMESupport=3", 141, 4},
        {"MIMETruncation=9", 141, 4},
        {"Truncation=10", 25, 4},
        {"BodyPreference(Type=1) BodyPreference(Type=1)", 141, 4},
        {"BodyPreference(TruncationSize=1)", 141, 4},
        {"BodyPreference(TruncationSize=1 Type=1)", 141, 4},
        {"BodyPreference(Type=1 Type=1)", 141, 4},
        {"BodyPreference(Type=5)", 141, 4},
        {"BodyPreference(Type=0)", 141, 4},
        {"BodyPreference(Type=1 TruncationSize=-1)", 141, 4},
        {"BodyPreference(Type=1 TruncationSize=4294967296)", 141, 4},
        {"BodyPreference(Type=1 AllOrNone=2)", 141, 4},
        {"BodyPreference(Type=1 Preview=256)", 141, 4},
        {"BodyPreference(Type=1 Preview=9)", 121, 4},
        {"BodyPreference(Type=1 FilterType=1)", 141, 4},
        {"BodyPreference(Type=1)", 25, 4},
        {"BodyPartPreference(Type=1)", 141, 164},
        {"BodyPartPreference(Type=2) BodyPartPreference(Type=2)", 141, 4},
        {"BodyPartPreference(Type=2)", 140, 4},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        eas_mail_opts_t o;
        eas_err_t *err =
            eas_mail_read_options(&o, options_of(rows[i].options, pool), rows[i].version, pool);
        assert_non_null(err);
        assert_int_equal(err->kind, EAS_E_BAD_REQUEST);
        assert_int_equal(err->status, rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(accepted), UNIT_TEST(refused)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
