/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <wbxml/wbxml.h>
#include <wbxml/wbxml_conv.h>

#include "wbxml_tokens.h"

/* Where libwbxml spells an older name for the same token. */
static const struct {
    eas_tag_t tag;
    const char *name;
} other_names[] = {
    {0x0107, "AssistantTelephoneNumber"},
    {0x010D, "BusinessCity"},
    {0x010E, "BusinessCountry"},
    {0x010F, "BusinessPostalCode"},
    {0x0110, "BusinessState"},
    {0x0111, "BusinessStreet"},
    {0x0121, "HomeCity"},
    {0x0122, "HomeCountry"},
    {0x0123, "HomePostalCode"},
    {0x0124, "HomeState"},
    {0x0125, "HomeStreet"},
    {0x012D, "OtherCity"},
    {0x012E, "OtherCountry"},
    {0x012F, "OtherPostalCode"},
    {0x0130, "OtherState"},
    {0x0131, "OtherStreet"},
    {0x0219, "Reply-To"},
    {0x021D, "DTStamp"},
    {0x0229, "Recurrence_Type"},
    {0x022A, "Recurrence_Until"},
    {0x022B, "Recurrence_Occurrences"},
    {0x022C, "Recurrence_Interval"},
    {0x022D, "Recurrence_DayOfWeek"},
    {0x022E, "Recurrence_DayOfMonth"},
    {0x022F, "Recurrence_WeekOfMonth"},
    {0x0230, "Recurrence_MonthOfYear"},
    {0x023B, "FlagStatus"},
    {0x0405, "TimeZone"},
    {0x0409, "Attendee_Email"},
    {0x040A, "Attendee_Name"},
    {0x0411, "DTStamp"},
    {0x0415, "Exception_Deleted"},
    {0x0416, "Exception_StartTime"},
    {0x0419, "Organizer_Email"},
    {0x041A, "Organizer_Name"},
    {0x041C, "Recurrence_Type"},
    {0x041D, "Recurrence_Until"},
    {0x041E, "Recurrence_Occurrences"},
    {0x041F, "Recurrence_Interval"},
    {0x0420, "Recurrence_DayOfWeek"},
    {0x0421, "Recurrence_DayOfMonth"},
    {0x0422, "Recurrence_WeekOfMonth"},
    {0x0423, "Recurrence_MonthOfYear"},
    {0x0429, "Attendee_Status"},
    {0x042A, "Attendee_Type"},
    {0x090D, "UTCDueDate"},
    {0x0910, "Recurrence_Type"},
    {0x0911, "Recurrence_Start"},
    {0x0912, "Recurrence_Until"},
    {0x0913, "Recurrence_Occurrences"},
    {0x0914, "Recurrence_Interval"},
    {0x0915, "Recurrence_DayOfMonth"},
    {0x0916, "Recurrence_DayOfWeek"},
    {0x0917, "Recurrence_WeekOfMonth"},
    {0x0918, "Recurrence_MonthOfYear"},
    {0x0919, "Recurrence_Regenerate"},
    {0x091A, "Recurrence_DeadOccur"},
    {0x091F, "UTCStartDate"},
    {0x0E10, "DeviceEncryptionEnabled"},
    {0x121F, "SmtpAddress"},
    {0x122B, "ihsManagementInformation"},
    {0x1510, "MIME"},
    {0x1812, "RMOwner"},
    {0x1818, "RemoveRightsManagementDistribution"},
};

/* What libwbxml 0.11.8 does not know: leftovers from before 2.5, 14.0's Type and 16.1. All of page
 * 25 (Find) and of the vendor's page 254 as well. */
static const eas_tag_t not_known[] = {
    EAS_CALENDAR_ATTACHMENT,
    EAS_CALENDAR_ATTACHMENTS,
    EAS_CALENDAR_ATTNAME,
    EAS_CALENDAR_ATTSIZE,
    EAS_CALENDAR_ATTOID,
    EAS_CALENDAR_ATTMETHOD,
    EAS_CALENDAR_ATTREMOVED,
    EAS_CALENDAR_DISPLAYNAME,
    EAS_MEETINGRESPONSE_PROPOSEDSTARTTIME,
    EAS_MEETINGRESPONSE_PROPOSEDENDTIME,
    EAS_PROVISION_ACCOUNTONLYREMOTEWIPE,
    EAS_COMPOSEMAIL_TYPE,
};

static int witness_knows(eas_tag_t tag)
{
    for (size_t i = 0; i < sizeof(not_known) / sizeof(not_known[0]); i++) {
        if (not_known[i] == tag)
            return 0;
    }
    return tag >> 8 < EAS_PAGE_FIND;
}

static const char *witness_name(eas_tag_t tag)
{
    for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++) {
        if (other_names[i].tag == tag)
            return other_names[i].name;
    }
    return eas_tag_name(tag);
}

/* <Sync><tag>x</tag></Sync> as libwbxml reads it. */
static char *witness_reads(eas_tag_t tag, apr_pool_t *pool)
{
    eas_writer_t *w = eas_writer_create(pool);
    WBXMLConvWBXML2XML *conv;
    WB_UTINY *xml = NULL;
    WB_ULONG len = 0;

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_str(w, tag, "x");
    eas_w_close(w);
    eas_span_t doc = must_finish(w);
    assert_int_equal(wbxml_conv_wbxml2xml_create(&conv), WBXML_OK);
    wbxml_conv_wbxml2xml_set_language(conv, WBXML_LANG_ACTIVESYNC);
    wbxml_conv_wbxml2xml_set_charset(conv, WBXML_CHARSET_UTF_8);
    wbxml_conv_wbxml2xml_set_gen_type(conv, WBXML_GEN_XML_COMPACT);
    assert_int_equal(wbxml_conv_wbxml2xml_run(conv, (WB_UTINY *)doc.data, doc.len, &xml, &len),
                     WBXML_OK);
    wbxml_conv_wbxml2xml_destroy(conv);
    return (char *)xml;
}

static void libwbxml_gives_every_token_the_same_name(void **state)
{
    for (int i = 0; i < wbxml_token_count; i++) {
        eas_tag_t tag = wbxml_tokens[i].tag;
        char want[160];
        if (witness_knows(tag)) {
            if (tag >> 8 == 0)
                snprintf(want, sizeof(want), "<Sync xmlns=\"AirSync:\"><%s>", witness_name(tag));
            else
                snprintf(want, sizeof(want), "<Sync xmlns=\"AirSync:\"><%s xmlns=\"%s:\">",
                         witness_name(tag),
                         tag >> 8 == EAS_PAGE_GAL ? "Gal" : eas_tag_page_name(tag));
        } else {
            snprintf(want, sizeof(want), "<unknown>");
        }
        char *xml = witness_reads(tag, *state);
        if (!strstr(xml, want))
            fail_msg("tag %04x: no %s in %s", tag, want, xml);
        free(xml);
    }
}

static void every_token_survives_writing_and_reading(void **state)
{
    assert_true(wbxml_token_count > 650);
    for (int i = 0; i < wbxml_token_count; i++) {
        eas_tag_t tag = wbxml_tokens[i].tag;
        eas_writer_t *w = eas_writer_create(*state);
        eas_w_open(w, tag);
        eas_w_str(w, tag, "text");
        eas_w_empty(w, tag);
        eas_w_opaque(w, tag, "\0\1", 2);
        eas_w_close(w);
        eas_span_t doc = must_finish(w);
        eas_node_t *root = must_read(doc.data, doc.len, *state);
        assert_int_equal(root->tag, tag);
        eas_node_t *node = eas_node_child(root, tag);
        assert_string_equal(eas_node_str(node, *state), "text");
        node = eas_node_next(node, tag);
        assert_int_equal(node->content, 0);
        node = eas_node_next(node, tag);
        assert_int_equal(node->opaque, 1);
        assert_int_equal(node->len, 2);
        assert_null(node->next);
    }
}

static void names_lead_to_tags_and_back(void **state)
{
    for (int i = 0; i < wbxml_token_count; i++) {
        eas_tag_t tag = wbxml_tokens[i].tag;
        assert_int_equal(eas_tag_lookup(eas_tag_page_name(tag), eas_tag_name(tag)), tag);
    }
    assert_int_equal(eas_tag_lookup("AirSync", "Sync"), 0x0005);
    assert_int_equal(eas_tag_lookup("Find", "Picture"), 0x1922);
    assert_int_equal(eas_tag_lookup("Airsync", "Sync"), 0);
    assert_int_equal(eas_tag_lookup("AirSync", "Nothing"), 0);
    assert_null(eas_tag_name(0x0004));
    assert_null(eas_tag_name(0x1A05));
    assert_null(eas_tag_page_name(0x1A05));
    assert_string_equal(eas_tag_page_name(EAS_WINDOWSLIVE_VALUE), "WindowsLive");
}

static void tokens_know_their_versions(void **state)
{
    int first, last;

    assert_true(eas_tag_versions(&first, &last, EAS_AIRSYNC_SYNC));
    assert_int_equal(first, 25);
    assert_int_equal(last, 0);
    assert_true(eas_tag_versions(&first, &last, EAS_FIND_FIND));
    assert_int_equal(first, 161);
    /* from before 2.5: counted as 2.5, where it is still seen */
    assert_true(eas_tag_versions(&first, &last, EAS_AIRSYNC_VERSION));
    assert_int_equal(first, 25);
    assert_int_equal(last, 25);
    assert_false(eas_tag_versions(&first, &last, 0x00FF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(every_token_survives_writing_and_reading),
        UNIT_TEST(names_lead_to_tags_and_back),
        UNIT_TEST(tokens_know_their_versions),
        UNIT_TEST(libwbxml_gives_every_token_the_same_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
