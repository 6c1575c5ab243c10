/*
 * The families of policies that stand side by side in an evaluation, each with the settings that tuning may choose from. A word on the
 * command line is a family: "hpa:cpu=70" has one setting, "hpa-calibrated" sixty-six.
 */
#ifndef MAESTRO_CONTROL_FAMILY_H
#define MAESTRO_CONTROL_FAMILY_H

#include "control/evaluate.h"

enum { FAMILY_PATH = 256, FAMILY_FILES = 32, FAMILY_WORD = 8 + FAMILY_FILES * FAMILY_PATH, SETTING_TEXT = 80 };

/* Where a policy is to play: what a rule may know of its service beforehand. */
typedef struct Arena {
	SimConfig sim;          /* base of every cell; trace and window are set for each */
	double pod_capacity_rps; /* of one pod at the soft limit, by the service model */
	double startup_s;       /* median, of the service model */
	double pod_price;       /* of models that take one; 0: tuned */
} Arena;

typedef struct Family Family;
typedef struct FamilyKind {
	const char *word;       /* or its beginning, up to a colon */
	const char *help;
	/* Reads what follows the word; fills what the kind keeps in the family. ERR_USAGE, ERR_BAD_MODEL. NULL: nothing may follow. */
	int (*read)(Family *family, const char *rest, Error *err);
	int32_t (*n_settings)(const Family *family, const Arena *arena); /* NULL: 1 */
	/* The setting in words, as "cpu 65 %, down window 60 s"; may be NULL. */
	void (*describe)(const Family *family, const Arena *arena, int32_t setting, char *text, size_t size);
	/* A policy of its own for one episode; seed picks among files that differ by the seed of their training. NULL: the kind is a choice
	 * among the other families. */
	int (*open)(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err);
	/* What the setting changes of the simulation's config; may be NULL. */
	void (*configure)(const Family *family, const Arena *arena, int32_t setting, SimConfig *config);
	/* Before the first decision, at now_ms: for what is read from the past, or from the future. May be NULL. */
	int (*begin)(Policy *policy, const SimTarget *sim, const Arena *arena, int64_t now_ms);
	bool is_reference;      /* what others must beat to be chosen */
	bool can_run;           /* `maestro run` acts by it, and so the program may choose it */
	bool is_bound;          /* knows what no policy can know; its setting 0 is its definition */
} FamilyKind;

struct Family {
	const FamilyKind *kind;
	char word[FAMILY_WORD]; /* as given */
	char name[SETTING_TEXT]; /* on a page: the word; of a model its file without the folder, of several their folder and how many */
	int32_t number;         /* N of static:N, the target of hpa:cpu=N; 0: none given */
	char file[FAMILY_FILES][FAMILY_PATH]; /* of models */
	int32_t n_files;
	float interval_s;       /* a model's own; 0: any */
	float rate_window_s, latency_window_s; /* of a model's queries; 0: any */
	int32_t obs_version;    /* a model's */
};

/* "hpa", "hpa:cpu=70", "hpa-calibrated", "static", "static:N", "clairvoyant", "model:FILE[,FILE...]", "default", "choice" or an existing path. ERR_USAGE
 * lists the known ones; what is wrong with a model file. */
int family_read(const char *word, Family *ret_family, Error *err);
/* What a setting of the calibrated rule stands for; the pod price of a setting of a model, 0 where it takes none. */
void family_hpa_setting(int32_t setting, int32_t *ret_cpu_pct, int32_t *ret_down_window_s);
double family_pod_price(const Family *family, const Arena *arena, int32_t setting);
int32_t family_settings(const Family *family, const Arena *arena);
/* "" where there is nothing to say. */
void family_describe(const Family *family, const Arena *arena, int32_t setting, char text[SETTING_TEXT]);

#endif
