/* See feed_file.h. All lines are read at once, so that playing waits for no disk. */
#include "tui/feed_file.h"

#include "base/clock.h"
#include "base/json.h"
#include "tui/shape.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 64 << 20 };

typedef struct Frame {
	int64_t wall_ms;
	TrainView *train;
	LiveView *live;
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
		ret_frame->live = frame->live;
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
		if (a->ask == query->ask && (a->ask == ARCHIVE_RUNS || (a->n_rows > 0 && a->row[0].id == query->run_id)))
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

static void file_free(Feed *feed)
{
	FeedFile *file = (FeedFile *) feed;
	for (size_t i = 0; i < file->n_frames; i++) {
		free(file->frame[i].train);
		free(file->frame[i].live);
	}
	for (size_t i = 0; i < file->n_answers; i++)
		free(file->answer[i]);
	free(file->frame);
	free(file->answer);
	free(file->lent);
	free(file);
}

static const FeedOps OPS = { "file", file_next, file_release, file_send, file_ask, file_free };

/* ---- reading ---- */

/* The member as a new struct, NULL where it is absent; false: out of memory. */
static bool read_view(const Json *line, const char *name, const Shape *shape, size_t size, void *ret)
{
	const Json *value = json_get(line, name);
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

static int add_line(FeedFile *file, const Json *line)
{
	Frame frame = { .wall_ms = json_int_or(line, "wall_ms", 0) };
	ArchiveAnswer *answer = NULL;
	if (!read_view(line, "archive", &shape_archive, sizeof *answer, &answer))
		return ERR_NOMEM;
	if (answer) {
		if (!grow(&file->answer, file->n_answers, sizeof *file->answer)) {
			free(answer);
			return ERR_NOMEM;
		}
		file->answer[file->n_answers++] = answer;
	}
	if (!read_view(line, "train", &shape_train, sizeof *frame.train, &frame.train))
		return ERR_NOMEM;
	if (!read_view(line, "live", &shape_live, sizeof *frame.live, &frame.live) ||
	    !grow(&file->frame, file->n_frames, sizeof *file->frame)) {
		free(frame.train);
		free(frame.live);
		return ERR_NOMEM;
	}
	if (frame.train || frame.live || !answer)
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
	file->feed = (Feed) { &OPS, -1 };
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
	if (frame->live)
		shape_write(&shape_live, frame->live, json_add_object(line, "live"));
	if (frame->archive)
		shape_write(&shape_archive, frame->archive, json_add_object(line, "archive"));
	char *text = json_print(line);
	json_free(line);
	if (!text)
		return ERR_NOMEM;
	strbuf_addf(lines, "%s\n", text);
	free(text);
	return lines->failed ? ERR_NOMEM : 0;
}
