/* See feed_file.h. All lines are read at once, so that playing waits for no disk. */
#include "tui/feed_file.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/shape.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 64 << 20 };

typedef struct Frame {
	int64_t wall_ms;
	TrainView *train;
	LiveView **target; /* [n_targets] */
	size_t n_targets;
} Frame;

typedef struct FeedFile {
	Feed feed;
	Clock clock;
	int64_t start_ms;
	Frame *frame;
	size_t n_frames;
	ArchiveAnswer **answer; /* recorded, in the order of the file */
	size_t n_answers;
	ArchiveAnswer *lent;    /* the answer to the last question, with its id; NULL: none asked */
	int64_t last_id;
	PolicyView *policy;     /* recorded; NULL: none */
	bool is_inspected;
} FeedFile;

static const Frame *frame_now(FeedFile *file)
{
	int64_t since = clock_mono_ms(&file->clock) - file->start_ms;
	size_t at = 0;
	while (at + 1 < file->n_frames && file->frame[at + 1].wall_ms - file->frame[0].wall_ms <= since)
		at++;
	return file->n_frames ? &file->frame[at] : NULL;
}

static int file_next(Feed *feed, FeedFrame *ret_frame)
{
	FeedFile *file = (FeedFile *) feed;
	const Frame *frame = frame_now(file);
	*ret_frame = (FeedFrame) { .archive = file->lent && file->last_id ? file->lent : NULL };
	if (frame) {
		ret_frame->train = frame->train;
		ret_frame->policy = file->is_inspected ? file->policy : NULL;
		ret_frame->live = frame->n_targets ? frame->target[0] : NULL;
		ret_frame->target = (const LiveView *const *) frame->target;
		ret_frame->n_targets = (int) frame->n_targets;
		ret_frame->wall_ms = frame->wall_ms;
	}
	return 0;
}

static void file_release(Feed *feed, FeedFrame *frame)
{
	(void) feed;
	*frame = (FeedFrame) { 0 };
}

static int file_send(Feed *feed, const Command *command, int64_t *ret_id)
{
	(void) feed;
	(void) command;
	(void) ret_id;
	return ERR_REFUSED;
}

static const ArchiveAnswer *find_answer(const FeedFile *file, const ArchiveQuery *query)
{
	for (size_t i = file->n_answers; i-- > 0;) {
		const ArchiveAnswer *a = file->answer[i];
		bool is_of_run = a->n_rows > 0 && a->row[0].id == query->run_id;
		if (a->ask == query->ask && (a->ask != ARCHIVE_RUN || is_of_run))
			return a;
	}
	return NULL;
}

static int file_ask(Feed *feed, const ArchiveQuery *query, int64_t *ret_query_id)
{
	FeedFile *file = (FeedFile *) feed;
	if (!file->n_answers)
		return ERR_NOT_FOUND;
	const ArchiveAnswer *answer = find_answer(file, query);
	if (answer) {
		*file->lent = *answer;
	} else {
		*file->lent = (ArchiveAnswer) { .ask = query->ask, .code = ERR_NOT_FOUND };
		str_copy(file->lent->text, sizeof file->lent->text, "this run is not in the recording");
	}
	*ret_query_id = file->lent->query_id = ++file->last_id;
	return 0;
}

/* Whatever is asked, the recorded look is the answer. */
static int file_inspect(Feed *feed, const PolicyQuery *query, int64_t *ret_query_id)
{
	FeedFile *file = (FeedFile *) feed;
	(void) query;
	if (!file->policy)
		return ERR_NOT_FOUND;
	file->is_inspected = true;
	*ret_query_id = ++file->policy->query_id;
	return 0;
}

static void frame_done(Frame *frame)
{
	for (size_t i = 0; i < frame->n_targets; i++)
		free(frame->target[i]);
	free(frame->target);
	free(frame->train);
}

static void file_free(Feed *feed)
{
	FeedFile *file = (FeedFile *) feed;
	for (size_t i = 0; i < file->n_frames; i++)
		frame_done(&file->frame[i]);
	for (size_t i = 0; i < file->n_answers; i++)
		free(file->answer[i]);
	free(file->policy);
	free(file->frame);
	free(file->answer);
	free(file->lent);
	free(file);
}

static const FeedOps OPS = { "file", file_next, file_release, file_send, file_ask, file_free, file_inspect, NULL, NULL };

/* ---- reading ---- */

/* The object as a new struct, NULL where there is none; false: out of memory. */
static bool read_view(const Json *value, const Shape *shape, size_t size, void *ret)
{
	void *view = NULL;
	if (json_is_object(value)) {
		view = calloc(1, size);
		if (!view)
			return false;
		shape_read(shape, view, value);
	}
	memcpy(ret, &view, sizeof view);
	return true;
}

static bool grow(void *array, size_t n, size_t size)
{
	void *old, *new;
	memcpy(&old, array, sizeof old);
	new = realloc(old, (n + 1) * size);
	if (new)
		memcpy(array, &new, sizeof new);
	return new != NULL;
}

static bool add_target(Frame *frame, const Json *value)
{
	LiveView *live = NULL;
	if (!read_view(value, &shape_live, sizeof *live, &live))
		return false;
	if (!live)
		return true;
	if (frame->n_targets == FEED_TARGETS_MAX || !grow(&frame->target, frame->n_targets, sizeof *frame->target)) {
		free(live);
		return frame->n_targets == FEED_TARGETS_MAX;
	}
	frame->target[frame->n_targets++] = live;
	return true;
}

/* "live" is one target, "targets" are several. */
static bool read_frame(Frame *frame, const Json *line)
{
	bool is_read = read_view(json_get(line, "train"), &shape_train, sizeof *frame->train, &frame->train) &&
	               add_target(frame, json_get(line, "live"));
	for (const Json *t = json_first(json_get(line, "targets")); t && is_read; t = json_next(t))
		is_read = add_target(frame, t);
	return is_read;
}

static bool add_answer(FeedFile *file, const Json *value)
{
	ArchiveAnswer *answer = NULL;
	if (!read_view(value, &shape_archive, sizeof *answer, &answer))
		return false;
	if (!answer)
		return true;
	if (!grow(&file->answer, file->n_answers, sizeof *file->answer)) {
		free(answer);
		return false;
	}
	file->answer[file->n_answers++] = answer;
	return true;
}

static int add_line(FeedFile *file, const Json *line)
{
	Frame frame = { .wall_ms = json_int_or(line, "wall_ms", 0) };
	size_t n_answers = file->n_answers;
	const Json *policy = json_get(line, "policy");
	if (policy && !file->policy && !read_view(policy, &shape_policy, sizeof *file->policy, &file->policy))
		return ERR_NOMEM;
	if (!add_answer(file, json_get(line, "archive")))
		return ERR_NOMEM;
	if (!read_frame(&frame, line) || !grow(&file->frame, file->n_frames, sizeof *file->frame)) {
		frame_done(&frame);
		return ERR_NOMEM;
	}
	if (frame.train || frame.n_targets || (n_answers == file->n_answers && !policy))
		file->frame[file->n_frames++] = frame;
	return 0;
}

static int read_lines(FeedFile *file, const StrBuf *text, const char *path, Error *err)
{
	int number = 0;
	for (size_t at = 0; at < text->len;) {
		const char *start = text->data + at, *end = memchr(start, '\n', text->len - at);
		size_t len = end ? (size_t) (end - start) : text->len - at;
		at += len + 1;
		number++;
		if (!len)
			continue;
		Json *line = NULL;
		Error why = { 0 };
		int code = json_parse(start, len, &line, &why);
		if (code)
			return error_set(err, code, "%.80s: line %d: %.120s", path, number, why.text);
		code = add_line(file, line);
		json_free(line);
		if (code)
			return error_set(err, code, "%.80s: %s", path, err_text(code));
	}
	return 0;
}

int feed_file_open(const char *path, Feed **ret_feed, Error *err)
{
	StrBuf text = { 0 };
	FeedFile *file = calloc(1, sizeof *file);
	int code = ERR_NOMEM;
	if (!file)
		return error_set(err, ERR_NOMEM, "%.80s: out of memory", path);
	file->feed = (Feed) { .ops = &OPS, .wake_fd = -1 };
	file->lent = calloc(1, sizeof *file->lent);
	clock_init_system(&file->clock);
	file->start_ms = clock_mono_ms(&file->clock);
	if (file->lent)
		code = mem_read_file(path, FILE_MOST, &text, err);
	if (!code)
		code = read_lines(file, &text, path, err);
	strbuf_done(&text);
	if (code) {
		file_free(&file->feed);
		return code;
	}
	*ret_feed = &file->feed;
	return 0;
}

/* ---- writing ---- */

int feed_record(const FeedFrame *frame, StrBuf *lines)
{
	Json *line = json_new_object();
	json_add_int(line, "wall_ms", frame->wall_ms);
	if (frame->train)
		shape_write(&shape_train, frame->train, json_add_object(line, "train"));
	if (frame->live && frame->n_targets <= 1)
		shape_write(&shape_live, frame->live, json_add_object(line, "live"));
	Json *targets = frame->n_targets > 1 ? json_add_array(line, "targets") : NULL;
	for (int i = 0; targets && i < frame->n_targets; i++)
		shape_write(&shape_live, frame->target[i], json_add_object(targets, NULL));
	if (frame->archive)
		shape_write(&shape_archive, frame->archive, json_add_object(line, "archive"));
	if (frame->policy)
		shape_write(&shape_policy, frame->policy, json_add_object(line, "policy"));
	char *text = json_print(line);
	json_free(line);
	if (!text)
		return ERR_NOMEM;
	strbuf_addf(lines, "%s\n", text);
	free(text);
	return lines->failed ? ERR_NOMEM : 0;
}
