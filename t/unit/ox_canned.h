/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OX_CANNED_H
#define OX_CANNED_H
/**
 * A server of canned answers for the tests of the OX client: one thread in the test process, on a
 * loopback port of the kernel's choice. Answers go out in the order they were put in; what was
 * asked is kept. A request without an answer in store gets HTTP 500.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "ox_priv.h"

#define BYTES(literal) (literal), sizeof(literal) - 1
#define LOGIN_OK                                                                                   \
    "{\"session\":\"0123456789abcdef0123456789abcdef\",\"user_id\":4,\"context_id\":1}"
#define SESSION_GONE                                                                               \
    "{\"error\":\"secret text\",\"code\":\"SES-0203\","                                            \
    "\"categories\":\"TRY_AGAIN\",\"category\":4,\"error_id\":\"77-1\"}"

typedef struct canned_t canned_t;

canned_t *canned_start(void);
void canned_stop(canned_t *server);
int canned_port(const canned_t *server);
/** HTTP 200 with a JSON body. */
void canned_json(canned_t *server, const char *body);
/** Status line, headers (each with CRLF, may be "") and body; Content-Length is added. */
void canned_answer(canned_t *server, int status, const char *headers, const char *body);
/** Bytes as they are; @a hang_up: close afterwards. No bytes: close without an answer. */
void canned_raw(canned_t *server, const char *bytes, size_t len, int hang_up);
/** No answer for @a ms milliseconds, then the connection ends. */
void canned_stall(canned_t *server, int ms);
int canned_count(canned_t *server);
/** Request @a i: head and body as one text; "" when there was none. */
const char *canned_asked(canned_t *server, int i);

/** Pool, server, backend and credentials of a test. */
typedef struct bench_t {
    apr_pool_t *pool;
    canned_t *server;
    eas_ox_conf_t conf;
    eas_backend_t *be;
    eas_credentials_t cred;
} bench_t;

int bench_setup(void **state);
int bench_teardown(void **state);
/** The backend, made of bench->conf at the first call. */
eas_backend_t *bench_backend(bench_t *bench);
/** A session, logged in by request 0 of the server. */
eas_session_t *bench_session(bench_t *bench);

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
#define ASSERT_ASKED(bench, i, part) assert_non_null(strstr(canned_asked((bench)->server, i), part))
#define ASSERT_NOT_ASKED(bench, i, part) assert_null(strstr(canned_asked((bench)->server, i), part))
#define ASSERT_OK(err)                                                                             \
    do {                                                                                           \
        const eas_err_t *said = (err);                                                             \
        if (said)                                                                                  \
            fail_msg("unexpected error: %s", said->message);                                       \
    } while (0)
#define ASSERT_KIND(err, expected)                                                                 \
    do {                                                                                           \
        const eas_err_t *said = (err);                                                             \
        assert_non_null(said);                                                                     \
        assert_int_equal(said->kind, expected);                                                    \
    } while (0)

#endif
