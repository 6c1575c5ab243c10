/*
 * Pickles of protocol 2, opcode by opcode. Failure to grow shows in the StrBuf.
 */
#ifndef MAESTRO_RL_PICKLE_WRITE_H
#define MAESTRO_RL_PICKLE_WRITE_H

#include "base/mem.h"

#include <stdint.h>

/* The opcodes without an operand, each a byte. */
#define PICKLE_MARK "("
#define PICKLE_TUPLE_END "t"
#define PICKLE_TUPLE_EMPTY ")"
#define PICKLE_TUPLE_1 "\x85"
#define PICKLE_TUPLE_2 "\x86"
#define PICKLE_LIST_EMPTY "]"
#define PICKLE_LIST_ITEMS "e"
#define PICKLE_DICT_EMPTY "}"
#define PICKLE_DICT_ITEMS "u"
#define PICKLE_REDUCE "R"
#define PICKLE_PERSID "Q"
#define PICKLE_NOTHING "N"
#define PICKLE_NO "\x89"
#define PICKLE_YES "\x88"
#define PICKLE_BEGIN "\x80\x02"
#define PICKLE_END "."

/* Each appends to `to`, which remembers a failure to grow. */
void pickle_op(StrBuf *to, const char *opcodes);
void pickle_put_int(StrBuf *to, int32_t value);
void pickle_put_float(StrBuf *to, double value);
void pickle_put_string(StrBuf *to, const char *text);
void pickle_put_global(StrBuf *to, const char *module, const char *name);

#endif
