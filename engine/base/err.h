/*
 * Error codes and the text that goes with them.
 *
 * Every function that can fail returns 0 or a negative ErrCode. Functions that touch the world also fill an
 * Error, whose text names the thing and the cause ("deployment shop/cart: scale: 409 conflict"), in lower case
 * and without a full stop. A low function returns; the top of a thread or a command prints, once.
 */
#ifndef MAESTRO_BASE_ERR_H
#define MAESTRO_BASE_ERR_H

/* name, text, exit status of a command that ends with it (the contract's: 1 failed, 2 usage, 3 refused,
 * 4 API or Prometheus unreachable, 5 bad model or data, 6 gate failed) */
#define ERR_TABLE(X)                                                 \
	X(FAILED, "failed", 1)                                       \
	X(NOMEM, "out of memory", 1)                                 \
	X(IO, "input or output failed", 1)                           \
	X(STORE, "the run store failed", 1)                          \
	X(BUSY, "queue is full", 1)                                  \
	X(CLOSED, "closed", 1)                                       \
	X(CANCELLED, "cancelled", 1)                                 \
	X(NONFINITE, "a value is not finite", 1)                     \
	X(USAGE, "wrong usage", 2)                                   \
	X(REFUSED, "refused", 3)                                     \
	X(FORBIDDEN, "forbidden", 3)                                 \
	X(CONFLICT, "changed by somebody else", 3)                   \
	X(UNREACHABLE, "unreachable", 4)                             \
	X(TIMEOUT, "timed out", 4)                                   \
	X(UNAUTHORIZED, "unauthorized", 4)                           \
	X(HTTP, "unexpected HTTP answer", 4)                         \
	X(NOT_FOUND, "not found", 1)                                 \
	X(NO_DATA, "no data", 4)                                     \
	X(STALE, "stale data", 4)                                    \
	X(PARSE, "cannot be parsed", 5)                              \
	X(INVALID, "invalid", 5)                                     \
	X(BAD_MODEL, "bad model", 5)                                 \
	X(GATE, "a gate failed", 6)

enum ErrOrdinal { ERR_ORD_OK, /* so that codes start at -1 */
#define ERR_ORD(name, text, exit_status) ERR_ORD_##name,
	ERR_TABLE(ERR_ORD)
#undef ERR_ORD
	ERR_ORD_COUNT
};

enum ErrCode {
#define ERR_CODE(name, text, exit_status) ERR_##name = -ERR_ORD_##name,
	ERR_TABLE(ERR_CODE)
#undef ERR_CODE
};

typedef struct Error {
	int code;        /* ERR_*, 0 when nothing failed */
	int http_status; /* of the answer that failed, else 0 */
	char text[256];  /* what is wrong, with names */
} Error;

/* Text of a code; "ok" for 0, never NULL. */
const char *err_text(int code);

/* Exit status that the contract gives to a code; 0 for 0. */
int err_exit_status(int code);

/* Fills err (NULL is allowed) from a printf format and returns code, so that it can stand in a return. The text is made plain
 * (utf8_make_plain), since a server's words may be in it. */
__attribute__((format(printf, 3, 4))) int error_set(Error *err, int code, const char *format, ...);

#endif
