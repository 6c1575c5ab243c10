/* See quantity.h. The form is k8s.io/apimachinery's resource.Quantity: number, then a decimal or binary suffix. */
#include "cluster/quantity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *suffix;
	long double factor;
} UNITS[] = {
	{ "", 1.0L },           { "n", 1e-9L },         { "u", 1e-6L },         { "m", 1e-3L },
	{ "k", 1e3L },          { "M", 1e6L },          { "G", 1e9L },          { "T", 1e12L },
	{ "P", 1e15L },         { "E", 1e18L },         { "Ki", 1024.0L },      { "Mi", 1048576.0L },
	{ "Gi", 1073741824.0L }, { "Ti", 1099511627776.0L }, { "Pi", 1125899906842624.0L },
	{ "Ei", 1152921504606846976.0L },
};

bool quantity_milli(const char *text, int64_t *ret_milli)
{
	size_t digits = strspn(text, "+-.0123456789");
	if (!strpbrk(text, "0123456789") || digits == 0)
		return false;
	char *end;
	long double value = strtold(text, &end); /* takes "1e3" as well */
	for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
		if (strcmp(end, UNITS[i].suffix))
			continue;
		/* the quotient keeps "200m" whole where a product with 1e-3 would not */
		long double milli = UNITS[i].factor < 1.0L ? value / roundl(1.0L / UNITS[i].factor) * 1000.0L
		                                           : value * UNITS[i].factor * 1000.0L;
		long double whole = roundl(milli);
		milli = fabsl(milli - whole) < 1e-6L ? whole : ceill(milli);
		if (!(fabsl(milli) < 9.2e18L))
			return false;
		*ret_milli = (int64_t) milli;
		return true;
	}
	return false;
}

bool time_parse(const char *text, int64_t *ret_ms)
{
	struct tm utc = { 0 };
	int n = 0, hours, minutes;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min,
	           &utc.tm_sec, &n) != 6)
		return false;
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	text += n;
	double fraction = 0.0;
	if (*text == '.') {
		char *end;
		fraction = strtod(text, &end);
		text = end;
	}
	int64_t offset_s = 0;
	if ((*text == '+' || *text == '-') && sscanf(text + 1, "%2d:%2d", &hours, &minutes) == 2)
		offset_s = (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	else if (strcmp(text, "Z"))
		return false;
	*ret_ms = ((int64_t) timegm(&utc) - offset_s) * 1000 + (int64_t) (fraction * 1000.0);
	return true;
}
