/* The simulated target that a console brings along: what becomes of the one that is shown where the recorded one cannot begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/engine.h"
#include "fakes/loop_bench.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

typedef struct Beginner {
	Loop *loop;
	atomic_bool fails;
	atomic_int n;
} Beginner;

static int begin(void *arg, bool is_recorded, Loop **ret_loop, Error *err)
{
	Beginner *beginner = arg;
	assert_true(is_recorded);
	atomic_fetch_add(&beginner->n, 1);
	if (atomic_load(&beginner->fails))
		return error_set(err, ERR_STORE, "the store is locked");
	*ret_loop = beginner->loop;
	return 0;
}

static int target_count(Feed *feed)
{
	FeedFrame frame;
	assert_int_equal(feed->ops->next(feed, &frame), 0);
	int n = frame.n_targets;
	feed->ops->release(feed, &frame);
	return n;
}

/* What begin answers once the try under way has ended. */
static int settled(Feed *feed, Beginner *beginner, int tries, Error *err)
{
	int code = 0;
	for (int i = 0; i < 20000 && (code = feed->ops->begin(feed, true, err), (!code) != !atomic_load(&beginner->fails)); i++)
		(void) usleep(1000);
	for (int i = 0; i < 20000 && atomic_load(&beginner->n) < tries; i++)
		(void) usleep(1000);
	return code;
}

static void one_that_cannot_be_recorded_stays_in_the_picture_and_is_tried_again(void **state)
{
	(void) state;
	Bench *shown = bench_new(3, ACTION_KEEP), *recorded = bench_new(3, ACTION_KEEP);
	Beginner beginner = { .fails = true };
	Clock clock;
	Wake wake;
	Feed *feed = NULL;
	Error err = { 0 };
	bench_open(shown);
	bench_open(recorded);
	beginner.loop = recorded->loop;
	clock_init_fake(&clock, 1000000);
	assert_int_equal(wake_init(&wake), 0);
	const EngineParts parts = { .loops = &shown->loop, .n_loops = 1, .wake = &wake, .clock = &clock, .begin = begin, .begin_arg = &beginner };
	assert_int_equal(engine_feed_new(&parts, &feed), 0);
	assert_int_equal(feed->ops->begin(feed, false, &err), 0); /* it is there: nothing is to be done */
	assert_int_equal(atomic_load(&beginner.n), 0);
	assert_int_equal(settled(feed, &beginner, 1, &err), ERR_STORE);
	assert_non_null(strstr(err.text, "the store is locked"));
	assert_int_equal(target_count(feed), 1);
	assert_int_equal(feed->ops->begin(feed, true, &err), ERR_STORE); /* it stays said, and is not tried each time */
	assert_int_equal(atomic_load(&beginner.n), 1);
	atomic_store(&beginner.fails, false);
	clock.now_ms += 60000;
	assert_int_equal(settled(feed, &beginner, 2, &err), 0);
	assert_int_equal(atomic_load(&beginner.n), 2);
	assert_int_equal(target_count(feed), 1);
	feed_free(feed);
	wake_done(&wake);
	bench_free(shown);
	bench_free(recorded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_cannot_be_recorded_stays_in_the_picture_and_is_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
