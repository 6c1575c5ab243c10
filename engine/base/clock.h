/*
 * Time, injected. No code below cmd/ asks the system for the time: it asks its Clock.
 *
 * A thread that has nothing to do waits on its command queue for clock_wait_ms(clock, until) real milliseconds.
 * The three kinds make the same loop run live, faster than life (the simulated service) and in a test without
 * waiting at all.
 */
#ifndef MAESTRO_BASE_CLOCK_H
#define MAESTRO_BASE_CLOCK_H

#include <stdint.h>

typedef struct Clock Clock;
typedef struct ClockOps {
	const char *name;                                  /* "system", "scaled", "fake" */
	int64_t (*mono_ms)(Clock *clock);                  /* never goes back; zero point unspecified */
	int64_t (*wall_ms)(Clock *clock);                  /* milliseconds since 1970 UTC; may jump */
	int64_t (*wait_ms)(Clock *clock, int64_t until_ms); /* real ms to wait until mono_ms reaches until_ms, >= 0;
	                                                       the fake clock moves there itself and answers 0 */
} ClockOps;
struct Clock {
	const ClockOps *ops;
	double speed;       /* scaled: simulated ms a real ms */
	int64_t real_start_ms; /* scaled: monotonic time of the start */
	int64_t wall_start_ms; /* scaled: wall time at the start */
	int64_t now_ms;     /* fake: the time */
};

/* The machine's own clocks. Any number of threads. */
void clock_init_system(Clock *clock);
/* Runs speed (> 0) times as fast as the machine, from mono 0 and the present wall time. Any number of threads. */
void clock_init_scaled(Clock *clock, double speed);
/* Stands still at now_ms but for waits. One thread. */
void clock_init_fake(Clock *clock, int64_t now_ms);

int64_t clock_mono_ms(Clock *clock);
int64_t clock_wall_ms(Clock *clock);
int64_t clock_wait_ms(Clock *clock, int64_t until_ms);
/* Wall time of the machine beneath: another than clock_wall_ms where the clock is scaled. */
int64_t clock_machine_ms(Clock *clock);

/* RFC 3339 in UTC with milliseconds ("2026-11-24T12:40:46.120Z") into text, which holds CLOCK_TEXT bytes. */
enum { CLOCK_TEXT = 40 };
void clock_format(int64_t wall_ms, char *text);

#endif
