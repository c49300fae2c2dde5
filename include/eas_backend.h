/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_BACKEND_H
#define EAS_BACKEND_H
/**
 * The backend contract: where a user's folders and items are. mod_eas/ox implements it for the
 * Open-Xchange HTTP API; nothing above it knows a URL, a column number or an OX error code.
 *
 * Groups of operations; a NULL group is not offered, and the commands that need it are not
 * advertised in OPTIONS.
 *
 * Threads: a backend is shared by all threads of a child and locks inside. A session belongs to one
 * request at a time. Memory: results live in the result pool, `pool` below; nothing outlives it.
 * A session that expired on the server is renewed once, silently, with the credentials given to
 * resume()/login(); when even that fails the error is EAS_E_SESSION, EAS_E_CREDENTIALS,
 * EAS_E_FORBIDDEN or EAS_E_UNAVAILABLE.
 */
#include "eas_err.h"
#include "eas_item.h"

typedef struct eas_backend_t eas_backend_t;
typedef struct eas_session_t eas_session_t;

/** What a request brings to log in with. All strings UTF-8; lives in the request's pool. */
typedef struct eas_credentials_t {
    const char *login;       /**< login name as the backend wants it (template already applied) */
    const char *password;    /**< never stored, never logged */
    const char *device_id;   /**< for the client's name in reports, may be "" */
    const char *client_ip;   /**< the phone's address */
    const char *user_agent;  /**< the phone's User-Agent, may be NULL */
} eas_credentials_t;

/** Who somebody is: never the login name (one person has several). */
typedef struct eas_identity_t {
    const char *backend;    /**< EASBackendName */
    const char *context_id; /**< OX context */
    const char *user_id;    /**< OX user in that context */
} eas_identity_t;

typedef struct eas_be_session_t {
    /** Logs in. */
    eas_err_t *(*login)(eas_session_t **session, eas_backend_t *be, const eas_credentials_t *cred,
                        apr_pool_t *pool);
    /** Takes a session up again from what dump() gave. No network. Damaged blob: EAS_E_SESSION. */
    eas_err_t *(*resume)(eas_session_t **session, eas_backend_t *be, const void *blob,
                         apr_size_t len, const eas_credentials_t *cred, apr_pool_t *pool);
    /** What must be kept to resume (session id, cookies, User-Agent; secret: seal it). */
    eas_err_t *(*dump)(const void **blob, apr_size_t *len, eas_session_t *session,
                       apr_pool_t *pool);
    /** True when dump() would differ from what login()/resume() started with: write the ticket. */
    int (*changed)(const eas_session_t *session);
    const eas_identity_t *(*identity)(const eas_session_t *session);
    /** Ends the session on the server, errors are of no interest. */
    void (*logout)(eas_session_t *session, apr_pool_t *scratch_pool);
} eas_be_session_t;

/** Roles of the default folders. */
typedef enum eas_role_t {
    EAS_ROLE_NONE = 0,
    EAS_ROLE_INBOX,
    EAS_ROLE_DRAFTS,
    EAS_ROLE_TRASH,
    EAS_ROLE_SENT,
    EAS_ROLE_SPAM
} eas_role_t;

typedef enum eas_class_t { EAS_CLASS_MAIL = 'm' } eas_class_t;

typedef struct eas_folder_t {
    const char *id;     /**< backend's id, opaque */
    const char *parent; /**< backend's id of the parent, NULL = top level */
    const char *title;
    eas_class_t klass;
    eas_role_t role;
    unsigned readonly : 1; /**< no change of items allowed */
} eas_folder_t;

typedef struct eas_be_folders_t {
    /** All folders of a class which the user may read and which take part in sync, parents before
     *  children. One call of the backend for mail. Array of eas_folder_t. */
    eas_err_t *(*list)(const eas_folder_t **folders, int *count, eas_session_t *session,
                       eas_class_t klass, apr_pool_t *pool);
} eas_be_folders_t;

/** The cheap probe of a mail folder (OX mail?action=examine; http-api.md 3.8). */
typedef struct eas_mail_tuple_t {
    apr_uint64_t validity; /**< UIDVALIDITY: another value voids all ids */
    apr_uint64_t next;     /**< UIDNEXT */
    apr_uint64_t modseq;   /**< highest mod-sequence, 0 = not given */
    apr_uint32_t total;
    apr_uint32_t unread;
} eas_mail_tuple_t;

/** Flag bits of a mail row, our own (not OX's). */
#define EAS_MF_SEEN 0x01
#define EAS_MF_FLAGGED 0x02
#define EAS_MF_ANSWERED 0x04
#define EAS_MF_FORWARDED 0x08
#define EAS_MF_DRAFT 0x10

/** One mail of a listing; 12 bytes, so that 100,000 of them are 1.2 MB. */
typedef struct eas_mail_row_t {
    apr_uint32_t uid;      /**< the mail's id in its folder */
    apr_uint32_t received; /**< seconds since the epoch, UTC */
    apr_uint16_t flags;    /**< EAS_MF_* */
    apr_uint16_t label;    /**< color label 0..10 */
} eas_mail_row_t;

/** One flag change: set and clear are EAS_MF_SEEN / EAS_MF_FLAGGED bits. */
typedef struct eas_mail_flags_t {
    apr_uint32_t uid;
    apr_uint16_t set, clear;
    eas_err_t *result; /**< out: NULL = done; EAS_E_NOT_FOUND: mail is gone */
} eas_mail_flags_t;

typedef struct eas_be_mail_t {
    /** Probe. EAS_E_FOLDER_GONE when the folder is away. */
    eas_err_t *(*status)(eas_mail_tuple_t *tuple, eas_session_t *session, const char *folder,
                         apr_pool_t *pool);
    /** Rows of the folder, newest received first; @a limit 0 = all of it, else the first @a limit.
     *  Mails marked \Deleted are left out. */
    eas_err_t *(*rows)(const eas_mail_row_t **rows, apr_size_t *count, eas_session_t *session,
                       const char *folder, apr_size_t limit, apr_pool_t *pool);
    /** The message, byte exact, not marked as read. EAS_E_NOT_FOUND, EAS_E_TOO_LARGE. Above 256 KB
     *  the bytes lie in an unlinked, mapped temp file that ends with @a pool. */
    eas_err_t *(*source)(eas_span_t *source, eas_session_t *session, const char *folder,
                         apr_uint32_t uid, apr_pool_t *pool);
    /** Changes flags of many mails, batched; results per mail in @a changes. The returned error is
     *  for the whole call (backend away). */
    eas_err_t *(*set_flags)(eas_session_t *session, const char *folder, eas_mail_flags_t *changes,
                            int count, apr_pool_t *pool);
    /** Deletes mails: to the trash, or for good when @a hard. failed[i] = 1: that one was not
     *  deleted. A mail that is gone already counts as deleted. */
    eas_err_t *(*remove)(char *failed, eas_session_t *session, const char *folder,
                         const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool);
    /** Envelope, body text cut to about @a max_text bytes and list of parts of many mails, batched,
     *  not marked as read: the properties of the section "preview" of eas_props.def. items[i] NULL:
     *  that mail is gone or cannot be shown faithfully this way, ask for its source. NULL function:
     *  not offered. */
    eas_err_t *(*preview)(eas_item_t **items, eas_session_t *session, const char *folder,
                          const apr_uint32_t *uids, int count, apr_size_t max_text,
                          apr_pool_t *pool);
} eas_be_mail_t;

struct eas_backend_t {
    const char *name; /**< EASBackendName: part of every hash, lock, cache and board key */
    const eas_be_session_t *session;
    const eas_be_folders_t *folders;
    const eas_be_mail_t *mail;
    void *ctx;
};

#endif
