/* See pickle_inside.h. What the opcodes do to stack, marks and memo, and their table. */
#include "rl/pickle_inside.h"

#include <stdio.h>
#include <string.h>

int pickle_broken(Pickle *p, const char *what)
{
	return error_set(p->err, ERR_BAD_MODEL, "pickle: %s", what);
}

/* ---- the stack ---- */

static int push(Pickle *p, PickleValue *value)
{
	p->stack[p->n_stack++] = value;
	return 0;
}

static PickleValue *new_value(Pickle *p, PickleKind kind)
{
	PickleValue *value = &p->value[p->n_values++];
	value->kind = kind;
	return value;
}

/* How many values stand above the last mark. */
static size_t above_mark(const Pickle *p)
{
	return p->n_stack - (p->n_marks ? p->mark[p->n_marks - 1] : 0);
}

/* The top, or NULL where only a mark or nothing is. */
static PickleValue *pop(Pickle *p)
{
	return above_mark(p) ? p->stack[--p->n_stack] : NULL;
}

static void append(Pickle *p, PickleValue *to, const PickleValue *value)
{
	PickleItem *item = &p->item[p->n_items++];
	item->value = value;
	if (to->last)
		to->last->next = item;
	else
		to->first = item;
	to->last = item;
	to->count++;
}

static const char *keep_text(Pickle *p, const char *text, size_t len)
{
	char *copy = p->text + p->n_text;
	memcpy(copy, text, len);
	copy[len] = '\0';
	p->n_text += len + 1;
	return copy;
}

/* ---- opcodes ---- */

static int op_skip(Pickle *p, const Arg *arg)
{
	(void) p;
	(void) arg;
	return 0;
}

static int op_mark(Pickle *p, const Arg *arg)
{
	(void) arg;
	p->mark[p->n_marks++] = p->n_stack;
	return 0;
}

static int op_none(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push(p, new_value(p, PICKLE_NONE));
}

static int push_bool(Pickle *p, bool is_true)
{
	PickleValue *value = new_value(p, PICKLE_BOOL);
	value->integer = is_true;
	return push(p, value);
}

static int op_true(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push_bool(p, true);
}

static int op_false(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push_bool(p, false);
}

static int op_int(Pickle *p, const Arg *arg)
{
	PickleValue *value = new_value(p, PICKLE_INT);
	value->integer = (int64_t) arg->number;
	return push(p, value);
}

static int op_float(Pickle *p, const Arg *arg)
{
	PickleValue *value = new_value(p, PICKLE_FLOAT);
	memcpy(&value->number, &arg->number, sizeof value->number);
	return push(p, value);
}

static int op_string(Pickle *p, const Arg *arg)
{
	PickleValue *value = new_value(p, PICKLE_STRING);
	if (memchr(arg->text, '\0', arg->text_len))
		return pickle_broken(p, "a NUL in a string");
	value->text = keep_text(p, arg->text, arg->text_len);
	return push(p, value);
}

static int push_global(Pickle *p, const char *module, size_t module_len, const char *name, size_t name_len)
{
	char word[128];
	(void) snprintf(word, sizeof word, "%.*s.%.*s", (int) module_len, module, (int) name_len, name);
	for (const char *const *known = p->globals; *known; known++)
		if (!strcmp(*known, word)) {
			PickleValue *value = new_value(p, PICKLE_GLOBAL);
			value->text = *known;
			return push(p, value);
		}
	return error_set(p->err, ERR_BAD_MODEL, "pickle: it names %s, which is not supported here", word);
}

static int op_global(Pickle *p, const Arg *arg)
{
	return push_global(p, arg->text, arg->text_len, arg->text + arg->text_len + 1, arg->text2_len);
}

static int op_stack_global(Pickle *p, const Arg *arg)
{
	(void) arg;
	const PickleValue *name = pop(p), *module = pop(p);
	if (!pickle_string(name) || !pickle_string(module))
		return pickle_broken(p, "a global without its name");
	return push_global(p, module->text, strlen(module->text), name->text, strlen(name->text));
}

/* A tuple of the count top values. */
static int push_tuple(Pickle *p, size_t count)
{
	if (above_mark(p) < count)
		return pickle_broken(p, "a tuple of more values than there are");
	PickleValue *tuple = new_value(p, PICKLE_TUPLE);
	for (size_t i = p->n_stack - count; i < p->n_stack; i++)
		append(p, tuple, p->stack[i]);
	p->n_stack -= count;
	return push(p, tuple);
}

static int op_tuple(Pickle *p, const Arg *arg)
{
	(void) arg;
	if (!p->n_marks)
		return pickle_broken(p, "a tuple without its mark");
	size_t count = above_mark(p);
	p->n_marks--;
	return push_tuple(p, count);
}

static int op_tuple0(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push_tuple(p, 0);
}

static int op_tuple1(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push_tuple(p, 1);
}

static int op_tuple2(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push_tuple(p, 2);
}

static int op_tuple3(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push_tuple(p, 3);
}

static int op_list(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push(p, new_value(p, PICKLE_LIST));
}

static int op_dict(Pickle *p, const Arg *arg)
{
	(void) arg;
	return push(p, new_value(p, PICKLE_DICT));
}

/* The count top values into the container below them: a list, or pairs into a dict or what a call made. */
static int add_items(Pickle *p, size_t count, bool is_pairs)
{
	if (above_mark(p) < count + 1)
		return pickle_broken(p, "items without what they belong to");
	size_t first = p->n_stack - count;
	PickleValue *to = p->stack[first - 1];
	bool is_mapping = to->kind == PICKLE_DICT || to->kind == PICKLE_CALL;
	if (is_pairs ? !is_mapping || count % 2 : to->kind != PICKLE_LIST)
		return pickle_broken(p, "items for what has none");
	for (size_t i = first; i < p->n_stack; i++)
		append(p, to, p->stack[i]);
	p->n_stack = first;
	return 0;
}

static int add_marked_items(Pickle *p, bool is_pairs)
{
	if (!p->n_marks)
		return pickle_broken(p, "items without their mark");
	size_t count = above_mark(p);
	p->n_marks--;
	return add_items(p, count, is_pairs);
}

static int op_append(Pickle *p, const Arg *arg)
{
	(void) arg;
	return add_items(p, 1, false);
}

static int op_appends(Pickle *p, const Arg *arg)
{
	(void) arg;
	return add_marked_items(p, false);
}

static int op_setitem(Pickle *p, const Arg *arg)
{
	(void) arg;
	return add_items(p, 2, true);
}

static int op_setitems(Pickle *p, const Arg *arg)
{
	(void) arg;
	return add_marked_items(p, true);
}

static int op_reduce(Pickle *p, const Arg *arg)
{
	(void) arg;
	const PickleValue *args = pop(p), *callee = pop(p);
	if (!args || !callee || args->kind != PICKLE_TUPLE || callee->kind != PICKLE_GLOBAL)
		return pickle_broken(p, "a call of what is no global, or without a tuple of arguments");
	PickleValue *call = new_value(p, PICKLE_CALL);
	call->callee = callee;
	call->args = args;
	return push(p, call);
}

/* The state that an object is told to take up: for OrderedDict, torch's _metadata, which no tensor needs. */
static int op_build(Pickle *p, const Arg *arg)
{
	(void) arg;
	return pop(p) && above_mark(p) ? 0 : pickle_broken(p, "a state without its object");
}

static int op_persistent(Pickle *p, const Arg *arg)
{
	(void) arg;
	const PickleValue *args = pop(p);
	if (!args)
		return pickle_broken(p, "a reference to nothing");
	PickleValue *value = new_value(p, PICKLE_PERSISTENT);
	value->args = args;
	return push(p, value);
}

static int op_get(Pickle *p, const Arg *arg)
{
	if (arg->number >= p->len || !p->memo[arg->number])
		return pickle_broken(p, "a memo that was never set");
	return push(p, p->memo[arg->number]);
}

static int op_put(Pickle *p, const Arg *arg)
{
	if (arg->number >= p->len || !above_mark(p))
		return pickle_broken(p, "a memo out of range, or of nothing");
	p->memo[arg->number] = p->stack[p->n_stack - 1];
	return 0;
}

static int op_memoize(Pickle *p, const Arg *arg)
{
	(void) arg;
	return op_put(p, &(Arg) { .number = p->n_memo++ });
}

static const Opcode OPCODES[] = {
	{ 0x80, U8, op_skip },        /* PROTO */
	{ 0x95, U64, op_skip },       /* FRAME */
	{ '(', NOTHING, op_mark },
	{ 'N', NOTHING, op_none },
	{ 0x88, NOTHING, op_true },
	{ 0x89, NOTHING, op_false },
	{ 'J', I32, op_int },         /* BININT */
	{ 'K', U8, op_int },          /* BININT1 */
	{ 'M', U16, op_int },         /* BININT2 */
	{ 'G', F64, op_float },       /* BINFLOAT */
	{ 'X', TEXT32, op_string },   /* BINUNICODE */
	{ 0x8c, TEXT8, op_string },   /* SHORT_BINUNICODE */
	{ 'c', LINES, op_global },
	{ 0x93, NOTHING, op_stack_global },
	{ ')', NOTHING, op_tuple0 },  /* EMPTY_TUPLE */
	{ 't', NOTHING, op_tuple },
	{ 0x85, NOTHING, op_tuple1 },
	{ 0x86, NOTHING, op_tuple2 },
	{ 0x87, NOTHING, op_tuple3 },
	{ ']', NOTHING, op_list },
	{ 'a', NOTHING, op_append },
	{ 'e', NOTHING, op_appends },
	{ '}', NOTHING, op_dict },
	{ 's', NOTHING, op_setitem },
	{ 'u', NOTHING, op_setitems },
	{ 'R', NOTHING, op_reduce },
	{ 'b', NOTHING, op_build },
	{ 'Q', NOTHING, op_persistent },
	{ 'h', U8, op_get },          /* BINGET */
	{ 'j', U32, op_get },         /* LONG_BINGET */
	{ 'q', U8, op_put },          /* BINPUT */
	{ 'r', U32, op_put },         /* LONG_BINPUT */
	{ 0x94, NOTHING, op_memoize },
};

const Opcode *pickle_opcode(unsigned char byte)
{
	for (size_t i = 0; i < sizeof OPCODES / sizeof *OPCODES; i++)
		if (OPCODES[i].byte == byte)
			return &OPCODES[i];
	return NULL;
}
