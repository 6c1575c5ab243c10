/* `maestro runs import FILE`, and the learning curve of a run as a picture. */
#include "cmd/png.h"
#include "cmd/runs.h"

#include "base/json.h"
#include "base/mem.h"
#include "storage/import.h"
#include "storage/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 30 };

int runs_import(const Request *request)
{
	StrBuf text = { 0 };
	Json *root = NULL;
	Error why = { 0 };
	int64_t id = 0;
	bool is_new = true;
	int code = mem_read_file(request->word, FILE_MOST, &text, request->err);
	if (!code && json_parse(text.data ? text.data : "", text.len, &root, &why))
		code = error_set(request->err, ERR_BAD_MODEL, "%s: %s", request->word, why.text);
	if (!code) {
		code = import_run(request->db, root, &id, &is_new, &why);
		if (code)
			code = error_set(request->err, code == ERR_PARSE ? ERR_BAD_MODEL : code, "%s: %s", request->word, why.text);
	}
	if (!code && request->options->json)
		printf("{\"run\":%lld}\n", (long long) id);
	else if (!code)
		(void) fprintf(stderr, "run %lld%s\n", (long long) id, is_new ? "" : ", imported before");
	json_free(root);
	strbuf_done(&text);
	return code;
}

typedef struct Curve {
	double *x, *y;
	size_t n, size;
	const char *figure;
} Curve;

static int take(void *context, const RunCell *cell, size_t n)
{
	Curve *curve = context;
	double x = NAN, y = NAN;
	for (size_t i = 0; i < n; i++) {
		double value = cell[i].kind == CELL_REAL ? cell[i].real : cell[i].kind == CELL_INT ? (double) cell[i].integer : (double) NAN;
		if (!strcmp(cell[i].name, "steps"))
			x = value;
		else if (!strcmp(cell[i].name, curve->figure))
			y = value;
	}
	if (curve->n == curve->size) {
		size_t size = curve->size ? 2 * curve->size : 1024;
		double *grown_x = realloc(curve->x, size * sizeof *grown_x);
		curve->x = grown_x ? grown_x : curve->x;
		double *grown_y = realloc(curve->y, size * sizeof *grown_y);
		curve->y = grown_y ? grown_y : curve->y;
		if (!grown_x || !grown_y)
			return ERR_NOMEM;
		curve->size = size;
	}
	curve->x[curve->n] = x;
	curve->y[curve->n++] = y;
	return 0;
}

int runs_export_png(const Request *request)
{
	RunRow row;
	Curve reward = { .figure = "ep_rew_mean" }, eval = { .figure = "mean_reward" };
	int code = runs_get(request->db, request->id[0], &row, NULL, request->err);
	if (!code)
		code = runs_part(request->db, request->id[0], PART_UPDATES, take, &reward, request->err);
	if (!code)
		code = runs_part(request->db, request->id[0], PART_EVALS, take, &eval, request->err);
	if (!code && reward.n < 2 && eval.n < 2)
		code = error_set(request->err, ERR_NOT_FOUND, "run %lld has no learning curve", (long long) row.id);
	PngCurve curve[] = { { reward.x, reward.y, reward.n, 0x2E8BC9, false }, { eval.x, eval.y, eval.n, 0xE69F00, true } };
	if (!code)
		code = png_curves(curve, 2, request->options->out, request->err);
	free(reward.x);
	free(reward.y);
	free(eval.x);
	free(eval.y);
	return code;
}
