/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

#define MULTI(boundary) "Content-Type: multipart/mixed; boundary=" boundary CRLF CRLF

static mail_part_t *scan(int *n, const char *mail, apr_pool_t *pool)
{
    eas_span_t s = {mail, strlen(mail)};
    return mail_scan(n, s, pool);
}

/* "1 text/plain; 2.1 text/html": the leaves with their section numbers and lengths. */
static const char *leaves(const mail_part_t *p, apr_pool_t *pool)
{
    const char *all = "";
    if (!p->multipart)
        return apr_psprintf(pool, "%s %s %d;", p->section, p->type, (int)p->body.len);
    for (const mail_part_t *c = p->first; c; c = c->next)
        all = apr_pstrcat(pool, all, leaves(c, pool), NULL);
    return all;
}

static void parts_and_sections(void **state)
{
    static const struct {
        const char *mail, *leaves;
    } rows[] = {
        {"Subject: x" CRLF CRLF "body", "1 text/plain 4;"},
        {"Subject: x\n\nbody", "1 text/plain 4;"},
        {"", "1 text/plain 0;"},
        {CRLF "only a body", "1 text/plain 11;"},
        {"no header at all", "1 text/plain 16;"},
        {"From someone Mon Mar 9" CRLF "Subject: x" CRLF CRLF "b", "1 text/plain 1;"},
        {"Subject: x" CRLF "not a header" CRLF, "1 text/plain 14;"},
        {"Content-Type: TEXT/HTML" CRLF CRLF "b", "1 text/html 1;"},
        {MULTI("b") "preamble" CRLF "--b" CRLF CRLF "one" CRLF "--b" CRLF
                    "Content-Type: text/html" CRLF CRLF "two2" CRLF "--b--" CRLF "epilogue",
         "1 text/plain 3;2 text/html 4;"},
        {MULTI("b") "--b  \t" CRLF CRLF "blanks" CRLF "--b--", "1 text/plain 6;"},
        {MULTI("\"a b\"") "--a b" CRLF CRLF "x" CRLF "--a b--", "1 text/plain 1;"},
        {MULTI("b") "--bc" CRLF "--b" CRLF CRLF "--b1" CRLF "--b--", "1 text/plain 4;"},
        {MULTI("b") "--b" CRLF CRLF "cut off", "1 text/plain 7;"},
        {MULTI("b") "--b" CRLF "--b" CRLF CRLF "x" CRLF "--b--", "1 text/plain 0;2 text/plain 1;"},
        {MULTI("b") "--b" CRLF MULTI("i") "--i" CRLF CRLF "1" CRLF "--i" CRLF CRLF "22" CRLF
                                          "--i--" CRLF "--b" CRLF CRLF "333" CRLF "--b--",
         "1.1 text/plain 1;1.2 text/plain 2;2 text/plain 3;"},
        /* the inner multipart never ends: the outer boundary ends it */
        {MULTI("b") "--b" CRLF MULTI("i") "--i" CRLF CRLF "1" CRLF "--b" CRLF CRLF "22" CRLF
                                          "--b--",
         "1.1 text/plain 1;2 text/plain 2;"},
        /* no boundary parameter, or one that never comes */
        {"Content-Type: multipart/mixed" CRLF CRLF "text", "1 text/plain 4;"},
        {MULTI("b") "text", "1 text/plain 4;"},
        {"Content-Type: multipart/digest; boundary=b" CRLF CRLF "--b" CRLF CRLF "x" CRLF "--b--",
         "1 message/rfc822 1;"},
        {MULTI("b") "--b\n\none\n--b\n\ntwo\n--b--\n", "1 text/plain 3;2 text/plain 3;"},
    };
    apr_pool_t *pool = *state;
    int n;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_string_equal(leaves(scan(&n, rows[i].mail, pool), pool), rows[i].leaves);
}

static int depth_of(const mail_part_t *p)
{
    int depth = 0;
    for (; p->multipart; p = p->first)
        depth++;
    return depth;
}

static void depth_is_limited(void **state)
{
    apr_pool_t *pool = *state;
    const char *mail = "";
    mail_part_t *root;
    int n;

    for (int i = 0; i < 200; i++)
        mail = apr_psprintf(
            pool, "%sContent-Type: multipart/mixed; boundary=b%dx" CRLF CRLF "--b%dx" CRLF, mail, i,
            i);
    root = scan(&n, apr_pstrcat(pool, mail, CRLF "deep", NULL), pool);
    assert_int_equal(depth_of(root), MAIL_MAX_DEPTH);
}

static void parts_are_limited(void **state)
{
    apr_pool_t *pool = *state;
    const char *mail = apr_pstrcat(pool, MULTI("b"), repeat("--b" CRLF CRLF, 5000, pool), NULL);
    int n, count = 0;
    mail_part_t *root = scan(&n, mail, pool);

    for (const mail_part_t *c = root->first; c; c = c->next)
        count++;
    assert_int_equal(count, MAIL_MAX_PARTS - 1);
    assert_int_equal(n, MAIL_MAX_PARTS);
}

/* Headers behind the first megabyte of a block are not looked at; the body is found all the same.
 */
static void header_block_is_limited(void **state)
{
    apr_pool_t *pool = *state;
    const char *filler = repeat("X-Filler: 0123456789" CRLF, 60000, pool);
    const char *mail =
        apr_pstrcat(pool, "From: a@b" CRLF, filler, "Subject: late" CRLF CRLF "body", NULL);
    int n;
    mail_part_t *root = scan(&n, mail, pool);

    assert_non_null(mail_hdr_raw(root, MH_FROM, 100, pool));
    assert_null(mail_hdr_raw(root, MH_SUBJECT, 100, pool));
    assert_int_equal(root->body.len, 4);
}

/* Mails made to be expensive. Twice the size must not be four times the work; the limits are far
 * above what a slow machine with sanitizers needs, and far below what a quadratic pass would take.
 */
static void hostile_mails_take_linear_time(void **state)
{
    static const struct {
        const char *head, *repeated, *tail;
    } rows[] = {
        {MULTI("b"), "--b\n\n", ""},
        {"", "a:b\n", ""},
        {"", "Subject: x\n", ""},
        {"To: ", "a@b.c,\n ", "\n\nx"},
        {"To: ", "a: ", "\n\nx"},
        {"To: ", "(", "\n\nx"},
        {"To: ", "<", "\n\nx"},
        {"To: ", "\"", "\n\nx"},
        {"Subject: ", "=?utf-8?B?4oI=?= ", "\n\nx"},
        {"Subject: ", "=?", "\n\nx"},
        {"References: ", "<a@b> ", "\n\nx"},
        {"Content-Type: text/plain", ";\n a=b", "\n\nx"},
        {"Content-Type: text/plain", "; n*0=b", "\n\nx"},
        {MULTI("b") "--b\n\n", "--\n", ""},
        {"Content-Type: text/html\n\n", "<b>", "</i>"},
        {"Content-Type: text/html\n\n<p ", "a b=c ", ">x"},
        {"Content-Type: text/html\n\n", "<!-- a ", ""},
        {"Content-Type: text/html\n\n", "<meta charset=", ""},
        {"Content-Type: text/html\n\n", "&a;", ""},
        {"Content-Type: text/plain; format=flowed\n\n", "> a \n", ""},
        {"Content-Type: text/plain; charset=iso-2022-jp\n\n", "\x1B$B", ""},
        {"Content-Transfer-Encoding: quoted-printable\n\n", "=", ""},
        {"Content-Transfer-Encoding: x-uuencode\n\n", "begin \n", ""},
    };
    apr_pool_t *pool = *state, *sub;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for EACH_VERSION(v) {
            apr_size_t n = strlen(rows[i].repeated);
            eas_mail_opts_t o = opts_type(all_versions[i_v], i_v % 2 ? 1 : 2, 512);
            long before = cpu_ms();
            o.prefs[0].preview = 100;
            apr_pool_create(&sub, pool);
            assert_non_null(
                written(apr_pstrcat(sub, rows[i].head, repeat(rows[i].repeated, 2000000 / n, sub),
                                    rows[i].tail, NULL),
                        o, sub));
            apr_pool_destroy(sub);
            if (cpu_ms() - before > 5000)
                fail_msg("row %u took %ld ms", i, cpu_ms() - before);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(parts_and_sections),
        UNIT_TEST(depth_is_limited),
        UNIT_TEST(parts_are_limited),
        UNIT_TEST(header_block_is_limited),
        UNIT_TEST(hostile_mails_take_linear_time),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
