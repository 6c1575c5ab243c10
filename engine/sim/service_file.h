/*
 * A service in a file: YAML, a parameter a line with its unit and meaning, and under `fit` what an estimation says of them.
 * Parameters that are not there keep their defaults; a key that is not known is an error.
 */
#ifndef MAESTRO_SIM_SERVICE_FILE_H
#define MAESTRO_SIM_SERVICE_FILE_H

#include "base/mem.h"
#include "sim/sim.h"

/* Besides the parameters' places: the balancing of requests over pods. */
enum { FIT_BALANCE = SERVICE_PARAMETERS, FIT_KEYS };

typedef enum FitOrigin { /* where a parameter's value is from */
	FIT_DEFAULT,        /* nobody looked: the default, or the writer's own word */
	FIT_ESTIMATED,      /* from the data */
	FIT_READ,           /* told by the cluster */
	FIT_UNIDENTIFIED,   /* the data could not tell: the default */
} FitOrigin;

typedef struct ServiceFit {
	bool is_there;
	FitOrigin source[FIT_KEYS];
	double standard_error[FIT_KEYS]; /* of what is estimated, in the parameter's unit; NAN: none */
	/* goodness of fit; NAN: not known. Errors are relative ones of single intervals that the fit has not seen. */
	double window_s, interval_s;     /* of the data */
	double intervals, held_out;      /* used, and of them kept apart */
	double requests;                 /* seen */
	double dispersion;               /* of the latency counts over a multinomial's; 1: nothing left to explain */
	double p50_error, p95_error, p95_error_p90; /* medians, and what one interval in ten is beyond */
	double cpu_error;
	double p50_chance, p95_chance, cpu_chance; /* what the fitted service's own intervals would have */
} ServiceFit;

typedef struct ServiceFile {
	char name[320];      /* of the service: "shop/web" */
	Service service;
	SimBalance balance;
	ServiceFit fit;
} ServiceFile;

/* "random", "rr", "least"; NULL-terminated, in the order of SimBalance. */
extern const char *const SIM_BALANCE_NAME[];

void service_file_default(ServiceFile *file);
/* ERR_IO, or ERR_PARSE and ERR_INVALID with file, line and key: not YAML, an unknown key, a key given twice, not a number, out of
 * bounds. *ret is untouched on failure. */
int service_file_read(const char *path, ServiceFile *ret, Error *err);
/* The same of a text; path is for messages. */
int service_file_parse(const char *text, size_t len, const char *path, ServiceFile *ret, Error *err);
/* Makes sim simulate it: the service, the balancing, and a sub-step of at most what sim has that divides its interval and the
 * service's scrapes. False where sim's level, the fluid one, cannot balance as the file says, and so balances at random. */
bool service_file_apply(const ServiceFile *file, SimConfig *sim);
/* The file's text: reading it gives the same values. */
void service_file_print(const ServiceFile *file, StrBuf *to);
/* Whole or not at all, as mem_write_file(). */
int service_file_write(const ServiceFile *file, const char *path, Error *err);

#endif
