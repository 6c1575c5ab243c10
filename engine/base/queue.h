/*
 * A bounded queue of fixed-size items: commands to a worker, records to the store.
 *
 * Producers never wait: a full queue answers ERR_BUSY. The consumer waits with a limit, so that a worker's idle
 * wait and its command queue are one thing. Closing wakes the consumer, which drains what is left first.
 */
#ifndef MAESTRO_BASE_QUEUE_H
#define MAESTRO_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Queue {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	char *item;       /* [capacity][item_size] */
	size_t item_size;
	size_t capacity;
	size_t head;      /* index of the oldest */
	size_t len;
	bool is_closed;
} Queue;

/* ERR_NOMEM. */
int queue_init(Queue *queue, size_t item_size, size_t capacity);
/* Nobody may use it any more. Accepts a zeroed queue. */
void queue_done(Queue *queue);
/* Copies item in. ERR_BUSY when full, ERR_CLOSED after queue_close. Any thread, never waits. */
int queue_push(Queue *queue, const void *item);
/* Copies the oldest item out. Waits at most wait_ms (0: not at all; < 0: without limit). ERR_TIMEOUT, or
 * ERR_CLOSED once it is closed and empty. */
int queue_pop(Queue *queue, void *ret_item, int64_t wait_ms);
/* No more pushes; wakes the consumer. */
void queue_close(Queue *queue);

#endif
