/*
 * Tables: columns of stated width and priority. Where the width lacks, the columns of least priority leave whole;
 * spare width goes to the last one that stretches.
 */
#ifndef MAESTRO_TUI_TABLE_H
#define MAESTRO_TUI_TABLE_H

#include "tui/canvas.h"

typedef struct Column {
	const char *title;
	int cols;
	int priority;      /* 0: always there; the largest number leaves first */
	bool is_right;     /* aligned */
	bool stretches;
	/* The cell of a row: text of at most CELL_TEXT bytes, and its role. */
	Role (*cell)(const void *data, int row, char *text, size_t size);
} Column;

enum { COLUMNS_MAX = 28, CELL_TEXT = 384 };

/* The width of each column in a table of so many; 0: it has left. */
void table_widths(const Column *column, int n, int cols, int *width);

/* Draws the heading and rows first..; `selected` < 0: none is. Only rows that are seen are formatted. */
void table_draw(Canvas *canvas, Rect area, const Column *column, int n_columns, const void *data, int n_rows,
                int first, int selected);

/* Takes a table whole: what an export writes. */
typedef void (*TableSink)(void *context, const Column *column, int n_columns, const void *data, int n_rows);

#endif
