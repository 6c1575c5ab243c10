/* See table.h. */
#include "tui/table.h"

/* Widths of the columns that stay; 0 for those that leave. */
static void fit(const Column *column, int n, int cols, int *width)
{
	int need = -1;
	for (int i = 0; i < n; i++) {
		width[i] = column[i].cols;
		need += width[i] + 1;
	}
	while (need > cols) {
		int worst = -1;
		for (int i = 0; i < n; i++)
			if (width[i] && column[i].priority && (worst < 0 || column[i].priority > column[worst].priority))
				worst = i;
		if (worst < 0)
			break;
		need -= width[worst] + 1;
		width[worst] = 0;
	}
	for (int i = n - 1; i >= 0 && need < cols; i--) {
		if (width[i] && column[i].stretches) {
			width[i] += cols - need;
			break;
		}
	}
}

static void put(Canvas *canvas, int row, int col, int width, bool is_right, Role role, const char *text)
{
	if (is_right)
		canvas_text_right(canvas, row, col + width, width, role, text);
	else
		(void) canvas_text(canvas, row, col, width, role, text);
}

void table_widths(const Column *column, int n, int cols, int *width)
{
	fit(column, n, cols - 2, width);
}

void table_draw(Canvas *canvas, Rect area, const Column *column, int n_columns, const void *data, int n_rows,
                int first, int selected)
{
	int width[COLUMNS_MAX] = { 0 };
	char text[CELL_TEXT];
	table_widths(column, n_columns, area.cols, width);
	int shown = n_rows - first < area.rows - 1 ? n_rows - first : area.rows - 1;
	if (selected >= 0)
		canvas_zone(canvas, (Zone) { ZONE_ROWS, { area.row + 1, area.col, shown, area.cols }, first - selected, 1, NULL });
	for (int r = -1; r + 1 < area.rows && first + r < n_rows; r++) {
		int at = area.row + 1 + r, col = area.col + 2;
		bool is_selected = r >= 0 && first + r == selected;
		if (is_selected)
			canvas_put(canvas, at, area.col, canvas->glyphs->pointer, ROLE_INFO);
		for (int i = 0; i < n_columns && col < area.col + area.cols; i++) {
			if (!width[i])
				continue;
			int room = width[i] < area.col + area.cols - col ? width[i] : area.col + area.cols - col;
			if (r < 0) {
				canvas_zone(canvas, (Zone) { ZONE_COLUMN, { at, col, 1, room }, 0, 0, column[i].title });
				put(canvas, at, col, room, column[i].is_right, ROLE_LABEL, column[i].title);
			} else {
				text[0] = '\0';
				Role role = column[i].cell(data, first + r, text, sizeof text);
				put(canvas, at, col, room, column[i].is_right,
				    is_selected && role == ROLE_TEXT ? ROLE_STRONG : role, text);
			}
			col += width[i] + 1;
		}
	}
}
