/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_text.h"
#include "mail_unit.h"

static void what_a_reader_sees(void **state)
{
    static const struct {
        const char *html, *text;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"  a \n\t b  ", "a b"},
        {"<p>a</p><p>b</p>", "a\r\n\r\nb"},
        {"<div>a</div><div>b</div>", "a\r\nb"},
        {"<div><div><div>a</div></div></div>b", "a\r\nb"},
        {"a<br>b<br/>c", "a\r\nb\r\nc"},
        {"a<br><br><br><br><br><br>b", "a\r\n\r\n\r\nb"},
        {"<ul><li>one<li>two</ul>", "- one\r\n- two"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\r\nc"},
        {"<h1>Head</h1>text", "Head\r\n\r\ntext"},
        {"<a href=\"http://example.com/\">here</a>", "here"},
        {"<b>a</b><i>b</i> <u>c</u>", "ab c"},
        {"<img src=x alt=\"a &amp; b\">", "a & b"},
        {"<img src=x>y", "y"},
        {"<pre>\n  x\n   y</pre>z", "  x\r\n   y\r\nz"},
        {"a<hr>b", "a\r\n----------\r\nb"},
        {"<html><head><title>t</title><style>p{}</style></head><body>x</body></html>", "x"},
        {"a<script>if (1 < 2) document.write('<p>no</p>')</script>b", "ab"},
        {"a<style>b</style", "a"},
        {"a<!-- <p>no</p> -->b", "ab"},
        {"a<!-- never closed", "a"},
        {"<!DOCTYPE html><?xml x?>a", "a"},
        {"&lt;b&gt; &amp;amp; &quot;", "<b> &amp; \""},
        {"&auml;&#228;&#xE4;&#xe4;", "ää\xC3\xA4\xC3\xA4"},
        {"&#8364;&#128;&euro;", "€€€"},
        {"a&nbsp;b\xC2\xA0" "c", "a b c"},
        {"&nosuch; & &;", "&nosuch; & &;"},
        {"&#0;&#xD800;&#1114112;&#xFFFF;", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"a&#127;&#7;&shy;b", "ab"},
        {"1 < 2 <3 </ >", "1 < 2 <3 </ >"},
        {"a<b", "a"},
        {"<p title='>'>a", "a"},
        {"<P>A</P><DIV>B</DIV>", "A\r\n\r\nB"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_size_t len;
        const char *text = eas_html_to_text(&len, cases[i].html, strlen(cases[i].html), pool);
        assert_text(text, cases[i].text);
        assert_int_equal(len, strlen(cases[i].text));
    }
}

static void bad_bytes_come_out_clean(void **state)
{
    static const char html[] = "<p>a\xFF\xC3<b>\0\x01\x7F</b>\xE2\x82";
    apr_size_t len;
    char *text = eas_html_to_text(&len, html, sizeof(html) - 1, *state);

    assert_true(eas_text_clean(text, len));
    assert_non_null(strstr(text, "a\xEF\xBF\xBD"));
}

static void what_is_too_long_is_cut(void **state)
{
    apr_pool_t *pool = *state;
    const char *html = repeat("0123456789abcdef", 256 * 1024, pool); /* 4 MB */
    apr_size_t len;

    eas_html_to_text(&len, html, strlen(html), pool);
    assert_int_equal(len, 2 * 1024 * 1024);
}

/* Each of these kept one HTML parser or another busy for minutes. */
static void time_is_linear(void **state)
{
    static const char *const pieces[] = {"<b>",        "</i>", "<!-- ",      "<script>",
                                         "<a href=\"", "&",    "<p a=b ",    "<li>",
                                         "<pre>",      "<",    "<img alt='", "<table><tr><td>"};
    enum { SIZE = 2 * 1024 * 1024, MS = 3000 };
    apr_pool_t *pool;

    for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        long began = cpu_ms();
        const char *html;
        apr_pool_create(&pool, *state);
        html = repeat(pieces[i], (int)(SIZE / strlen(pieces[i])), pool);
        eas_html_to_text(NULL, html, strlen(html), pool);
        apr_pool_destroy(pool);
        if (cpu_ms() - began > MS)
            fail_msg("%s: %ld ms", pieces[i], cpu_ms() - began);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(what_a_reader_sees),
        UNIT_TEST(bad_bytes_come_out_clean),
        UNIT_TEST(what_is_too_long_is_cut),
        UNIT_TEST(time_is_linear),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
