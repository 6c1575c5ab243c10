/*
 * Curves on a canvas, in dots of the glyph level (2 x 4 a cell in braille, 2 x 2 in blocks, 1 x 1 in ASCII).
 *
 * A gap in the data is a gap on the screen: a point whose y is NAN breaks the line, and so do two neighbours that
 * are further apart than max_gap. Nothing is allocated; points are fetched one by one through a function.
 */
#ifndef MAESTRO_TUI_PLOT_H
#define MAESTRO_TUI_PLOT_H

#include "tui/canvas.h"
#include "tui/fmt.h"

typedef struct Axis {
	double lo, hi, step; /* step: between labels */
} Axis;

/* Round bounds around lo..hi with at most n_steps steps; one that is constant to a thousandth gets room around it; NAN gives 0..1. */
Axis axis_fit(double lo, double hi, int n_steps);

/* A round number not under x > 0, at most half over it: where the axis of something that grows ends, so that it is
 * drawn anew a few times in all and not at each step. */
double axis_end(double x);

typedef struct Plot {
	Canvas *canvas;
	Rect area;
	double x0, x1, y0, y1;
} Plot;

typedef enum PlotKind { PLOT_LINE, PLOT_STEPS, PLOT_AREA, PLOT_AREA_STEPS, PLOT_DOTS } PlotKind;

/* Point i of a series; y NAN where it is not known. */
typedef void (*PlotPoint)(const void *data, int i, double *ret_x, double *ret_y);

typedef struct Series {
	const void *data;
	int n;
	PlotPoint at;
	PlotKind kind;
	Role role, fill;   /* fill: under an area's edge */
	char letter;       /* in ASCII */
	double max_gap;    /* in x; 0: none */
	double soft, hard; /* an area above them is drawn as warning and bad; 0: off */
} Series;

void plot_series(const Plot *plot, const Series *series);
/* The series smoothed by factor 0..1, over its raw points. */
void plot_smoothed(const Plot *plot, const Series *raw, double factor);
/* A dashed line across at y, where it lies inside. */
void plot_level(const Plot *plot, double y, Role role);
/* The x of tick i, and its label. */
typedef double (*PlotTick)(const void *data, int i, const char **ret_label);

/* Labelled lines down, behind what is there: somebody changed something. After the series. The newest label is placed
 * first; one that has no blank place is cut or left out, its line stays. */
void plot_ticks(const Plot *plot, int n, PlotTick at, const void *data);
/* A line down at x, over what is there: where somebody looks. After the series. */
void plot_cursor(const Plot *plot, double x);
/* One character at (x, y). */
void plot_mark(const Plot *plot, double x, double y, uint32_t glyph, Role role);

typedef struct ChartLabels {
	FmtFn y, x;           /* how labels are written; x NULL: no labels below */
	const char *x_unit;   /* behind the last x label */
	int y_cols;           /* of the y labels; 0: none */
} ChartLabels;

/* Draws the axes of a chart into area and answers the plot inside them. */
Plot chart_begin(Canvas *canvas, Rect area, double x0, double x1, const Axis *y, const ChartLabels *labels);

enum { SPARK_MOST = 256 }; /* dot columns */

/* One row over x0..x1: each dot column the mean of its points, scaled from the least to the largest; none is a blank. Of
 * the series, data, n, at, role and fill are read. */
void plot_sparkline(Canvas *canvas, Rect area, const Series *series, double x0, double x1);

#endif
