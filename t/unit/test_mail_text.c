/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

/* Body of a mail with these part headers. */
static const char *body(const char *headers, const char *bytes, int type, apr_pool_t *pool)
{
    const char *mail = apr_pstrcat(pool, headers, CRLF CRLF, bytes, NULL);
    return text_at(body_of(written(mail, opts_type(161, type, -1), pool)), EAS_AIRSYNCBASE_DATA,
                   pool);
}

static void charsets(void **state)
{
    static const struct {
        const char *headers, *bytes, *text;
    } rows[] = {
        {"Content-Type: text/plain; charset=iso-8859-1",
         "Gr\xFC\xDF"
         "e",
         "Grüße"},
        {"Content-Type: text/plain; charset=windows-1252", "40 \x80", "40 €"},
        {"Content-Type: text/plain; charset=koi8-r", "\xF0\xD2\xC9", "При"},
        {"Content-Type: text/plain; charset=iso-2022-jp", "\x1B$BMh=5\x1B(B", "来週"},
        {"Content-Type: text/plain; charset=utf-8", "🌉 ok", "🌉 ok"},
        {"Content-Type: text/plain; charset=utf-8", "bad \xFF byte", "bad \xEF\xBF\xBD byte"},
        {"Content-Type: text/plain; charset=no-such", "Grüße", "Grüße"},
        {"Content-Type: text/plain",
         "Gr\xFC\xDF"
         "e",
         "Grüße"},
        {"Content-Type: text/plain; charset=us-ascii", "Grüße", "Grüße"},
        {"Content-Type: text/plain",
         "a\001b\x7F"
         "c\x0C",
         "abc"},
        {"Content-Type: text/plain; charset=utf-8" CRLF "Content-Transfer-Encoding: base64",
         "R3LDvMOfZQ==", "Grüße"},
        {"Content-Type: text/plain; charset=utf-8" CRLF "Content-Transfer-Encoding: base64",
         "YQpiCg==", "a" CRLF "b" CRLF},
        {"Content-Type: text/plain; charset=iso-8859-1" CRLF
         "Content-Transfer-Encoding: quoted-printable",
         "Gr=FC=DFe =ZZ", "Grüße =ZZ"},
        {"X-None: 1", "a\nb\r\nc", "a" CRLF "b" CRLF "c"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_text(body(rows[i].headers, rows[i].bytes, 1, pool), rows[i].text);
}

static void html_goes_out_as_utf8(void **state)
{
    static const struct {
        const char *headers, *bytes, *html;
    } rows[] = {
        {"Content-Type: text/html; charset=iso-8859-1", "<meta charset=\"iso-8859-1\">\xFC",
         "<meta charset=\"utf-8\">ü"},
        {"Content-Type: text/html",
         "<meta http-equiv=x content='text/html; charset=windows-1251'>\xCF",
         "<meta http-equiv=x content='text/html; charset=utf-8'>П"},
        {"Content-Type: text/html; charset=utf-8", "<META CHARSET=utf-8>ü",
         "<META CHARSET=utf-8>ü"},
        {"Content-Type: text/html; charset=utf-8", "<body>charset=latin1", "<body>charset=latin1"},
        {"Content-Type: text/html; charset=utf-8", "<img src=\"cid:a@b\">",
         "<img src=\"cid:a@b\">"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_text(body(rows[i].headers, rows[i].bytes, 2, pool), rows[i].html);
}

static void flowed(void **state)
{
    static const struct {
        const char *delsp, *bytes, *text;
    } rows[] = {
        {"", "one " CRLF "two" CRLF "three" CRLF, "one two" CRLF "three" CRLF},
        {"; delsp=yes", "on " CRLF "e" CRLF, "one" CRLF},
        {"", "> a " CRLF "> b" CRLF "c" CRLF, "> a b" CRLF "c" CRLF},
        {"", "> a " CRLF ">> b" CRLF, "> a " CRLF ">> b" CRLF},
        {"", " >no quote" CRLF, ">no quote" CRLF},
        {"", "a " CRLF "-- " CRLF "me" CRLF, "a " CRLF "-- " CRLF "me" CRLF},
        {"", "end ", "end "},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_text(
            body(apr_pstrcat(pool, "Content-Type: text/plain; format=flowed", rows[i].delsp, NULL),
                 rows[i].bytes, 1, pool),
            rows[i].text);
}

static void message_classes(void **state)
{
#define REPORT(type, field)                                                                        \
    "Content-Type: multipart/report; report-type=" type "; boundary=b" CRLF CRLF "--b" CRLF CRLF   \
    "t" CRLF "--b" CRLF "Content-Type: message/" type CRLF CRLF                                    \
    "Reporting-MTA: dns; x" CRLF CRLF field CRLF "--b--"
    static const struct {
        const char *mail, *message_class;
    } rows[] = {
        {"Subject: x" CRLF CRLF, "IPM.Note"},
        {"Content-Type: multipart/signed; protocol=\"application/x-pkcs7-signature\"; "
         "boundary=b" CRLF CRLF "--b" CRLF CRLF "x" CRLF "--b--",
         "IPM.Note.SMIME.MultipartSigned"},
        {"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b" CRLF
             CRLF "--b" CRLF CRLF "x" CRLF "--b--",
         "IPM.Note"},
        {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data" CRLF CRLF,
         "IPM.Note.SMIME"},
        {"Content-Type: application/x-pkcs7-mime" CRLF CRLF, "IPM.Note.SMIME"},
        {"Content-Type: application/pkcs7-mime; smime-type=signed-receipt" CRLF CRLF,
         "IPM.Note.Receipt.SMIME"},
        {REPORT("delivery-status", "Action: failed"), "REPORT.IPM.NOTE.NDR"},
        {REPORT("delivery-status", "action:  Delayed"), "REPORT.IPM.NOTE.DELAYED"},
        {REPORT("delivery-status", "Action: relayed"), "REPORT.IPM.NOTE.DR"},
        {REPORT("delivery-status", "X-Action: failed"), "IPM.Note"},
        {REPORT("disposition-notification",
                "Disposition: manual-action/MDN-sent-manually; displayed"),
         "REPORT.IPM.NOTE.IPNRN"},
        {REPORT("disposition-notification",
                "Disposition: automatic-action/MDN-sent-automatically; deleted"),
         "REPORT.IPM.NOTE.IPNNRN"},
        {"Content-Type: text/calendar; method=REQUEST" CRLF CRLF "BEGIN:VCALENDAR", "IPM.Note"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_field(written(rows[i].mail, opts_of(141), pool), EAS_EMAIL_MESSAGECLASS,
                     rows[i].message_class);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(charsets), UNIT_TEST(html_goes_out_as_utf8),
                                       UNIT_TEST(flowed), UNIT_TEST(message_classes)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
