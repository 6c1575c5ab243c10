/*
 * Dialogs: every write to a target goes through one, as from -> to, with the target named (UX 7).
 *
 * The focus starts on Cancel. On a cluster, what goes by more than one replica beyond half of the present ones, to
 * zero, beyond min or max, or holds longer than an hour asks for the target's name. A number typed and Enter is the
 * short way to Apply. The logic knows no terminal: keys and newer views in, a Command out.
 */
#ifndef MAESTRO_TUI_DIALOG_H
#define MAESTRO_TUI_DIALOG_H

#include "base/command.h"
#include "base/view.h"
#include "tui/canvas.h"

struct Keymap;

typedef enum DialogKind { DIALOG_NONE, DIALOG_OVERRIDE, DIALOG_PAUSE, DIALOG_PARAM, DIALOG_QUIT,
	DIALOG_SUSPEND, DIALOG_TRAIN, DIALOG_PURGE } DialogKind;

typedef enum DialogResult { DIALOG_STAYS, DIALOG_CANCELLED, DIALOG_ACCEPTED, DIALOG_TO_HEADLESS } DialogResult;

typedef enum FieldKind { FIELD_CHOICE, FIELD_TEXT, FIELD_BUTTON } FieldKind;

enum { FIELDS_MAX = 8, FIELD_TEXT_MAX = 96 };

typedef struct Field {
	FieldKind kind;
	const char *label;
	const char *const *choice; /* of a choice, ended by NULL */
	int at;                    /* which choice */
	bool is_default;           /* of a text: nobody typed it, and what is typed takes its place */
	char text[FIELD_TEXT_MAX];
	DialogResult press;        /* of a button */
} Field;

typedef struct Dialog {
	DialogKind kind;
	char title[96];
	char line[160];            /* what is the case now */
	Field field[FIELDS_MAX];
	int n_fields, focus;
	char problem[120];         /* why Enter went no further; "" */
	char name[NAME_MAX_K8S];   /* of the target */
	int32_t seen;              /* replicas that the change counts from: the newest, until a number is typed; -1: unknown */
	int32_t now, opened;       /* replicas now, and when the dialog was opened */
	int32_t min, max;
	bool is_simulated;
	int n_bulk;                /* targets that it is for; 0: one */
	char targets[200];         /* their names; of DIALOG_PARAM the words that it takes; of DIALOG_PURGE the runs */
	double speed;              /* of the target's time */
	bool resumes;              /* DIALOG_PAUSE of a paused target */
	TrainParam param;
	char old_text[PARAM_TEXT]; /* its value */
	char filter[160];          /* of DIALOG_PURGE: whose runs go, how many, and when they were listed */
	int32_t n_runs;
	int64_t seen_ms;
} Dialog;

/* Fields of the override dialog. */
enum { OVERRIDE_ACTION, OVERRIDE_REPLICAS, OVERRIDE_HOLD, OVERRIDE_REASON, OVERRIDE_NAME, OVERRIDE_CANCEL,
	OVERRIDE_APPLY };
enum { CHOICE_UP, CHOICE_DOWN, CHOICE_SET, CHOICE_RESUME };

void dialog_open_override(Dialog *dialog, const LiveView *live);
/* An override of several: the name to type is "N targets". */
void dialog_make_bulk(Dialog *dialog, int n, bool is_simulated, const char *names);
void dialog_open_pause(Dialog *dialog, const LiveView *live);
void dialog_open_param(Dialog *dialog, const TrainView *train, TrainParam param);
/* Of a real target that is Active or Manual: leaving stops its scaling. */
void dialog_open_quit(Dialog *dialog, const LiveView *live);
void dialog_open_suspend(Dialog *dialog, const LiveView *live);

/* Another training in the place of the one that runs: options are those of `maestro train`. */
void dialog_open_train(Dialog *dialog, const TrainView *train, const char *options);

/* Deletes the n runs of a filter for good, listed at seen_ms; names are theirs, as many as there is room for. */
void dialog_open_purge(Dialog *dialog, const char *filter, int32_t n, int64_t seen_ms, const char *names);

/* Takes a newer view of the target that the dialog is about; others pay no heed. */
void dialog_refresh(Dialog *dialog, const LiveView *live);

DialogResult dialog_key(Dialog *dialog, int key);

/* Of an accepted dialog; id and who are the sender's. False: it has none (quit, suspend). */
bool dialog_command(const Dialog *dialog, Command *ret_command);
/* "set replicas 4 -> 5", of an accepted one. */
void dialog_what(const Dialog *dialog, char *text, size_t size);

/* What is wrong with what stands in a field, such as "a whole number"; NULL: nothing. */
const char *dialog_fault(const Dialog *dialog, int field);
/* Whether the target's name must be typed. */
bool dialog_needs_name(const Dialog *dialog);
/* Replicas that Apply would set; -1: not known, or resume. */
int32_t dialog_replicas(const Dialog *dialog);
/* Whether a field stands on the screen now. */
bool dialog_shows(const Dialog *dialog, int field);

/* The faults that DIALOG_PARAM of PARAM_CHAOS takes, parted by commas. */
const char *dialog_faults(void);

/* "10m", "90s", "1h30m", a plain number is minutes; -1 for anything else. */
int64_t dialog_parse_hold(const char *text);

/* In the middle of the canvas; keymap has the names of keys in its line. */
void dialog_draw(const Dialog *dialog, const struct Keymap *keymap, Canvas *canvas);

#endif
