/* SPDX-License-Identifier: Apache-2.0 */
#include "store_unit.h"

static int fix_memory(void **state)
{
    *state = fix_create(0);
    return 0;
}

static void damage_is_told_once_and_the_device_is_empty(void **state)
{
    fix_t *f = *state;
    eas_db_t *db;
    commit(f, "k", "v");
    eas_store_memory_damage(f->store, USER, DEVICE);
    FAILS(EAS_E_STATE, f->store->v->open(&db, f->store, USER, DEVICE, f->pool));
    assert_null(db);
    assert_null(read_row(f, "k"));
    commit(f, "k", "again");
    assert_string_equal(read_row(f, "k"), "again");
}

static void other_devices_are_not_touched_by_damage(void **state)
{
    fix_t *f = *state;
    eas_db_t *db;
    commit(f, "k", "v");
    eas_store_memory_damage(f->store, USER, "another");
    assert_string_equal(read_row(f, "k"), "v");
    FAILS(EAS_E_STATE, f->store->v->open(&db, f->store, USER, "another", f->pool));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(damage_is_told_once_and_the_device_is_empty, fix_memory,
                                    fix_destroy),
    cmocka_unit_test_setup_teardown(other_devices_are_not_touched_by_damage, fix_memory,
                                    fix_destroy),
};
RUN(tests)
