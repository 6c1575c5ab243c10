/*
 * Snapshots: how a worker shows its state to readers without either waiting for the other.
 *
 * The worker builds a plain struct whole and publishes it: one pointer is swapped under a short mutex. From then
 * on it is immutable. Readers acquire the present one (a reference count) and release it; the last one out frees
 * it. Publishing signals a wake descriptor that a reader can poll(); many signals fold into one.
 */
#ifndef MAESTRO_BASE_SNAP_H
#define MAESTRO_BASE_SNAP_H

#include <pthread.h>
#include <stddef.h>

typedef struct Wake {
	int fd; /* readable after a signal; an eventfd */
} Wake;

/* ERR_IO. */
int wake_init(Wake *wake);
void wake_done(Wake *wake);
/* Any thread and any signal handler; never waits. */
void wake_signal(Wake *wake);
/* Makes the descriptor unreadable until the next signal. */
void wake_drain(Wake *wake);

typedef struct SnapBus {
	pthread_mutex_t lock;
	void *current; /* NULL before the first */
	Wake *wake;    /* lent; NULL: nobody is woken */
} SnapBus;

/* wake (lent, may be NULL) is signalled by each that is published. */
void snap_bus_init(SnapBus *bus, Wake *wake);
/* After all readers have released. */
void snap_bus_done(SnapBus *bus);
/* size zeroed bytes to fill in and publish (or to give up by snap_release); NULL: out of memory. */
void *snap_new(size_t size);
/* The bus takes the caller's reference; snap must not be written any more. */
void snap_publish(SnapBus *bus, void *snap);
/* The newest, with a reference of the caller's own; NULL before the first. */
const void *snap_acquire(SnapBus *bus);
/* Gives a reference back. Accepts NULL. */
void snap_release(const void *snap);

#endif
