/* A bearer token in a file, as a server checks it. */
#ifndef MAESTRO_SERVE_TOKEN_H
#define MAESTRO_SERVE_TOKEN_H

#include "base/err.h"

#include <stdbool.h>

typedef struct Token Token;

/* ERR_IO, ERR_INVALID (empty, or longer than 4 KiB), ERR_NOMEM. The path is copied. */
int token_open(const char *path, Token **ret_token, Error *err);
void token_close(Token *token); /* accepts NULL */
/* Whether an Authorization header bears it, or own (X-Maestro-Token) is it, which counts where it is there; NULL: none. In a time that
 * does not depend on how much of it is right. The file is
 * read again when that was more than 10 s ago, or 1 s before a text is refused, and one that cannot be read leaves the token as it
 * was. Any thread. */
bool token_matches(Token *token, const char *authorization, const char *own);

#endif
