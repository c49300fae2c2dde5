/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_int.h"

#include <ctype.h>
#include <string.h>

#define TAG "keyring"
#define KEYS_MAX 32
#define KEY_BYTES_MIN 32
#define KEY_TEXT_MAX 1024

struct eas_keyring_t {
    int count;
    eas_key_t keys[KEYS_MAX];
};

static apr_status_t wipe_ring(void *data)
{
    eas_wipe(data, sizeof(eas_keyring_t));
    return APR_SUCCESS;
}

static eas_keyring_t *make(apr_pool_t *pool)
{
    eas_keyring_t *ring = apr_pcalloc(pool, sizeof(*ring));
    apr_pool_cleanup_register(pool, ring, wipe_ring, apr_pool_cleanup_null);
    return ring;
}

static void add(eas_keyring_t *ring, const char *id, apr_size_t idlen, const void *key,
                apr_size_t len)
{
    eas_key_t *k = &ring->keys[ring->count++];
    memcpy(k->id, id, idlen);
    k->id[idlen] = '\0';
    eas_hmac_key(k->prk, "mod_eas", 7, key, len); /* HKDF-Extract with a salt of our own */
}

const eas_key_t *eas_keyring_find(const eas_keyring_t *ring, const char *id, apr_size_t idlen)
{
    if (!id)
        return &ring->keys[0];
    for (int i = 0; i < ring->count; i++)
        if (strlen(ring->keys[i].id) == idlen && memcmp(ring->keys[i].id, id, idlen) == 0)
            return &ring->keys[i];
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int base64_digit(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at;
    if (c == '-' || c == '_')
        c = c == '-' ? '+' : '/';
    at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Key text to bytes, on the caller's stack so that it can be wiped; 0 when it is neither. A text of
 * hex digits only is hex. */
static apr_size_t decode(unsigned char out[KEY_TEXT_MAX], const char *text, apr_size_t len)
{
    apr_size_t n = 0, i;
    unsigned acc = 0;
    int have = 0;

    for (i = 0; i < len && hex_digit(text[i]) >= 0; i++)
        ;
    if (i == len && len % 2 == 0) {
        for (i = 0; i < len; i += 2)
            out[n++] = (unsigned char)(hex_digit(text[i]) << 4 | hex_digit(text[i + 1]));
        return n;
    }
    for (int pad = 0; pad < 2 && len && text[len - 1] == '='; pad++)
        len--;
    for (i = 0; i < len; i++) {
        int v = base64_digit(text[i]);
        if (v < 0)
            return 0;
        acc = (acc << 6 | (unsigned)v) & 0x3FFF;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (unsigned char)(acc >> have);
        }
    }
    return len % 4 == 1 ? 0 : n;
}

static int good_id(const char *id, apr_size_t len)
{
    if (len == 0 || len > EAS_KEY_ID_MAX)
        return 0;
    for (apr_size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)id[i]) && id[i] != '_' && id[i] != '-')
            return 0;
    return 1;
}

/* One line without its end. Returns what is wrong with it, or NULL; never any of its text. */
static const char *parse_line(eas_keyring_t *ring, const char *p, apr_size_t len)
{
    unsigned char key[KEY_TEXT_MAX];
    const char *end = p + len, *id, *text;
    apr_size_t idlen, n;

    while (end > p && strchr(" \t\r", end[-1]) && end[-1])
        end--;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == end || *p == '#')
        return NULL;
    for (id = p; p < end && *p != ' ' && *p != '\t'; p++)
        ;
    idlen = p - id;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    text = p;
    if (!good_id(id, idlen))
        return "the id is not a word of 1 to 16 letters, digits, '-' or '_'";
    if (text == end)
        return "there is no key after the id";
    if (end - text > KEY_TEXT_MAX)
        return "the key is too long";
    if (eas_keyring_find(ring, id, idlen))
        return "the id is there twice";
    if (ring->count == KEYS_MAX)
        return "there are more than 32 keys";
    n = decode(key, text, end - text);
    if (n >= KEY_BYTES_MIN)
        add(ring, id, idlen, key, n);
    eas_wipe(key, sizeof(key));
    if (n == 0)
        return "the key is neither base64 nor hex";
    return n < KEY_BYTES_MIN ? "the key is shorter than 32 bytes" : NULL;
}

eas_err_t *eas_keyring_parse(eas_keyring_t **ring, const char *text, apr_size_t len,
                             apr_pool_t *pool)
{
    eas_keyring_t *r = make(pool);
    const char *end = text + len;

    *ring = NULL;
    for (int line = 1; text < end; line++) {
        const char *nl = memchr(text, '\n', end - text);
        const char *stop = nl ? nl : end;
        const char *wrong = parse_line(r, text, stop - text);
        if (wrong)
            return eas_err_create(pool, EAS_E_INVALID, TAG, "line %d: %s", line, wrong);
        text = nl ? nl + 1 : end;
    }
    if (r->count == 0)
        return eas_err_create(pool, EAS_E_INVALID, TAG, "line 1: there is no key in the file");
    *ring = r;
    return NULL;
}

eas_err_t *eas_keyring_random(eas_keyring_t **ring, apr_pool_t *pool)
{
    unsigned char key[EAS_KEY_LEN];
    eas_random(key, sizeof(key));
    *ring = make(pool);
    add(*ring, "random", 6, key, sizeof(key));
    eas_wipe(key, sizeof(key));
    return NULL;
}
