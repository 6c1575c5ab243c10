/* See prompt.h. */
#include "tui/prompt.h"
#include "tui/keys.h"

#include "base/utf8.h"

#include <string.h>

void prompt_set(Prompt *prompt, const char *text)
{
	str_copy(prompt->text, sizeof prompt->text, text);
	prompt->cursor = strlen(prompt->text);
}

void prompt_open(Prompt *prompt, PromptKind kind, const char *label, const char *text)
{
	*prompt = (Prompt) { .kind = kind, .fault_col = -1 };
	str_copy(prompt->label, sizeof prompt->label, label);
	prompt_set(prompt, text);
}

static size_t step_back(const Prompt *prompt)
{
	size_t at = prompt->cursor;
	while (at > 0 && ((unsigned char) prompt->text[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t step_on(const Prompt *prompt)
{
	size_t at = prompt->cursor;
	if (prompt->text[at])
		at++;
	while (((unsigned char) prompt->text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void cut(Prompt *prompt, size_t from, size_t to)
{
	memmove(prompt->text + from, prompt->text + to, strlen(prompt->text + to) + 1);
	prompt->cursor = from;
}

static void insert(Prompt *prompt, int key)
{
	char s[4];
	size_t n = utf8_put(s, (uint32_t) key), len = strlen(prompt->text);
	if (len + n >= sizeof prompt->text)
		return;
	memmove(prompt->text + prompt->cursor + n, prompt->text + prompt->cursor, len - prompt->cursor + 1);
	memcpy(prompt->text + prompt->cursor, s, n);
	prompt->cursor += n;
}

PromptResult prompt_key(Prompt *prompt, int key)
{
	enum { CTRL_A = 1, CTRL_E = 5, CTRL_K = 11, CTRL_U = 21, CTRL_W = 23 };
	prompt->problem[0] = '\0';
	prompt->fault_col = -1;
	switch (key) {
	case KEY_ESC: case KEY_CTRL_C: return PROMPT_CANCELLED;
	case KEY_ENTER_: return PROMPT_ENTERED;
	case KEY_UP_: case KEY_DOWN_: case KEY_TAB_: case KEY_CTRL_Y: prompt->last_key = key; return PROMPT_MOVED;
	case KEY_LEFT_: prompt->cursor = step_back(prompt); break;
	case KEY_RIGHT_: prompt->cursor = step_on(prompt); break;
	case KEY_HOME_: case CTRL_A: prompt->cursor = 0; break;
	case KEY_END_: case CTRL_E: prompt->cursor = strlen(prompt->text); break;
	case KEY_RUBOUT: cut(prompt, step_back(prompt), prompt->cursor); break;
	case CTRL_K: prompt->text[prompt->cursor] = '\0'; break;
	case CTRL_U: cut(prompt, 0, prompt->cursor); break;
	case CTRL_W: {
		size_t at = prompt->cursor;
		while (at > 0 && prompt->text[at - 1] == ' ')
			at--;
		while (at > 0 && prompt->text[at - 1] != ' ')
			at--;
		cut(prompt, at, prompt->cursor);
		break;
	}
	default:
		if (key >= ' ' && key < KEY_UP_) /* from there on they are no characters */
			insert(prompt, key);
	}
	if (key != KEY_LEFT_ && key != KEY_RIGHT_)
		prompt->row = 0;
	return PROMPT_STAYS;
}

void prompt_draw(const Prompt *prompt, Canvas *canvas, int row, int col, int cols)
{
	Pen pen = { canvas, row, col, col + cols };
	canvas_fill(canvas, (Rect) { row, col, 1, cols }, ' ', ROLE_TEXT);
	(void) pen_item(&pen, ROLE_KEY, "%s ", prompt->label);
	int start = pen.col, room = pen.end - start - 1;
	char before[PROMPT_TEXT];
	str_copy(before, prompt->cursor + 1 < sizeof before ? prompt->cursor + 1 : sizeof before, prompt->text);
	int at = canvas_width(canvas, before);
	const char *shown = prompt->text;
	if (at > room) { /* the end of what was typed stays in sight */
		canvas_text_tail(canvas, row, start, room, ROLE_INPUT, before);
		at = room;
	} else {
		(void) canvas_text(canvas, row, start, room, ROLE_INPUT, shown);
	}
	Cell *cell = canvas_cell(canvas, row, start + at);
	if (cell)
		cell->role = ROLE_SELECTED;
	if (prompt->fault_col >= 0 && (cell = canvas_cell(canvas, row, start + prompt->fault_col)))
		cell->role = ROLE_BAD;
	if (prompt->problem[0]) {
		int end = start + canvas_width(canvas, prompt->text) + 2;
		(void) canvas_text(canvas, row, end, pen.end - end, ROLE_BAD, prompt->problem);
	}
}
