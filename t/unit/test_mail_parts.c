/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

#define MIXED "Content-Type: multipart/mixed; boundary=b" CRLF CRLF
#define RELATED "Content-Type: multipart/related; boundary=r" CRLF CRLF
#define TEXT_PART "--b" CRLF CRLF "text" CRLF
#define PNG64 "Content-Transfer-Encoding: base64" CRLF CRLF "iVBORw0KGgo=" CRLF

/* "name|ref|method|size|cid|inline;" of each attachment. */
static const char *attachments(const char *mail, int version, apr_pool_t *pool)
{
    eas_node_t *d = written(mail, opts_of(version), pool);
    const char *all = "";

    for (eas_node_t *a = eas_node_child(eas_node_child(d, EAS_AIRSYNCBASE_ATTACHMENTS), 0); a;
         a = a->next) {
        const char *cid = text_at(a, EAS_AIRSYNCBASE_CONTENTID, pool);
        const char *in = text_at(a, EAS_AIRSYNCBASE_ISINLINE, pool);
        all = apr_pstrcat(pool, all, text_at(a, EAS_AIRSYNCBASE_DISPLAYNAME, pool), "|",
                          text_at(a, EAS_AIRSYNCBASE_FILEREFERENCE, pool), "|",
                          text_at(a, EAS_AIRSYNCBASE_METHOD, pool), "|",
                          text_at(a, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, pool), "|", cid ? cid : "",
                          "|", in ? in : "", ";", NULL);
    }
    return all;
}

static void names(void **state)
{
    static const struct {
        const char *headers, *name;
    } rows[] = {
        {"Content-Type: application/pdf; name=a.pdf", "a.pdf"},
        {"Content-Type: application/pdf; name=a.pdf" CRLF
         "Content-Disposition: attachment; filename=b.pdf",
         "b.pdf"},
        {"Content-Type: application/pdf", "attachment-2.pdf"},
        {"Content-Type: image/jpeg", "attachment-2.jpg"},
        {"Content-Type: application/x-unheard-of", "attachment-2.bin"},
        {"Content-Disposition: attachment", "attachment-2.txt"},
        {"Content-Type: application/pdf; name=\"=?utf-8?Q?=C3=BC.pdf?=\"", "ü.pdf"},
        {"Content-Disposition: attachment; filename*=utf-8''%C3%BC.pdf", "ü.pdf"},
        {"Content-Disposition: attachment; filename*0=long; filename*1=name.pdf", "longname.pdf"},
        {"Content-Disposition: attachment; filename=\"../../etc/passwd\"", "_.._etc_passwd"},
        {"Content-Disposition: attachment; filename=\"C:\\\\dir\\\\a.txt\"", "C:_dir_a.txt"},
        {"Content-Disposition: attachment; filename=\"a\001b\x7F.txt\"", "ab.txt"},
        {"Content-Type: message/rfc822; name=letter", "letter.eml"},
        {"Content-Type: message/rfc822; name=letter.EML", "letter.EML"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *list =
            attachments(apr_pstrcat(pool, MIXED TEXT_PART "--b" CRLF, rows[i].headers,
                                    CRLF CRLF "x" CRLF "--b--" CRLF, NULL),
                        141, pool);
        assert_string_equal(apr_pstrmemdup(pool, list, strcspn(list, "|")), rows[i].name);
    }
}

static void long_name_keeps_its_end(void **state)
{
    apr_pool_t *pool = *state;
    const char *name = mail_att_name(apr_pstrcat(pool, repeat("ü", 400, pool), ".pdf", NULL),
                                     "application/pdf", "2", pool);
    assert_true(strlen(name) <= 255 && strlen(name) > 250);
    assert_string_equal(name + strlen(name) - 4, ".pdf");
}

static void lists(void **state)
{
    static const struct {
        const char *mail, *list;
    } rows[] = {
        {"Subject: x" CRLF CRLF "text", ""},
        {MIXED TEXT_PART "--b--", ""},
        /* text that is to be saved, not read */
        {MIXED TEXT_PART "--b" CRLF "Content-Type: text/plain; name=log.txt" CRLF CRLF "12345" CRLF
                         "--b--",
         "log.txt|ref:2|1|5||;"},
        /* the whole mail is a file */
        {"Content-Type: application/pdf; name=f.pdf" CRLF CRLF "x", "f.pdf|ref:1|1|1||;"},
        /* an embedded message, named by its subject */
        {MIXED TEXT_PART "--b" CRLF "Content-Type: message/rfc822" CRLF CRLF
                         "Subject: =?utf-8?Q?=C3=BC?=" CRLF CRLF "in" CRLF "--b--",
         "ü.eml|ref:2|5|33||;"},
        /* shown by the HTML: inline; not shown: an attachment like any other, with its id */
        {RELATED "--r" CRLF "Content-Type: text/html" CRLF CRLF
                 "<img src=\"cid:a@x\"><img src=cid:b%40x>" CRLF "--r" CRLF
                 "Content-Type: image/png; name=a.png" CRLF "Content-ID: <a@x>" CRLF PNG64
                 "--r" CRLF "Content-Type: image/png; name=b.png" CRLF
                 "Content-ID: <b@x>" CRLF PNG64 "--r" CRLF
                 "Content-Type: image/png; name=c.png" CRLF "Content-ID: <c@x>" CRLF PNG64 "--r--",
         "a.png|ref:2|6|8|a@x|1;b.png|ref:3|6|8|b@x|1;c.png|ref:4|1|8|c@x|;"},
        /* an invitation holds its calendar twice */
        {MIXED "--b" CRLF "Content-Type: multipart/alternative; boundary=a" CRLF CRLF
               "--a" CRLF CRLF "t" CRLF "--a" CRLF
               "Content-Type: text/calendar; method=REQUEST" CRLF CRLF "BEGIN" CRLF "--a--" CRLF
               "--b" CRLF "Content-Type: application/ics; name=invite.ics" CRLF CRLF "BEGIN" CRLF
               "--b--",
         "invite.ics|ref:2|1|5||;"},
        {"Content-Type: multipart/alternative; boundary=a" CRLF CRLF "--a" CRLF CRLF "t" CRLF
         "--a" CRLF "Content-Type: text/calendar; method=REQUEST" CRLF CRLF "BEGIN" CRLF
         "--a--" CRLF,
         "attachment-2.ics|ref:2|1|5||;"},
        /* TNEF stays whole */
        {MIXED TEXT_PART "--b" CRLF "Content-Type: application/ms-tnef; name=winmail.dat" CRLF CRLF
                         "abc" CRLF "--b--",
         "winmail.dat|ref:2|1|3||;"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for EACH_VERSION(v)
            if (all_versions[i_v] > 25)
                assert_string_equal(attachments(rows[i].mail, all_versions[i_v], pool),
                                    rows[i].list);
}

static void bodies(void **state)
{
    static const struct {
        const char *mail, *plain;
    } rows[] = {
        /* what stands beside an attachment in between is one text */
        {MIXED "--b" CRLF CRLF "one" CRLF "--b" CRLF "Content-Type: image/png; name=a" CRLF CRLF
               "x" CRLF "--b" CRLF CRLF "two" CRLF "--b--",
         "one" CRLF "two"},
        /* an empty text alternative does not hide the HTML */
        {"Content-Type: multipart/alternative; boundary=b" CRLF CRLF "--b" CRLF CRLF " " CRLF CRLF
         "--b" CRLF "Content-Type: text/html" CRLF CRLF "<p>real</p>" CRLF "--b--",
         "real"},
        /* Apple: the HTML alternative is a multipart with files in it */
        {"Content-Type: multipart/alternative; boundary=b" CRLF CRLF "--b" CRLF CRLF "plain" CRLF
         "--b" CRLF "Content-Type: multipart/mixed; boundary=m" CRLF CRLF "--m" CRLF
         "Content-Type: text/html" CRLF CRLF "<p>1</p>" CRLF "--m" CRLF
         "Content-Type: application/pdf; name=a.pdf" CRLF CRLF "x" CRLF "--m" CRLF
         "Content-Type: text/html" CRLF CRLF "<p>2</p>" CRLF "--m--" CRLF "--b--",
         "plain"},
        {"Content-Type: multipart/related; start=\"<root@x>\"; boundary=b" CRLF CRLF "--b" CRLF
         "Content-Type: image/png" CRLF CRLF "x" CRLF "--b" CRLF "Content-ID: <root@x>" CRLF CRLF
         "root" CRLF "--b--",
         "root"},
    };
    apr_pool_t *pool = *state;
    eas_node_t *b;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_field(body_of(written(rows[i].mail, opts_type(141, 1, -1), pool)),
                     EAS_AIRSYNCBASE_DATA, rows[i].plain);
    b = body_of(written(rows[2].mail, opts_type(141, 2, -1), pool));
    assert_non_null(strstr(text_at(b, EAS_AIRSYNCBASE_DATA, pool), "<p>1</p><p>2</p>"));
}

static void attachment_bytes(void **state)
{
    static const struct {
        const char *headers, *body, *bytes, *type;
    } rows[] = {
        {"Content-Type: image/png" CRLF "Content-Transfer-Encoding: base64", "SGVsbG8=", "Hello",
         "image/png"},
        {"Content-Type: image/png" CRLF "Content-Transfer-Encoding: quoted-printable",
         "a=3D=" CRLF "b", "a=b", "image/png"},
        {"Content-Type: application/x" CRLF "Content-Transfer-Encoding: 8bit", "\xFF\x80",
         "\xFF\x80", "application/x"},
        {"Content-Type: message/rfc822", "Subject: x" CRLF CRLF "--c" CRLF "raw",
         "Subject: x" CRLF CRLF "--c" CRLF "raw", "message/rfc822"},
        {"Content-Type: application/x; name=u" CRLF "Content-Transfer-Encoding: x-uuencode",
         "begin 644 u" CRLF "%2&5L;&\\ " CRLF " " CRLF "end", "Hello", "application/x"},
    };
    apr_pool_t *pool = *state;
    eas_mail_view_t *view = NULL;
    const char *type;
    eas_span_t data;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        view = view_of(apr_pstrcat(pool, MIXED TEXT_PART "--b" CRLF, rows[i].headers, CRLF CRLF,
                                   rows[i].body, CRLF "--b--" CRLF, NULL),
                       pool);
        assert_null(eas_mail_attachment(&data, &type, view, "2", pool));
        assert_string_equal(type, rows[i].type);
        assert_int_equal(data.len, strlen(rows[i].bytes));
        assert_memory_equal(data.data, rows[i].bytes, data.len);
    }
    assert_int_equal(eas_mail_attachment(&data, &type, view, "3", pool)->kind, EAS_E_NOT_FOUND);
    assert_int_equal(eas_mail_attachment(&data, &type, view, "", pool)->kind, EAS_E_NOT_FOUND);
    assert_int_equal(eas_mail_attachment(&data, &type, view, "2.1", pool)->kind, EAS_E_NOT_FOUND);
}

/* Large ones are decoded in pieces into a file; the estimate of the list is close. */
static void large_attachment(void **state)
{
    static const char head[] = MIXED "--b" CRLF "Content-Type: image/png" CRLF
                                     "Content-Transfer-Encoding: base64" CRLF CRLF;
    apr_pool_t *pool = *state;
    apr_size_t n = 1500000, at = strlen(head);
    char *raw = apr_palloc(pool, n), *mail;
    const char *b64, *type;
    eas_mail_view_t *view;
    eas_span_t data;
    apr_int64_t size;

    for (apr_size_t i = 0; i < n; i++)
        raw[i] = (char)(i * 2654435761u >> 13);
    b64 = g_base64_encode((const guchar *)raw, n);
    mail = apr_palloc(pool, strlen(b64) * 2);
    memcpy(mail, head, at);
    for (const char *p = b64; *p;) {
        apr_size_t len = strlen(p) < 76 ? strlen(p) : 76;
        memcpy(mail + at, p, len);
        memcpy(mail + at + len, CRLF, 2);
        at += len + 2;
        p += len;
    }
    memcpy(mail + at, "--b--", 6);
    g_free((void *)b64);
    view = view_of(mail, pool);
    assert_null(eas_mail_attachment(&data, &type, view, "1", pool));
    assert_int_equal(data.len, n);
    assert_memory_equal(data.data, raw, n);
    size = APR_ARRAY_IDX(view->atts, 0, mail_att_t).size;
    assert_true(size >= (apr_int64_t)n - 100 && size <= (apr_int64_t)n + 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(names),  UNIT_TEST(long_name_keeps_its_end), UNIT_TEST(lists),
        UNIT_TEST(bodies), UNIT_TEST(attachment_bytes),        UNIT_TEST(large_attachment),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
