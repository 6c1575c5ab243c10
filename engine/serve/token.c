/* See token.h. */
#include "serve/token.h"

#include "base/mem.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { TOKEN_MAX = 4096, READ_AGAIN_S = 10, REFUSED_AGAIN_S = 1 };

struct Token {
	char *path;
	pthread_mutex_t lock; /* of what follows */
	char text[TOKEN_MAX]; /* padded with zeros: all of it is compared */
	time_t read_s;        /* monotonic */
};

static time_t now_s(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

static int read_file(Token *token, Error *err)
{
	StrBuf buf = { 0 };
	int code = mem_read_file(token->path, TOKEN_MAX - 1, &buf, err);
	while (!code && buf.len > 0 && isspace((unsigned char) buf.data[buf.len - 1]))
		buf.len--;
	if (!code && buf.len == 0)
		code = error_set(err, ERR_INVALID, "%s: the token file is empty", token->path);
	if (!code) {
		explicit_bzero(token->text, sizeof token->text);
		memcpy(token->text, buf.data, buf.len);
	}
	token->read_s = now_s();
	strbuf_wipe(&buf);
	return code;
}

int token_open(const char *path, Token **ret_token, Error *err)
{
	Token *token = calloc(1, sizeof *token);
	if (!token || !(token->path = strdup(path))) {
		free(token);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	(void) pthread_mutex_init(&token->lock, NULL);
	int code = read_file(token, err);
	if (code)
		token_close(token);
	else
		*ret_token = token;
	return code;
}

void token_close(Token *token)
{
	if (!token)
		return;
	explicit_bzero(token->text, sizeof token->text);
	(void) pthread_mutex_destroy(&token->lock);
	free(token->path);
	free(token);
}

/* Takes as long for any text. */
static bool is_token(const Token *token, const char given[TOKEN_MAX])
{
	unsigned differs = 0;
	for (size_t i = 0; i < TOKEN_MAX; i++)
		differs |= (unsigned char) (given[i] ^ token->text[i]);
	return !differs;
}

bool token_matches(Token *token, const char *authorization, const char *own)
{
	char given[TOKEN_MAX] = "";
	const char *text = own;
	if (!own && authorization && !strncasecmp(authorization, "Bearer ", 7))
		text = authorization + 7 + strspn(authorization + 7, " ");
	bool differs = text && strlen(text) >= sizeof given;
	if (text)
		strncpy(given, text, sizeof given - 1);
	(void) pthread_mutex_lock(&token->lock);
	if (now_s() - token->read_s >= READ_AGAIN_S)
		(void) read_file(token, NULL);
	bool answer = !differs && is_token(token, given);
	if (!answer && now_s() - token->read_s >= REFUSED_AGAIN_S && !read_file(token, NULL)) /* it may be the new one */
		answer = !differs && is_token(token, given);
	(void) pthread_mutex_unlock(&token->lock);
	return answer;
}
