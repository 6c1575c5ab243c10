/* See queue.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/queue.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int queue_init(Queue *queue, size_t item_size, size_t capacity)
{
	*queue = (Queue) { .item_size = item_size, .capacity = capacity };
	queue->item = calloc(capacity, item_size);
	if (!queue->item)
		return ERR_NOMEM;
	pthread_condattr_t attr;
	(void) pthread_condattr_init(&attr);
	(void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void) pthread_cond_init(&queue->ready, &attr);
	(void) pthread_condattr_destroy(&attr);
	(void) pthread_mutex_init(&queue->lock, NULL);
	return 0;
}

void queue_done(Queue *queue)
{
	if (!queue->item)
		return;
	free(queue->item);
	(void) pthread_cond_destroy(&queue->ready);
	(void) pthread_mutex_destroy(&queue->lock);
	*queue = (Queue) { 0 };
}

int queue_push(Queue *queue, const void *item)
{
	int code = 0;
	(void) pthread_mutex_lock(&queue->lock);
	if (queue->is_closed) {
		code = ERR_CLOSED;
	} else if (queue->len == queue->capacity) {
		code = ERR_BUSY;
	} else {
		size_t tail = (queue->head + queue->len++) % queue->capacity;
		memcpy(queue->item + tail * queue->item_size, item, queue->item_size);
		(void) pthread_cond_signal(&queue->ready);
	}
	(void) pthread_mutex_unlock(&queue->lock);
	return code;
}

static struct timespec deadline_after(int64_t wait_ms)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t) (wait_ms / 1000);
	t.tv_nsec += (long) (wait_ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

int queue_pop(Queue *queue, void *ret_item, int64_t wait_ms)
{
	struct timespec deadline = { 0 };
	if (wait_ms > 0)
		deadline = deadline_after(wait_ms);
	int code = 0;
	(void) pthread_mutex_lock(&queue->lock);
	while (!queue->len && !queue->is_closed && !code) {
		if (wait_ms < 0)
			(void) pthread_cond_wait(&queue->ready, &queue->lock);
		else if (!wait_ms || pthread_cond_timedwait(&queue->ready, &queue->lock, &deadline))
			code = ERR_TIMEOUT;
	}
	if (queue->len) {
		memcpy(ret_item, queue->item + queue->head * queue->item_size, queue->item_size);
		queue->len--;
		/* an empty queue begins at its start again, so that a large one touches no more memory than it needs */
		queue->head = queue->len ? (queue->head + 1) % queue->capacity : 0;
		code = 0;
	} else if (queue->is_closed) {
		code = ERR_CLOSED;
	}
	(void) pthread_mutex_unlock(&queue->lock);
	return code;
}

void queue_close(Queue *queue)
{
	(void) pthread_mutex_lock(&queue->lock);
	queue->is_closed = true;
	(void) pthread_cond_broadcast(&queue->ready);
	(void) pthread_mutex_unlock(&queue->lock);
}
