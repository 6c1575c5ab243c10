/* See run_folder.h. */
#include "storage/run_folder.h"

#include "base/mem.h"
#include "storage/runs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LEN_MAX = 380 /* of a store's: so that all file names below it fit */ };

/* The folder of all runs. */
static void parent_of(const char *store, char *path, size_t size)
{
	const char *slash = strrchr(store, '/'), *name = slash ? slash + 1 : store, *dot = strrchr(name, '.');
	int folder = (int) (name - store), stem = (int) (dot && dot > name ? (size_t) (dot - name) : strlen(name));
	if (!strcmp(name, "maestro.db"))
		(void) snprintf(path, size, "%.*sruns", folder, store);
	else
		(void) snprintf(path, size, "%.*s%.*s.runs", folder, store, stem, name);
}

int run_folder_make(const char *store, int64_t run, char *path, size_t size, Error *err)
{
	char parent[PATH_LEN_MAX + 16];
	if (strlen(store) > PATH_LEN_MAX)
		return error_set(err, ERR_USAGE, "--db %.60s...: the path is longer than %d characters", store, PATH_LEN_MAX);
	parent_of(store, parent, sizeof parent);
	if (mkdir(parent, 0755) && errno != EEXIST)
		return error_set(err, ERR_IO, "%s: %s", parent, strerror(errno));
	(void) snprintf(path, size, "%s/%lld", parent, (long long) run);
	if (mkdir(path, 0755) && errno != EEXIST)
		return error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

void run_folder_find(struct sqlite3 *db, const char *store, int64_t run, char *path, size_t size)
{
	char parent[4200], old[64];
	RecordCheckpoint last;
	Error none;
	const char *slash = strrchr(store, '/');
	parent_of(store, parent, sizeof parent);
	(void) snprintf(path, size, "%s/%lld", parent, (long long) run);
	int len = snprintf(old, sizeof old, "runs/%lld/last.ckpt", (long long) run);
	if (runs_last_checkpoint(db, run, &last, &none))
		return;
	size_t at = strlen(last.path);
	if (at >= (size_t) len && !strcmp(last.path + at - len, old) && (at == (size_t) len || last.path[at - (size_t) len - 1] == '/'))
		(void) snprintf(path, size, "%.*sruns/%lld", slash ? (int) (slash + 1 - store) : 0, store, (long long) run);
}

void run_policy_find(struct sqlite3 *db, const char *store, int64_t run, const Json *config, char *path, size_t size)
{
	char folder[4400];
	Error none;
	const char *out = json_string_or(config, "out", NULL);
	if (!runs_best_model(db, run, path, size, &none) && !access(path, R_OK))
		return;
	run_folder_find(db, store, run, folder, sizeof folder);
	(void) snprintf(path, size, "%s%s", out ? out : folder, out ? "" : "/model.safetensors");
}
