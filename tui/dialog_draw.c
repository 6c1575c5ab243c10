/* How the dialogs look; the logic is in dialog.c. */
#include "tui/dialog.h"
#include "tui/fmt.h"
#include "tui/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 64, LABEL_COLS = 11, CHOICE_ROWS = 3 };

static void draw_choice(Canvas *canvas, const Field *field, int row, Rect in, bool has_focus)
{
	Pen pen = { canvas, row, in.col + LABEL_COLS, in.col + in.cols };
	for (int i = 0; field->choice[i]; i++) {
		bool is_chosen = i == field->at;
		Role role = !is_chosen ? ROLE_LABEL : has_focus ? ROLE_SELECTED : ROLE_STRONG;
		(void) pen_item(&pen, role, is_chosen ? "[%s]" : " %s ", field->choice[i]);
		(void) pen_item(&pen, ROLE_TEXT, " ");
	}
}

/* What stands behind a field: the change it means. */
static void hint_of(const Dialog *dialog, int i, char *text, size_t size)
{
	text[0] = '\0';
	if (dialog->kind == DIALOG_PARAM && i == 0) {
		char old[FMT_TEXT];
		bool is_number = dialog->param < PARAM_STEPS;
		(void) snprintf(text, size, "now %s", !dialog->old_text[0] ? "?" : is_number ? fmt_number(old, strtod(dialog->old_text, NULL)) : dialog->old_text);
	}
	if (dialog->kind != DIALOG_OVERRIDE)
		return;
	if (i == OVERRIDE_HOLD && dialog->is_simulated)
		(void) snprintf(text, size, "of simulated time, x%.3g", dialog->speed);
	else if (i == OVERRIDE_HOLD)
		(void) snprintf(text, size, "then the policy decides again");
	else if (i == OVERRIDE_NAME)
		(void) snprintf(text, size, "OK");
}

static void draw_text(const Dialog *dialog, Canvas *canvas, int i, int row, Rect in)
{
	const Field *field = &dialog->field[i];
	bool has_focus = dialog->focus == i;
	bool is_long = dialog->kind == DIALOG_PARAM && dialog->param > PARAM_STEPS;
	int room = i == OVERRIDE_REASON ? in.cols - LABEL_COLS : is_long ? 30 : 18;
	char hint[96];
	bool is_name = dialog->kind == DIALOG_OVERRIDE && i == OVERRIDE_NAME;
	const char *fault = field->text[0] || is_name ? dialog_fault(dialog, i) : NULL;
	if (is_name && fault)
		(void) snprintf(hint, sizeof hint, "? not yet %.40s", dialog->name);
	else if (fault)
		(void) snprintf(hint, sizeof hint, "? %s", fault);
	else
		hint_of(dialog, i, hint, sizeof hint);
	Rect slot = { row, in.col + LABEL_COLS, 1, room };
	canvas_fill(canvas, slot, canvas->glyphs->mode == GLYPHS_ASCII ? '_' : ' ', ROLE_INPUT);
	/* the end of a long text is what is being typed */
	const char *tail = field->text;
	while (*tail && (canvas_width(canvas, tail) > room - 1 || ((unsigned char) *tail & 0xc0) == 0x80))
		tail++;
	int used = canvas_text(canvas, row, slot.col, room, ROLE_INPUT, tail);
	if (has_focus)
		canvas_put(canvas, row, slot.col + used, canvas->glyphs->mode == GLYPHS_ASCII ? '<' : ' ', ROLE_SELECTED);
	(void) canvas_text(canvas, row, slot.col + room + 2, in.col + in.cols - slot.col - room - 2,
	                   fault ? ROLE_WARN : ROLE_LABEL, hint);
}

static void draw_buttons(const Dialog *dialog, Canvas *canvas, int row, Rect in)
{
	Pen pen = { canvas, row, in.col, in.col + in.cols };
	for (int i = 0; i < dialog->n_fields; i++) {
		if (dialog->field[i].kind != FIELD_BUTTON)
			continue;
		bool has_focus = dialog->focus == i;
		int start = pen.col;
		if (has_focus)
			canvas_put(canvas, row, start - 1, canvas->glyphs->pointer, ROLE_INFO);
		(void) pen_item(&pen, has_focus ? ROLE_SELECTED : ROLE_TEXT, "[ %s ]", dialog->field[i].label);
		canvas_zone(canvas, (Zone) { ZONE_FIELD, { row, start, 1, pen.col - start }, i, 0, NULL });
		(void) pen_item(&pen, ROLE_TEXT, " ");
	}
}

/* The change in large: "4 -> 5". */
static void draw_change(const Dialog *dialog, Canvas *canvas, int row, Rect in)
{
	int32_t to = dialog_replicas(dialog);
	const Glyphs *g = canvas->glyphs;
	Pen pen = { canvas, row, in.col, in.col + in.cols };
	if (dialog->kind != DIALOG_OVERRIDE)
		return;
	(void) pen_item(&pen, ROLE_LABEL, "%-*s", LABEL_COLS, "change");
	if (dialog->field[OVERRIDE_ACTION].at == CHOICE_RESUME) {
		(void) pen_item(&pen, ROLE_STRONG, "the policy decides again");
		return;
	}
	(void) pen_item(&pen, ROLE_STRONG, dialog->seen < 0 ? "? " : "%d ", dialog->seen);
	if (g->mode == GLYPHS_ASCII)
		(void) pen_item(&pen, ROLE_STRONG, "->");
	else
		canvas_put(canvas, row, pen.col++, g->arrow, ROLE_STRONG);
	(void) pen_item(&pen, ROLE_STRONG, to < 0 ? " ?" : " %d", to);
	(void) pen_item(&pen, ROLE_LABEL, " replicas");
	if (dialog->now >= 0 && (dialog->now != dialog->seen || dialog->now != dialog->opened))
		(void) pen_item(&pen, ROLE_WARN, "  now %d", dialog->now);
	if (dialog_needs_name(dialog))
		(void) pen_item(&pen, ROLE_WARN, "  ! large: type the name");
}

/* What the keys do here. */
static void draw_keys(const Dialog *dialog, Canvas *canvas, int row, Rect in)
{
	bool is_button = dialog->field[dialog->focus].kind == FIELD_BUTTON;
	bool takes_digits = dialog->kind == DIALOG_OVERRIDE && dialog->field[dialog->focus].kind != FIELD_TEXT;
	const char *const KEYS[][2] = { { "Enter", is_button ? "presses" : "next" }, { "Tab", "moves" }, { "Esc", "cancels" },
		{ "0..9", "replicas" } };
	Pen pen = { canvas, row, in.col, in.col + in.cols };
	for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS - !takes_digits; i++) {
		(void) pen_item(&pen, ROLE_KEY, "%s ", KEYS[i][0]);
		(void) pen_item(&pen, ROLE_LABEL, "%s  ", KEYS[i][1]);
	}
}

/* The words that a parameter takes, or the runs that go; NULL: neither. */
static const char *choices_of(const Dialog *dialog)
{
	return (dialog->kind == DIALOG_PARAM || dialog->kind == DIALOG_PURGE) && dialog->targets[0] ? dialog->targets : NULL;
}

static int count_rows(const Dialog *dialog)
{
	int rows = 0;
	for (int i = 0; i < dialog->n_fields; i++)
		rows += dialog->field[i].kind != FIELD_BUTTON;
	return rows + (dialog->kind == DIALOG_OVERRIDE) + (choices_of(dialog) ? CHOICE_ROWS + 1 : 0) + 7; /* frame, state, blank, problem, buttons, keys */
}

void dialog_draw(const Dialog *dialog, const Keymap *keymap, Canvas *canvas)
{
	char line[sizeof dialog->line + 32];
	int rows = count_rows(dialog), cols = WIDTH < canvas->cols ? WIDTH : canvas->cols;
	Rect rect = { canvas->rows > rows ? (canvas->rows - rows) / 2 : 0, (canvas->cols - cols) / 2,
	              rows < canvas->rows ? rows : canvas->rows, cols };
	canvas_fill(canvas, rect, ' ', ROLE_TEXT);
	canvas_zone(canvas, (Zone) { .kind = ZONE_COVER, .rect = { 0, 0, canvas->rows, canvas->cols } });
	Rect in = canvas_box(canvas, rect, dialog->title, NULL, true);
	int row = in.row;
	(void) canvas_text(canvas, row, in.col, in.cols, ROLE_LABEL, keys_say(keymap, dialog->line, line, sizeof line));
	row += 2;
	if (choices_of(dialog)) {
		(void) canvas_wrap(canvas, (Rect) { row, in.col, CHOICE_ROWS, in.cols }, ROLE_TEXT, choices_of(dialog));
		row += CHOICE_ROWS + 1;
	}
	for (int i = 0; i < dialog->n_fields; i++) {
		const Field *field = &dialog->field[i];
		if (field->kind == FIELD_BUTTON)
			continue;
		if (dialog_shows(dialog, i)) {
			canvas_zone(canvas, (Zone) { ZONE_FIELD, { row, in.col, 1, in.cols }, i, 0, NULL });
			(void) canvas_text(canvas, row, in.col, LABEL_COLS - 1, dialog->focus == i ? ROLE_STRONG : ROLE_LABEL, field->label);
			if (field->kind == FIELD_CHOICE)
				draw_choice(canvas, field, row, in, dialog->focus == i);
			else
				draw_text(dialog, canvas, i, row, in);
		}
		row++;
	}
	draw_change(dialog, canvas, row, in);
	row = in.row + in.rows - 2;
	draw_buttons(dialog, canvas, row, in);
	if (dialog->problem[0])
		(void) canvas_textf(canvas, row - 1, in.col, in.cols, ROLE_BAD, "! %s", dialog->problem);
	draw_keys(dialog, canvas, row + 1, in);
}
