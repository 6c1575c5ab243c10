/*
 * Forecasts of one series at a fixed horizon: several forecasters side by side, each judged by its own past error at that horizon, and
 * the one that has done best is asked. Pure arithmetic; one value an interval.
 *
 *     last        what is now
 *     line 4, 20  least squares over so many intervals, extended
 *     holt        level and damped trend (Holt 1957; Gardner and McKenzie 1985)
 *     seasonal    after Holt and Winters (1960), additive: a base, a profile of the day in 5-minute bins, and what is now off it,
 *                 which fades
 *
 * Each carries a running quantile of its residuals, so that an upper forecast is an asked-for quantile of what is to come and not a mean
 * (Koenker and Bassett 1978: the pinball loss that judges it is least at that quantile).
 */
#ifndef MAESTRO_DECIDE_FORECAST_H
#define MAESTRO_DECIDE_FORECAST_H

#include <stdint.h>

enum { FORECAST_PAST = 32, FORECAST_HORIZON_MAX = 256, FORECAST_BINS = 288 };

typedef enum Forecaster {
	FORECAST_LAST, FORECAST_LINE_4, FORECAST_LINE_20, FORECAST_HOLT, FORECAST_SEASONAL, FORECASTERS,
	FORECAST_BEST = FORECASTERS, /* whichever has the least loss so far */
} Forecaster;

/* "last", "line 4", ...; "best". */
const char *forecaster_name(Forecaster forecaster);

typedef struct Forecast { /* flat: a copy is a snapshot */
	double quantile;                 /* 0..1, of the upper forecast */
	double interval_s;
	int32_t horizon;                 /* intervals, 1..FORECAST_HORIZON_MAX */
	int64_t n;                       /* values seen */
	int64_t wall_ms;                 /* of the last */
	double past[FORECAST_PAST];      /* ring of values */
	double level, trend;             /* of holt */
	double base;                     /* of seasonal: the season taken out */
	double season[FORECAST_BINS];    /* of the day, around 0 */
	int32_t seen[FORECAST_BINS];     /* days that a bin was seen on */
	int32_t bin;                     /* of the last value */
	double made[FORECASTERS][FORECAST_HORIZON_MAX]; /* ring of forecasts whose time has not come; NAN: none */
	double loss[FORECASTERS];        /* running pinball loss of the upper forecast; NAN: not judged yet */
	double residual[FORECASTERS];    /* running quantile of what came less what was forecast */
	double scale[FORECASTERS];       /* running mean of its size */
} Forecast;

/* horizon_s is rounded up to intervals and kept within the bounds above. */
void forecast_init(Forecast *forecast, double interval_s, double horizon_s, double quantile);
/* The value of the interval that ends at wall_ms. */
void forecast_push(Forecast *forecast, int64_t wall_ms, double value);
/* The asked-for quantile of the value one horizon after the last, never below 0; NAN before the first. *ret_used (may be NULL): which
 * forecaster it is from. */
double forecast_upper(const Forecast *forecast, Forecaster which, Forecaster *ret_used);

#endif
