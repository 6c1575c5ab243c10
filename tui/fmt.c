/* See fmt.h. */
#include "tui/fmt.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char *unknown(char *text)
{
	(void) snprintf(text, FMT_TEXT, "?");
	return text;
}

/* Three significant digits, or whole where there are more before the point. */
static int digits_of(double magnitude)
{
	return magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;
}

/* With the largest unit of base that leaves at least 1; the first unit of a count has no fraction. */
static char *scaled(char *text, double value, double base, const char *const *unit, int n_units)
{
	if (isnan(value))
		return unknown(text);
	int u = 0;
	double x = value;
	while (u + 1 < n_units && fabs(x) >= (base > 1000 ? base : 999.5)) {
		x /= base;
		u++;
	}
	int digits = u == 0 && x == floor(x) ? 0 : digits_of(fabs(x));
	(void) snprintf(text, FMT_TEXT, "%.*f%s", digits, x, unit[u]);
	return text;
}

char *fmt_number(char *text, double value)
{
	double a = fabs(value);
	if (isnan(value))
		return unknown(text);
	if (a != 0 && (a < .001 || a >= 1e6))
		(void) snprintf(text, FMT_TEXT, "%.1e", value);
	else
		(void) snprintf(text, FMT_TEXT, "%.*f", a < 1 ? 4 : a < 10 ? 3 : a < 100 ? 2 : a < 1e4 ? 1 : 0, value);
	return text;
}

char *fmt_plain(char *text, double value)
{
	if (isnan(value))
		return unknown(text);
	(void) snprintf(text, FMT_TEXT, "%.4g", fabs(value) < 1e-12 ? 0 : value);
	return text;
}

char *fmt_step(char *text, double value, double step)
{
	if (isnan(value))
		return unknown(text);
	bool is_whole = !(step > 0) || value == 0;
	int digits = is_whole ? 0 : (int) fmin(6, fmax(0, 1 - floor(log10(step))));
	double least = .5 * pow(10, -digits); /* no "-0" */
	(void) snprintf(text, FMT_TEXT, "%.*f", digits, fabs(value) < least ? 0 : value);
	return text;
}

char *fmt_count(char *text, double value)
{
	static const char *const UNIT[] = { "", " k", " M", " G", " T" };
	return scaled(text, value, 1000, UNIT, 5);
}

char *fmt_rate(char *text, double per_s)
{
	static const char *const UNIT[] = { " /s", " k/s", " M/s", " G/s" };
	return scaled(text, per_s, 1000, UNIT, 4);
}

char *fmt_bytes(char *text, double bytes)
{
	static const char *const UNIT[] = { " B", " KiB", " MiB", " GiB", " TiB" };
	return scaled(text, bytes, 1024, UNIT, 5);
}

char *fmt_ms(char *text, double ms)
{
	if (isnan(ms))
		return unknown(text);
	if (ms > 0 && ms < .005)
		(void) snprintf(text, FMT_TEXT, "<0.01 ms");
	else if (fabs(ms) < 999.5)
		(void) snprintf(text, FMT_TEXT, "%.*f ms", fabs(ms) < .995 ? 2 : fabs(ms) < 9.95 ? 1 : 0, ms);
	else
		(void) snprintf(text, FMT_TEXT, "%.*f s", digits_of(fabs(ms) / 1000), ms / 1000);
	return text;
}

char *fmt_cores(char *text, double cores)
{
	if (isnan(cores))
		return unknown(text);
	(void) snprintf(text, FMT_TEXT, "%.*f cores", digits_of(fabs(cores)), cores);
	return text;
}

char *fmt_percent(char *text, double ratio)
{
	if (isnan(ratio))
		return unknown(text);
	double a = fabs(ratio);
	(void) snprintf(text, FMT_TEXT, "%.*f %%", a < .0995 || (a >= .9895 && a < .9995) ? 1 : 0, ratio * 100);
	return text;
}

char *fmt_duration(char *text, double s)
{
	if (isnan(s))
		return unknown(text);
	if (s < 0)
		s = 0;
	if (s >= 1e9)
		s = 1e9;
	long t = lround(s);
	if (t < 60)
		(void) snprintf(text, FMT_TEXT, "%ld s", t);
	else if (t < 3600)
		(void) snprintf(text, FMT_TEXT, "%ld m %02ld s", t / 60, t % 60);
	else if (t < 86400)
		(void) snprintf(text, FMT_TEXT, "%ld h %02ld m", t / 3600, t % 3600 / 60);
	else if (t < 100 * 86400)
		(void) snprintf(text, FMT_TEXT, "%ld d %02ld h", t / 86400, t % 86400 / 3600);
	else
		(void) snprintf(text, FMT_TEXT, "%ld d", t / 86400);
	return text;
}

char *fmt_age(char *text, double s)
{
	if (isnan(s))
		return unknown(text);
	long t = s <= 0 ? 0 : s >= 1e9 ? 1000000000 : (long) s;
	long n = t < 60 ? t : t < 3600 ? t / 60 : t < 86400 ? t / 3600 : t / 86400;
	(void) snprintf(text, FMT_TEXT, "%ld %s", n, t < 60 ? "s" : t < 3600 ? "m" : t < 86400 ? "h" : "d");
	return text;
}

/* How many characters an RFC 3339 time in UTC takes there, and when it is; 0: there is none. */
static size_t read_time(const char *at, time_t *ret_s)
{
	struct tm utc = { 0 };
	int used = 0;
	if (sscanf(at, "%4d-%2d-%2dT%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec,
	           &used) != 6 || !used)
		return 0;
	utc.tm_year -= 1900;
	utc.tm_mon--;
	*ret_s = timegm(&utc);
	size_t len = (size_t) used;
	len += at[len] == '.' ? 1 + strspn(at + len + 1, "0123456789") : 0;
	return at[len] == 'Z' ? len + 1 : 0;
}

void fmt_until(const char *said, int64_t base_ms, char *text, size_t size)
{
	static const char WORD[] = " until ";
	const char *found = strstr(said, WORD), *at = found ? found + strlen(WORD) : said;
	time_t then, base = (time_t) (base_ms / 1000);
	size_t len = found ? read_time(at, &then) : 0;
	if (!len) {
		(void) snprintf(text, size, "%s", said);
		return;
	}
	struct tm local, day;
	char when[FMT_TEXT];
	(void) localtime_r(&then, &local);
	(void) localtime_r(&base, &day);
	bool is_same = local.tm_year == day.tm_year && local.tm_yday == day.tm_yday;
	(void) strftime(when, sizeof when, is_same ? "%H:%M:%S" : "%m-%d %H:%M:%S", &local);
	(void) snprintf(text, size, "%.*s%s%s", (int) (at - said), said, when, at + len);
}

char *fmt_clock(char *text, int64_t wall_ms)
{
	if (!wall_ms)
		return unknown(text);
	time_t s = (time_t) (wall_ms / 1000);
	struct tm local;
	(void) localtime_r(&s, &local);
	(void) snprintf(text, FMT_TEXT, "%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec);
	return text;
}
