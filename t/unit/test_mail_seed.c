/* SPDX-License-Identifier: Apache-2.0 */
/* Every mail of the sandbox in every version and form, and what is known of some of them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "eas_text.h"
#include "mail_unit.h"

#define SEED EAS_SRCDIR "/t/sandbox/seed"
enum { FEWEST = 60, LARGEST = 256 * 1024 };

static const char *load(apr_size_t *len, const char *name, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, LARGEST);
    FILE *f = fopen(apr_pstrcat(pool, SEED "/", name, NULL), "rb");

    if (!f)
        fail_msg("cannot open %s", name);
    *len = fread(data, 1, LARGEST, f);
    fclose(f);
    assert_in_range(*len, 1, LARGEST - 1);
    return data;
}

static eas_mail_view_t *seed_view(const char *name, apr_pool_t *pool)
{
    apr_size_t len;
    const char *data = load(&len, name, pool);
    return view_of_item(item_of(data, len, pool), pool);
}

static eas_node_t *seed_item(const char *name, eas_mail_opts_t o, apr_pool_t *pool)
{
    return written_view(seed_view(name, pool), &o, pool);
}

static void check_body(const char *name, const eas_node_t *item, const eas_mail_opts_t *o)
{
    const eas_node_t *body = body_of(item), *data = eas_node_child(body, EAS_AIRSYNCBASE_DATA);
    apr_int64_t size, truncated;

    if (!body || !eas_node_int(&size, eas_node_child(body, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE), 0,
                               LARGEST * 2))
        fail_msg("%s: no body of known size", name);
    if (!data)
        fail_msg("%s: a body without Data", name);
    if (!data->opaque && !eas_text_clean(data->data ? data->data : "", data->len))
        fail_msg("%s: a body that is no clean text", name);
    if (eas_node_int(&truncated, eas_node_child(body, EAS_AIRSYNCBASE_TRUNCATED), 1, 1)) {
        assert_true((apr_int64_t)data->len < size);
        assert_in_range(data->len, o->prefs[0].truncation - 3, o->prefs[0].truncation);
    } else {
        assert_int_equal(data->len, size);
    }
}

static void check_mail(const char *name, apr_pool_t *pool)
{
    static const long truncations[] = {-1, 40};
    static const eas_tag_t always[] = {EAS_EMAIL_DATERECEIVED, EAS_EMAIL_IMPORTANCE, EAS_EMAIL_READ,
                                       EAS_EMAIL_MESSAGECLASS, EAS_EMAIL_INTERNETCPID};

    for EACH_VERSION (v)
        for (int type = 1; type <= 4; type++)
            for (int t = 0; t < 2; t++) {
                eas_mail_opts_t o = opts_type(all_versions[i_v], type, truncations[t]);
                eas_node_t *item;
                if (type == 3)
                    continue;
                item = seed_item(name, o, pool);
                for (unsigned i = 0; i < sizeof(always) / sizeof(always[0]); i++)
                    if (!eas_node_child(item, always[i]))
                        fail_msg("%s: no %s", name, eas_tag_name(always[i]));
                if (o.version >= MAIL_V120)
                    check_body(name, item, &o);
            }
}

static void every_mail_gives_an_item_in_every_version(void **state)
{
    DIR *dir = opendir(SEED);
    int count = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        apr_pool_t *pool;
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".eml") != 0)
            continue;
        apr_pool_create(&pool, *state);
        check_mail(e->d_name, pool);
        apr_pool_destroy(pool);
        count++;
    }
    closedir(dir);
    assert_in_range(count, FEWEST, 1000);
}

static void mime_is_the_mail_itself(void **state)
{
    static const char *const names[] = {"smime-signed.eml", "shift-jis.eml",
                                        "control-characters.eml", "truncated-multipart.eml",
                                        "latin1-8bit.eml"};
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        apr_size_t len;
        const char *source = load(&len, names[i], pool);
        const eas_node_t *data = eas_node_child(
            body_of(seed_item(names[i], opts_type(141, 4, -1), pool)), EAS_AIRSYNCBASE_DATA);
        assert_non_null(data);
        assert_int_equal(data->len, len);
        assert_memory_equal(data->data, source, len);
    }
}

static void what_is_known_of_the_mails(void **state)
{
    static const struct {
        const char *name;
        eas_tag_t tag;
        const char *text;
    } facts[] = {
        {"plain-english.eml", EAS_EMAIL_TO, "\"Anna Lindqvist\" <anna@example.org>"},
        {"plain-english.eml", EAS_EMAIL_DISPLAYTO, "Anna Lindqvist"},
        {"plain-english.eml", EAS_EMAIL_IMPORTANCE, "1"},
        {"plain-english.eml", EAS_AIRSYNCBASE_NATIVEBODYTYPE, "1"},
        {"plain-german-utf8.eml", EAS_EMAIL_SUBJECT, "Rückfrage zur Lieferung der Geländer"},
        {"windows-1252.eml", EAS_EMAIL_SUBJECT, "“Smart quotes” – and the € sign"},
        {"windows-1252.eml", EAS_EMAIL_FROM, "\"Smith, Robert\" <rob@example.com>"},
        {"shift-jis.eml", EAS_EMAIL_SUBJECT, "請求書の件"},
        {"gb18030.eml", EAS_EMAIL_FROM, "\"李雷\" <lilei@example.com>"},
        {"raw-utf8-headers.eml", EAS_EMAIL_FROM, "\"Jürgen Groß\" <juergen@example.net>"},
        {"thread-reply.eml", EAS_EMAIL_THREADTOPIC, "Kitchen plan"},
        {"wants-receipt.eml", EAS_EMAIL_IMPORTANCE, "2"},
        {"hundred-recipients.eml", EAS_EMAIL_REPLYTO,
         "\"Choir office\" <choir-office@example.net>"},
        {"html-only.eml", EAS_AIRSYNCBASE_NATIVEBODYTYPE, "2"},
        {"smime-signed.eml", EAS_EMAIL_MESSAGECLASS, "IPM.Note.SMIME.MultipartSigned"},
        {"smime-enveloped.eml", EAS_EMAIL_MESSAGECLASS, "IPM.Note.SMIME"},
        {"smime-opaque.eml", EAS_EMAIL_MESSAGECLASS, "IPM.Note.SMIME"},
        {"pgp-signed.eml", EAS_EMAIL_MESSAGECLASS, "IPM.Note"},
        {"delivery-report.eml", EAS_EMAIL_MESSAGECLASS, "REPORT.IPM.NOTE.NDR"},
        {"read-receipt.eml", EAS_EMAIL_MESSAGECLASS, "REPORT.IPM.NOTE.IPNRN"},
        {"imip-request.eml", EAS_EMAIL_MESSAGECLASS, "IPM.Note"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const eas_node_t *item = seed_item(facts[i].name, opts_type(141, 1, -1), pool);
        assert_text(text_at(item, facts[i].tag, pool), facts[i].text);
    }
}

static void bodies_as_plain_text(void **state)
{
    static const struct {
        const char *name, *text;
    } bodies[] = {
        {"gb18030.eml", "安娜，您好：\r\n图纸第三页的尺寸是多少？\r\n李雷\r\n"},
        {"windows-1251-html.eml", "Приглашаем на выставку «Мосты и реки»."},
        {"pgp-signed.eml", "The key of the shed is under the blue stone. \r\n"},
        {"deep-nesting.eml", "at the bottom\r\n"},
        {"draft.eml", "Dear guests,\r\n\r\n"},
        {"empty-body.eml", ""},
        {"delivery-report.eml", "Your message to <nobody@example.net> could not be delivered:\r\n"
                                "550 5.1.1 no such user here\r\n"},
        {"html-only.eml",
         "New in the reading room\r\n\r\nDear reader, this month we have three new shelves:"
         "\r\n\r\n- Maps & atlases\r\n- Letters of the 19th century\r\n"
         "- Bridges – old <and> new\r\n\r\nMon – Fri 9–19\r\nSat 10–16\r\n\r\nOpening hours"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const eas_node_t *body = body_of(seed_item(bodies[i].name, opts_type(120, 1, -1), pool));
        assert_text(text_at(body, EAS_AIRSYNCBASE_DATA, pool), bodies[i].text);
    }
}

static void attachments_are_listed(void **state)
{
    static const struct {
        const char *mail, *names;
    } lists[] = {
        {"plain-english.eml", ""},
        {"attachment-names.eml", "Prévisions € 2024.csv|Résumé.txt|Очень длинное name.bin|写真.png|"
                                 "_.._etc_a \"quoted\" name;.txt|"},
        {"attachment-only.eml", "fax.pdf|"},
        {"digest.eml", "Old rivets.eml|Re: Old rivets.eml|"},
        {"related-inline.eml", "logo.png|map.png|"},
        {"mixed-related-alternative.eml", "attachment-1.2.2.png|poster.pdf|"},
        {"truncated-multipart.eml", "page4.png|"},
        {"smime-signed.eml", "smime.p7s|"},
        {"delivery-report.eml", "attachment-2.txt|attachment-3.txt|"},
        {"winmail-dat.eml", "winmail.dat|"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const eas_node_t *item = seed_item(lists[i].mail, opts_type(161, 4, -1), pool);
        const char *names = "";
        for (eas_node_t *a = eas_node_child(eas_node_child(item, EAS_AIRSYNCBASE_ATTACHMENTS), 0);
             a; a = eas_node_next(a, 0))
            names =
                apr_pstrcat(pool, names, text_at(a, EAS_AIRSYNCBASE_DISPLAYNAME, pool), "|", NULL);
        assert_text(names, lists[i].names);
    }
}

static void a_reply_and_its_thread_are_one_conversation(void **state)
{
    apr_pool_t *pool = *state;
    eas_node_t *start = seed_item("thread-start.eml", opts_of(141), pool);
    eas_node_t *reply = seed_item("thread-reply.eml", opts_of(141), pool);
    eas_node_t *other = seed_item("plain-english.eml", opts_of(141), pool);
    const eas_node_t *a = eas_node_child(start, EAS_EMAIL2_CONVERSATIONID);
    const eas_node_t *b = eas_node_child(reply, EAS_EMAIL2_CONVERSATIONID);
    const eas_node_t *c = eas_node_child(other, EAS_EMAIL2_CONVERSATIONID);

    assert_int_equal(a->len, 16);
    assert_int_equal(b->len, 16);
    assert_memory_equal(a->data, b->data, 16);
    assert_memory_not_equal(a->data, c->data, 16);
    assert_int_equal(eas_node_child(start, EAS_EMAIL2_CONVERSATIONINDEX)->len, 5);
    assert_int_equal(eas_node_child(reply, EAS_EMAIL2_CONVERSATIONINDEX)->len, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(every_mail_gives_an_item_in_every_version),
        UNIT_TEST(mime_is_the_mail_itself),
        UNIT_TEST(what_is_known_of_the_mails),
        UNIT_TEST(bodies_as_plain_text),
        UNIT_TEST(attachments_are_listed),
        UNIT_TEST(a_reply_and_its_thread_are_one_conversation),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
