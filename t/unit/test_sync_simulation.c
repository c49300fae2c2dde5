/* SPDX-License-Identifier: Apache-2.0 */
/* Years of a phone's life, played at random from a seed: mail comes and goes, answers get lost, the
 * backend fails, the process dies before or in the middle of writing, state is damaged, ids become
 * void. The phone must never be told nonsense (the fixture's phone fails the test then), its
 * commands must take effect exactly once, and whenever it comes to rest it has what the server
 * shows.
 *
 * EAS_SIM_SEED=n plays one seed, EAS_SIM_STEPS=n sets the length. */
#include "sync_fixture.h"

#include <stdio.h>

#define FOLDERS 3

typedef struct sim_t {
    fx_t *fx;
    fx_folder_t *f[FOLDERS];
    fx_phone_t *ph[FOLDERS];
    apr_uint32_t rnd;
    apr_time_t shift;
    int touched[FOLDERS];  /* changes on the server since the last complete Sync */
    int trouble[FOLDERS];  /* commands may rightly be executed again */
    int excused[FOLDERS];  /* the phone may be told to start anew */
    long syncs, lost, died, failed, damaged, commands, rests;
} sim_t;

static unsigned roll(sim_t *s, unsigned below)
{
    s->rnd ^= s->rnd << 13;
    s->rnd ^= s->rnd >> 17;
    s->rnd ^= s->rnd << 5;
    return (s->rnd >> 4) % below;
}

static apr_uint32_t any_mail(sim_t *s, int i)
{
    /* mostly one of the newest, as with people */
    unsigned n = (unsigned)s->f[i]->n, back;
    if (!n)
        return 0;
    back = roll(s, 4) ? roll(s, n < 30 ? n : 30) : roll(s, n);
    return s->f[i]->mails[n - 1 - back].uid;
}

static void server_step(sim_t *s)
{
    int i = (int)roll(s, FOLDERS);
    apr_uint32_t uid = any_mail(s, i);

    s->touched[i] += 2;
    switch (roll(s, 9)) {
    case 0:
    case 1:
    case 2:
        fx_deliver(s->fx, s->f[i], roll(s, 3) ? 0 : (apr_time_t)roll(s, 40 * 86400));
        break;
    case 3:
        for (unsigned n = roll(s, 30); n > 0; n--, s->touched[i]++)
            fx_deliver(s->fx, s->f[i], (apr_time_t)roll(s, 86400));
        break;
    case 4:
        fx_delete(s->f[i], uid);
        break;
    case 5:
        fx_flag(s->f[i], uid, EAS_MF_SEEN);
        break;
    case 6:
        fx_flag(s->f[i], uid, roll(s, 2) ? EAS_MF_FLAGGED : EAS_MF_ANSWERED);
        break;
    case 7: { /* moved to another folder: a new uid there, the same time */
        int to = (int)roll(s, FOLDERS);
        const fx_mail_t *m = fx_mail(s->f[i], uid);
        if (m && to != i) {
            unsigned flags = m->flags;
            apr_uint32_t moved = fx_deliver(s->fx, s->f[to],
                                            apr_time_sec(eas_now()) - (apr_time_t)m->received);
            fx_mail(s->f[to], moved)->flags = flags;
            fx_delete(s->f[i], uid);
            s->touched[to] += 2;
        }
        break;
    }
    default: /* one goes, one comes, old ones both: total and unread stay */
        fx_delete(s->f[i], uid);
        fx_deliver(s->fx, s->f[i], (apr_time_t)roll(s, 40 * 86400));
        s->touched[i]++;
    }
}

static void phone_step(sim_t *s)
{
    int i = (int)roll(s, FOLDERS);
    fx_phone_t *ph = s->ph[i];
    apr_uint32_t uid = any_mail(s, i);

    if (!uid || !fx_phone_has(ph, uid) || ph->npending >= 30)
        return;
    for (int k = 0; k < ph->npending; k++)
        if (ph->pending[k].uid == uid)
            return;
    s->commands++;
    if (!roll(s, 4)) {
        fx_command(s->fx, ph, EAS_C_DELETE, uid, 0, 0);
    } else {
        unsigned bit = roll(s, 2) ? EAS_MF_SEEN : EAS_MF_FLAGGED;
        fx_command(s->fx, ph, EAS_C_CHANGE, uid, roll(s, 3) ? bit : 0, 0);
        if (!ph->pending[ph->npending - 1].set)
            ph->pending[ph->npending - 1].clear = bit;
    }
}

/* Whatever was executed was executed once, unless the server could not know that it had been. */
static void check_executed(int trouble, const fx_phone_t *ph, const fx_command_t *cmds, int n,
                           const fx_result_t *r)
{
    for (int i = 0; i < n; i++) {
        if (cmds[i].done > 1 && !trouble)
            fail_msg("%s: command on %u was executed %d times", ph->cid, cmds[i].uid, cmds[i].done);
        if (r->status == 1 && r->cmd_status[i] == 1 && cmds[i].op == EAS_C_CHANGE && !cmds[i].done)
            fail_msg("%s: command on %u was acknowledged but never executed", ph->cid, cmds[i].uid);
    }
}

static void sync_step(sim_t *s)
{
    int i = (int)roll(s, FOLDERS), died, failing, before = s->fx->calls.chunk_puts, bound, npending;
    fx_phone_t *ph = s->ph[i];
    fx_opts_t o = {.window = (int)roll(s, 40) + 1};
    fx_command_t cmds[32];
    fx_result_t r;

    if (!roll(s, 12))
        ph->filter = (int)roll(s, 6);
    o.lose = !roll(s, 6);
    o.no_changes = !roll(s, 15);
    o.stop = !roll(s, 25);
    o.vanish = !roll(s, 40);
    if (!roll(s, 20))
        o.window = -1;
    if (!roll(s, 15))
        s->fx->fail_in = (int)roll(s, 4) + 1;
    if (!roll(s, 15))
        s->fx->die_after = (int)roll(s, 5);
    failing = s->fx->fail_in;
    died = s->fx->die_after >= 0;
    if (o.stop || died || failing)
        s->trouble[i] = 1;
    memcpy(cmds, ph->pending, sizeof(cmds));
    npending = ph->npending;
    for (int k = 0; k < npending; k++)
        cmds[k].done = 0;
    bound = 6 + s->touched[i] + 2 * npending;
    r = fx_sync(s->fx, ph, &o);
    s->fx->fail_in = 0;
    s->fx->die_after = -1;
    for (int k = 0; k < npending && ph->npending == npending; k++)
        cmds[k].done = ph->pending[k].done;
    if (r.status == 1 && ph->npending != 0)
        check_executed(s->trouble[i], ph, cmds, npending, &r);
    if (r.status == 3 && !s->excused[i])
        fail_msg("%s: Status 3 without cause", ph->cid);
    if (r.status == 3)
        s->excused[i] = 0;
    s->syncs++;
    s->lost += o.lose;
    s->died += s->fx->died;
    s->failed += r.status == 0;
    bound += r.adds + r.changes + r.deletes + r.softs;
    if (s->fx->calls.chunk_puts - before > bound)
        fail_msg("%s: %d rows written, %d expected at most", ph->cid,
                 s->fx->calls.chunk_puts - before, bound);
    if (r.status == 1 && !ph->npending)
        s->touched[i] = 0;
    /* An answer that got lost: the phone repeats, now and then with other commands or none. */
    if (ph->npending && !roll(s, 5)) {
        ph->npending = roll(s, 2) ? 0 : ph->npending - 1;
    }
    if (!ph->npending)
        s->trouble[i] = 0;
}

static void disaster(sim_t *s)
{
    int i = (int)roll(s, FOLDERS);

    switch (roll(s, 3)) {
    case 0:
        eas_store_memory_damage(s->fx->memory, "ox.example.org/1/7", s->fx->device);
        s->damaged++;
        for (i = 0; i < FOLDERS; i++)
            s->excused[i] = 1;
        memcpy(s->fx->hkey, "0", 2);
        fx_hierarchy(s->fx);
        break;
    case 1:
        fx_new_validity(s->f[i]);
        s->excused[i] = 1;
        break;
    default:
        s->fx->cache = s->fx->cfg.cache = eas_mem_cache_create(s->fx->pool); /* a reload */
    }
}

static void pass_time(sim_t *s, apr_interval_time_t t)
{
    s->shift += t;
    eas_clock_shift(s->shift);
}

/* The phone is left alone until nothing comes any more, as long as it takes to compare all
 * flags. */
static void rest(sim_t *s)
{
    for (int i = 0; i < FOLDERS; i++) {
        fx_phone_t *ph = s->ph[i];
        int estimate;

        fx_quiet(s->fx, ph, 200);
        pass_time(s, apr_time_from_sec(901));
        fx_quiet(s->fx, ph, 200);
        fx_same(s->fx, ph);
        estimate = fx_estimate(s->fx, ph, ph->filter);
        if (estimate != 0)
            fail_msg("%s: at rest, but the estimate is %d", ph->cid, estimate);
        s->touched[i] = s->trouble[i] = s->excused[i] = 0;
    }
    s->rests++;
}

/* Estimate and Sync say the same when nothing happens in between. */
static void estimate_step(sim_t *s)
{
    int i = (int)roll(s, FOLDERS), estimate;
    fx_phone_t *ph = s->ph[i];
    fx_result_t r;

    if (ph->npending || strcmp(ph->key, "0") == 0)
        return;
    estimate = fx_estimate(s->fx, ph, ph->filter);
    r = fx_sync(s->fx, ph, &(fx_opts_t){.window = 512});
    if (estimate >= 0 && r.status == 1 && r.pending != estimate)
        fail_msg("%s: estimate %d, but Sync finds %d", ph->cid, estimate, r.pending);
}

static void play(apr_uint32_t seed, int steps, int modseq, int big)
{
    static const char *ids[FOLDERS] = {"in", "sent", "own"};
    static const eas_role_t roles[FOLDERS] = {EAS_ROLE_INBOX, EAS_ROLE_SENT, EAS_ROLE_NONE};
    const eas_hchange_t *changes;
    const char *key, *own = NULL;
    int count, status;
    void *state;
    sim_t s = {.rnd = seed * 2654435761u + 1};

    fx_setup(&state);
    s.fx = state;
    s.fx->with_modseq = modseq;
    for (int i = 0; i < FOLDERS; i++)
        s.f[i] = fx_folder(s.fx, ids[i], NULL, ids[i], roles[i]);
    fx_deliver_many(s.fx, s.f[0], big, 3600);
    eas_state_t *st = fx_open(s.fx, s.fx->pool);
    OK(eas_hierarchy_sync(&key, &changes, &count, &status, st, s.fx->session, "0", s.fx->pool));
    OK(eas_state_commit(st));
    for (int i = 0; i < count; i++)
        if (changes[i].folder->type == 12)
            own = changes[i].folder->id;
    eas_state_close(st);
    apr_cpystrn(s.fx->hkey, key, sizeof(s.fx->hkey));
    s.ph[0] = fx_phone(s.fx, "2");
    s.ph[1] = fx_phone(s.fx, "5");
    s.ph[2] = fx_phone(s.fx, own);
    for (int step = 0; step < steps; step++) {
        unsigned r = roll(&s, 100);
        if (r < 35)
            server_step(&s);
        else if (r < 50)
            phone_step(&s);
        else if (r < 93)
            sync_step(&s);
        else if (r < 96)
            estimate_step(&s);
        else if (r < 98)
            pass_time(&s, (apr_interval_time_t)roll(&s, 7200) * APR_USEC_PER_SEC);
        else if (!roll(&s, 15))
            disaster(&s);
        if (step % 400 == 399)
            rest(&s);
    }
    rest(&s);
    assert_int_equal(s.fx->calls.each, 0);
    printf("# seed %u: %ld syncs, %ld answers lost, %ld died writing, %ld failed, %ld commands, "
           "%ld damages, %ld rests, %d backend calls for %d rows\n",
           seed, s.syncs, s.lost, s.died, s.failed, s.commands, s.damaged, s.rests,
           s.fx->calls.status + s.fx->calls.set_flags + s.fx->calls.remove, s.fx->calls.rows);
    fx_teardown(&state);
}

static int number(const char *name, int dflt)
{
    const char *text = getenv(name);
    return text ? (int)strtol(text, NULL, 10) : dflt;
}

static void small_folders(void **state)
{
    int seed = number("EAS_SIM_SEED", 0), steps = number("EAS_SIM_STEPS", 3000);

    if (seed) {
        play((apr_uint32_t)seed, steps, seed % 3 == 0, 0);
        return;
    }
    for (seed = 1; seed <= 8; seed++)
        play((apr_uint32_t)seed, steps, seed % 3 == 0, 0);
}

static void a_big_folder(void **state)
{
    play(77, number("EAS_SIM_STEPS", 3000) / 3, 0, 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_folders),
        cmocka_unit_test(a_big_folder),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
