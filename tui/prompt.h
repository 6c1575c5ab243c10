/*
 * A line of input in the place of the keys: a filter, a tag, a note, a file, a command. The logic knows no terminal.
 */
#ifndef MAESTRO_TUI_PROMPT_H
#define MAESTRO_TUI_PROMPT_H

#include "tui/canvas.h"

typedef enum PromptKind { PROMPT_NONE, PROMPT_FILTER, PROMPT_TAG, PROMPT_NOTE, PROMPT_EXPORT, PROMPT_FIX, PROMPT_TRAIN,
	PROMPT_PALETTE } PromptKind;

typedef enum PromptResult { PROMPT_STAYS, PROMPT_CANCELLED, PROMPT_ENTERED, PROMPT_MOVED /* up, down, Tab or Ctrl-Y: the palette's */ } PromptResult;

enum { PROMPT_TEXT = 160 };

typedef struct Prompt {
	PromptKind kind;
	char label[32];
	char text[PROMPT_TEXT];
	size_t cursor;      /* bytes before it */
	int fault_col;      /* where the text is wrong, from 0; -1: nowhere */
	char problem[120];
	int row;            /* of the palette's matches */
	int last_key;       /* of PROMPT_MOVED */
} Prompt;

void prompt_open(Prompt *prompt, PromptKind kind, const char *label, const char *text);
PromptResult prompt_key(Prompt *prompt, int key);
void prompt_set(Prompt *prompt, const char *text);
/* On one row. */
void prompt_draw(const Prompt *prompt, Canvas *canvas, int row, int col, int cols);

#endif
