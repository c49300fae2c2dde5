/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

#define PLAIN                                                                                      \
    "Subject: s" CRLF "Content-Type: text/plain; charset=utf-8" CRLF CRLF "Grüße & <x>" CRLF       \
    "2" CRLF
#define HTML                                                                                       \
    "Subject: s" CRLF "Content-Type: text/html; charset=utf-8" CRLF CRLF                           \
    "<p>Hallo &amp; <b>Welt</b></p>"
#define BOTH                                                                                       \
    "Subject: s" CRLF "Content-Type: multipart/alternative; boundary=b" CRLF CRLF "--b" CRLF       \
    "Content-Type: text/plain" CRLF CRLF "as text" CRLF "--b" CRLF                                 \
    "Content-Type: text/html" CRLF CRLF "<p>as html</p>" CRLF "--b--" CRLF
#define SIGNED                                                                                     \
    "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b" CRLF    \
        CRLF "--b" CRLF "Content-Type: text/plain" CRLF CRLF "signed text" CRLF "--b" CRLF         \
    "Content-Type: application/pkcs7-signature; name=smime.p7s" CRLF CRLF "x" CRLF "--b--" CRLF

/* Which Type goes out: native first, MIME only as MIMESupport says. */
static void choice(void **state)
{
    static const struct {
        const char *mail;
        int prefs[4], mime_support;
        const char *type;
    } rows[] = {
        {PLAIN, {0}, 0, "1"},       {HTML, {0}, 0, "1"},        {PLAIN, {1, 2}, 0, "1"},
        {PLAIN, {2, 1}, 0, "1"},    {HTML, {1, 2}, 0, "2"},     {BOTH, {1, 2}, 0, "2"},
        {BOTH, {1}, 0, "1"},        {PLAIN, {2}, 0, "2"},       {HTML, {1, 2, 4}, 0, "2"},
        {HTML, {1, 2, 4}, 1, "2"},  {SIGNED, {1, 2, 4}, 1, "4"},{SIGNED, {1, 2, 4}, 0, "1"},
        {HTML, {1, 2, 4}, 2, "4"},  {HTML, {1, 2}, 2, "2"},     {HTML, {3, 2}, 0, "2"},
        {PLAIN, {3}, 0, "1"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        eas_mail_opts_t o = opts_of(141);
        for (int j = 0; j < 4 && rows[i].prefs[j]; j++)
            o.prefs[o.nprefs++].type = rows[i].prefs[j];
        o.mime_support = rows[i].mime_support;
        assert_field(body_of(written(rows[i].mail, o, pool)), EAS_AIRSYNCBASE_TYPE, rows[i].type);
    }
}

static void conversions(void **state)
{
    apr_pool_t *pool = *state;
    eas_node_t *b = body_of(written(PLAIN, opts_type(141, 1, -1), pool));

    assert_field(b, EAS_AIRSYNCBASE_DATA, "Grüße & <x>" CRLF "2" CRLF);
    assert_field(b, EAS_AIRSYNCBASE_TRUNCATED, NULL);
    b = body_of(written(PLAIN, opts_type(141, 2, -1), pool));
    assert_non_null(
        strstr(text_at(b, EAS_AIRSYNCBASE_DATA, pool), "Grüße &amp; &lt;x&gt;<br>" CRLF "2"));
    assert_non_null(strstr(text_at(b, EAS_AIRSYNCBASE_DATA, pool), "charset=utf-8"));
    b = body_of(written(HTML, opts_type(141, 1, -1), pool));
    assert_field(b, EAS_AIRSYNCBASE_DATA, "Hallo & Welt");
    b = body_of(written(BOTH, opts_type(141, 1, -1), pool));
    assert_field(b, EAS_AIRSYNCBASE_DATA, "as text");
    b = body_of(written(BOTH, opts_type(141, 2, -1), pool));
    assert_field(b, EAS_AIRSYNCBASE_DATA, "<p>as html</p>");
}

/* Exactly TruncationSize bytes, less only where a character would be split. "Grüße": G r ü(2) ß(2)
 * e. */
static void truncation(void **state)
{
    static const struct {
        int size;
        const char *data;
        int truncated;
    } rows[] = {
        {0, NULL, 1}, {1, "G", 1},    {2, "Gr", 1},  {3, "Gr", 1},
        {4, "Grü", 1}, {5, "Grü", 1}, {6, "Grüß", 1}, {7, "Grüße", 1},
        {18, "Grüße & <x>" CRLF "2" CRLF, 0}, {500, "Grüße & <x>" CRLF "2" CRLF, 0},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        eas_node_t *b = body_of(written(PLAIN, opts_type(141, 1, rows[i].size), pool));
        assert_field(b, EAS_AIRSYNCBASE_DATA, rows[i].data);
        assert_field(b, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, "18");
        assert_field(b, EAS_AIRSYNCBASE_TRUNCATED, rows[i].truncated ? "1" : NULL);
    }
}

static void fetch_ignores_truncation(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_opts_t o = opts_type(141, 1, 3);

    o.whole = 1;
    assert_field(body_of(written(PLAIN, o, pool)), EAS_AIRSYNCBASE_DATA,
                 "Grüße & <x>" CRLF "2" CRLF);
}

static void all_or_none(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_opts_t o = opts_type(141, 2, 5);
    eas_node_t *b;

    o.prefs[0].all_or_none = 1;
    b = body_of(written(HTML, o, pool));
    assert_string_equal(names_of_children(b, pool), "Type EstimatedDataSize Truncated");
    assert_field(b, EAS_AIRSYNCBASE_TYPE, "2");
    assert_field(b, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, "30");
    o.nprefs = 2; /* the next listed type */
    o.prefs[1].type = 1;
    b = body_of(written(HTML, o, pool));
    assert_field(b, EAS_AIRSYNCBASE_TYPE, "1");
    assert_field(b, EAS_AIRSYNCBASE_DATA, "Hallo & Welt");
    o.prefs[0].has_truncation = 0; /* AllOrNone without a size says nothing */
    assert_field(body_of(written(HTML, o, pool)), EAS_AIRSYNCBASE_TYPE, "2");
}

static void preview(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_opts_t o = opts_type(140, 2, -1);

    o.prefs[0].preview = 8;
    assert_field(body_of(written(HTML, o, pool)), EAS_AIRSYNCBASE_PREVIEW, "Hallo &");
    o.prefs[0].preview = 9;
    assert_field(body_of(written(HTML, o, pool)), EAS_AIRSYNCBASE_PREVIEW, "Hallo & W");
    o.version = 121;
    assert_field(body_of(written(HTML, o, pool)), EAS_AIRSYNCBASE_PREVIEW, NULL);
    o = opts_type(140, 1, -1); /* the text itself is there */
    o.prefs[0].preview = 8;
    assert_field(body_of(written(HTML, o, pool)), EAS_AIRSYNCBASE_PREVIEW, NULL);
    o = opts_type(140, 1, 0);
    o.prefs[0].preview = 5;
    assert_field(body_of(written(HTML, o, pool)), EAS_AIRSYNCBASE_PREVIEW, "Hallo");
}

static void body_part(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_opts_t o = opts_type(141, 1, -1);
    eas_node_t *d, *p;

    o.has_part = 1;
    o.part = (eas_bodypref_t){.type = 2, .has_truncation = 1, .truncation = 4};
    d = written(HTML, o, pool);
    p = eas_node_child(d, EAS_AIRSYNCBASE_BODYPART);
    assert_string_equal(names_of_children(p, pool), "Status Type EstimatedDataSize Truncated Data");
    assert_field(p, EAS_AIRSYNCBASE_STATUS, "1");
    assert_field(p, EAS_AIRSYNCBASE_DATA, "<p>H");
    assert_field(body_of(d), EAS_AIRSYNCBASE_DATA, "Hallo & Welt");
    o.has_part = 0;
    assert_null(eas_node_child(written(HTML, o, pool), EAS_AIRSYNCBASE_BODYPART));
}

static void mime_is_exact(void **state)
{
    apr_pool_t *pool = *state;
    eas_node_t *data;
    const char *mail = "Subject: x" CRLF CRLF "a\0\xFF\x1B(B" CRLF;
    apr_size_t len = 12 + 2 + 6 + 2;
    eas_mail_opts_t o = opts_type(161, 4, -1);
    eas_node_t *b = body_of(written(SIGNED, o, pool));

    assert_field(b, EAS_AIRSYNCBASE_DATA, SIGNED);
    assert_field(b, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE,
                 apr_psprintf(pool, "%d", (int)strlen(SIGNED)));
    assert_false(eas_node_child(b, EAS_AIRSYNCBASE_DATA)->opaque);
    /* bytes that no text can hold */
    b = body_of(written_view(view_of_item(item_of(mail, len, pool), pool), &o, pool));
    data = eas_node_child(b, EAS_AIRSYNCBASE_DATA);
    assert_true(data->opaque);
    assert_int_equal(data->len, len);
    assert_memory_equal(data->data, mail, len);
    /* stored with bare LF */
    b = body_of(written("Subject: x\n\nb\n", o, pool));
    assert_field(b, EAS_AIRSYNCBASE_DATA, "Subject: x" CRLF CRLF "b" CRLF);
    b = body_of(
        written("Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b--\n", o, pool));
    assert_field(b, EAS_AIRSYNCBASE_DATA,
                 "Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b--\n");
    o.mime_truncation = 0;
    b = body_of(written(PLAIN, o, pool));
    assert_string_equal(names_of_children(b, pool), "Type EstimatedDataSize Truncated");
}

static void mime_truncation(void **state)
{
    static const int sizes[] = {0, 4096, 5120, 7168, 10240, 20480, 51200, 102400, 120014};
    apr_pool_t *pool = *state;
    const char *mail =
        apr_pstrcat(pool, "Subject: x" CRLF CRLF, repeat("0123456789", 12000, pool), NULL);

    for (int i = 0; i < 9; i++) {
        eas_mail_opts_t o = opts_type(141, 4, -1);
        eas_node_t *b, *data;
        o.mime_truncation = i;
        b = body_of(written(mail, o, pool));
        data = eas_node_child(b, EAS_AIRSYNCBASE_DATA);
        assert_int_equal(data ? data->len : 0, sizes[i]);
        assert_field(b, EAS_AIRSYNCBASE_TRUNCATED, i < 8 ? "1" : NULL);
    }
}

static void truncation_of_25_counts_characters(void **state)
{
    static const int chars[] = {0, 512, 1024, 2048, 5120, 10240, 20480, 51200, 102400, 120000};
    apr_pool_t *pool = *state;
    const char *mail = apr_pstrcat(pool, "Content-Type: text/plain; charset=utf-8" CRLF CRLF,
                                   repeat("ü", 120000, pool), NULL);

    for (int i = 0; i < 10; i++) {
        eas_mail_opts_t o = opts_of(25);
        eas_node_t *d, *body;
        o.truncation = i;
        d = written(mail, o, pool);
        body = eas_node_child(d, EAS_EMAIL_BODY);
        assert_int_equal(body ? body->len : 0, chars[i] * 2);
        assert_field(d, EAS_EMAIL_BODYSIZE, "240000");
        assert_field(d, EAS_EMAIL_BODYTRUNCATED, i < 9 ? "1" : "0");
    }
}

static void when_a_preview_fits(void **state)
{
    apr_size_t max;
    eas_mail_opts_t o = opts_type(161, 2, 200000);

    assert_true(eas_mail_preview_fits(&max, &o));
    assert_true(max > 200000);
    o.mime_support = 1; /* S/MIME mails have no preview anyway */
    o.prefs[o.nprefs++].type = 4;
    assert_true(eas_mail_preview_fits(&max, &o));
    o.mime_support = 2;
    assert_false(eas_mail_preview_fits(&max, &o));
    o = opts_type(161, 1, 512);
    assert_true(eas_mail_preview_fits(&max, &o));
    assert_true(max >= 512);
    o.whole = 1;
    assert_false(eas_mail_preview_fits(&max, &o));
    o = opts_type(161, 1, -1);
    assert_false(eas_mail_preview_fits(&max, &o));
    o = opts_of(161);
    assert_false(eas_mail_preview_fits(&max, &o));
    o = opts_of(25);
    assert_false(eas_mail_preview_fits(&max, &o));
    o.truncation = 1;
    assert_true(eas_mail_preview_fits(&max, &o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(choice),        UNIT_TEST(conversions),     UNIT_TEST(truncation),
        UNIT_TEST(fetch_ignores_truncation), UNIT_TEST(all_or_none), UNIT_TEST(preview),
        UNIT_TEST(body_part),     UNIT_TEST(mime_is_exact),   UNIT_TEST(mime_truncation),
        UNIT_TEST(truncation_of_25_counts_characters), UNIT_TEST(when_a_preview_fits),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
