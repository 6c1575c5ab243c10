/* See replayer.h. */
#include "control/replayer.h"

#include "base/mem.h"
#include "base/queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUESTIONS = 4 };

typedef struct Question {
	int64_t id;
	ReplayQuery query;
} Question;

struct Replayer {
	ReplayPlay *play;
	void *arg;
	Queue questions;
	SnapBus views;
	pthread_t thread;
	int64_t next_id;
};

static void publish(Replayer *replayer, const ReplayView *view)
{
	ReplayView *copy = snap_new(sizeof *copy);
	if (!copy)
		return; /* the next one has it too */
	*copy = *view;
	snap_publish(&replayer->views, copy);
}

/* Plays one question; a newer one, taken in its place, or the end cuts it short. False: closed. */
static bool answer(Replayer *replayer, Question *question, ReplayView *view, bool *ret_newer)
{
	Error err = { 0 };
	*view = (ReplayView) { .query_id = question->id, .n = question->query.n + 1 };
	*ret_newer = false;
	publish(replayer, view);
	while (view->n_done < view->n) {
		int code = replayer->play(replayer->arg, &question->query, view->n_done, view, &err);
		if (code) {
			(void) snprintf(view->why, sizeof view->why, "%.115s", err.text);
			publish(replayer, view);
			return true;
		}
		view->n_done++;
		publish(replayer, view);
		code = queue_pop(&replayer->questions, question, 0);
		*ret_newer = !code;
		if (code != ERR_TIMEOUT)
			return !code;
	}
	return true;
}

static void *replayer_main(void *arg)
{
	Replayer *replayer = arg;
	Question question;
	ReplayView *view = malloc(sizeof *view);
	bool is_newer = false;
	while (view && (is_newer || !queue_pop(&replayer->questions, &question, -1)))
		if (!answer(replayer, &question, view, &is_newer))
			break;
	free(view);
	return NULL;
}

int replayer_new(ReplayPlay *play, void *arg, Wake *wake, Replayer **ret_replayer)
{
	Replayer *replayer = calloc(1, sizeof *replayer);
	if (!replayer)
		return ERR_NOMEM;
	*replayer = (Replayer) { .play = play, .arg = arg, .next_id = 1 };
	snap_bus_init(&replayer->views, wake);
	int code = queue_init(&replayer->questions, sizeof(Question), QUESTIONS);
	if (!code && pthread_create(&replayer->thread, NULL, replayer_main, replayer)) {
		queue_done(&replayer->questions);
		code = ERR_NOMEM;
	}
	if (code) {
		snap_bus_done(&replayer->views);
		free(replayer);
		return code;
	}
	*ret_replayer = replayer;
	return 0;
}

void replayer_free(Replayer *replayer)
{
	if (!replayer)
		return;
	queue_close(&replayer->questions);
	(void) pthread_join(replayer->thread, NULL);
	queue_done(&replayer->questions);
	snap_bus_done(&replayer->views);
	free(replayer);
}

int replayer_ask(Replayer *replayer, const ReplayQuery *query, int64_t *ret_query_id)
{
	Question question = { .id = replayer->next_id, .query = *query };
	int code = queue_push(&replayer->questions, &question);
	if (!code)
		*ret_query_id = replayer->next_id++;
	return code;
}

SnapBus *replayer_views(Replayer *replayer)
{
	return &replayer->views;
}
