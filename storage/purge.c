/* See purge.h. */
#include "storage/purge.h"

#include "base/mem.h"
#include "storage/edit.h"
#include "storage/run_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int purge_list_add(PurgeList *list, int64_t run)
{
	int64_t *grown = mem_room(list->run, list->n, &list->size, sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	list->run = grown;
	grown[list->n++] = run;
	return 0;
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

int purge_run(struct sqlite3 *db, const char *store, int64_t run, Error *err)
{
	char folder[4400];
	run_folder_find(db, store, run, folder, sizeof folder); /* while its rows tell where it is */
	int code = edit_purge(db, run, err);
	if (!code)
		remove_files(folder);
	return code;
}

static int64_t size_of(const char *path)
{
	struct stat there;
	return stat(path, &there) ? 0 : (int64_t) there.st_size;
}

void purge_room(struct sqlite3 *db, const char *store, char *ret_text, size_t size)
{
	Error err = { 0 };
	int64_t before = size_of(store);
	if (edit_vacuum(db, &err))
		(void) snprintf(ret_text, size, "the file stays as large, and new runs will fill the room: %s", err.text);
	else
		(void) snprintf(ret_text, size, "%.1f MB given back", (double) (before - size_of(store)) / 1e6);
}
