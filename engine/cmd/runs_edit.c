/* `maestro runs tag|note|lock|unlock|delete|restore|purge`: what a person adds to stored runs, and the trash. */
#include "cmd/cells.h"
#include "cmd/run_folder.h"
#include "cmd/runs.h"

#include "base/mem.h"
#include "storage/edit.h"
#include "storage/runs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	int64_t *id;
	size_t n;
} Trash;

static int collect(void *context, const RunRow *row)
{
	Trash *trash = context;
	int64_t days = (trash->request->wall_ms - row->deleted_ms) / 86400000;
	if (row->deleted_ms && !row->is_locked && (trash->request->options->all || days >= TRASH_DAYS)) {
		int64_t *grown = realloc(trash->id, (trash->n + 1) * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		trash->id = grown;
		trash->id[trash->n++] = row->id;
		printf("%6lld  ", (long long) row->id);
		cells_print_padded(row->name, 24);
		printf("  in the trash for %lld days\n", (long long) days);
	}
	return cells_written();
}

/* Checkpoints and models, and nothing below the folder. */
static void remove_files(const char *folder)
{
	char path[4700];
	DIR *dir = opendir(folder);
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		(void) snprintf(path, sizeof path, "%s/%.255s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			(void) unlink(path);
	}
	if (dir)
		(void) closedir(dir);
	(void) rmdir(folder);
}

static int64_t size_of(const char *path)
{
	struct stat there;
	return stat(path, &there) ? 0 : (int64_t) there.st_size;
}

/* The runs are gone whatever becomes of it: a file that stays as large is told, and no failure. */
static void give_room_back(const Request *request)
{
	Error err = { 0 };
	int64_t before = size_of(request->path);
	if (edit_vacuum(request->db, &err))
		(void) fprintf(stderr, "the file stays as large, and new runs will fill the room: %s\n", err.text);
	else
		(void) fprintf(stderr, "%.1f MB given back\n", (double) (before - size_of(request->path)) / 1e6);
}

int runs_purge(const Request *request)
{
	Trash trash = { .request = request };
	RunSelection selection = { "is:trash", request->wall_ms, SORT_ID, true, 0, INT64_MAX };
	int code = runs_select(request->db, &selection, collect, &trash, NULL, NULL, request->err);
	const char *confirm = request->options->confirm;
	if (!code && trash.n && (!confirm || strcmp(confirm, "trash") != 0))
		code = error_set(request->err, ERR_REFUSED, "runs purge: this cannot be undone; --confirm trash does it");
	for (size_t i = 0; i < trash.n && !code; i++) {
		char folder[4400];
		run_folder_find(request->db, request->path, trash.id[i], folder, sizeof folder);
		code = edit_purge(request->db, trash.id[i], request->err);
		if (!code)
			remove_files(folder);
	}
	if (!code)
		(void) fprintf(stderr, "%zu runs purged%s\n", trash.n, trash.n || request->options->all ? "" :
		               "; nothing has been in the trash for 30 days (--all takes all of it)");
	if (!code && trash.n)
		give_room_back(request);
	free(trash.id);
	return code;
}
