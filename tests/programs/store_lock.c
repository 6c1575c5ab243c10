/*
 * Holds a store's write lock until it is killed, as a backup or a stuck process would.
 *   store_lock STORE      says "locked"
 */
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sqlite3 *db;
	if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL))
		return 1;
	(void) sqlite3_busy_timeout(db, 20000);
	if (sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL))
		return 1;
	(void) puts("locked");
	(void) fflush(stdout);
	for (;;)
		(void) pause();
}
