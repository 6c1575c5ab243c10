/* What the files of `maestro runs` share. */
#ifndef MAESTRO_CMD_RUNS_H
#define MAESTRO_CMD_RUNS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

enum { RUNS_WORDS = 66 };

typedef struct RunsOptions {
	const char *db, *format, *out, *filter, *sort, *confirm;
	bool json, all;
} RunsOptions;

typedef struct Request {
	const RunsOptions *options;
	struct sqlite3 *db;
	const char *path;           /* of the store */
	int64_t id[RUNS_WORDS];
	size_t n_ids;
	const char *word;           /* the tag, note or file; NULL: none */
	int64_t wall_ms;            /* now */
	Error *err;
} Request;

/* Verbs; each prints what it did and answers 0 or ERR_*. */
int runs_tag(const Request *request);
int runs_note(const Request *request);
int runs_lock(const Request *request);
int runs_unlock(const Request *request);
int runs_delete(const Request *request);
int runs_restore(const Request *request);
int runs_purge(const Request *request);
int runs_compare(const Request *request);
int runs_import(const Request *request);
/* The learning curve of a run as a picture in --out. */
int runs_export_png(const Request *request);

#endif
