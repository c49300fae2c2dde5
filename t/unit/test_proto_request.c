/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include <apr_strings.h>

#include "eas_protocol.h"
#include "eas_text.h"

static eas_req_t req;

static eas_err_t *parse(const char *query, const char *version, apr_pool_t *pool)
{
    req = (eas_req_t){.pool = pool, .query = query, .h_version = version};
    return eas_req_parse(&req, EAS_V161, 0);
}

static void must_parse(const char *query, const char *version, apr_pool_t *pool)
{
    eas_err_t *err = parse(query, version, pool);
    if (err)
        fail_msg("%s: %s", query, err->message);
}

/* HTTP status and EAS Status (0 = no body) of the answer to a query that is refused. */
static void assert_refused(const char *query, const char *version, int http, int status,
                           apr_pool_t *pool)
{
    eas_err_t *err = parse(query, version, pool);
    eas_resp_t resp = {.http_status = 200};

    if (!err)
        fail_msg("%s is accepted", query);
    eas_resp_error(&resp, &req, err->status);
    if (resp.http_status != http || (resp.body.len != 0) != (status != 0))
        fail_msg("%s: HTTP %d, %s", query, resp.http_status, err->message);
    if (status)
        assert_int_equal(err->status, status);
    assert_int_equal(resp.http_status == 200 ? 200 : eas_status_http(err->status, req.cmd),
                     resp.http_status);
}

static const char *base64(const void *data, apr_size_t len, apr_pool_t *pool)
{
    return eas_base64(data, len, pool);
}

static void plain_query_in_any_case_and_order(void **state)
{
    must_parse("Cmd=Sync&User=bob%40example.com&DeviceId=AB12CD34&DeviceType=iPhone", "14.1",
               *state);
    assert_int_equal(req.cmd, EAS_CMD_SYNC);
    assert_string_equal(req.cmd_name, "Sync");
    assert_int_equal(req.version, EAS_V141);
    assert_int_equal(req.base64_query, 0);
    assert_string_equal(req.user, "bob@example.com");
    assert_string_equal(req.device_id, "ab12cd34");
    assert_string_equal(req.device_type, "iPhone");
    assert_int_equal(req.has_policy_key, 0);
    assert_null(req.attachment_name);

    must_parse("deviceTYPE=SP&&user=DOMAIN%5cuser&x=y&flag&DEVICEID=a_b-1.{2}&cMD=foldersync&",
               "2.5", *state);
    assert_int_equal(req.cmd, EAS_CMD_FOLDERSYNC);
    assert_string_equal(req.cmd_name, "foldersync");
    assert_string_equal(req.user, "DOMAIN\\user");
    assert_string_equal(req.device_id, "a_b-1.{2}");
    must_parse("%43md=Ping&DeviceId=validate&DeviceType=a", "12.1", *state);
    assert_int_equal(req.cmd, EAS_CMD_PING);
}

static void values_of_a_plain_query_are_unescaped(void **state)
{
    must_parse("Cmd=GetAttachment&DeviceId=1&DeviceType=Windows+Mail%2B&AttachmentName=1%3a90%3A2&"
               "CollectionId=7&ItemId=7%3A1&LongId=x%3D&Occurrence=2026-03-09T08%3A15%3A00.000Z&"
               "SaveInSent=t",
               "12.1", *state);
    assert_string_equal(req.device_type, "Windows Mail+");
    assert_string_equal(req.attachment_name, "1:90:2");
    assert_string_equal(req.collection_id, "7");
    assert_string_equal(req.item_id, "7:1");
    assert_string_equal(req.long_id, "x=");
    assert_string_equal(req.occurrence, "2026-03-09T08:15:00.000Z");
    assert_int_equal(req.save_in_sent, 1);
    must_parse("Cmd=SendMail&DeviceId=1&DeviceType=a&SaveInSent=F", "12.1", *state);
    assert_int_equal(req.save_in_sent, 0);
}

static void the_first_of_two_like_parameters_counts(void **state)
{
    must_parse("Cmd=Sync&Cmd=Ping&DeviceId=1&DeviceId=2&DeviceType=a", "14.1", *state);
    assert_int_equal(req.cmd, EAS_CMD_SYNC);
    assert_string_equal(req.device_id, "1");
}

static void broken_plain_queries_are_400_in_every_version(void **state)
{
    static const char *const queries[] = {
        "Cmd=Sync&DeviceId=1%&DeviceType=a",
        "Cmd=Sync&DeviceId=1%4&DeviceType=a",
        "Cmd=Sync&DeviceId=1&DeviceType=a%zz",
        "Cmd=Sync&DeviceId=1&DeviceType=a&%=1",
        "Cmd=Sync&DeviceId=1&DeviceType=a&CollectionId=%00",
        "Cmd=Sync&DeviceId=1&DeviceType=a&ItemId=a%0D%0Ab",
        "Cmd=Sync&DeviceId=1&DeviceType=a&AttachmentName=%FF",
        "DeviceId=1&DeviceType=a",
        "a=b",
        "&",
        "!",
        "",
    };

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        assert_refused(queries[i], "14.1", 400, 0, *state);
        assert_refused(queries[i], "2.5", 400, 0, *state);
    }
    assert_refused(NULL, "14.1", 400, 0, *state);
}

static void overlong_things_are_refused(void **state)
{
    char *query = apr_palloc(*state, 9000);

    memset(query, 'a', 8193);
    query[8193] = '\0';
    memcpy(query, "Cmd=Sync&DeviceId=1&DeviceType=b&x=", 35);
    assert_refused(query, "14.1", 400, 0, *state);
    query[8192] = '\0';
    must_parse(query, "14.1", *state);
    query = apr_palloc(*state, 9000);
    memset(query, 'a', 8000);
    memcpy(query, "Cmd=Sync&DeviceId=1&DeviceType=b&CollectionId=", 46);
    query[46 + 257] = '\0';
    assert_refused(query, "14.1", 400, 0, *state);
    query[46 + 256] = '\0';
    must_parse(query, "14.1", *state);
    assert_int_equal(strlen(req.collection_id), 256);
    /* the user only informs: cut, not refused */
    memset(query, 'u', 8000);
    memcpy(query, "Cmd=Sync&DeviceId=1&DeviceType=b&User=\xE4", 39);
    query[2000] = '\0';
    must_parse(query, "14.1", *state);
    assert_true(strlen(req.user) <= 260);
    assert_memory_equal(req.user, "\xEF\xBF\xBD", 3);
}

static void device_ids_up_to_32_characters(void **state)
{
    static const char *const bad[] = {
        "Cmd=Sync&DeviceType=a",
        "Cmd=Sync&DeviceId=&DeviceType=a",
        "Cmd=Sync&DeviceId&DeviceType=a",
        "Cmd=Sync&DeviceId=0123456789abcdef0123456789abcdef0&DeviceType=a",
        "Cmd=Sync&DeviceId=a%2Fb&DeviceType=a",
        "Cmd=Sync&DeviceId=a%00b&DeviceType=a",
        "Cmd=Sync&DeviceId=a,b&DeviceType=a",
        "Cmd=Sync&DeviceId=a+b&DeviceType=a",
        "Cmd=Sync&DeviceId=%C3%A4&DeviceType=a",
        "Cmd=Sync&DeviceId=a%0Ab&DeviceType=a",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(bad[i], "12.1", 400, 0, *state);
        assert_refused(bad[i], NULL, 400, 0, *state);
        assert_refused(bad[i], "14.0", 200, EAS_STATUS_DEVICE_ID_MISSING_OR_INVALID, *state);
        assert_refused(bad[i], "16.1", 200, EAS_STATUS_DEVICE_ID_MISSING_OR_INVALID, *state);
        assert_string_equal(req.device_id, "");
    }
    must_parse("Cmd=Sync&DeviceId=0123456789ABCDEF0123456789abcdef&DeviceType=a", "14.1", *state);
    assert_string_equal(req.device_id, "0123456789abcdef0123456789abcdef");
}

static void device_types_up_to_32_characters(void **state)
{
    static const char *const bad[] = {
        "Cmd=Sync&DeviceId=1",
        "Cmd=Sync&DeviceId=1&DeviceType=",
        "Cmd=Sync&DeviceId=1&DeviceType=0123456789abcdef0123456789abcdef0",
        "Cmd=Sync&DeviceId=1&DeviceType=a%00",
        "Cmd=Sync&DeviceId=1&DeviceType=%FF",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(bad[i], "12.1", 400, 0, *state);
        assert_refused(bad[i], "14.1", 200, EAS_STATUS_DEVICE_TYPE_MISSING_OR_INVALID, *state);
    }
    must_parse("Cmd=Sync&DeviceId=1&DeviceType=0123456789abcdef0123456789%C3%A4%C3%A4%C3%A4%C3%A4%"
               "C3%A4%C3%A4",
               "14.1", *state);
}

static void versions_of_the_plain_query(void **state)
{
    static const char query[] = "Cmd=Sync&DeviceId=1&DeviceType=a";

    must_parse(query, NULL, *state);
    assert_int_equal(req.version, EAS_V25);
    must_parse(query, "16.1", *state);
    assert_int_equal(req.version, EAS_V161);
    assert_refused(query, "17.0", 400, 0, *state);
    assert_refused(query, "", 400, 0, *state);
    assert_int_equal(req.version, 0);
}

static void a_version_above_the_ceiling_is_138_or_400(void **state)
{
    eas_resp_t resp = {.http_status = 200};

    req = (eas_req_t){
        .pool = *state, .query = "Cmd=Sync&DeviceId=1&DeviceType=a", .h_version = "16.0"};
    eas_err_t *err = eas_req_parse(&req, EAS_V141, 0);
    assert_int_equal(err->status, EAS_STATUS_VERSION_NOT_SUPPORTED);
    eas_resp_error(&resp, &req, err->status);
    assert_int_equal(resp.http_status, 200);
    assert_true(resp.body.len > 0);
    req.h_version = "12.1";
    err = eas_req_parse(&req, EAS_V120, 0);
    eas_resp_error(&resp, &req, err->status);
    assert_int_equal(resp.http_status, 400);
    assert_int_equal(resp.body.len, 0);
    assert_null(eas_req_parse(&req, EAS_V121, 0));
}

static void unknown_commands_are_501_and_their_name_is_harmless(void **state)
{
    assert_refused("Cmd=Teleport&DeviceId=1&DeviceType=a", "14.1", 501, 0, *state);
    assert_string_equal(req.cmd_name, "Teleport");
    assert_refused("Cmd=&DeviceId=1&DeviceType=a", "14.1", 501, 0, *state);
    assert_refused("Cmd=Sync%00&DeviceId=1&DeviceType=a", "14.1", 501, 0, *state);
    assert_refused("Cmd=a%0A%1B%3Cscript%3E_0123456789012345678901234567890123456789&DeviceId=1",
                   "2.5", 501, 0, *state);
    assert_string_equal(req.cmd_name, "a???script??01234567890123456789");
}

static void policy_key_header_is_a_32_bit_number(void **state)
{
    static const struct {
        const char *header;
        int has;
        apr_uint32_t key;
    } rows[] = {
        {NULL, 0, 0},
        {"0", 1, 0},
        {"3942919513", 1, 3942919513U},
        {"4294967295", 1, 4294967295U},
        {"4294967296", 1, 0},
        {"abc", 1, 0},
        {"", 1, 0},
        {"99999999999999999999999999", 1, 0},
        {"-1", 1, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        req = (eas_req_t){.pool = *state,
                          .query = "Cmd=Sync&DeviceId=1&DeviceType=a",
                          .h_policy_key = rows[i].header};
        assert_null(eas_req_parse(&req, EAS_V161, 0));
        assert_int_equal(req.has_policy_key, rows[i].has);
        assert_true(req.policy_key == rows[i].key);
    }
}

static void multipart_header(void **state)
{
    req = (eas_req_t){.pool = *state,
                      .query = "Cmd=ItemOperations&DeviceId=1&DeviceType=a",
                      .h_version = "14.1",
                      .h_multipart = "T"};
    assert_null(eas_req_parse(&req, EAS_V161, 0));
    assert_int_equal(req.accept_multipart, 1);
    req.h_multipart = "F";
    assert_null(eas_req_parse(&req, EAS_V161, 0));
    assert_int_equal(req.accept_multipart, 0);
}

static void base64_query_of_the_first_example(void **state)
{
    must_parse("jQAJBBBOaW5lMDEyMzQ1Njc4OUFCBFktBOsHQW5kcm9pZAcBAA==", NULL, *state);
    assert_int_equal(req.base64_query, 1);
    assert_int_equal(req.version, EAS_V141);
    assert_int_equal(req.cmd, EAS_CMD_SYNC);
    assert_string_equal(req.cmd_name, "Sync");
    assert_int_equal(req.locale, 0x0409);
    assert_string_equal(req.device_id, "nine0123456789ab");
    assert_int_equal(req.has_policy_key, 1);
    assert_true(req.policy_key == 3942919513U);
    assert_string_equal(req.device_type, "Android");
    assert_int_equal(req.save_in_sent, 0);
    assert_int_equal(req.accept_multipart, 0);
}

static void base64_query_of_the_other_examples(void **state)
{
    must_parse("eQQHBARBQjEyAAhQb2NrZXRQQwAGMTo5MDoy", NULL, *state);
    assert_int_equal(req.version, EAS_V121);
    assert_int_equal(req.cmd, EAS_CMD_GETATTACHMENT);
    assert_int_equal(req.locale, 0x0407);
    assert_string_equal(req.device_id, "ab12");
    assert_int_equal(req.has_policy_key, 0);
    assert_string_equal(req.device_type, "PocketPC");
    assert_string_equal(req.attachment_name, "1:90:2");

    must_parse("jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", "12.1", *state);
    assert_int_equal(req.version, EAS_V140); /* the query wins over the header */
    assert_int_equal(req.cmd, EAS_CMD_SYNC);
    assert_string_equal(req.device_id, "v140device");
    assert_string_equal(req.device_type, "SmartPhone");
}

static void base64_in_all_its_spellings(void **state)
{
    static const char *const queries[] = {
        "jQAJBBBOaW5lMDEyMzQ1Njc4OUFCBFktBOsHQW5kcm9pZAcBAA",
        "jQAJBBBOaW5lMDEyMzQ1Njc4OUFCBFktBOsHQW5kcm9pZAcBAA%3D%3d",
        "%6aQAJBBBOaW5lMDEyMzQ1Njc4OUFCBFktBOsHQW5kcm9pZAcBAA%3D=",
    };

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        must_parse(queries[i], NULL, *state);
        assert_string_equal(req.device_id, "nine0123456789ab");
    }
    /* a GUID whose base64 has both special characters, in both alphabets and escaped */
    static const char blob[] =
        "\x8D\x12\x09\x04\x10\xFF\xFB\xEF\xBE\xFF\xFF\xFF\x00\x01\x02\x03\x04\x05\x06\x07\x08"
        "\x00\x02iP";
    const char *standard = base64(BYTES(blob), *state);
    assert_non_null(strchr(standard, '+'));
    assert_non_null(strchr(standard, '/'));
    char *safe = apr_pstrdup(*state, standard), *escaped = apr_pstrdup(*state, "");
    for (char *p = safe; *p; p++) {
        if (*p == '+') {
            *p = '-';
            escaped = apr_pstrcat(*state, escaped, "%2B", NULL);
        } else if (*p == '/') {
            *p = '_';
            escaped = apr_pstrcat(*state, escaped, "%2f", NULL);
        } else {
            escaped = apr_psprintf(*state, "%s%c", escaped, *p);
        }
    }
    must_parse(standard, NULL, *state);
    assert_string_equal(req.device_id, "fffbefbeffffff000102030405060708");
    assert_int_equal(req.cmd, EAS_CMD_PING);
    must_parse(safe, NULL, *state);
    assert_string_equal(req.device_id, "fffbefbeffffff000102030405060708");
    must_parse(escaped, NULL, *state);
    assert_string_equal(req.device_id, "fffbefbeffffff000102030405060708");
}

static void every_parameter_of_the_base64_query(void **state)
{
    static const char blob[] = "\xA1\x13\x07\x04\x02"
                               "AB"
                               "\x04\xFF\xFF\xFF\xFF\x01T"
                               "\x00\x02"
                               "an"
                               "\x01\x01"
                               "c"
                               "\x02\x01"
                               "n"
                               "\x03\x03"
                               "1:2"
                               "\x04\x01"
                               "l"
                               "\x05\x01"
                               "p"
                               "\x06\x02"
                               "oc"
                               "\x07\x01\x03"
                               "\x08\x01"
                               "u"
                               "\x63\x03"
                               "new";

    must_parse(base64(BYTES(blob), *state), NULL, *state);
    assert_int_equal(req.version, EAS_V161);
    assert_int_equal(req.cmd, EAS_CMD_ITEMOPERATIONS);
    assert_true(req.policy_key == 0xFFFFFFFFU);
    assert_string_equal(req.attachment_name, "an");
    assert_string_equal(req.collection_id, "c");
    assert_string_equal(req.item_id, "1:2");
    assert_string_equal(req.long_id, "l");
    assert_string_equal(req.occurrence, "oc");
    assert_string_equal(req.user, "u");
    assert_int_equal(req.save_in_sent, 1);
    assert_int_equal(req.accept_multipart, 1);
}

/* Every cut that falls inside a field is refused; one that falls between parameters is a shorter
 * query. */
static void every_cut_of_the_base64_query_is_400(void **state)
{
    static const char blob[] = "\x8D\x00\x09\x04\x04"
                               "AB12"
                               "\x04\x01\x02\x03\x04\x02iP\x01\x02"
                               "12"
                               "\x07\x01\x01";
    const size_t whole = sizeof(blob) - 1;

    for (size_t n = 1; n <= whole; n++) {
        const char *query = base64(blob, n, *state);
        if (n == whole || n == whole - 3 || n == whole - 7)
            must_parse(query, NULL, *state);
        else
            assert_refused(query, NULL, 400, 0, *state);
    }
}

static void lengths_one_too_many_are_400(void **state)
{
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x05"
                                "AB12"),
                          *state),
                   NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x03"
                                "123"
                                "\x01i"),
                          *state),
                   NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x05"
                                "12345"
                                "\x01i"),
                          *state),
                   NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x00\x02i"),
                          *state),
                   NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x00\x01i\x01\x02x"),
                          *state),
                   NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x00\x01i\x07\x02\x01\x01"),
                          *state),
                   NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x00\x01i\x07\x00"),
                          *state),
                   NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x00\x01i\x01\x01\x00"),
                          *state),
                   NULL, 400, 0, *state);
}

static void device_of_the_base64_query(void **state)
{
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x00\x00\x01i"), *state), NULL, 200, 108, *state);
    assert_refused(base64(BYTES("\x79\x00\x09\x04\x00\x00\x01i"), *state), NULL, 400, 0, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x04"
                                "AB12"
                                "\x00\x00"),
                          *state),
                   NULL, 200, 109, *state);
    /* 17 bytes that are not printable would be 34 digits */
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x11\x01"
                                "23456789abcdef01"
                                "\x00\x01i"),
                          *state),
                   NULL, 200, 108, *state);
    must_parse(base64(BYTES("\x8D\x00\x09\x04\x20"
                            "0123456789abcdef0123456789abcdef"
                            "\x00\x01i"),
                      *state),
               NULL, *state);
    assert_refused(base64(BYTES("\x8D\x00\x09\x04\x21"
                                "0123456789abcdef0123456789abcdef0"
                                "\x00\x01i"),
                          *state),
                   NULL, 200, 108, *state);
}

static void versions_and_commands_of_the_base64_query(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        char blob[] = "\x8D\x00\x09\x04\x04"
                      "AB12"
                      "\x00\x01i";
        blob[0] = (char)byte;
        const char *query = base64(BYTES(blob), *state);
        if (byte == 121 || byte == 140 || byte == 141 || byte == 160 || byte == 161)
            must_parse(query, "2.5", *state);
        else
            assert_refused(query, "14.1", 400, 0, *state);
        blob[0] = (char)0x8D;
        blob[1] = (char)byte;
        query = base64(BYTES(blob), *state);
        if (byte < EAS_CMD_COUNT) {
            must_parse(query, NULL, *state);
            assert_int_equal(req.cmd, byte);
        } else {
            assert_refused(query, NULL, 501, 0, *state);
        }
    }
    assert_string_equal(req.cmd_name, "code255");
}

static void an_options_request_may_lack_everything(void **state)
{
    static const char *const queries[] = {
        NULL,     "",      "garbage",
        "User=x", "a=%zz", "Cmd=OPTIONS&User=bob&DeviceId=AB12&DeviceType=iPhone"};

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        req = (eas_req_t){.pool = *state, .query = queries[i]};
        assert_null(eas_req_parse(&req, EAS_V161, 1));
        assert_int_equal(req.cmd, EAS_CMD_UNKNOWN);
        assert_non_null(req.device_id);
        assert_non_null(req.device_type);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(plain_query_in_any_case_and_order),
        UNIT_TEST(values_of_a_plain_query_are_unescaped),
        UNIT_TEST(the_first_of_two_like_parameters_counts),
        UNIT_TEST(broken_plain_queries_are_400_in_every_version),
        UNIT_TEST(overlong_things_are_refused),
        UNIT_TEST(device_ids_up_to_32_characters),
        UNIT_TEST(device_types_up_to_32_characters),
        UNIT_TEST(versions_of_the_plain_query),
        UNIT_TEST(a_version_above_the_ceiling_is_138_or_400),
        UNIT_TEST(unknown_commands_are_501_and_their_name_is_harmless),
        UNIT_TEST(policy_key_header_is_a_32_bit_number),
        UNIT_TEST(multipart_header),
        UNIT_TEST(base64_query_of_the_first_example),
        UNIT_TEST(base64_query_of_the_other_examples),
        UNIT_TEST(base64_in_all_its_spellings),
        UNIT_TEST(every_parameter_of_the_base64_query),
        UNIT_TEST(every_cut_of_the_base64_query_is_400),
        UNIT_TEST(lengths_one_too_many_are_400),
        UNIT_TEST(device_of_the_base64_query),
        UNIT_TEST(versions_and_commands_of_the_base64_query),
        UNIT_TEST(an_options_request_may_lack_everything),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
