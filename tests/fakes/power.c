/* See power.h. */
#include "power.h"

#include "base/mem.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, FILES = 3 };
static const char *const SUFFIX[FILES] = { "", "-wal", "-journal" };

typedef enum EventKind { EVENT_WRITE, EVENT_TRUNCATE, EVENT_SYNC } EventKind;

typedef struct Event {
	EventKind kind;
	int file;       /* of SUFFIX */
	size_t at, len; /* EVENT_TRUNCATE: to `at` */
	char *bytes;
} Event;

struct Power {
	sqlite3_vfs vfs, *real;
	pthread_mutex_t lock;
	Event *event;
	size_t n, size;
};

typedef struct PowerFile {
	sqlite3_file base;
	Power *power;
	int file; /* of SUFFIX; -1: of no interest */
	sqlite3_file *real;
} PowerFile;

static PowerFile *self(sqlite3_file *file)
{
	return (PowerFile *) file;
}

static sqlite3_file *real(sqlite3_file *file)
{
	return self(file)->real;
}

static void note(PowerFile *file, EventKind kind, size_t at, const void *bytes, size_t len)
{
	Power *power = file->power;
	if (file->file < 0)
		return;
	Event event = { .kind = kind, .file = file->file, .at = at, .len = len };
	if (bytes) {
		event.bytes = malloc(len);
		if (!event.bytes)
			abort();
		memcpy(event.bytes, bytes, len);
	}
	(void) pthread_mutex_lock(&power->lock);
	if (power->n == power->size) {
		power->size = power->size ? 2 * power->size : 256;
		power->event = realloc(power->event, power->size * sizeof *power->event);
		if (!power->event)
			abort();
	}
	power->event[power->n++] = event;
	(void) pthread_mutex_unlock(&power->lock);
}

/* ---- the methods: those that change a file are noted, all are the real one's ---- */

static int power_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	int code = real(file)->pMethods->xWrite(real(file), bytes, len, at);
	if (!code)
		note(self(file), EVENT_WRITE, (size_t) at, bytes, (size_t) len);
	return code;
}

static int power_truncate(sqlite3_file *file, sqlite3_int64 to)
{
	int code = real(file)->pMethods->xTruncate(real(file), to);
	if (!code)
		note(self(file), EVENT_TRUNCATE, (size_t) to, NULL, 0);
	return code;
}

static int power_sync(sqlite3_file *file, int flags)
{
	(void) flags; /* the disk of a test need not be waited for */
	note(self(file), EVENT_SYNC, 0, NULL, 0);
	return SQLITE_OK;
}

static int power_close(sqlite3_file *file)
{
	return real(file)->pMethods->xClose(real(file));
}

static int power_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
	return real(file)->pMethods->xRead(real(file), bytes, len, at);
}

static int power_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	return real(file)->pMethods->xFileSize(real(file), ret);
}

static int power_lock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xLock(real(file), level);
}

static int power_unlock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}

static int power_reserved(sqlite3_file *file, int *ret)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), ret);
}

static int power_control(sqlite3_file *file, int what, void *arg)
{
	return real(file)->pMethods->xFileControl(real(file), what, arg);
}

static int power_sector(sqlite3_file *file)
{
	(void) file;
	return SECTOR;
}

static int power_traits(sqlite3_file *file)
{
	(void) file;
	return 0; /* it promises nothing */
}

static int power_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
	return real(file)->pMethods->xShmMap(real(file), page, size, extend, ret);
}

static int power_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

static void power_shm_barrier(sqlite3_file *file)
{
	real(file)->pMethods->xShmBarrier(real(file));
}

static int power_shm_unmap(sqlite3_file *file, int remove)
{
	return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods METHODS = {
	.iVersion = 2, .xClose = power_close, .xRead = power_read, .xWrite = power_write, .xTruncate = power_truncate, .xSync = power_sync,
	.xFileSize = power_size, .xLock = power_lock, .xUnlock = power_unlock, .xCheckReservedLock = power_reserved,
	.xFileControl = power_control, .xSectorSize = power_sector, .xDeviceCharacteristics = power_traits, .xShmMap = power_shm_map,
	.xShmLock = power_shm_lock, .xShmBarrier = power_shm_barrier, .xShmUnmap = power_shm_unmap,
};

static int power_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
	Power *power = vfs->pAppData;
	PowerFile *mine = self(file);
	mine->power = power;
	mine->real = (sqlite3_file *) (mine + 1);
	mine->file = flags & SQLITE_OPEN_MAIN_DB ? 0 : flags & SQLITE_OPEN_WAL ? 1 : flags & SQLITE_OPEN_MAIN_JOURNAL ? 2 : -1;
	int code = power->real->xOpen(power->real, name, mine->real, flags, ret_flags);
	mine->base.pMethods = mine->real->pMethods ? &METHODS : NULL;
	return code;
}

/* A file that is gone is one without bytes: SQLite takes an empty journal or log for none. */
static int power_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	Power *power = vfs->pAppData;
	for (int i = 1; i < FILES; i++) {
		size_t len = strlen(name), tail = strlen(SUFFIX[i]);
		PowerFile file = { .power = power, .file = i };
		if (len < tail || strcmp(name + len - tail, SUFFIX[i]) != 0)
			continue;
		note(&file, EVENT_TRUNCATE, 0, NULL, 0);
		if (sync_folder)
			note(&file, EVENT_SYNC, 0, NULL, 0);
	}
	return power->real->xDelete(power->real, name, sync_folder);
}

Power *power_on(void)
{
	Power *power = calloc(1, sizeof *power);
	if (!power)
		abort();
	(void) pthread_mutex_init(&power->lock, NULL);
	power->real = sqlite3_vfs_find(NULL);
	power->vfs = *power->real;
	power->vfs.zName = "power";
	power->vfs.pNext = NULL;
	power->vfs.pAppData = power;
	power->vfs.szOsFile = (int) sizeof(PowerFile) + power->real->szOsFile;
	power->vfs.xOpen = power_open;
	power->vfs.xDelete = power_delete;
	if (sqlite3_vfs_register(&power->vfs, 1))
		abort();
	return power;
}

void power_done(Power *power)
{
	(void) sqlite3_vfs_unregister(&power->vfs);
	for (size_t i = 0; i < power->n; i++)
		free(power->event[i].bytes);
	free(power->event);
	(void) pthread_mutex_destroy(&power->lock);
	free(power);
}

size_t power_count(Power *power)
{
	(void) pthread_mutex_lock(&power->lock);
	size_t n = power->n;
	(void) pthread_mutex_unlock(&power->lock);
	return n;
}

/* ---- the cut ---- */

static void apply(StrBuf *to, const Event *event, size_t len)
{
	static const char zeros[SECTOR];
	if (event->kind == EVENT_TRUNCATE && to->len > event->at)
		to->len = event->at;
	if (event->kind != EVENT_WRITE || !len)
		return;
	while (to->len < event->at + len) {
		size_t missing = event->at + len - to->len;
		strbuf_add(to, zeros, missing < SECTOR ? missing : SECTOR);
	}
	memcpy(to->data + event->at, event->bytes, len);
}

/* Of what was not synced: nothing, the whole, or the first sectors. */
static size_t part_of(const Event *event, Rng *rng)
{
	static const uint32_t KINDS = 4;
	switch (rng_below(rng, KINDS)) {
	case 0:
		return 0;
	case 1:
		return event->len / SECTOR ? SECTOR * rng_below(rng, (uint32_t) (event->len / SECTOR)) : 0;
	default:
		return event->len;
	}
}

void power_cut(Power *power, size_t n, Rng *rng, const char *path)
{
	for (int file = 0; file < FILES; file++) {
		char name[512];
		StrBuf bytes = { 0 };
		size_t synced = 0;
		for (size_t i = 0; i < n; i++)
			if (power->event[i].file == file && power->event[i].kind == EVENT_SYNC)
				synced = i;
		for (size_t i = 0; i < n; i++)
			if (power->event[i].file == file)
				apply(&bytes, &power->event[i], i < synced ? power->event[i].len : part_of(&power->event[i], rng));
		(void) snprintf(name, sizeof name, "%.480s%s", path, SUFFIX[file]);
		(void) remove(name);
		FILE *out = bytes.len ? fopen(name, "wb") : NULL;
		if (bytes.failed || (bytes.len && (!out || fwrite(bytes.data, 1, bytes.len, out) != bytes.len || fclose(out))))
			abort();
		strbuf_done(&bytes);
	}
}
