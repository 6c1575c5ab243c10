/* What every command with workers needs: the machine's clock, a wake descriptor, the store's two ends. */
#ifndef MAESTRO_CMD_SESSION_H
#define MAESTRO_CMD_SESSION_H

#include "base/archive.h"
#include "base/clock.h"
#include "base/sink.h"
#include "base/snap.h"

#include <stdbool.h>

typedef struct Session {
	Clock clock;
	Wake wake;
	Sink *sink;
	Archive *archive; /* NULL where there is no store */
	char db[512];
	bool store_fails; /* and session_say_store has said so */
} Session;

/*
 * Opens the store at db (NULL: the default path). is_store_needed false: a store that cannot be opened is said on stderr and
 * records go nowhere, since scaling must go on; true: ERR_STORE.
 */
int session_open(Session *session, const char *db, bool is_store_needed, Error *err);
/* After the workers have stopped. */
void session_close(Session *session);

/* Says on stderr when the store begins to lose records, with the reason, and when it takes them again. Called now and then, by one thread. */
void session_say_store(Session *session);

/* The person at the terminal, for audit rows. */
void session_who(char *who, size_t size);

/* From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the process, on whichever thread they arrive (OpenBLAS starts
 * threads of its own before main, so blocking them would not do). One that was ignored stays ignored; the second INT or TERM ends
 * the process at once. */
void session_catch_signals(void);
/* Waits until is_done(arg) after something new was published, or for a caught signal. Answers 0, or the signal's number. */
int session_wait(Session *session, bool (*is_done)(void *arg), void *arg);
/* The hang-up that was caught is dealt with: waits wait again. */
void session_forget_hangup(void);
/* Whatever is still waited for then, the process ends so many seconds from now, with the caught signal's status. */
void session_end_within(unsigned seconds);
/* Waits so long at most; 0, or the caught signal's number. */
int session_sleep(int seconds);
/* Until fd has something to read, or one of them: its number, or 0. */
int session_wait_fd(int fd);

struct Keymap;
struct UiOptions;

/* What the command line says of the console's look, and who sits at it. ERR_USAGE names the word. */
int session_look(struct UiOptions *ui, const char *screen, const char *glyphs, const char *color, const char *theme, Error *err);

/* The keys of $XDG_CONFIG_HOME/maestro/keys.yaml, or ~/.config/maestro/keys.yaml, over the table's own, and ui's pointer to them; where
 * its choice of columns is kept.
 * What is wrong in it is told on stderr and keeps its default; ERR_BAD_MODEL where it cannot be read at all. */
int session_keys(struct Keymap *keymap, struct UiOptions *ui, Error *err);

#endif
