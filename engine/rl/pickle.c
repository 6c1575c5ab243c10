/*
 * See pickle.h. The machine is Python's: a stack of values, marks in it, and a memo. Each opcode pushes one value at most
 * and each value leaves the stack once, so the pickle's length bounds values, items, memo and text, which are taken in one
 * block before the first opcode runs. The opcodes are in pickle_ops.c.
 */
#include "rl/pickle_inside.h"

#include <stdlib.h>
#include <string.h>

static const unsigned char STOP = '.';

/* ---- operands ---- */

static uint64_t little(const unsigned char *at, size_t n)
{
	uint64_t value = 0;
	while (n-- > 0)
		value = value << 8 | at[n];
	return value;
}

static uint64_t big(const unsigned char *at, size_t n)
{
	uint64_t value = 0;
	for (size_t i = 0; i < n; i++)
		value = value << 8 | at[i];
	return value;
}

static bool read_lines(const unsigned char *at, size_t left, Arg *arg, size_t *ret_used)
{
	const unsigned char *first = left ? memchr(at, '\n', left) : NULL;
	size_t used = first ? (size_t) (first - at) + 1 : left;
	const unsigned char *second = used < left ? memchr(at + used, '\n', left - used) : NULL;
	if (!second)
		return false;
	arg->text = (const char *) at;
	arg->text_len = used - 1;
	arg->text2_len = (size_t) (second - first) - 1;
	*ret_used = (size_t) (second - at) + 1;
	return true;
}

/* The operand at `at`, of which left bytes are there; false when it is cut short. */
static bool read_operand(Operand operand, const unsigned char *at, size_t left, Arg *arg, size_t *ret_used)
{
	static const size_t BYTES[] = { [U8] = 1, [U16] = 2, [I32] = 4, [U32] = 4, [U64] = 8, [F64] = 8, [TEXT8] = 1,
					[TEXT32] = 4, [LINES] = 0 };
	size_t bytes = BYTES[operand];
	if (operand == LINES)
		return read_lines(at, left, arg, ret_used);
	if (left < bytes)
		return false;
	arg->number = operand == F64 ? big(at, bytes) : little(at, bytes);
	if (operand == I32)
		arg->number = (uint64_t) (int64_t) (int32_t) (uint32_t) arg->number;
	*ret_used = bytes;
	if (operand != TEXT8 && operand != TEXT32)
		return true;
	if (arg->number > left - bytes)
		return false;
	arg->text = (const char *) at + bytes;
	arg->text_len = (size_t) arg->number;
	*ret_used += arg->text_len;
	return true;
}

static int run(Pickle *p, const unsigned char *bytes)
{
	for (size_t at = 0; at < p->len;) {
		unsigned char byte = bytes[at++];
		if (byte == STOP)
			return p->n_stack == 1 && !p->n_marks ? 0 : pickle_broken(p, "it ends with more or less than one value");
		const Opcode *opcode = pickle_opcode(byte);
		Arg arg = { 0 };
		size_t used = 0;
		if (!opcode)
			return error_set(p->err, ERR_BAD_MODEL, "pickle: opcode 0x%02x at byte %zu is not supported here", byte,
					 at - 1);
		if (!read_operand(opcode->operand, bytes + at, p->len - at, &arg, &used))
			return pickle_broken(p, "cut short");
		at += used;
		int code = opcode->run(p, &arg);
		if (code)
			return code;
	}
	return pickle_broken(p, "cut short");
}

int pickle_parse(const char *bytes, size_t len, const char *const *globals, Pickle **ret_pickle, Error *err)
{
	if (len > PICKLE_BYTES_MAX)
		return error_set(err, ERR_BAD_MODEL, "pickle: %zu bytes, %d is the most", len, PICKLE_BYTES_MAX);
	size_t each = sizeof(PickleValue) + sizeof(PickleItem) + 2 * sizeof(PickleValue *) + sizeof(size_t) + 2;
	Pickle *p = calloc(1, sizeof *p + each * (len + 1));
	if (!p)
		return error_set(err, ERR_NOMEM, "pickle: out of memory");
	p->len = len;
	p->globals = globals;
	p->err = err;
	p->value = (PickleValue *) (p + 1);
	p->item = (PickleItem *) (p->value + len + 1);
	p->stack = (PickleValue **) (p->item + len + 1);
	p->memo = p->stack + len + 1;
	p->mark = (size_t *) (p->memo + len + 1);
	p->text = (char *) (p->mark + len + 1);
	int code = run(p, (const unsigned char *) bytes);
	if (code) {
		pickle_free(p);
		return code;
	}
	p->err = NULL;
	*ret_pickle = p;
	return 0;
}

void pickle_free(Pickle *pickle)
{
	free(pickle);
}

const PickleValue *pickle_root(const Pickle *pickle)
{
	return pickle->stack[0];
}

/* ---- readers ---- */

const PickleValue *pickle_at(const PickleValue *sequence, size_t i)
{
	if (!sequence || (sequence->kind != PICKLE_TUPLE && sequence->kind != PICKLE_LIST) || i >= sequence->count)
		return NULL;
	const PickleItem *item = sequence->first;
	while (i-- > 0)
		item = item->next;
	return item->value;
}

bool pickle_int(const PickleValue *value, int64_t *ret)
{
	if (!value || value->kind != PICKLE_INT)
		return false;
	*ret = value->integer;
	return true;
}

const char *pickle_string(const PickleValue *value)
{
	return value && value->kind == PICKLE_STRING ? value->text : NULL;
}

bool pickle_is_global(const PickleValue *value, const char *name)
{
	return value && value->kind == PICKLE_GLOBAL && !strcmp(value->text, name);
}

bool pickle_is_call(const PickleValue *value, const char *name)
{
	return value && value->kind == PICKLE_CALL && pickle_is_global(value->callee, name);
}
