/* `maestro runs tag|note|lock|unlock|delete|restore|purge`: what a person adds to stored runs, and the trash. */
#include "cmd/cells.h"
#include "cmd/runs.h"

#include "storage/edit.h"
#include "storage/purge.h"
#include "storage/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int edit(const Request *request, RunEdit what, const char *text)
{
	char said[160];
	int code = edit_runs(request->db, what, request->id, (int32_t) request->n_ids, text, request->wall_ms, said, sizeof said,
	                     request->err);
	if (!code && !request->options->json)
		(void) fprintf(stderr, "%s\n", said);
	return code;
}

int runs_tag(const Request *request)
{
	bool is_off = request->word[0] == '-' || request->word[0] == '/';
	return edit(request, is_off ? EDIT_UNTAG : EDIT_TAG, request->word + is_off);
}

int runs_note(const Request *request)
{
	return edit(request, EDIT_NOTE, request->word);
}

int runs_lock(const Request *request)
{
	return edit(request, EDIT_LOCK, "");
}

int runs_unlock(const Request *request)
{
	return edit(request, EDIT_UNLOCK, "");
}

int runs_delete(const Request *request)
{
	return edit(request, EDIT_DELETE, "");
}

int runs_restore(const Request *request)
{
	return edit(request, EDIT_RESTORE, "");
}

/* ---- purge ---- */

typedef struct Trash {
	const Request *request;
	PurgeList list;
} Trash;

static int collect(void *context, const RunRow *row)
{
	Trash *trash = context;
	int64_t days = (trash->request->wall_ms - row->deleted_ms) / 86400000;
	if (row->deleted_ms && !row->is_locked && (trash->request->options->all || days >= TRASH_DAYS)) {
		if (purge_list_add(&trash->list, row->id))
			return ERR_NOMEM;
		printf("%6lld  ", (long long) row->id);
		cells_print_padded(row->name, 24);
		printf("  in the trash for %lld days\n", (long long) days);
	}
	return cells_written();
}

int runs_purge(const Request *request)
{
	Trash trash = { .request = request };
	RunSelection selection = { "is:trash", request->wall_ms, SORT_ID, true, 0, INT64_MAX };
	int code = runs_select(request->db, &selection, collect, &trash, NULL, NULL, request->err);
	const char *confirm = request->options->confirm;
	if (!code && trash.list.n && (!confirm || strcmp(confirm, "trash") != 0))
		code = error_set(request->err, ERR_REFUSED, "runs purge: this cannot be undone; --confirm trash does it");
	for (size_t i = 0; i < trash.list.n && !code; i++)
		code = purge_run(request->db, request->path, trash.list.run[i], request->err);
	if (!code)
		(void) fprintf(stderr, "%zu runs purged%s\n", trash.list.n, trash.list.n || request->options->all ? "" :
		               "; nothing has been in the trash for " TRASH_DAYS_TEXT " days (--all takes all of it)");
	if (!code && trash.list.n) {
		char text[300];
		purge_room(request->db, request->path, text, sizeof text);
		(void) fprintf(stderr, "%s\n", text);
	}
	free(trash.list.run);
	return code;
}
