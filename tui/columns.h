/*
 * Which columns of a screen's table are shown, and in which order, as a person chose them (:cols). A choice is kept in a file,
 * a line a screen: "runs: id name best-eval".
 */
#ifndef MAESTRO_TUI_COLUMNS_H
#define MAESTRO_TUI_COLUMNS_H

#include "tui/screen.h"

typedef struct ColumnChoice {
	int n;                   /* 0: the table's own */
	uint8_t at[COLUMNS_MAX]; /* of the table's columns */
} ColumnChoice;

typedef struct ColumnChoices {
	ColumnChoice of[SCREEN_COUNT];
} ColumnChoices;

/* The columns to show; of chosen ones the last leaves first where the width lacks. Columns without a title (marks) stay in front.
 * ret holds COLUMNS_MAX; answers how many. */
int columns_pick(const ColumnChoice *choice, const Column *all, int n_all, Column *ret);

/* A title as one word: "best eval" is "best-eval". text holds 32 bytes. */
const char *columns_word(const Column *column, char *text);

/* Takes words: titles, each once, in place of the present ones; "default" is the table's own. "+note" and "-seed" change that list,
 * wherever they stand, or what is there where there is no list. ERR_NOT_FOUND, ERR_INVALID: which word it was, counted from 0, is in ret_word, and the choice stays. */
int columns_choose(ColumnChoice *choice, const Column *all, int n_all, const char *const *word, int n, int *ret_word);

/* Reads and writes the file's text; lines that no table has any more are left out. */
void columns_read(ColumnChoices *choices, const char *text);
void columns_write(const ColumnChoices *choices, StrBuf *text);

#endif
