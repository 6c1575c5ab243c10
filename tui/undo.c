/* Changes and their reverses; see console.h. History is never edited: an undo is a change of its own. */
#include "tui/console.h"

#include <string.h>

void console_change(Console *console, Command *redo, const char *what, const Command *undo, const char *undo_what)
{
	UndoList *list = &console->undo;
	if (console_send(console, redo, what))
		return;
	if (list->at == UNDO_MOST) {
		memmove(list->entry, list->entry + 1, (UNDO_MOST - 1) * sizeof *list->entry);
		list->at--;
	}
	Undo *entry = &list->entry[list->at++];
	*entry = (Undo) { .undo = *undo, .redo = *redo };
	str_copy(entry->undo_what, sizeof entry->undo_what, undo_what);
	str_copy(entry->redo_what, sizeof entry->redo_what, what);
	list->n = list->at;
}

void console_undo(Console *console, bool is_redo)
{
	UndoList *list = &console->undo;
	if (is_redo ? list->at == list->n : list->at == 0) {
		console_say(console, ROLE_WARN, is_redo ? "nothing to do again" : "nothing to undo");
		return;
	}
	Undo *entry = &list->entry[is_redo ? list->at : list->at - 1];
	Command command = is_redo ? entry->redo : entry->undo;
	if (!console_send(console, &command, is_redo ? entry->redo_what : entry->undo_what))
		list->at += is_redo ? 1 : -1;
}
