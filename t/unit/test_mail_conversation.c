/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

static const char *hex(const eas_node_t *n, apr_pool_t *pool)
{
    char *out = apr_pcalloc(pool, n->len * 2 + 1);
    for (apr_size_t i = 0; i < n->len; i++)
        apr_snprintf(out + 2 * i, 3, "%02X", (unsigned char)n->data[i]);
    return out;
}

static const char *id_of(const char *headers, apr_pool_t *pool)
{
    eas_node_t *d = written(apr_pstrcat(pool, headers, CRLF CRLF, NULL), opts_of(140), pool);
    eas_node_t *id = eas_node_child(d, EAS_EMAIL2_CONVERSATIONID);
    assert_int_equal(id->len, 16);
    return hex(id, pool);
}

static const char *index_of(const char *headers, apr_pool_t *pool)
{
    eas_node_t *d = written(apr_pstrcat(pool, headers, CRLF CRLF, NULL), opts_of(161), pool);
    return hex(eas_node_child(d, EAS_EMAIL2_CONVERSATIONINDEX), pool);
}

static void all_mails_of_a_thread_share_an_id(void **state)
{
    apr_pool_t *pool = *state;
    const char *root = id_of("Message-ID: <r@x>" CRLF "Subject: a", pool);

    assert_string_equal(id_of("Message-ID: <2@x>" CRLF "In-Reply-To: <r@x>", pool), root);
    assert_string_equal(
        id_of("Message-ID: <3@x>" CRLF "References: <r@x> <2@x>" CRLF "In-Reply-To: <2@x>", pool),
        root);
    assert_string_equal(
        id_of("Message-ID: <4@x>" CRLF "References: <r@x>" CRLF " <2@x>" CRLF "\t<3@x>", pool),
        root);
    assert_string_not_equal(id_of("Message-ID: <other@x>" CRLF "Subject: a", pool), root);
}

static void without_ids_the_subject_binds(void **state)
{
    apr_pool_t *pool = *state;
    const char *root = id_of("Subject: Plan", pool);

    assert_string_equal(id_of("Subject: Re: AW: plan", pool), root);
    assert_string_equal(id_of("Message-ID: broken" CRLF "Subject: Plan", pool), root);
    assert_string_not_equal(id_of("Subject: Plan B", pool), root);
    assert_string_not_equal(id_of("X-None: 1", pool), root);
}

/* 2026-03-09T08:15:22Z is FILETIME 01DCAF9CDFDF8900, of which the upper five bytes go out. */
static void index_begins_with_the_sent_time(void **state)
{
    apr_pool_t *pool = *state;

    assert_string_equal(index_of("Date: Mon, 9 Mar 2026 08:15:22 +0000", pool), "01DCAF9CDF");
    /* the received time stands in */
    assert_string_equal(index_of("X-None: 1", pool), "01DCAF9CDF");
    /* a level of five bytes for each mail before */
    assert_int_equal(strlen(index_of("References: <1@x> <2@x>", pool)), 2 * (5 + 2 * 5));
}

static void thread_index_is_kept(void **state)
{
    apr_pool_t *pool = *state;
    unsigned char data[32] = {1, 0xDC, 0xAF, 0x8A, 0x20, 0x33};
    for (int i = 22; i < 32; i++)
        data[i] = (unsigned char)i;
    char *b64 = g_base64_encode(data, sizeof(data));
    assert_string_equal(index_of(apr_pstrcat(pool, "Thread-Index: ", b64, NULL), pool),
                        "01DCAF8A20" "161718191A" "1B1C1D1E1F");
    g_free(b64);
    /* damaged: as if there was none */
    assert_string_equal(index_of("Thread-Index: AQHc", pool), index_of("X-None: 1", pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(all_mails_of_a_thread_share_an_id), UNIT_TEST(without_ids_the_subject_binds),
        UNIT_TEST(index_begins_with_the_sent_time), UNIT_TEST(thread_index_is_kept)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
