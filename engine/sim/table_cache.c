/* See table_cache.h. The file's name is a hash of its key; the key itself stands in the file, and a sum over all of it. */
#include "sim/table_cache.h"

#include "base/version.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1024, KEYS = 9 };

typedef struct Entry { /* of bytes that are all written, so that a sum over them means something */
	char magic[16];
	uint64_t simulator;    /* the sum of the table that is compiled in: another request level makes another */
	uint64_t requests, seed;
	double key[KEYS];      /* what table_is_shared() compares */
	ResponseTable table;
	uint64_t sum;          /* of all before */
} Entry;

static uint64_t sum_of(const void *data, size_t len) /* FNV-1a */
{
	const unsigned char *byte = data;
	uint64_t sum = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ byte[i]) * UINT64_C(1099511628211);
	return sum;
}

static void set_key(const Service *s, uint64_t requests, uint64_t seed, Entry *entry)
{
	const double key[KEYS] = { s->service_mean, s->service_cv, s->service_overhead, s->threads, s->cpu_limit, s->cfs_period,
		s->concurrency, s->queue_max, s->net_delay };
	memset(entry, 0, sizeof *entry);
	(void) snprintf(entry->magic, sizeof entry->magic, "table2 " MAESTRO_VERSION);
	entry->simulator = sum_of(table_default(), sizeof(ResponseTable));
	entry->requests = requests;
	entry->seed = seed;
	memcpy(entry->key, key, sizeof key);
}

/* Its path; false where there is no place for it. make: the folders too. */
static bool path_of(const Entry *entry, bool make, char path[PATH_SIZE])
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char folder[PATH_SIZE / 2];
	int n = cache && cache[0] == '/' ? snprintf(folder, sizeof folder, "%s", cache)
	      : home && home[0] == '/' ? snprintf(folder, sizeof folder, "%s/.cache", home) : -1;
	if (n < 0 || (size_t) n >= sizeof folder)
		return false;
	if (make)
		(void) mkdir(folder, 0700);
	(void) snprintf(path, PATH_SIZE, "%s/maestro", folder);
	if (make)
		(void) mkdir(path, 0700);
	(void) snprintf(path, PATH_SIZE, "%s/maestro/table-%016llx", folder, (unsigned long long) sum_of(entry, offsetof(Entry, table)));
	return true;
}

bool table_cache_read(const Service *service, uint64_t requests, uint64_t seed, ResponseTable *ret_table)
{
	Entry *want = malloc(sizeof *want), *got = malloc(sizeof *got);
	char path[PATH_SIZE];
	FILE *file = NULL;
	bool is_good = false;
	if (!want || !got)
		goto out;
	set_key(service, requests, seed, want);
	if (path_of(want, false, path))
		file = fopen(path, "rbe");
	if (!file)
		goto out;
	is_good = fread(got, sizeof *got, 1, file) == 1 && !memcmp(got, want, offsetof(Entry, table)) &&
	          got->sum == sum_of(got, offsetof(Entry, sum));
	if (is_good)
		*ret_table = got->table;
out:
	if (file)
		(void) fclose(file);
	free(want);
	free(got);
	return is_good;
}

void table_cache_write(const Service *service, uint64_t requests, uint64_t seed, const ResponseTable *table)
{
	Entry *entry = malloc(sizeof *entry);
	char path[PATH_SIZE], temporary[PATH_SIZE + 16];
	if (!entry)
		return;
	set_key(service, requests, seed, entry);
	entry->table = *table;
	entry->sum = sum_of(entry, offsetof(Entry, sum));
	if (path_of(entry, true, path)) {
		(void) snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
		int fd = mkstemp(temporary);
		bool is_written = fd >= 0 && write(fd, entry, sizeof *entry) == (ssize_t) sizeof *entry;
		if (fd >= 0 && (close(fd) || !is_written || rename(temporary, path)))
			(void) unlink(temporary);
	}
	free(entry);
}
