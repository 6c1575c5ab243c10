/* Every kernel of every instruction set that this machine has, against the plain loops of ref.c, on awkward sizes. */
#include "rl/blas.h"
#include "rl/carve.h"
#include "rl/kernels.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZES = 4, MOST = 65, MOST_PAD = 80 };
static const size_t SIZE[SIZES] = { 1, 7, 64, 65 };
static const KernelAct ACTS[] = { KERNEL_LINEAR, KERNEL_TANH, KERNEL_RELU };

typedef struct Room { /* the largest of everything, filled with noise */
	float *x, *w, *h, *ours, *theirs, *ours2, *theirs2;
} Room;

static float *noise(Rng *rng, size_t n)
{
	float *at = mem_block(n, sizeof *at);
	assert_non_null(at);
	for (size_t i = 0; i < n; i++)
		at[i] = (float) rng_normal(rng);
	return at;
}

static int set_up(void **state)
{
	Rng rng;
	rng_init(&rng, 1, 0, RNG_INIT);
	size_t n = (MOST + 1) * MOST_PAD;
	Room *room = calloc(1, sizeof *room);
	assert_non_null(room);
	*room = (Room) { noise(&rng, n), noise(&rng, n), noise(&rng, n), noise(&rng, n), noise(&rng, n),
			 noise(&rng, n), noise(&rng, n) };
	for (size_t i = 0; i < n; i++)
		room->h[i] = tanhf(room->h[i]);
	*state = room;
	return 0;
}

static int tear_down(void **state)
{
	Room *room = *state;
	float *all[] = { room->x, room->w, room->h, room->ours, room->theirs, room->ours2, room->theirs2 };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	free(room);
	return 0;
}

static void assert_close(const float *ours, const float *theirs, size_t n, double tolerance)
{
	for (size_t i = 0; i < n; i++)
		if (!(fabs((double) ours[i] - (double) theirs[i]) <= tolerance))
			fail_msg("at %zu of %zu: %g, not %g", i, n, (double) ours[i], (double) theirs[i]);
}

/* Runs check for every set and every n, in, out of the sizes. */
static void for_all(Room *room, void (*check)(Room *, const Kernels *, size_t, size_t, size_t, KernelAct))
{
	for (size_t k = 0; kernels_at(k); k++)
		for (size_t i = 0; i < SIZES * SIZES * SIZES * 3; i++)
			check(room, kernels_at(k), SIZE[i % SIZES], SIZE[i / SIZES % SIZES],
			      SIZE[i / SIZES / SIZES % SIZES], ACTS[i / SIZES / SIZES / SIZES]);
}

static void check_forward(Room *room, const Kernels *kernels, size_t n, size_t in, size_t out, KernelAct act)
{
	size_t ldx = pad16(in), out_pad = pad16(out);
	kernels->forward(n, in, out_pad, room->x, ldx, room->w, act, room->ours);
	KERNELS_REF.forward(n, in, out_pad, room->x, ldx, room->w, act, room->theirs);
	assert_close(room->ours, room->theirs, n * out_pad, 2e-5);
}

static void forward_agrees_with_plain_loops(void **state)
{
	for_all(*state, check_forward);
}

static void check_narrow(Room *room, const Kernels *kernels, size_t n, size_t in, size_t out, KernelAct act)
{
	size_t in_pad = pad16(in), narrow = out % KERNEL_NARROW + 1, out_pad = pad16(narrow);
	float past = room->ours[out_pad - 1] = room->theirs[out_pad - 1] = 7.0f;
	(void) act;
	kernels->narrow(n, in_pad, narrow, room->x, in_pad, room->w, room->h, out_pad, room->ours);
	KERNELS_REF.narrow(n, in_pad, narrow, room->x, in_pad, room->w, room->h, out_pad, room->theirs);
	for (size_t b = 0; b < n; b++)
		assert_close(room->ours + b * out_pad, room->theirs + b * out_pad, narrow, 2e-5);
	assert_true(room->ours[out_pad - 1] == past);
	float alone[16];
	kernels->narrow(1, in_pad, narrow, room->x + (n - 1) * in_pad, in_pad, room->w, room->h, out_pad, alone);
	assert_memory_equal(alone, room->ours + (n - 1) * out_pad, narrow * sizeof(float));
}

static void narrow_agrees_with_plain_loops_and_a_row_is_what_it_is_alone(void **state)
{
	for (size_t k = 0; kernels_at(k); k++)
		for (size_t i = 0; i < SIZES * SIZES * KERNEL_NARROW; i++)
			check_narrow(*state, kernels_at(k), SIZE[i % SIZES], SIZE[i / SIZES % SIZES], i / SIZES / SIZES, KERNEL_LINEAR);
}

static void check_backward(Room *room, const Kernels *kernels, size_t n, size_t in, size_t out, KernelAct act)
{
	size_t ldy = pad16(out), in_pad = pad16(in);
	kernels->backward(n, out, in_pad, room->x, ldy, room->w, room->h, act, room->ours);
	KERNELS_REF.backward(n, out, in_pad, room->x, ldy, room->w, room->h, act, room->theirs);
	assert_close(room->ours, room->theirs, n * in_pad, 2e-5);
}

static void backward_agrees_with_plain_loops(void **state)
{
	for_all(*state, check_backward);
}

static void check_gradient(Room *room, const Kernels *kernels, size_t n, size_t in, size_t out, KernelAct act)
{
	float past = room->ours[out * in], past2 = room->ours2[out];
	(void) act;
	kernels->gradient(n, in, out, room->x, pad16(out), room->w, pad16(in), room->ours, room->ours2);
	KERNELS_REF.gradient(n, in, out, room->x, pad16(out), room->w, pad16(in), room->theirs, room->theirs2);
	assert_close(room->ours, room->theirs, out * in, 2e-5);
	assert_close(room->ours2, room->theirs2, out, 2e-5);
	assert_true(room->ours[out * in] == past && room->ours2[out] == past2); /* nothing written behind the tensor */
}

static void gradient_agrees_with_plain_loops_and_stays_in_its_tensor(void **state)
{
	for_all(*state, check_gradient);
}

static void check_elementwise(Room *room, const Kernels *kernels, size_t n, size_t in, size_t out, KernelAct act)
{
	size_t count = n * in;
	(void) out;
	memcpy(room->ours, room->x, count * sizeof(float));
	memcpy(room->theirs, room->x, count * sizeof(float));
	kernels->activate(count, act, room->ours);
	KERNELS_REF.activate(count, act, room->theirs);
	assert_close(room->ours, room->theirs, count, 1e-6);
	kernels->derive(count, act, room->h, room->ours);
	KERNELS_REF.derive(count, act, room->h, room->theirs);
	assert_close(room->ours, room->theirs, count, 1e-6);
	double sum = KERNELS_REF.sum_squares(count, room->x);
	assert_true(fabs(kernels->sum_squares(count, room->x) - sum) <= 1e-9 * sum);
}

static void elementwise_kernels_agree_with_plain_loops(void **state)
{
	for_all(*state, check_elementwise);
}

static void check_transpose(Room *room, const Kernels *kernels, size_t rows, size_t cols, size_t out, KernelAct act)
{
	size_t ldto = pad16(rows);
	(void) out;
	(void) act;
	kernels->transpose(rows, cols, room->x, room->ours, ldto);
	KERNELS_REF.transpose(rows, cols, room->x, room->theirs, ldto);
	for (size_t c = 0; c < cols; c++)
		assert_memory_equal(room->ours + c * ldto, room->theirs + c * ldto, rows * sizeof(float));
}

static void transpose_agrees_with_plain_loops(void **state)
{
	for_all(*state, check_transpose);
}

static void adam_agrees_with_plain_loops(void **state)
{
	Room *room = *state;
	const AdamStep step = { .grad_scale = 0.3f, .beta1 = 0.9f, .beta2 = 0.999f, .step_size = 3e-3f, .v_scale = 31.6f,
				.eps = 1e-5f };
	size_t n = MOST * MOST;
	for (size_t k = 0; kernels_at(k); k++) {
		float *m = room->ours2, *m2 = room->theirs2, *v = room->h, *v2 = room->w;
		for (size_t i = 0; i < n; i++) {
			m[i] = m2[i] = 0.01f;
			v[i] = v2[i] = 0.02f;
			room->ours[i] = room->theirs[i] = 1.0f;
		}
		for (int t = 0; t < 3; t++) {
			kernels_at(k)->adam(n, &step, room->x, room->ours, m, v);
			KERNELS_REF.adam(n, &step, room->x, room->theirs, m2, v2);
		}
		assert_close(room->ours, room->theirs, n, 1e-6);
		assert_close(m, m2, n, 1e-6);
		assert_close(v, v2, n, 1e-6);
	}
}

static void tanh_is_within_a_millionth_everywhere(void **state)
{
	Room *room = *state;
	enum { STEP = 4096 };
	for (size_t k = 0; kernels_at(k); k++)
		for (int block = -20; block < 20; block++) {
			for (int i = 0; i < STEP; i++)
				room->ours[i] = (float) (block + i / (double) STEP);
			kernels_at(k)->activate(STEP, KERNEL_TANH, room->ours);
			for (int i = 0; i < STEP; i++) {
				double x = (double) (float) (block + i / (double) STEP);
				assert_true(fabs((double) room->ours[i] - tanh(x)) < 1e-6);
				assert_true(fabsf(room->ours[i]) <= 1.0f);
			}
		}
}

static void softmax_and_exp_agree_with_plain_loops(void **state)
{
	Room *room = *state;
	enum { ROWS = 48 };
	for (size_t k = 0; kernels_at(k); k++)
		for (size_t n_actions = 1; n_actions < 9; n_actions++) {
			float *log_p = room->ours, *log_p2 = room->theirs, *prob = room->ours2, *prob2 = room->theirs2;
			for (size_t i = 0; i < n_actions * ROWS; i++)
				log_p[i] = log_p2[i] = 10.0f * room->x[i];
			for (size_t a = 1; a < n_actions; a++)
				log_p[a * ROWS + a] = log_p2[a * ROWS + a] = -1e8f; /* forbidden */
			kernels_at(k)->softmax(ROWS, n_actions, log_p, prob, room->h);
			KERNELS_REF.softmax(ROWS, n_actions, log_p2, prob2, room->w);
			assert_close(prob, prob2, n_actions * ROWS, 1e-6);
			assert_close(room->h, room->w, ROWS, 2e-6);
			for (size_t i = 0; i < n_actions * ROWS; i++)
				assert_true(fabs((double) log_p[i] - (double) log_p2[i]) <= 1e-6 * fmax(1, fabs((double) log_p2[i])));
			for (size_t a = 1; a < n_actions; a++)
				assert_true(prob[a * ROWS + a] == 0.0f);
		}
	for (size_t k = 0; kernels_at(k); k++)
		for (int from = -100; from < 88; from++) {
			for (int i = 0; i < 64; i++)
				room->ours[i] = (float) (from + i / 64.0);
			kernels_at(k)->exp(64, room->ours);
			for (int i = 0; i < 64; i++) {
				double want = exp(from + i / 64.0);
				assert_true(fabs((double) room->ours[i] - want) <= 3e-7 * want + 2e-38);
			}
		}
}

static void nan_passes_through_activations(void **state)
{
	Room *room = *state;
	for (size_t k = 0; kernels_at(k); k++)
		for (int a = 0; a < 3; a++) {
			for (size_t i = 0; i < 33; i++)
				room->ours[i] = i == 17 ? NAN : 1.0f;
			kernels_at(k)->activate(33, ACTS[a], room->ours);
			assert_true(isnan(room->ours[17]) && !isnan(room->ours[16]));
		}
}

static void rows_of_forward_do_not_depend_on_their_neighbours(void **state)
{
	Room *room = *state;
	for (size_t k = 0; kernels_at(k); k++)
		for (size_t s = 0; s < SIZES; s++) {
			size_t out_pad = pad16(SIZE[s]);
			kernels_at(k)->forward(MOST, 64, out_pad, room->x, 64, room->w, KERNEL_TANH, room->ours);
			for (size_t b = 0; b < MOST; b++) {
				kernels_at(k)->forward(1, 64, out_pad, room->x + b * 64, 64, room->w, KERNEL_TANH,
						       room->theirs);
				assert_memory_equal(room->ours + b * out_pad, room->theirs, out_pad * sizeof(float));
			}
		}
}

static void blas_agrees_with_plain_loops(void **state)
{
	Room *room = *state;
	const size_t m = 7, n = 65, inner = 64;
	Blas *blas = blas_open();
	assert_non_null(blas);
	for (int a_trans = 0; a_trans < 2; a_trans++) {
		memset(room->ours, 0, m * MOST_PAD * sizeof(float));
		blas_gemm(blas, a_trans, m, n, inner, room->x, a_trans ? m : inner, room->w, MOST_PAD, 0.0f, room->ours,
			  MOST_PAD);
		for (size_t i = 0; i < m; i++)
			for (size_t j = 0; j < n; j++) {
				double sum = 0.0;
				for (size_t k = 0; k < inner; k++)
					sum += (double) room->x[a_trans ? k * m + i : i * inner + k] *
						(double) room->w[k * MOST_PAD + j];
				assert_true(fabs(sum - (double) room->ours[i * MOST_PAD + j]) < 2e-5);
			}
	}
	blas_close(blas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(forward_agrees_with_plain_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(narrow_agrees_with_plain_loops_and_a_row_is_what_it_is_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(backward_agrees_with_plain_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gradient_agrees_with_plain_loops_and_stays_in_its_tensor, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(elementwise_kernels_agree_with_plain_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(transpose_agrees_with_plain_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(adam_agrees_with_plain_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tanh_is_within_a_millionth_everywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(softmax_and_exp_agree_with_plain_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nan_passes_through_activations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_of_forward_do_not_depend_on_their_neighbours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(blas_agrees_with_plain_loops, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
