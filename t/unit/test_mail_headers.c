/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

static const char *header(const char *line, eas_tag_t tag, apr_pool_t *pool)
{
    const char *mail = apr_pstrcat(pool, line, CRLF CRLF "x" CRLF, NULL);
    return text_at(written(mail, opts_of(161), pool), tag, pool);
}

static void one_line_texts(void **state)
{
    static const struct {
        const char *line, *expected;
    } rows[] = {
        {"Subject: plain", "plain"},
        {"subject:no space", "no space"},
        {"SUBJECT  : blanks before the colon", "blanks before the colon"},
        {"Subject: folded" CRLF "  line", "folded  line"},
        {"Subject: =?utf-8?B?4oKs?= =?utf-8?Q?_sign?=", "€ sign"},
        {"Subject: =?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "€"}, /* a character in two words */
        {"Subject: =?utf-8?B?4oI=?= =?utf-8?B?rA==?= x", "€ x"},
        {"Subject: =?utf-8?B?4oI=?=" CRLF " =?UTF-8?b?rOKC?= =?utf-8?B?rA==?=", "€€"},
        {"Subject: =?utf-8?B?YQ==?= =?koi8-r?B?wQ==?=", "aа"},
        {"Subject: =?iso-2022-jp?B?GyRCTWg9NRsoQg==?=", "来週"},
        {"Subject: =?no-such?Q?a?=", "a"},
        {"Subject: Gr\xFC\xDF" "e", "Grüße"},    /* Latin-1 without a name */
        {"Subject: Grüße", "Grüße"},
        {"Subject: a\001b\x1B[31mc", "ab[31mc"},
        {"Subject: tab\there", "tab here"},
        {"Subject:   ", NULL},
        {"X-Other: y", NULL},
        {"Subject: first" CRLF "Subject: second", "first"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_text(header(rows[i].line, EAS_EMAIL_SUBJECT, pool), rows[i].expected);
}

static void address_lists(void **state)
{
    static const struct {
        const char *line, *expected, *names;
    } rows[] = {
        {"To: a@b.example", "a@b.example", "a@b.example"},
        {"To: A <a@b.example>", "\"A\" <a@b.example>", "A"},
        {"To: \"D, A\" <a@b.example>,c@d.example", "\"D, A\" <a@b.example>, c@d.example",
         "D, A; c@d.example"},
        {"To: \"say \\\"hi\\\"\" <a@b.example>", "\"say \\\"hi\\\"\" <a@b.example>", "say \"hi\""},
        {"To: =?utf-8?Q?J=C3=BC?= <a@b.example>", "\"Jü\" <a@b.example>", "Jü"},
        {"To: \"=?utf-8?Q?J=C3=BC?=\" <a@b.example>", "\"Jü\" <a@b.example>", "Jü"},
        {"To: team: a@b.example, c@d.example;", "a@b.example, c@d.example",
         "a@b.example; c@d.example"},
        {"To: undisclosed-recipients:;", NULL, NULL},
        {"To: <a@b.example>", "a@b.example", "a@b.example"},
        {"To:", NULL, NULL},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_text(header(rows[i].line, EAS_EMAIL_TO, pool), rows[i].expected);
        assert_text(header(rows[i].line, EAS_EMAIL_DISPLAYTO, pool), rows[i].names);
    }
}

/* 32768 bytes, and never half an address. */
static void long_list_ends_at_an_address(void **state)
{
    apr_pool_t *pool = *state;
    const char *many = repeat("Someone <someone@example.org>," CRLF " ", 10000, pool);
    const char *to =
        header(apr_pstrcat(pool, "To: ", many, "z@example.org", NULL), EAS_EMAIL_TO, pool);
    apr_size_t len = strlen(to);

    assert_true(len <= 32768 && len > 32768 - 40);
    assert_string_equal(to + len - 30, " \"Someone\" <someone@example.org>" + 2);
}

static void topics(void **state)
{
    static const struct {
        const char *subject, *topic;
    } rows[] = {
        {"Hello", "Hello"},        {"Re: Hello", "Hello"}, {"RE: AW: Fwd: Hello", "Hello"},
        {"Re[2]: Hello", "Hello"}, {"WG: Hello", "Hello"}, {"Regards: Hello", "Regards: Hello"},
        {"Re Hello", "Re Hello"},  {"Re:Hello", "Hello"},  {"Re: ", ""},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_string_equal(mail_topic(rows[i].subject), rows[i].topic);
}

static void importance(void **state)
{
    static const struct {
        const char *line, *expected;
    } rows[] = {
        {"X-A: b", "1"},
        {"Importance: High", "2"},
        {"Importance: low", "0"},
        {"X-Priority: 1 (Highest)", "2"},
        {"X-Priority: 3", "1"},
        {"X-Priority: 5", "0"},
        {"X-MSMail-Priority: High", "2"},
        {"Priority: non-urgent", "0"},
        {"Priority: urgent", "2"},
        {"X-Priority: 5" CRLF "Importance: high", "2"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_text(header(rows[i].line, EAS_EMAIL_IMPORTANCE, pool), rows[i].expected);
}

static void sender_only_when_another(void **state)
{
    apr_pool_t *pool = *state;

    assert_text(header("From: A <a@x.example>" CRLF "Sender: a@X.example", EAS_EMAIL2_SENDER, pool),
                NULL);
    assert_text(header("From: A <a@x.example>" CRLF "Sender: b@x.example", EAS_EMAIL2_SENDER, pool),
                "b@x.example");
}

/* The Date header stands in where the backend does not know when the mail came. */
static void date_without_received(void **state)
{
    apr_pool_t *pool = *state;
    const char *mail = "Date: Mon, 9 Mar 2026 10:15:00 +0200" CRLF CRLF "x";
    eas_item_t *item = eas_item_create(pool);
    eas_mail_opts_t o = opts_of(141);

    eas_item_set_span(item, EAS_P_MAIL_SOURCE, mail, strlen(mail));
    assert_field(written_view(view_of_item(item, pool), &o, pool), EAS_EMAIL_DATERECEIVED,
                 "2026-03-09T08:15:00.000Z");
    mail = "Date: some day" CRLF CRLF "x";
    item = eas_item_create(pool);
    eas_item_set_span(item, EAS_P_MAIL_SOURCE, mail, strlen(mail));
    assert_field(written_view(view_of_item(item, pool), &o, pool), EAS_EMAIL_DATERECEIVED,
                 "1970-01-01T00:00:00.000Z"); /* phones drop mails without one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(one_line_texts),
        UNIT_TEST(address_lists),
        UNIT_TEST(long_list_ends_at_an_address),
        UNIT_TEST(topics),
        UNIT_TEST(importance),
        UNIT_TEST(sender_only_when_another),
        UNIT_TEST(date_without_received),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
