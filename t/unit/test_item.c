/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_item.h"

static void a_property_is_absent_null_or_a_value(void **state)
{
    eas_item_t *it = eas_item_create(*state);
    assert_int_equal(eas_item_state(it, EAS_P_MAIL_READ), EAS_PS_ABSENT);
    assert_int_equal(eas_item_bool(it, EAS_P_MAIL_READ, 5), 5);
    eas_item_set_null(it, EAS_P_MAIL_READ);
    assert_int_equal(eas_item_state(it, EAS_P_MAIL_READ), EAS_PS_NULL);
    assert_int_equal(eas_item_bool(it, EAS_P_MAIL_READ, 5), 5);
    eas_item_set_bool(it, EAS_P_MAIL_READ, 4);
    assert_int_equal(eas_item_state(it, EAS_P_MAIL_READ), EAS_PS_VALUE);
    assert_int_equal(eas_item_bool(it, EAS_P_MAIL_READ, 5), 1);
    eas_item_set_null(it, EAS_P_MAIL_READ);
    assert_int_equal(eas_item_bool(it, EAS_P_MAIL_READ, 0), 0);
}

static void values_of_each_type_come_back_in_any_order_of_setting(void **state)
{
    eas_item_t *it = eas_item_create(*state);
    eas_item_set_span(it, EAS_P_MAIL_SOURCE, "abc", 2);
    eas_item_set_int(it, EAS_P_MAIL_LABEL, -3);
    eas_item_set_time(it, EAS_P_MAIL_RECEIVED, 1234567890123456);
    eas_item_set_bool(it, EAS_P_MAIL_FLAGGED, 0);
    assert_true(eas_item_time(it, EAS_P_MAIL_RECEIVED, 0) == 1234567890123456);
    assert_int_equal(eas_item_int(it, EAS_P_MAIL_LABEL, 0), -3);
    assert_int_equal(eas_item_bool(it, EAS_P_MAIL_FLAGGED, 1), 0);
    assert_int_equal(eas_item_span(it, EAS_P_MAIL_SOURCE).len, 2);
    assert_null(eas_item_span(eas_item_create(*state), EAS_P_MAIL_SOURCE).data);
}

static void every_property_can_be_set_and_told_apart(void **state)
{
    eas_item_t *it = eas_item_create(*state);
    for (int p = EAS_P_COUNT - 1; p >= 0; p -= 2)
        eas_item_set_null(it, (eas_prop_t)p);
    for (int p = 0; p < EAS_P_COUNT; p++)
        assert_int_equal(eas_item_state(it, (eas_prop_t)p),
                         (EAS_P_COUNT - 1 - p) % 2 == 0 ? EAS_PS_NULL : EAS_PS_ABSENT);
}

static void a_getter_of_another_type_gives_the_default(void **state)
{
    eas_item_t *it = eas_item_create(*state);
    eas_item_set_int(it, EAS_P_MAIL_LABEL, 3);
    assert_string_equal(eas_item_str(it, EAS_P_MAIL_LABEL, "none"), "none");
    assert_int_equal(eas_item_bool(it, EAS_P_MAIL_LABEL, 7), 7);
}

static void names_and_types_are_those_of_the_list(void **state)
{
    assert_string_equal(eas_prop_name(EAS_P_MAIL_RECEIVED), "MAIL_RECEIVED");
    assert_int_equal(eas_prop_type(EAS_P_MAIL_RECEIVED), EAS_PT_TIME);
    assert_int_equal(eas_prop_type(EAS_P_MAIL_SOURCE), EAS_PT_SPAN);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(a_property_is_absent_null_or_a_value),
    POOL_TEST(values_of_each_type_come_back_in_any_order_of_setting),
    POOL_TEST(every_property_can_be_set_and_told_apart),
    POOL_TEST(a_getter_of_another_type_gives_the_default),
    POOL_TEST(names_and_types_are_those_of_the_list),
};
RUN(tests)
