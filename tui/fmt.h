/*
 * Figures as text, with their units and of like width, so that columns do not jump. NAN is "?" everywhere.
 *
 * Every function writes into text, which holds FMT_TEXT bytes, and answers it.
 */
#ifndef MAESTRO_TUI_FMT_H
#define MAESTRO_TUI_FMT_H

#include <stddef.h>
#include <stdint.h>

enum { FMT_TEXT = 32 };

typedef char *(*FmtFn)(char *text, double value);

char *fmt_number(char *text, double value);  /* "-0.0131", "51.2", "3.0e-04" */
char *fmt_plain(char *text, double value);   /* axis: as few digits as it takes: "60", "0.5", "-2.5" */
char *fmt_step(char *text, double value, double step); /* of values a step apart: as many digits behind the point for all, "-0.36" */
char *fmt_count(char *text, double value);   /* "80", "412 k", "1.31 M" */
char *fmt_rate(char *text, double per_s);    /* "842 /s", "1.20 k/s" */
char *fmt_ms(char *text, double ms);         /* "<0.01 ms", "0.05 ms", "312 ms", "1.25 s" */
char *fmt_bytes(char *text, double bytes);   /* "84.0 MiB" */
char *fmt_cores(char *text, double cores);   /* "0.71 cores" */
char *fmt_percent(char *text, double ratio); /* "0.8 %", "71 %", "99.2 %" */
char *fmt_duration(char *text, double s);    /* "9 s", "2 m 05 s", "1 h 40 m", "3 d 02 h" */
char *fmt_age(char *text, double s);         /* in one unit, rounded down: "9 s", "28 m", "2 h", "3 d" */
/* What an engine said, its first " until " and RFC 3339 told in the machine's zone: " until 12:40:46", with the date where that is
 * another day than base_ms's. */
void fmt_until(const char *said, int64_t base_ms, char *text, size_t size);
/* Time of day in the machine's zone, "12:40:46"; 0 gives "?". */
char *fmt_clock(char *text, int64_t wall_ms);

#endif
