/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of the WBXML room as lines "name value unit". CPU time of this thread, the best of
 * several rounds: what the code costs, not what else the machine does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <apr_general.h>

#include "eas_wbxml.h"

enum { ROUNDS = 9, MAILS = 100, BODY = 2048, MIME = 10 * 1024 * 1024 };

typedef void (*bench_fn)(void *data, apr_pool_t *pool);

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nanoseconds of one call. */
static double measure(bench_fn fn, void *data, int calls)
{
    double best = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu(), each;
        for (int i = 0; i < calls; i++) {
            fn(data, pool);
            apr_pool_clear(pool);
        }
        each = (cpu() - start) / calls;
        if (!round || each < best)
            best = each;
    }
    apr_pool_destroy(pool);
    return best;
}

static void must(eas_err_t *err)
{
    if (err) {
        fprintf(stderr, "bench_wbxml: %s\n", err->message);
        exit(1);
    }
}

static void decode(void *data, apr_pool_t *pool)
{
    const eas_span_t *doc = data;
    eas_node_t *root;

    must(eas_wbxml_read(&root, doc->data, doc->len, &eas_wbxml_limits, pool));
}

/* What a phone of 14.1 asks with: options with two body preferences, and changes of its own. */
static void write_sync_request(eas_writer_t *w)
{
    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_open(w, EAS_AIRSYNC_COLLECTIONS);
    eas_w_open(w, EAS_AIRSYNC_COLLECTION);
    eas_w_str(w, EAS_AIRSYNC_SYNCKEY, "{0b1f7f0e-8f44-49f6-8f0e-5a3d1c2b4e60}12");
    eas_w_str(w, EAS_AIRSYNC_COLLECTIONID, "1");
    eas_w_str(w, EAS_AIRSYNC_DELETESASMOVES, "1");
    eas_w_empty(w, EAS_AIRSYNC_GETCHANGES);
    eas_w_int(w, EAS_AIRSYNC_WINDOWSIZE, 100);
    eas_w_open(w, EAS_AIRSYNC_OPTIONS);
    eas_w_int(w, EAS_AIRSYNC_FILTERTYPE, 3);
    eas_w_int(w, EAS_AIRSYNC_MIMESUPPORT, 2);
    for (int type = 2; type <= 4; type += 2) {
        eas_w_open(w, EAS_AIRSYNCBASE_BODYPREFERENCE);
        eas_w_int(w, EAS_AIRSYNCBASE_TYPE, type);
        eas_w_int(w, EAS_AIRSYNCBASE_TRUNCATIONSIZE, 200000);
        eas_w_int(w, EAS_AIRSYNCBASE_PREVIEW, 250);
        eas_w_close(w);
    }
    eas_w_close(w);
    eas_w_open(w, EAS_AIRSYNC_COMMANDS);
    for (int i = 0; i < 6; i++) {
        eas_w_open(w, EAS_AIRSYNC_CHANGE);
        eas_w_str(w, EAS_AIRSYNC_SERVERID, "1:1234567");
        eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
        eas_w_int(w, EAS_EMAIL_READ, 1);
        eas_w_close(w);
        eas_w_close(w);
    }
    eas_w_close(w);
    eas_w_close(w);
    eas_w_close(w);
    eas_w_close(w);
}

static void encode(void *data, apr_pool_t *pool)
{
    eas_writer_t *w = eas_writer_create(pool);
    eas_span_t out;

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    for (int i = 0; i < MAILS; i++) {
        eas_w_open(w, EAS_AIRSYNC_ADD);
        eas_w_str(w, EAS_AIRSYNC_SERVERID, "1:1234567");
        eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
        eas_w_str(w, EAS_EMAIL_TO, "\"Bob Example\" <bob@example.com>");
        eas_w_str(w, EAS_EMAIL_FROM, "\"Alice Doe\" <alice@example.org>");
        eas_w_str(w, EAS_EMAIL_SUBJECT, "Quarterly numbers of the northern region");
        eas_w_str(w, EAS_EMAIL_DATERECEIVED, "2026-03-09T08:15:22.000Z");
        eas_w_int(w, EAS_EMAIL_IMPORTANCE, 1);
        eas_w_int(w, EAS_EMAIL_READ, 0);
        eas_w_open(w, EAS_AIRSYNCBASE_BODY);
        eas_w_int(w, EAS_AIRSYNCBASE_TYPE, 1);
        eas_w_int(w, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, BODY);
        eas_w_strn(w, EAS_AIRSYNCBASE_DATA, data, BODY);
        eas_w_close(w);
        eas_w_str(w, EAS_EMAIL_MESSAGECLASS, "IPM.Note");
        eas_w_int(w, EAS_EMAIL_INTERNETCPID, 65001);
        eas_w_opaque(w, EAS_EMAIL2_CONVERSATIONID, "0123456789abcdef", 16);
        eas_w_close(w);
        eas_w_close(w);
    }
    eas_w_close(w);
    must(eas_w_finish(&out, w));
}

static char *body_text(apr_pool_t *pool)
{
    static const char line[] =
        "A line of a mail as people write them, about seventy bytes long.\r\n";
    char *body = apr_palloc(pool, BODY);

    for (int i = 0; i < BODY; i++)
        body[i] = line[i % (sizeof(line) - 1)];
    return body;
}

/* What counts is that the MIME of the tree is the MIME of the request, not its like. */
static void check_no_copy(const eas_span_t *doc, apr_pool_t *pool)
{
    eas_node_t *root, *mime;

    must(eas_wbxml_read(&root, doc->data, doc->len, &eas_wbxml_limits, pool));
    mime = eas_node_child(root, EAS_COMPOSEMAIL_MIME);
    if (mime->data < doc->data || mime->data + MIME > doc->data + doc->len) {
        fprintf(stderr, "bench_wbxml: the MIME was copied\n");
        exit(1);
    }
}

int main(void)
{
    apr_pool_t *pool;
    eas_span_t sync, mail;
    eas_writer_t *w;
    char *mime;

    apr_initialize();
    apr_pool_create(&pool, NULL);

    w = eas_writer_create(pool);
    write_sync_request(w);
    must(eas_w_finish(&sync, w));
    printf("wbxml.decode_sync_request_size %u bytes\n", (unsigned)sync.len);
    printf("wbxml.decode_sync_request %.0f ns\n", measure(decode, &sync, 20000));

    printf("wbxml.encode_100_mails_2k %.1f us\n", measure(encode, body_text(pool), 500) / 1000);

    mime = calloc(1, MIME);
    memset(mime, 'm', MIME);
    w = eas_writer_create(pool);
    eas_w_open(w, EAS_COMPOSEMAIL_SENDMAIL);
    eas_w_str(w, EAS_COMPOSEMAIL_CLIENTID, "SendMail-1");
    eas_w_opaque(w, EAS_COMPOSEMAIL_MIME, mime, MIME);
    eas_w_close(w);
    must(eas_w_finish(&mail, w));
    free(mime);
    check_no_copy(&mail, pool);
    printf("wbxml.decode_sendmail_10m %.0f ns\n", measure(decode, &mail, 20000));
    apr_terminate();
    return 0;
}
