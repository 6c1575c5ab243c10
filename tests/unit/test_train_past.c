/* A training that goes on: from the file that is there, whatever the store had time to write of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cmd/train_past.h"
#include "fakes/store_room.h"
#include "storage/writer.h"

#include <stdio.h>
#include <string.h>

typedef struct World {
	StoreRoom room;
	Clock clock;
	char checkpoint[160];
} World;

/* A run of 24 steps, stopped, whose last checkpoint in the store is at 16. */
static void begin(World *w)
{
	Sink *sink;
	Error err = { 0 };
	Record row = { .kind = RECORD_CHECKPOINT, .u.checkpoint = { .steps = 16, .kind = "last" } };
	const RunStart start = { .kind = RUN_TRAIN, .name = "past", .seed = 1, .config_json = "{\"steps\":64}" };
	*w = (World) { 0 };
	store_room_init(&w->room);
	clock_init_system(&w->clock);
	(void) snprintf(w->checkpoint, sizeof w->checkpoint, "%.120s/last.ckpt", w->room.folder);
	str_copy(row.u.checkpoint.path, sizeof row.u.checkpoint.path, w->checkpoint);
	assert_int_equal(store_sink_new(w->room.path, &w->clock, 64, &sink, &err), 0);
	assert_int_equal(sink->ops->run_begin(sink, &start, &row.run_id, &err), 0);
	row.wall_ms = clock_wall_ms(&w->clock);
	sink->ops->write(sink, &row);
	sink->ops->write(sink, &(Record) { .kind = RECORD_UPDATE, .run_id = row.run_id, .wall_ms = row.wall_ms, .u.update = { .update = 3, .steps = 24 } });
	sink->ops->write(sink, &(Record) { .kind = RECORD_RUN_END, .run_id = row.run_id, .wall_ms = row.wall_ms, .u.run_end = RUN_STOPPED });
	sink_free(sink);
}

static int resume(World *w, TrainPast *past, Error *err)
{
	char *argv[] = { (char *) "train", (char *) "--resume", (char *) "1", NULL };
	const TrainPastRead read = { w->room.path, &w->clock, "test", 3, argv };
	TrainOptions options;
	assert_int_equal(train_options_parse(&TRAIN_COMMAND, &options, 3, argv), 0);
	return train_past_resume(&read, &options, past, err);
}

/* kill -9 between a checkpoint's file and its row: what stands after the row's steps would be deleted, though nobody makes it again. */
static void it_goes_on_at_the_files_steps(void **state)
{
	(void) state;
	static const char file[] = "maestro-checkpoint-1 {\"steps\":24,\"updates\":3}\n";
	World w;
	TrainPast past;
	Error err = { 0 };
	begin(&w);
	assert_int_equal(mem_write_file(w.checkpoint, file, sizeof file - 1, &err), 0);
	assert_int_equal(resume(&w, &past, &err), 0);
	assert_int_equal(past.checkpoint_steps, 24);
	assert_string_equal(past.checkpoint, w.checkpoint);
	train_past_done(&past);
	store_room_done(&w.room);
}

static void a_file_that_is_none_is_refused_before_anything_is_changed(void **state)
{
	(void) state;
	World w;
	TrainPast past;
	Error err = { 0 };
	begin(&w);
	assert_int_not_equal(resume(&w, &past, &err), 0); /* gone */
	assert_non_null(strstr(err.text, "last.ckpt"));
	train_past_done(&past);
	assert_int_equal(mem_write_file(w.checkpoint, "what is this", 12, &err), 0);
	assert_int_equal(resume(&w, &past, &err), ERR_BAD_MODEL);
	train_past_done(&past);
	store_room_done(&w.room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_on_at_the_files_steps),
		cmocka_unit_test(a_file_that_is_none_is_refused_before_anything_is_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
