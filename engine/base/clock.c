/* See clock.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec t;
	(void) clock_gettime(id, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_mono(Clock *clock)
{
	(void) clock;
	return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall(Clock *clock)
{
	(void) clock;
	return read_ms(CLOCK_REALTIME);
}

static int64_t system_wait(Clock *clock, int64_t until_ms)
{
	int64_t left = until_ms - system_mono(clock);
	return left > 0 ? left : 0;
}

static int64_t scaled_mono(Clock *clock)
{
	return (int64_t) ((double) (read_ms(CLOCK_MONOTONIC) - clock->real_start_ms) * clock->speed);
}

static int64_t scaled_wall(Clock *clock)
{
	return clock->wall_start_ms + scaled_mono(clock);
}

static int64_t scaled_wait(Clock *clock, int64_t until_ms)
{
	int64_t left = until_ms - scaled_mono(clock);
	return left > 0 ? (int64_t) ceil((double) left / clock->speed) : 0;
}

static int64_t fake_now(Clock *clock)
{
	return clock->now_ms;
}

static int64_t fake_wait(Clock *clock, int64_t until_ms)
{
	if (until_ms > clock->now_ms)
		clock->now_ms = until_ms;
	return 0;
}

static const ClockOps SYSTEM = { "system", system_mono, system_wall, system_wait };
static const ClockOps SCALED = { "scaled", scaled_mono, scaled_wall, scaled_wait };
static const ClockOps FAKE = { "fake", fake_now, fake_now, fake_wait };

void clock_init_system(Clock *clock)
{
	*clock = (Clock) { .ops = &SYSTEM };
}

void clock_init_scaled(Clock *clock, double speed)
{
	*clock = (Clock) {
		.ops = &SCALED,
		.speed = speed,
		.real_start_ms = read_ms(CLOCK_MONOTONIC),
		.wall_start_ms = read_ms(CLOCK_REALTIME),
	};
}

void clock_init_fake(Clock *clock, int64_t now_ms)
{
	*clock = (Clock) { .ops = &FAKE, .now_ms = now_ms };
}

int64_t clock_mono_ms(Clock *clock)
{
	return clock->ops->mono_ms(clock);
}

int64_t clock_wall_ms(Clock *clock)
{
	return clock->ops->wall_ms(clock);
}

int64_t clock_wait_ms(Clock *clock, int64_t until_ms)
{
	return clock->ops->wait_ms(clock, until_ms);
}

int64_t clock_machine_ms(Clock *clock)
{
	return clock->ops == &SCALED ? read_ms(CLOCK_REALTIME) : clock_wall_ms(clock);
}

void clock_format(int64_t wall_ms, char *text)
{
	const int64_t most = INT64_C(253402300799999); /* the end of the year 9999: what a damaged store says may lie past it */
	wall_ms = wall_ms < 0 ? 0 : wall_ms > most ? most : wall_ms;
	time_t seconds = (time_t) (wall_ms / 1000);
	struct tm utc;
	(void) gmtime_r(&seconds, &utc);
	(void) snprintf(text, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (utc.tm_year + 1900) % 10000,
	                (utc.tm_mon + 1) % 100, utc.tm_mday % 100, utc.tm_hour % 100, utc.tm_min % 100,
	                utc.tm_sec % 100, (int) (wall_ms % 1000));
}
