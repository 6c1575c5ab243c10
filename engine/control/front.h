/*
 * A family's front: what it violates against what it costs, over the settings of its one knob. Families are compared at equal
 * pod-hours, or in pod-hours at equal violation, along their fronts (CONTROL E): one point of each would compare settings.
 */
#ifndef MAESTRO_CONTROL_FRONT_H
#define MAESTRO_CONTROL_FRONT_H

#include <stddef.h>
#include <stdint.h>

enum { FRONT_MAX = 64 };

typedef struct FrontPoint {
	double pod_hours, v; /* v in percent of the time */
} FrontPoint;

typedef struct Front {
	FrontPoint point[FRONT_MAX]; /* rising in pod_hours, not rising in v */
	size_t n;
	double floor; /* added to v under the logarithm: half an interval, so that no violation at all can be compared */
} Front;

/*
 * From measured points in any order. Where a dearer point violates more, both take their mean in ln v (isotonic regression by pooling
 * neighbours, Ayer et al. 1955): neither is chosen by what it turned out to be.
 */
void front_of(const FrontPoint *point, size_t n, double floor, Front *ret);

/* Violation at pod_hours, ln(v + floor) linear in pod_hours between neighbours; the end point beyond an end (*ret_is_beyond: -1 where
 * even the cheapest costs more, +1 where the dearest costs less, else 0; may be NULL). NAN without points. */
double front_v_at(const Front *front, double pod_hours, int *ret_is_beyond);
/* Least pod_hours at which the front violates no more than v; `most`, what it could cost at the very most, where no point of it does
 * (*ret_is_beyond +1); the cheapest point's where all do less (-1). */
double front_pod_hours_at(const Front *front, double v, double most, int *ret_is_beyond);

/* Relative change of violation from `from` to `to`, both with the floor: -.2 is a fifth less. */
static inline double front_change(double from, double to, double floor)
{
	return (to + floor) / (from + floor) - 1.0;
}

/*
 * The path that tuning gives: for rising weights of violation, 0.1 to 1000, the settings that are best by pod_hours + lambda v_hours.
 * pod_hours, v_hours [n]; answers how many of ret_setting[room] were written, in the order of the weights, each once. Settings of
 * non-finite cost are never chosen.
 */
size_t front_path(const double *pod_hours, const double *v_hours, size_t n, int32_t *ret_setting, size_t room);
/* The best setting at one weight; -1: none is finite. */
int32_t front_best(const double *pod_hours, const double *v_hours, size_t n, double lambda);

#endif
