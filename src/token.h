/* Tokens: text that leads to one life of a region, and to no other. */
#ifndef WINSHM_TOKEN_H
#define WINSHM_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "winshm.h"

/** What a token says. */
struct token {
    char name[WINSHM_NAME_MAX + 1]; /* without prefix */
    bool global;                    /* the prefix is Global\ */
    bool writable;
    uint32_t id[4]; /* of the life, as the control block has it */
    uint64_t size;  /* at creation */
};

/** Put it into the one form that is a token.
 * @param text [out] room for WINSHM_TOKEN_MAX + 1 bytes.
 * @return the length without the NUL. */
uint32_t wshm_token_format(const struct token *token, char *text);

/**
 * Read a token. Only what wshm_token_format() has made is one.
 *
 * @param text  may be anything; never read beyond the longest token's NUL.
 * @param token [out] obeys name.h; undefined after a failure.
 * @return WINSHM_OK, WINSHM_E_TOKEN, or WINSHM_E_LAYOUT for a token of another
 *         version, and notes why.
 */
winshm_status wshm_token_parse(const char *text, struct token *token);

/** Room for a name with its prefix, and the NUL. */
enum { TOKEN_NAME_BYTES = sizeof "Global\\" + WINSHM_NAME_MAX };

/** Put the prefix back before a name that was taken apart.
 * @param name [out] room for TOKEN_NAME_BYTES. @return its length. */
uint32_t wshm_token_name(const char *bare, bool global, char *name);

#endif
