/* See snap.h. The count stands in front of the payload, aligned so that the payload may hold any type. */
#include "base/snap.h"

#include "base/err.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct Head {
	alignas(max_align_t) atomic_int references;
} Head;

int wake_init(Wake *wake)
{
	wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return wake->fd < 0 ? ERR_IO : 0;
}

void wake_done(Wake *wake)
{
	if (wake->fd >= 0)
		(void) close(wake->fd);
	wake->fd = -1;
}

void wake_signal(Wake *wake)
{
	uint64_t one = 1;
	ssize_t wrote = write(wake->fd, &one, sizeof one); /* EAGAIN: it is readable already */
	(void) wrote;
}

void wake_drain(Wake *wake)
{
	uint64_t count;
	ssize_t got = read(wake->fd, &count, sizeof count); /* EAGAIN: there was nothing */
	(void) got;
}

void snap_bus_init(SnapBus *bus, Wake *wake)
{
	*bus = (SnapBus) { .wake = wake };
	(void) pthread_mutex_init(&bus->lock, NULL);
}

void snap_bus_done(SnapBus *bus)
{
	snap_release(bus->current);
	bus->current = NULL;
	(void) pthread_mutex_destroy(&bus->lock);
}

static Head *head_of(const void *snap)
{
	return (Head *) ((char *) (uintptr_t) snap - sizeof(Head));
}

void *snap_new(size_t size)
{
	Head *head = calloc(1, sizeof *head + size);
	if (!head)
		return NULL;
	atomic_init(&head->references, 1);
	return (char *) head + sizeof *head;
}

void snap_publish(SnapBus *bus, void *snap)
{
	(void) pthread_mutex_lock(&bus->lock);
	void *old = bus->current;
	bus->current = snap;
	(void) pthread_mutex_unlock(&bus->lock);
	snap_release(old);
	if (bus->wake)
		wake_signal(bus->wake);
}

const void *snap_acquire(SnapBus *bus)
{
	(void) pthread_mutex_lock(&bus->lock);
	const void *snap = bus->current;
	if (snap)
		(void) atomic_fetch_add(&head_of(snap)->references, 1);
	(void) pthread_mutex_unlock(&bus->lock);
	return snap;
}

void snap_release(const void *snap)
{
	if (snap && atomic_fetch_sub(&head_of(snap)->references, 1) == 1)
		free(head_of(snap));
}
