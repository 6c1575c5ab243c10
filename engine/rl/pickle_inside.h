/* The inside of a pickle's machine, for pickle.c (which reads and runs) and pickle_ops.c (what each opcode does). */
#ifndef MAESTRO_RL_PICKLE_INSIDE_H
#define MAESTRO_RL_PICKLE_INSIDE_H

#include "rl/pickle.h"

struct Pickle {
	PickleValue *value; /* [len] */
	PickleItem *item;   /* [len] */
	PickleValue **stack, **memo; /* [len] */
	size_t *mark;       /* [len] heights of the stack */
	char *text;         /* [2 len + 2] copies of strings, each with its NUL */
	size_t len, n_values, n_items, n_stack, n_marks, n_memo, n_text;
	const char *const *globals;
	Error *err;
};

/* What follows the opcode: nothing, a little-endian number, a length and as many bytes, or text to the end of two lines. */
typedef enum Operand { NOTHING, U8, U16, I32, U32, U64, F64, TEXT8, TEXT32, LINES } Operand;

typedef struct Arg {
	uint64_t number;
	const char *text;
	size_t text_len, text2_len; /* LINES: the second line stands behind the first and its end */
} Arg;

typedef struct Opcode {
	unsigned char byte;
	Operand operand;
	int (*run)(Pickle *p, const Arg *arg);
} Opcode;

const Opcode *pickle_opcode(unsigned char byte); /* NULL: none that is known here */
int pickle_broken(Pickle *p, const char *what);  /* ERR_BAD_MODEL with that text */

#endif
