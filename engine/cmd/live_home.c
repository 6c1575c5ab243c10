/* See live_home.h. */
#include "cmd/live_home.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 60 };

bool live_passes(int code)
{
	return code == ERR_UNREACHABLE || code == ERR_TIMEOUT || code == ERR_HTTP || code == ERR_BUSY;
}

int live_homes_note(KubeClient *kube, const Target *target, size_t n, LiveHomes *homes, Error *err)
{
	free(homes->home); /* of a try before */
	*homes = (LiveHomes) { .home = calloc(n, sizeof *homes->home) };
	if (!homes->home)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (; homes->n < n; homes->n++) {
		LiveHome *home = &homes->home[homes->n];
		bool was_left = false;
		home->target = target[homes->n];
		int code = home_note(kube, &home->target, &home->replicas, &was_left, err);
		if (code)
			return code;
		home->is_noted = true;
		if (was_left)
			(void) fprintf(stderr, "maestro: %s/%s: an earlier run was ended before it put back %d replicas; this one will\n",
			               home->target.namespace_, home->target.name, home->replicas);
	}
	return 0;
}

static void put_back(KubeClient *kube, const LiveHome *home)
{
	Error err = { 0 };
	int code = home_return(kube, &home->target, home->replicas, &err);
	for (int i = 0; live_passes(code) && i < TRIES; i++) {
		(void) nanosleep(&(struct timespec) { 1, 0 }, NULL);
		code = home_return(kube, &home->target, home->replicas, &err);
	}
	if (code) /* the note stays on the Deployment */
		(void) fprintf(stderr, "maestro: %s/%s was not put back to %d replicas: %s; the next such run does it, or kubectl scale\n",
		               home->target.namespace_, home->target.name, home->replicas, err.text);
	else
		(void) fprintf(stderr, "maestro: %s/%s is back at %d replicas\n", home->target.namespace_, home->target.name, home->replicas);
}

void live_homes_return(KubeClient *kube, LiveHomes *homes)
{
	for (size_t i = 0; i < homes->n; i++)
		if (homes->home[i].is_noted)
			put_back(kube, &homes->home[i]);
	free(homes->home);
	*homes = (LiveHomes) { 0 };
}
