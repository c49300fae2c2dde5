/* SPDX-License-Identifier: Apache-2.0 */
#include "sync_fixture.h"

#define MAX 40

typedef struct told_t {
    int status, count, same;
    char key[80];
    eas_hchange_t c[MAX];
} told_t;

/* One FolderSync; what is told lives in the world's pool. */
static told_t folder_sync(fx_t *fx, const char *key)
{
    told_t t = {0};
    const eas_hchange_t *changes = NULL;
    const char *newkey = NULL;
    eas_state_t *st = fx_open(fx, fx->pool);

    OK(eas_hierarchy_sync(&newkey, &changes, &t.count, &t.status, st, fx->session, key, fx->pool));
    OK(eas_state_commit(st));
    eas_state_close(st);
    assert_true(t.count <= MAX);
    for (int i = 0; i < t.count; i++)
        t.c[i] = changes[i];
    if (t.status == 1) {
        t.same = strcmp(newkey, key) == 0;
        apr_cpystrn(t.key, newkey, sizeof(t.key));
    }
    return t;
}

static const eas_hfolder_t *told_of(const told_t *t, eas_hop_t op, const char *title)
{
    for (int i = 0; i < t->count; i++)
        if (t->c[i].op == op && strcmp(t->c[i].folder->title, title) == 0)
            return t->c[i].folder;
    return NULL;
}

static void rename_folder(fx_t *fx, fx_folder_t *f, const char *id, const char *title)
{
    for (int i = 0; i < fx->nfolders; i++)
        if (fx->folders[i].parent && strcmp(fx->folders[i].parent, f->id) == 0)
            fx->folders[i].parent = apr_pstrdup(fx->pool, id);
    f->id = apr_pstrdup(fx->pool, id);
    f->title = apr_pstrdup(fx->pool, title);
}

static void synced(fx_t *fx, const char *cid)
{
    fx_phone_t *ph = fx_phone(fx, cid);
    fx_quiet(fx, ph, 10);
}

static void default_folders_have_fixed_ids(void **state)
{
    static const struct {
        eas_role_t role;
        const char *id;
        int type;
    } cases[] = {{EAS_ROLE_INBOX, "2", 2}, {EAS_ROLE_DRAFTS, "3", 3}, {EAS_ROLE_TRASH, "4", 4},
                 {EAS_ROLE_SENT, "5", 5},  {EAS_ROLE_SPAM, "12", 12}};
    fx_t *fx = *state;
    told_t t;

    for (int i = 0; i < 5; i++)
        fx_folder(fx, apr_psprintf(fx->pool, "default0/%d", i), NULL,
                  apr_psprintf(fx->pool, "Role %d", i), cases[i].role);
    t = folder_sync(fx, "0");
    assert_int_equal(t.count, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(t.c[i].op, EAS_H_ADD);
        assert_string_equal(t.c[i].folder->id, cases[i].id);
        assert_int_equal(t.c[i].folder->type, cases[i].type);
        assert_string_equal(t.c[i].folder->parent, "0");
    }
}

static void others_have_ids_of_a_hash_and_parents_come_first(void **state)
{
    fx_t *fx = *state;
    const eas_hfolder_t *a, *b;
    told_t t;

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    fx_folder(fx, "in/a", "in", "a", EAS_ROLE_NONE);
    fx_folder(fx, "in/a/b", "in/a", "b", EAS_ROLE_NONE);
    t = folder_sync(fx, "0");
    a = told_of(&t, EAS_H_ADD, "a");
    b = told_of(&t, EAS_H_ADD, "b");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(strlen(a->id), 11);
    assert_int_equal(a->id[0], 'm');
    assert_int_equal(strspn(a->id + 1, "abcdefghijklmnopqrstuvwxyz234567"), 10);
    assert_string_equal(a->parent, "2");
    assert_string_equal(b->parent, a->id);
    assert_int_equal(a->type, 12);
    assert_string_equal(t.c[2].folder->id, b->id);
    /* a lost state file gives the same ids */
    eas_store_memory_damage(fx->memory, "ox.example.org/1/7", fx->device);
    told_t again = folder_sync(fx, "0");
    assert_string_equal(told_of(&again, EAS_H_ADD, "b")->id, b->id);
}

static void nothing_new_is_the_same_key_and_nothing_written(void **state)
{
    fx_t *fx = *state;
    told_t t;

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    t = folder_sync(fx, "0");
    fx_reset(fx);
    t = folder_sync(fx, t.key);
    assert_true(t.same);
    assert_int_equal(t.count, 0);
    assert_int_equal(fx->calls.puts, 0);
    assert_int_equal(fx->calls.list, 1);
}

static void unknown_keys_are_status_9(void **state)
{
    fx_t *fx = *state;
    told_t t, u, v;

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    assert_int_equal(folder_sync(fx, "{00000000-0000-4000-8000-000000000000}1").status, 9);
    t = folder_sync(fx, "0");
    u = folder_sync(fx, "0");
    v = folder_sync(fx, "0");
    assert_int_equal(folder_sync(fx, t.key).status, 9);
    /* the last key 0 may have been a late one */
    assert_int_equal(folder_sync(fx, u.key).status, 1);
    assert_int_equal(folder_sync(fx, v.key).status, 1);
    assert_int_equal(folder_sync(fx, "nonsense").status, 9);
}

static void both_keys_can_be_repeated(void **state)
{
    fx_t *fx = *state;
    told_t first, second, t;

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    first = folder_sync(fx, "0");
    fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    second = folder_sync(fx, first.key);
    assert_non_null(told_of(&second, EAS_H_ADD, "a"));
    for (int i = 0; i < 2; i++) {
        t = folder_sync(fx, first.key); /* the answer got lost */
        assert_int_equal(t.count, 1);
        assert_string_equal(told_of(&t, EAS_H_ADD, "a")->id,
                            told_of(&second, EAS_H_ADD, "a")->id);
    }
    fx_folder(fx, "b", NULL, "b", EAS_ROLE_NONE);
    t = folder_sync(fx, first.key);
    assert_int_equal(t.count, 2);
    second = folder_sync(fx, t.key);
    assert_true(second.same);
    fx_find_folder(fx, "a")->gone = 1;
    t = folder_sync(fx, second.key);
    assert_int_equal(t.count, 1);
    assert_int_equal(folder_sync(fx, first.key).status, 9);
    assert_non_null(told_of(&t, EAS_H_DELETE, "a"));
}

static void key_0_keeps_ids_and_collection_keys(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    told_t t;
    fx_folder_t *a;
    char cid[80];

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    fx_deliver_many(fx, a, 3, 60);
    t = folder_sync(fx, "0");
    apr_cpystrn(cid, told_of(&t, EAS_H_ADD, "a")->id, sizeof(cid));
    ph = fx_phone(fx, cid);
    fx_quiet(fx, ph, 5);
    rename_folder(fx, a, "z", "z"); /* known again meanwhile: the id stays also under key 0 */
    t = folder_sync(fx, "0");
    assert_string_equal(told_of(&t, EAS_H_ADD, "z")->id, cid);
    fx_result_t r = fx_sync(fx, ph, &(fx_opts_t){0});
    assert_int_equal(r.status, 1);
    assert_int_equal(r.adds, 0);
    fx_same(fx, ph);
}

static void a_renamed_folder_is_known_by_its_numbers(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *a, *b;
    told_t t;
    char cid[80];

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    fx_deliver_many(fx, a, 3, 60);
    b = fx_folder(fx, "a/b", "a", "b", EAS_ROLE_NONE); /* never synced */
    t = folder_sync(fx, "0");
    apr_cpystrn(cid, told_of(&t, EAS_H_ADD, "a")->id, sizeof(cid));
    synced(fx, cid);
    rename_folder(fx, a, "c", "c");
    rename_folder(fx, b, "c/b", "b");
    t = folder_sync(fx, t.key);
    assert_int_equal(t.count, 1); /* b is known by its name below it: nothing to tell */
    assert_string_equal(told_of(&t, EAS_H_UPDATE, "c")->id, cid);
    b->parent = apr_pstrdup(fx->pool, "in");
    rename_folder(fx, b, "in/b", "b"); /* moved, never synced: its name is enough */
    t = folder_sync(fx, t.key);
    assert_int_equal(t.count, 1);
    assert_non_null(told_of(&t, EAS_H_UPDATE, "b"));
    b->parent = apr_pstrdup(fx->pool, "c");
    rename_folder(fx, b, "c/d", "d"); /* and another name as well: gone and new */
    t = folder_sync(fx, t.key);
    assert_non_null(told_of(&t, EAS_H_DELETE, "b"));
    assert_non_null(told_of(&t, EAS_H_ADD, "d"));
}

static void numbers_say_more_than_names(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *a, *b;
    told_t t;
    char cid[80];

    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    fx_deliver_many(fx, a, 3, 60);
    b = fx_folder(fx, "b", NULL, "b",
                  EAS_ROLE_NONE); /* never synced, and deleted at once with the rename */
    t = folder_sync(fx, "0");
    apr_cpystrn(cid, told_of(&t, EAS_H_ADD, "a")->id, sizeof(cid));
    synced(fx, cid);
    rename_folder(fx, a, "c", "c");
    b->gone = 1;
    t = folder_sync(fx, t.key);
    assert_string_equal(told_of(&t, EAS_H_UPDATE, "c")->id, cid);
    assert_non_null(told_of(&t, EAS_H_DELETE, "b"));
}

static void the_only_new_folder_is_the_one_that_was_renamed(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *a;
    told_t t;

    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    t = folder_sync(fx, "0");
    rename_folder(fx, a, "b", "b");
    t = folder_sync(fx, t.key);
    assert_int_equal(t.count, 1);
    assert_non_null(told_of(&t, EAS_H_UPDATE, "b"));
    rename_folder(fx, a, "c", "c");
    fx_folder(fx, "d", NULL, "d", EAS_ROLE_NONE); /* two new ones: which of them? */
    t = folder_sync(fx, t.key);
    assert_non_null(told_of(&t, EAS_H_DELETE, "b"));
    assert_non_null(told_of(&t, EAS_H_ADD, "c"));
    assert_non_null(told_of(&t, EAS_H_ADD, "d"));
}

static void two_that_look_alike_are_not_guessed(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *a, *b;
    told_t t;

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    b = fx_folder(fx, "b", NULL, "b", EAS_ROLE_NONE);
    b->validity = a->validity;
    t = folder_sync(fx, "0");
    synced(fx, told_of(&t, EAS_H_ADD, "a")->id);
    synced(fx, told_of(&t, EAS_H_ADD, "b")->id);
    rename_folder(fx, a, "x", "x");
    rename_folder(fx, b, "y", "y");
    t = folder_sync(fx, t.key);
    assert_non_null(told_of(&t, EAS_H_DELETE, "a"));
    assert_non_null(told_of(&t, EAS_H_DELETE, "b"));
    assert_non_null(told_of(&t, EAS_H_ADD, "x"));
    assert_non_null(told_of(&t, EAS_H_ADD, "y"));
}

static int count_row(void *baton, const char *key, const void *val, apr_size_t len)
{
    ++*(int *)baton;
    return 0;
}

static int rows_of(fx_t *fx, const char *prefix)
{
    int n = 0;
    eas_state_t *st = fx_open(fx, fx->pool);

    OK(fx->store.v->each(st->db, prefix, count_row, &n));
    eas_state_close(st);
    return n;
}

static void a_deleted_folder_leaves_no_rows(void **state)
{
    fx_t *fx = *state;
    const char *cid;
    fx_phone_t *ph;
    fx_folder_t *a;
    told_t t;

    fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    fx_deliver_many(fx, a, 5000, 60);
    t = folder_sync(fx, "0");
    cid = told_of(&t, EAS_H_ADD, "a")->id;
    ph = fx_phone(fx, cid);
    fx_quiet(fx, ph, 20);
    fx_command(fx, ph, EAS_C_CHANGE, 1, EAS_MF_SEEN, 0);
    fx_sync(fx, ph, &(fx_opts_t){0});
    assert_int_equal(rows_of(fx, "m/"), 3);
    assert_int_equal(rows_of(fx, "r/"), 1);
    a->gone = 1;
    t = folder_sync(fx, t.key);
    assert_non_null(told_of(&t, EAS_H_DELETE, "a"));
    assert_int_equal(rows_of(fx, "m/") + rows_of(fx, "r/") + rows_of(fx, "c/"), 0);
    assert_int_equal(rows_of(fx, "f/"), 1);
    assert_int_equal(fx_sync(fx, ph, &(fx_opts_t){0}).status, 8);
    a->gone = 0; /* and back: the same id, and the phone starts anew */
    t = folder_sync(fx, t.key);
    assert_string_equal(told_of(&t, EAS_H_ADD, "a")->id, cid);
    assert_int_equal(fx_sync(fx, ph, &(fx_opts_t){0}).status, 3);
}

static void another_default_folder_does_not_inherit_the_state(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *sent, *other;
    fx_phone_t *ph;
    told_t t;

    sent = fx_folder(fx, "sent", NULL, "Sent", EAS_ROLE_SENT);
    other = fx_folder(fx, "other", NULL, "Other", EAS_ROLE_NONE);
    other->validity = sent->validity; /* both made at once, on some servers */
    fx_deliver_many(fx, sent, 3, 600);
    fx_deliver_many(fx, other, 3, 60);
    t = folder_sync(fx, "0");
    ph = fx_phone(fx, "5");
    fx_quiet(fx, ph, 5);
    sent->role = EAS_ROLE_NONE;
    other->role = EAS_ROLE_SENT;
    t = folder_sync(fx, t.key);
    assert_int_equal(t.status, 1);
    assert_int_equal(fx_sync(fx, ph, &(fx_opts_t){0}).status, 3);
    fx_quiet(fx, ph, 5);
    fx_same(fx, ph);
}

static void titles_are_unique_and_never_empty(void **state)
{
    fx_t *fx = *state;
    told_t t;

    fx_folder(fx, "1", NULL, "Mail", EAS_ROLE_NONE);
    fx_folder(fx, "2", NULL, "Mail", EAS_ROLE_NONE);
    fx_folder(fx, "3", NULL, "Mail", EAS_ROLE_NONE);
    fx_folder(fx, "4", "1", "Mail", EAS_ROLE_NONE);
    fx_folder(fx, "5", NULL, "", EAS_ROLE_NONE);
    fx_folder(fx, "6", NULL, "a\x01" "b\xff", EAS_ROLE_NONE);
    t = folder_sync(fx, "0");
    assert_int_equal(t.count, 6);
    assert_non_null(told_of(&t, EAS_H_ADD, "Mail (2)"));
    assert_non_null(told_of(&t, EAS_H_ADD, "Mail (3)"));
    assert_string_equal(t.c[3].folder->title, "Mail");
    assert_non_null(told_of(&t, EAS_H_ADD, "?"));
    assert_non_null(told_of(&t, EAS_H_ADD, "ab\xef\xbf\xbd"));
    t = folder_sync(fx, t.key);
    assert_int_equal(t.count, 0);
}

static void two_folders_with_one_hash_get_two_ids(void **state)
{
    /* A rename keeps the id that was made of the old backend id; a new folder under that old
     * backend id would be given the same one. */
    fx_t *fx = *state;
    const eas_hfolder_t *fresh;
    fx_folder_t *a;
    told_t t;
    char cid[80];

    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    fx_deliver_many(fx, a, 3, 60);
    t = folder_sync(fx, "0");
    apr_cpystrn(cid, told_of(&t, EAS_H_ADD, "a")->id, sizeof(cid));
    synced(fx, cid);
    rename_folder(fx, a, "b", "b");
    t = folder_sync(fx, t.key);
    assert_string_equal(told_of(&t, EAS_H_UPDATE, "b")->id, cid);
    fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    t = folder_sync(fx, t.key);
    assert_int_equal(t.count, 1);
    fresh = told_of(&t, EAS_H_ADD, "a");
    assert_non_null(fresh);
    assert_string_not_equal(fresh->id, cid);
    assert_true(folder_sync(fx, t.key).same);
}

static void readonly_is_ours_and_no_news_for_the_phone(void **state)
{
    fx_t *fx = *state;
    const eas_hfolder_t *f;
    fx_folder_t *a;
    told_t t, u;

    a = fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    t = folder_sync(fx, "0");
    a->readonly = 1;
    u = folder_sync(fx, t.key);
    assert_int_equal(u.count, 0);
    assert_true(u.same);
    eas_state_t *st = fx_open(fx, fx->pool);
    OK(eas_hierarchy_find(&f, st, told_of(&t, EAS_H_ADD, "a")->id, fx->pool));
    assert_int_equal(f->readonly, 1);
    OK(eas_hierarchy_find(&f, st, "none", fx->pool));
    assert_null(f);
    eas_state_close(st);
    fx_reset(fx);
    assert_true(folder_sync(fx, u.key).same);
    assert_int_equal(fx->calls.puts, 0);
}

static void a_damaged_list_starts_anew_and_a_newer_one_stays(void **state)
{
    fx_t *fx = *state;
    const eas_hchange_t *changes;
    const char *key;
    const void *val;
    apr_size_t len;
    int count, status;
    told_t t, u;

    fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    t = folder_sync(fx, "0");
    eas_state_t *st = fx_open(fx, fx->pool);
    fx->store.v->put(st->db, "h", "\x01\x01\x02zz", 5);
    OK(eas_state_commit(st));
    eas_state_close(st);
    assert_int_equal(folder_sync(fx, t.key).status, 9);
    u = folder_sync(fx, "0");
    assert_string_equal(told_of(&u, EAS_H_ADD, "a")->id, told_of(&t, EAS_H_ADD, "a")->id);
    st = fx_open(fx, fx->pool);
    fx->store.v->put(st->db, "h", "\x02later", 6);
    OK(eas_state_commit(st));
    FAILS(EAS_E_NEWER, eas_hierarchy_sync(&key, &changes, &count, &status, st, fx->session, "0",
                                          fx->pool));
    OK(eas_state_commit(st));
    OK(fx->store.v->get(&val, &len, st->db, "h", fx->pool));
    assert_int_equal(len, 6);
    eas_state_close(st);
}

static void a_backend_that_is_away_changes_nothing(void **state)
{
    fx_t *fx = *state;
    const eas_hchange_t *changes;
    const char *key;
    int count, status;
    told_t t;

    fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    t = folder_sync(fx, "0");
    eas_state_t *st = fx_open(fx, fx->pool);
    fx->fail_in = 1;
    FAILS(EAS_E_UNAVAILABLE, eas_hierarchy_sync(&key, &changes, &count, &status, st, fx->session,
                                                t.key, fx->pool));
    OK(eas_state_commit(st));
    eas_state_close(st);
    assert_true(folder_sync(fx, t.key).same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(default_folders_have_fixed_ids),
        FX_TEST(others_have_ids_of_a_hash_and_parents_come_first),
        FX_TEST(nothing_new_is_the_same_key_and_nothing_written),
        FX_TEST(unknown_keys_are_status_9),
        FX_TEST(both_keys_can_be_repeated),
        FX_TEST(key_0_keeps_ids_and_collection_keys),
        FX_TEST(a_renamed_folder_is_known_by_its_numbers),
        FX_TEST(numbers_say_more_than_names),
        FX_TEST(the_only_new_folder_is_the_one_that_was_renamed),
        FX_TEST(two_that_look_alike_are_not_guessed),
        FX_TEST(a_deleted_folder_leaves_no_rows),
        FX_TEST(another_default_folder_does_not_inherit_the_state),
        FX_TEST(titles_are_unique_and_never_empty),
        FX_TEST(two_folders_with_one_hash_get_two_ids),
        FX_TEST(readonly_is_ours_and_no_news_for_the_phone),
        FX_TEST(a_damaged_list_starts_anew_and_a_newer_one_stays),
        FX_TEST(a_backend_that_is_away_changes_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
