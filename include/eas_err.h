/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_ERR_H
#define EAS_ERR_H
/**
 * Errors that carry their story.
 *
 * A function that can fail returns `eas_err_t *`; NULL is success. Lower rooms build an error where
 * they notice it, upper rooms wrap it with what they were doing. Nobody logs on the way up: only
 * the two converters do, once, with the whole chain (the command dispatcher turns kinds into EAS
 * Status values, the httpd room into HTTP statuses; the numbers stand in protocol/eas_status.h).
 *
 *     eas_err_t *err = be->mail->status(&tuple, session, folder, pool);
 *     if (err)
 *         return eas_err_wrap(pool, err, "sync", "cannot probe collection %s", cid);
 *
 * Messages never hold a password, a session id, a subject or a body.
 */
#include <apr_pools.h>

/** What went wrong, as far as the caller's reaction differs. */
typedef enum eas_kind_t {
    EAS_E_INTERNAL = 1, /**< a bug or an unexpected failure */
    EAS_E_BAD_WBXML,    /**< bytes that do not decode (Status 102 / HTTP 400) */
    /** decodable but of wrong structure (Status 103 or the command's own / 400) */
    EAS_E_BAD_REQUEST,
    EAS_E_TOO_LARGE,    /**< over a limit (HTTP 413) */
    EAS_E_UNSUPPORTED,  /**< command, version, media type or encoding that is not spoken */
    EAS_E_CREDENTIALS,  /**< the backend says the password is wrong: the only cause of a 401 */
    EAS_E_FORBIDDEN,    /**< account locked, not entitled, device refused (403) */
    EAS_E_UNAVAILABLE,  /**< backend or store is away for the moment (503, Retry-After) */
    /** another request holds the lease, or a limit of concurrency is reached */
    EAS_E_BUSY,
    EAS_E_SESSION,      /**< the backend session is gone and could not be renewed */
    EAS_E_NOT_FOUND,    /**< no such object */
    EAS_E_FOLDER_GONE,  /**< the folder itself is gone: the hierarchy has changed */
    EAS_E_CONFLICT,     /**< the object changed since */
    EAS_E_EXISTS,       /**< name or object is there already */
    EAS_E_PERMISSION,   /**< the backend refuses this object or action to the user */
    EAS_E_INVALID,      /**< the data itself is not acceptable (item Status 6) */
    EAS_E_QUOTA,        /**< out of space */
    EAS_E_GONE,         /**< a cursor too old, or ids void (UIDVALIDITY): list anew */
    EAS_E_STATE,        /**< our state is damaged and was set aside: this device resyncs */
    EAS_E_NEWER         /**< a record of a later format version: never overwrite, 503 */
} eas_kind_t;

typedef struct eas_err_t eas_err_t;
struct eas_err_t {
    eas_kind_t kind;
    int status;          /**< EAS Status to answer where the builder knows it, else 0 */
    int retry_after;     /**< seconds for Retry-After, 0 = the converter's default */
    const char *tag;     /**< short place name for the log, e.g. "ox.login" (static string) */
    const char *message; /**< English, for the log */
    const char *detail;  /**< e.g. OX code and error_id, or NULL */
    eas_err_t *cause;    /**< what a lower room said, or NULL */
};

/** Builds an error in @a pool. @a tag is a string constant. */
eas_err_t *eas_err_create(apr_pool_t *pool, eas_kind_t kind, const char *tag, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Wraps @a cause: kind, status and retry_after are taken over from it. */
eas_err_t *eas_err_wrap(apr_pool_t *pool, eas_err_t *cause, const char *tag, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** From an APR status (message is APR's); APR_ENOMEM and friends are EAS_E_INTERNAL. */
eas_err_t *eas_err_apr(apr_pool_t *pool, apr_status_t rv, const char *tag, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** The whole chain on one line: "sync: cannot probe ..: ox.call: HTTP 502 [MSG-0074 id 12-3]". */
const char *eas_err_chain(const eas_err_t *err, apr_pool_t *pool);

#endif
