/* See columns.h. */
#include "tui/columns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WORD_TEXT = 32 };

static bool is_mark(const Column *column)
{
	return !column->title[0];
}

int columns_pick(const ColumnChoice *choice, const Column *all, int n_all, Column *ret)
{
	int n = 0;
	for (int i = 0; i < n_all && n < COLUMNS_MAX; i++)
		if (!choice->n || is_mark(&all[i]))
			ret[n++] = all[i];
	for (int i = 0; i < choice->n && n < COLUMNS_MAX; i++) {
		if (choice->at[i] >= n_all)
			continue;
		ret[n] = all[choice->at[i]];
		ret[n++].priority = i;
	}
	return n;
}

const char *columns_word(const Column *column, char *text)
{
	str_copy(text, WORD_TEXT, column->title);
	for (char *c = text; *c; c++)
		*c = *c == ' ' ? '-' : *c;
	return text;
}

/* The column of that word; -1: none. */
static int find(const Column *all, int n_all, const char *word)
{
	char text[WORD_TEXT];
	for (int i = 0; i < n_all; i++)
		if (!is_mark(&all[i]) && !strcasecmp(columns_word(&all[i], text), word))
			return i;
	return -1;
}

static void take_out(ColumnChoice *choice, int column)
{
	int n = 0;
	for (int i = 0; i < choice->n; i++)
		if (choice->at[i] != column)
			choice->at[n++] = choice->at[i];
	choice->n = n;
}

static void put_in(ColumnChoice *choice, int column)
{
	take_out(choice, column);
	if (choice->n < COLUMNS_MAX)
		choice->at[choice->n++] = (uint8_t) column;
}

/* What is shown now, to be changed. */
static void spell_out(ColumnChoice *choice, const Column *all, int n_all)
{
	bool is_own = !choice->n;
	for (int i = 0; i < n_all && is_own; i++)
		if (!is_mark(&all[i]))
			put_in(choice, i);
}

static bool is_change(const char *word)
{
	return word[0] == '-' || word[0] == '+';
}

static bool is_default(const char *word)
{
	return !strcmp(word, "default");
}

/* The words without a sign: a new list, or the table's own. */
static void take_list(ColumnChoice *next, const Column *all, int n_all, const char *const *word, int n)
{
	bool is_fresh = false;
	for (int i = 0; i < n; i++) {
		if (is_change(word[i]))
			continue;
		next->n = is_fresh && !is_default(word[i]) ? next->n : 0;
		is_fresh = true;
		if (!is_default(word[i]))
			put_in(next, find(all, n_all, word[i]));
	}
}

int columns_choose(ColumnChoice *choice, const Column *all, int n_all, const char *const *word, int n, int *ret_word)
{
	ColumnChoice next = *choice;
	for (int i = 0; i < n; i++) {
		*ret_word = i;
		if (!is_default(word[i]) && find(all, n_all, word[i] + is_change(word[i])) < 0)
			return ERR_NOT_FOUND;
	}
	take_list(&next, all, n_all, word, n);
	for (int i = 0; i < n; i++) {
		int column = is_change(word[i]) ? find(all, n_all, word[i] + 1) : -1;
		if (column < 0)
			continue;
		*ret_word = i;
		spell_out(&next, all, n_all);
		(word[i][0] == '-' ? take_out : put_in)(&next, column);
		if (!next.n)
			return ERR_INVALID;
	}
	*choice = next;
	return 0;
}

static int screen_of(const char *name, size_t len)
{
	for (int i = 0; i < SCREEN_COUNT; i++) {
		const char *own = screen_ops((ScreenId) i)->name;
		if (strlen(own) == len && !strncasecmp(own, name, len))
			return i;
	}
	return -1;
}

/* A word that is a column no longer is passed over: a file may be older than the program. */
static void read_line(ColumnChoices *choices, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	int screen = colon ? screen_of(line, (size_t) (colon - line)) : -1;
	if (screen < 0)
		return;
	const ScreenOps *ops = screen_ops((ScreenId) screen);
	char text[WORD_TEXT];
	choices->of[screen].n = 0;
	for (const char *at = colon + 1, *end = line + len; at < end;) {
		size_t n = 0;
		while (at < end && isspace((unsigned char) *at))
			at++;
		while (at + n < end && !isspace((unsigned char) at[n]))
			n++;
		(void) snprintf(text, sizeof text, "%.*s", (int) (n < WORD_TEXT ? n : WORD_TEXT - 1), at);
		int column = find(ops->columns, ops->n_columns, text);
		if (column >= 0)
			put_in(&choices->of[screen], column);
		at += n;
	}
}

void columns_read(ColumnChoices *choices, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		read_line(choices, text, len);
		text += len + (text[len] == '\n');
	}
}

void columns_write(const ColumnChoices *choices, StrBuf *text)
{
	char word[WORD_TEXT];
	for (int s = 0; s < SCREEN_COUNT; s++) {
		const ScreenOps *ops = screen_ops((ScreenId) s);
		const ColumnChoice *choice = &choices->of[s];
		if (!choice->n)
			continue;
		for (const char *c = ops->name; *c; c++)
			strbuf_addf(text, "%c", tolower((unsigned char) *c));
		strbuf_addf(text, ":");
		for (int i = 0; i < choice->n; i++)
			strbuf_addf(text, " %s", columns_word(&ops->columns[choice->at[i]], word));
		strbuf_addf(text, "\n");
	}
}
