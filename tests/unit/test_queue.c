/* The bounded queue: order, its three refusals, and threads on both ends. */
#include "base/err.h"
#include "base/queue.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void queue_gives_items_in_order_around_its_end(void **state)
{
	(void) state;
	Queue queue;
	assert_int_equal(queue_init(&queue, sizeof(int), 3), 0);
	int next_in = 0, next_out = 0, got;
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 2; i++, next_in++)
			assert_int_equal(queue_push(&queue, &next_in), 0);
		for (int i = 0; i < 2; i++, next_out++) {
			assert_int_equal(queue_pop(&queue, &got, 0), 0);
			assert_int_equal(got, next_out);
		}
	}
	queue_done(&queue);
}

static void queue_refuses_when_full_and_waits_for_nobody(void **state)
{
	(void) state;
	Queue queue;
	assert_int_equal(queue_init(&queue, sizeof(int), 2), 0);
	int a = 1, b = 2, c = 3, got = 0;
	assert_int_equal(queue_push(&queue, &a), 0);
	assert_int_equal(queue_push(&queue, &b), 0);
	assert_int_equal(queue_push(&queue, &c), ERR_BUSY);
	assert_int_equal(queue_pop(&queue, &got, 0), 0);
	assert_int_equal(got, 1); /* the refused one did not push it out */
	assert_int_equal(queue_push(&queue, &c), 0);
	queue_done(&queue);
}

static void queue_times_out_when_empty_and_leaves_the_item_alone(void **state)
{
	(void) state;
	Queue queue;
	assert_int_equal(queue_init(&queue, sizeof(int), 2), 0);
	int got = 77;
	assert_int_equal(queue_pop(&queue, &got, 0), ERR_TIMEOUT);
	assert_int_equal(queue_pop(&queue, &got, 1), ERR_TIMEOUT);
	assert_int_equal(got, 77);
	queue_done(&queue);
}

static void queue_closed_drains_first(void **state)
{
	(void) state;
	Queue queue;
	assert_int_equal(queue_init(&queue, sizeof(int), 2), 0);
	int a = 1, got;
	assert_int_equal(queue_push(&queue, &a), 0);
	queue_close(&queue);
	assert_int_equal(queue_push(&queue, &a), ERR_CLOSED);
	assert_int_equal(queue_pop(&queue, &got, -1), 0);
	assert_int_equal(queue_pop(&queue, &got, -1), ERR_CLOSED);
	queue_done(&queue);
}

static void queue_done_accepts_a_zeroed_queue(void **state)
{
	(void) state;
	Queue queue = { 0 };
	queue_done(&queue);
}

enum { PRODUCERS = 3, ITEMS = 5000 };

typedef struct Item {
	int producer, number;
} Item;

typedef struct Producer {
	Queue *queue;
	int id;
} Producer;

static void *produce(void *argument)
{
	const Producer *self = argument;
	for (int i = 0; i < ITEMS; i++) {
		Item item = { self->id, i };
		while (queue_push(self->queue, &item) == ERR_BUSY)
			(void) sched_yield();
	}
	return NULL;
}

static void queue_keeps_each_producers_order_and_loses_nothing(void **state)
{
	(void) state;
	Queue queue;
	pthread_t thread[PRODUCERS];
	Producer producer[PRODUCERS];
	int next[PRODUCERS] = { 0 };
	assert_int_equal(queue_init(&queue, sizeof(Item), 16), 0);
	for (int p = 0; p < PRODUCERS; p++) {
		producer[p] = (Producer) { &queue, p };
		assert_int_equal(pthread_create(&thread[p], NULL, produce, &producer[p]), 0);
	}
	for (int i = 0; i < PRODUCERS * ITEMS; i++) {
		Item item = { 0 };
		assert_int_equal(queue_pop(&queue, &item, -1), 0);
		assert_int_equal(item.number, next[item.producer]++);
	}
	for (int p = 0; p < PRODUCERS; p++)
		(void) pthread_join(thread[p], NULL);
	Item item;
	assert_int_equal(queue_pop(&queue, &item, 0), ERR_TIMEOUT);
	queue_done(&queue);
}

static void *wait_for_an_item(void *argument)
{
	int item;
	int code = queue_pop(argument, &item, -1);
	return (void *) (intptr_t) code;
}

static void queue_close_wakes_a_waiting_consumer(void **state)
{
	(void) state;
	Queue queue;
	pthread_t thread;
	void *code = NULL;
	assert_int_equal(queue_init(&queue, sizeof(int), 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_an_item, &queue), 0);
	queue_close(&queue);
	(void) pthread_join(thread, &code);
	assert_int_equal((intptr_t) code, ERR_CLOSED);
	queue_done(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_gives_items_in_order_around_its_end),
		cmocka_unit_test(queue_refuses_when_full_and_waits_for_nobody),
		cmocka_unit_test(queue_times_out_when_empty_and_leaves_the_item_alone),
		cmocka_unit_test(queue_closed_drains_first),
		cmocka_unit_test(queue_done_accepts_a_zeroed_queue),
		cmocka_unit_test(queue_keeps_each_producers_order_and_loses_nothing),
		cmocka_unit_test(queue_close_wakes_a_waiting_consumer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
