/* SPDX-License-Identifier: Apache-2.0 */
/* Records as they were written by version 1 (t/data/state/v1) must be read by every later version:
 * an upgrade never makes the phones start anew. A record of a later version is never overwritten.
 *
 * EAS_GOLDEN_WRITE=directory writes the files instead, for a new version's own directory. */
#include "sync_fixture.h"

#include <stdio.h>
#include <apr_file_io.h>

static const struct {
    const char *file, *key;
} rows[] = {
    {"head", "c/2"}, {"chunk", "m/2/1"}, {"hierarchy", "h"}, {"folder", "f/2"}, {"replay", "r/2"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define DEVICE "ox.example.org/1/7\nphone1"

static const char *path_of(fx_t *fx, const char *name)
{
    const char *src = getenv("EAS_SRCDIR"), *out = getenv("EAS_GOLDEN_WRITE");

    if (out)
        return apr_psprintf(fx->pool, "%s/%s", out, name);
    return apr_psprintf(fx->pool, "%s/t/data/state/v1/%s", src ? src : EAS_SRCDIR, name);
}

static char *read_golden(apr_size_t *len, fx_t *fx, const char *name)
{
    char *data = apr_pcalloc(fx->pool, 65536);
    FILE *f = fopen(path_of(fx, name), "rb");

    if (!f)
        fail_msg("no file %s", path_of(fx, name));
    *len = fread(data, 1, 65535, f);
    fclose(f);
    return data;
}

static void write_golden(fx_t *fx, const char *name, const void *data, apr_size_t len)
{
    FILE *f = fopen(path_of(fx, name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    fclose(f);
}

/* The world of the records: ten mails of May 2024, one read by the phone, one deleted by it. */
static fx_folder_t *world(fx_t *fx)
{
    fx_folder_t *f = fx_folder(fx, "default0/INBOX", NULL, "Inbox", EAS_ROLE_INBOX);

    for (apr_uint32_t i = 0; i < 10; i++) {
        fx_deliver(fx, f, 0);
        f->mails[i].received = 1714500000 + i * 3600;
        f->mails[i].flags = i % 2 ? EAS_MF_SEEN : 0;
    }
    return f;
}

static void seen(fx_t *fx)
{
    eas_state_t *st = fx_open(fx, fx->pool);

    OK(eas_device_seen(st, "iPhone", "Apple-iPhone/2205.1", 161));
    eas_state_close(st);
}

static void write_all(fx_t *fx)
{
    fx_folder_t *f = world(fx);
    fx_phone_t *ph = fx_phone(fx, "2");
    const void *val;
    apr_size_t len;
    char previous[80];

    fx_hierarchy(fx);
    seen(fx);
    fx_quiet(fx, ph, 5);
    apr_cpystrn(previous, ph->key, sizeof(previous));
    fx_command(fx, ph, EAS_C_CHANGE, 1, EAS_MF_SEEN, 0);
    fx_command(fx, ph, EAS_C_DELETE, 2, 0, 0);
    fx_sync(fx, ph, &(fx_opts_t){0});
    assert_int_equal(f->n, 9);
    eas_state_t *st = fx_open(fx, fx->pool);
    for (unsigned i = 0; i < ROWS; i++) {
        OK(fx->store.v->get(&val, &len, st->db, rows[i].key, fx->pool));
        assert_non_null(val);
        write_golden(fx, rows[i].file, val, len);
    }
    OK(fx->store.v->recall(&val, &len, &fx->store, "device", DEVICE, fx->pool));
    write_golden(fx, "device", val, len);
    val = apr_psprintf(fx->pool, "%s\n%s\n%s\n", ph->key, previous, fx->hkey);
    write_golden(fx, "keys", val, strlen(val));
    eas_state_close(st);
}

typedef struct keys_t {
    char *newest, *previous, *hierarchy;
} keys_t;

static keys_t load(fx_t *fx)
{
    eas_state_t *st = fx_open(fx, fx->pool);
    apr_size_t len;
    char *last, *text;
    keys_t k;

    for (unsigned i = 0; i < ROWS; i++) {
        const char *val = read_golden(&len, fx, rows[i].file);
        fx->store.v->put(st->db, rows[i].key, val, len);
    }
    OK(eas_state_commit(st));
    eas_state_close(st);
    text = read_golden(&len, fx, "device");
    OK(fx->store.v->keep(&fx->store, "device", DEVICE, text, len, fx->pool));
    text = read_golden(&len, fx, "keys");
    k.newest = apr_strtok(text, "\n", &last);
    k.previous = apr_strtok(NULL, "\n", &last);
    k.hierarchy = apr_strtok(NULL, "\n", &last);
    fx_reset(fx);
    return k;
}

/* The phone as it was. */
static fx_phone_t *phone_at(fx_t *fx, const char *key, int after)
{
    fx_phone_t *ph = fx_phone(fx, "2");

    apr_cpystrn(ph->key, key, sizeof(ph->key));
    ph->has = calloc(1024, 1);
    ph->cap = 1024;
    for (apr_uint32_t uid = 1; uid <= 10; uid++)
        ph->has[uid] = (unsigned char)(0x80 | (uid % 2 ? 0 : EAS_MF_SEEN));
    ph->count = 10;
    if (after) {
        ph->has[1] |= EAS_MF_SEEN;
        ph->has[2] = 0;
        ph->count = 9;
    }
    return ph;
}

static void write_when_asked(void **state)
{
    if (getenv("EAS_GOLDEN_WRITE"))
        write_all(*state);
}

static void the_newest_key_goes_on(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *f = world(fx);
    keys_t k = load(fx);
    fx_phone_t *ph = phone_at(fx, k.newest, 1);
    fx_result_t r;

    f->mails[0].flags = EAS_MF_SEEN;
    fx_delete(f, 2);
    r = fx_sync(fx, ph, &(fx_opts_t){0});
    assert_int_equal(r.status, 1);
    assert_int_equal(r.adds + r.changes + r.deletes, 0);
    fx_deliver(fx, f, 0);
    fx_delete(f, 5);
    fx_flag(f, 7, EAS_MF_FLAGGED);
    r = fx_sync(fx, ph, &(fx_opts_t){0});
    assert_int_equal(r.adds, 1);
    assert_int_equal(r.changes, 1);
    assert_int_equal(r.deletes, 1);
    fx_same(fx, ph);
}

static void the_previous_key_is_a_repeat(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *f = world(fx);
    keys_t k = load(fx);
    fx_phone_t *ph = phone_at(fx, k.previous, 0);

    f->mails[0].flags = EAS_MF_SEEN;
    fx_delete(f, 2);
    fx->watch = 0; /* the phone's commands as they were */
    fx_command(fx, ph, EAS_C_CHANGE, 1, EAS_MF_SEEN, 0);
    fx_command(fx, ph, EAS_C_DELETE, 2, 0, 0);
    fx_result_t r = fx_sync(fx, ph, &(fx_opts_t){0});
    assert_int_equal(r.status, 1);
    assert_true(r.replayed);
    assert_int_equal(fx->calls.set_flags + fx->calls.remove, 0);
    assert_int_equal(r.adds + r.changes + r.deletes, 0);
    fx_same(fx, ph);
}

static void the_hierarchy_and_the_device_are_known(void **state)
{
    fx_t *fx = *state;
    const eas_hchange_t *changes;
    const eas_hfolder_t *f;
    const char *key;
    int count, status;

    world(fx);
    keys_t k = load(fx);
    eas_state_t *st = fx_open(fx, fx->pool);
    OK(eas_hierarchy_sync(&key, &changes, &count, &status, st, fx->session, k.hierarchy, fx->pool));
    assert_int_equal(status, 1);
    assert_int_equal(count, 0);
    assert_string_equal(key, k.hierarchy);
    OK(eas_hierarchy_find(&f, st, "2", fx->pool));
    assert_string_equal(f->oxid, "default0/INBOX");
    assert_int_equal(f->type, 2);
    eas_state_close(st);
    seen(fx);
    assert_int_equal(fx->calls.keeps, 0);
    assert_int_equal(fx->calls.puts, 0);
}

/* Uses the state in every way; the first error. */
static eas_err_t *use(fx_t *fx, const keys_t *k)
{
    const eas_hchange_t *changes;
    const char *key;
    eas_coll_t *coll;
    eas_ccmd_t cmd = {.op = EAS_C_CHANGE, .id = "2:3", .set = EAS_MF_SEEN, .status = 1};
    int count, status, more;
    eas_state_t *st = fx_open(fx, fx->pool);
    const eas_change_t *picked;
    eas_err_t *err = eas_hierarchy_sync(&key, &changes, &count, &status, st, fx->session,
                                        k->hierarchy, fx->pool);
    if (!err)
        err = eas_coll_open(&coll, &status, st, "2", k->previous, fx->pool);
    if (!err) {
        assert_non_null(coll);
        eas_coll_set_view(coll, 0, fx->visible);
        err = eas_coll_commands(coll, &cmd, 1, 0, fx->session);
    }
    if (!err)
        err = eas_coll_refresh(coll, fx->session);
    if (!err)
        err = eas_coll_pick(&picked, &count, &more, coll, 10, fx->pool);
    if (!err)
        err = eas_coll_finish(&key, coll);
    if (!err)
        err = eas_state_commit(st);
    eas_state_close(st);
    return err;
}

static void later_records_are_never_overwritten(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *f = world(fx);
    keys_t k = load(fx);
    const void *val;
    apr_size_t len, now;

    fx_delete(f, 9);
    for (unsigned i = 0; i < ROWS; i++) {
        char *later = read_golden(&len, fx, rows[i].file);
        eas_state_t *st = fx_open(fx, fx->pool);
        later[0]++;
        fx->store.v->put(st->db, rows[i].key, later, len);
        OK(eas_state_commit(st));
        eas_state_close(st);
        FAILS(EAS_E_NEWER, use(fx, &k));
        st = fx_open(fx, fx->pool);
        OK(fx->store.v->get(&val, &now, st->db, rows[i].key, fx->pool));
        assert_int_equal(now, len);
        assert_memory_equal(val, later, len);
        later[0]--;
        fx->store.v->put(st->db, rows[i].key, later, len);
        OK(eas_state_commit(st));
        eas_state_close(st);
    }
    OK(use(fx, &k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(write_when_asked),
        FX_TEST(the_newest_key_goes_on),
        FX_TEST(the_previous_key_is_a_repeat),
        FX_TEST(the_hierarchy_and_the_device_are_known),
        FX_TEST(later_records_are_never_overwritten),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
