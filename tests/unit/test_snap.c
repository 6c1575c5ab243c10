/* Snapshots: a reader sees a whole one, never an older one than before, for as long as it holds it. Run under the
 * thread and address sanitizers this is also the proof that nothing is written after it was published or freed. */
#include "base/snap.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WORDS = 64, PUBLISHED = 4000, READERS = 3 };

typedef struct Snapshot {
	uint64_t word[WORDS]; /* all the same in a whole one */
} Snapshot;

static Snapshot *snapshot_of(uint64_t number)
{
	Snapshot *snap = snap_new(sizeof *snap);
	assert_non_null(snap);
	for (int i = 0; i < WORDS; i++) {
		assert_int_equal(snap->word[i], 0);
		snap->word[i] = number;
	}
	return snap;
}

static void snap_is_null_before_the_first(void **state)
{
	(void) state;
	SnapBus bus;
	snap_bus_init(&bus, NULL);
	assert_null(snap_acquire(&bus));
	snap_release(NULL);
	snap_bus_done(&bus);
}

static void snap_stays_as_it_is_while_it_is_held(void **state)
{
	(void) state;
	SnapBus bus;
	snap_bus_init(&bus, NULL);
	snap_publish(&bus, snapshot_of(1));
	const Snapshot *held = snap_acquire(&bus);
	for (uint64_t i = 2; i < 50; i++)
		snap_publish(&bus, snapshot_of(i));
	assert_int_equal(held->word[0], 1);
	assert_int_equal(held->word[WORDS - 1], 1);
	snap_release(held);
	const Snapshot *newest = snap_acquire(&bus);
	assert_int_equal(newest->word[0], 49);
	snap_release(newest);
	snap_release(snapshot_of(50)); /* built and given up */
	snap_bus_done(&bus);
}

static bool is_readable(const Wake *wake)
{
	struct pollfd entry = { .fd = wake->fd, .events = POLLIN };
	return poll(&entry, 1, 0) == 1;
}

static void wake_folds_many_signals_into_one(void **state)
{
	(void) state;
	SnapBus bus;
	Wake wake;
	assert_int_equal(wake_init(&wake), 0);
	snap_bus_init(&bus, &wake);
	assert_false(is_readable(&wake));
	for (uint64_t i = 0; i < 10; i++)
		snap_publish(&bus, snapshot_of(i));
	assert_true(is_readable(&wake));
	wake_drain(&wake);
	assert_false(is_readable(&wake));
	wake_drain(&wake); /* with nothing there it does not wait */
	wake_signal(&wake);
	assert_true(is_readable(&wake));
	snap_bus_done(&bus);
	wake_done(&wake);
	wake_done(&wake);
}

typedef struct Reader {
	SnapBus *bus;
	atomic_bool *is_over;
	uint64_t seen, torn, older;
} Reader;

static void *read_all(void *argument)
{
	Reader *self = argument;
	uint64_t last = 0;
	bool is_over;
	do {
		is_over = atomic_load(self->is_over);
		const Snapshot *snap = snap_acquire(self->bus);
		if (!snap)
			continue;
		for (int i = 1; i < WORDS; i++)
			self->torn += snap->word[i] != snap->word[0];
		self->older += snap->word[0] < last;
		self->seen++;
		last = snap->word[0];
		snap_release(snap);
	} while (!is_over);
	return NULL;
}

static void snap_readers_see_whole_ones_in_order(void **state)
{
	(void) state;
	SnapBus bus;
	atomic_bool is_over = false;
	pthread_t thread[READERS];
	Reader reader[READERS];
	snap_bus_init(&bus, NULL);
	for (int r = 0; r < READERS; r++) {
		reader[r] = (Reader) { .bus = &bus, .is_over = &is_over };
		assert_int_equal(pthread_create(&thread[r], NULL, read_all, &reader[r]), 0);
	}
	for (uint64_t i = 1; i <= PUBLISHED; i++)
		snap_publish(&bus, snapshot_of(i));
	atomic_store(&is_over, true);
	for (int r = 0; r < READERS; r++) {
		(void) pthread_join(thread[r], NULL);
		assert_true(reader[r].seen > 0);
		assert_int_equal(reader[r].torn, 0);
		assert_int_equal(reader[r].older, 0);
	}
	const Snapshot *newest = snap_acquire(&bus);
	assert_int_equal(newest->word[0], PUBLISHED);
	snap_release(newest);
	snap_bus_done(&bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snap_is_null_before_the_first),
		cmocka_unit_test(snap_stays_as_it_is_while_it_is_held),
		cmocka_unit_test(wake_folds_many_signals_into_one),
		cmocka_unit_test(snap_readers_see_whole_ones_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
