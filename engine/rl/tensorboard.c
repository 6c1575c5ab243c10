/*
 * See tensorboard.h. A file is TFRecords (length, masked crc32c of it, data, masked crc32c of it) of Event messages; field
 * numbers are those of event.proto, summary.proto and the hparams plugin's plugin_data.proto.
 */
#include "rl/tensorboard.h"

#include "base/mem.h"
#include "rl/proto.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BINS = 30 };
enum { EVENT_WALL = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_HISTOGRAM = 5, VALUE_METADATA = 9 };
enum { HISTOGRAM_MIN = 1, HISTOGRAM_MAX, HISTOGRAM_NUM, HISTOGRAM_SUM, HISTOGRAM_SQUARES, HISTOGRAM_LIMIT, HISTOGRAM_BUCKET };
enum { METADATA_PLUGIN = 1, PLUGIN_NAME = 1, PLUGIN_CONTENT = 2 };
enum { HPARAMS_EXPERIMENT = 2, HPARAMS_START = 3, EXPERIMENT_HPARAM = 4, EXPERIMENT_METRIC = 5 };
enum { HPARAM_NAME = 1, HPARAM_TYPE = 4, TYPE_STRING = 1, TYPE_BOOL = 2, TYPE_FLOAT = 3 };
enum { METRIC_NAME = 1, METRIC_TAG = 2, START_HPARAM = 1, START_TIME = 5, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { JSON_NUMBER = 2, JSON_STRING = 3, JSON_BOOL = 4 }; /* of google.protobuf.Value */

struct TbWriter {
	FILE *file;
	bool failed;
	char path[512];
	StrBuf event, summary, value, inner, innermost; /* messages under construction, each inside the one before */
};

/* ---- records ---- */

/* Castagnoli's CRC, a nibble at a time. */
static uint32_t crc32c(const char *data, size_t len)
{
	static const uint32_t TABLE[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	uint32_t crc = ~0u;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char) data[i];
		crc = crc >> 4 ^ TABLE[crc & 15];
		crc = crc >> 4 ^ TABLE[crc & 15];
	}
	return ~crc;
}

static void put_number(char *to, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (char) (value >> (8 * i) & 0xff);
}

/* Masked, since a file may hold checksums of checksums. */
static void put_crc(char to[4], const char *data, size_t len)
{
	uint32_t crc = crc32c(data, len);
	put_number(to, (crc >> 15 | crc << 17) + 0xa282ead8u, 4);
}

/* Writes the event as a record and empties it. */
static void write_event(TbWriter *w)
{
	char head[12], tail[4];
	StrBuf *event = &w->event;
	w->failed |= event->failed;
	if (!w->failed) {
		put_number(head, event->len, 8);
		put_crc(head + 8, head, 8);
		put_crc(tail, event->data, event->len);
		w->failed = fwrite(head, 1, sizeof head, w->file) != sizeof head ||
			fwrite(event->data, 1, event->len, w->file) != event->len ||
			fwrite(tail, 1, sizeof tail, w->file) != sizeof tail;
	}
	strbuf_clear(event);
}

/* The value, whose fields behind the tag stand already, as the summary of an event. */
static void write_value(TbWriter *w, const char *tag, double wall_s, int64_t step)
{
	proto_string(&w->value, VALUE_TAG, tag);
	proto_message(&w->summary, SUMMARY_VALUE, &w->value);
	proto_double(&w->event, EVENT_WALL, wall_s);
	proto_int(&w->event, EVENT_STEP, step);
	proto_message(&w->event, EVENT_SUMMARY, &w->summary);
	write_event(w);
}

/* ---- life ---- */

static int make_folders(const char *folder, Error *err)
{
	char path[512];
	str_copy(path, sizeof path, folder);
	for (char *at = path + (*path == '/');; at++) {
		if (*at && *at != '/')
			continue;
		bool is_last = !*at;
		*at = '\0';
		if (*path && mkdir(path, 0755) && errno != EEXIST)
			return error_set(err, ERR_IO, "%.200s: %s", path, strerror(errno));
		if (is_last)
			return 0;
		*at = '/';
	}
}

int tb_open(const char *folder, double wall_s, TbWriter **ret_writer, Error *err)
{
	char host[64] = "localhost";
	TbWriter *w = calloc(1, sizeof *w);
	if (!w)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	(void) gethostname(host, sizeof host - 1);
	(void) snprintf(w->path, sizeof w->path, "%.300s/events.out.tfevents.%lld.%s.%ld", folder, (long long) wall_s, host,
			(long) getpid());
	int code = make_folders(folder, err);
	if (!code && !(w->file = fopen(w->path, "a")))
		code = error_set(err, ERR_IO, "%.200s: %s", w->path, strerror(errno));
	if (code) {
		free(w);
		return code;
	}
	proto_double(&w->event, EVENT_WALL, wall_s);
	proto_string(&w->event, EVENT_VERSION, "brain.Event:2");
	write_event(w);
	*ret_writer = w;
	return 0;
}

void tb_close(TbWriter *writer)
{
	if (!writer)
		return;
	(void) fclose(writer->file);
	StrBuf *buffers[] = { &writer->event, &writer->summary, &writer->value, &writer->inner, &writer->innermost };
	for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
		strbuf_done(buffers[i]);
	free(writer);
}

int tb_flush(TbWriter *writer, Error *err)
{
	writer->failed |= fflush(writer->file) != 0;
	bool is_lost = writer->failed;
	writer->failed = false;
	return is_lost ? error_set(err, ERR_IO, "%.200s: %s", writer->path, strerror(errno)) : 0;
}

/* ---- values ---- */

void tb_scalar(TbWriter *writer, const char *tag, double wall_s, int64_t step, double value)
{
	if (!isfinite(value))
		return;
	proto_float(&writer->value, VALUE_SIMPLE, (float) value);
	write_value(writer, tag, wall_s, step);
}

typedef struct Histogram {
	double min, max, num, sum, squares;
	double limit[BINS], bucket[BINS]; /* right edge, and how many lie under it */
} Histogram;

static Histogram histogram_of(const float *value, size_t n)
{
	Histogram h = { .min = DBL_MAX, .max = -DBL_MAX };
	for (size_t i = 0; i < n; i++) {
		double x = (double) value[i];
		if (!isfinite(x))
			continue;
		h.min = fmin(h.min, x);
		h.max = fmax(h.max, x);
		h.num++;
		h.sum += x;
		h.squares += x * x;
	}
	double width = h.max > h.min ? (h.max - h.min) / BINS : 1.0;
	for (int b = 0; b < BINS; b++)
		h.limit[b] = h.min + width * (b + 1);
	for (size_t i = 0; i < n; i++) {
		double x = (double) value[i];
		if (!isfinite(x))
			continue;
		int bin = (int) ((x - h.min) / width);
		h.bucket[bin < BINS ? bin : BINS - 1]++;
	}
	return h;
}

static void put_doubles(StrBuf *to, uint32_t field, const double *value)
{
	char bytes[BINS * 8];
	for (int i = 0; i < BINS; i++) {
		uint64_t bits;
		memcpy(&bits, &value[i], sizeof bits);
		put_number(bytes + 8 * i, bits, 8);
	}
	proto_bytes(to, field, bytes, sizeof bytes);
}

void tb_histogram(TbWriter *writer, const char *tag, double wall_s, int64_t step, const float *value, size_t n)
{
	Histogram h = histogram_of(value, n);
	if (h.num == 0)
		return;
	proto_double(&writer->inner, HISTOGRAM_MIN, h.min);
	proto_double(&writer->inner, HISTOGRAM_MAX, h.max);
	proto_double(&writer->inner, HISTOGRAM_NUM, h.num);
	proto_double(&writer->inner, HISTOGRAM_SUM, h.sum);
	proto_double(&writer->inner, HISTOGRAM_SQUARES, h.squares);
	put_doubles(&writer->inner, HISTOGRAM_LIMIT, h.limit);
	put_doubles(&writer->inner, HISTOGRAM_BUCKET, h.bucket);
	proto_message(&writer->value, VALUE_HISTOGRAM, &writer->inner);
	write_value(writer, tag, wall_s, step);
}

/* ---- hyper-parameters ---- */

/* A summary without a value: content stands in the metadata of the hparams plugin. Empties content. */
static void write_hparams(TbWriter *w, const char *tag, double wall_s, uint32_t field, StrBuf *content)
{
	StrBuf plugin = { 0 }, metadata = { 0 };
	proto_message(&w->inner, field, content);
	proto_string(&plugin, PLUGIN_NAME, "hparams");
	proto_message(&plugin, PLUGIN_CONTENT, &w->inner);
	proto_message(&metadata, METADATA_PLUGIN, &plugin);
	proto_message(&w->value, VALUE_METADATA, &metadata);
	write_value(w, tag, wall_s, 0);
	strbuf_done(&plugin);
	strbuf_done(&metadata);
}

static bool is_number(const char *text, double *ret)
{
	char *end = NULL;
	*ret = text ? strtod(text, &end) : NAN;
	return end && end != text && !*end && isfinite(*ret);
}

/* The member as a google.protobuf.Value, and its type; 0 for what is no hyper-parameter. */
static int put_member(StrBuf *to, const Json *member)
{
	double number;
	bool flag;
	if (json_number(member, &number) || is_number(json_string(member), &number)) { /* a schedule without lin_ is text in a config */
		proto_double(to, JSON_NUMBER, number);
		return TYPE_FLOAT;
	}
	if (json_bool(member, &flag)) {
		proto_int(to, JSON_BOOL, flag);
		return TYPE_BOOL;
	}
	if (!json_string(member))
		return 0;
	proto_string(to, JSON_STRING, json_string(member));
	return TYPE_STRING;
}

void tb_hparams(TbWriter *writer, double wall_s, const Json *hparams, const char *const *metric)
{
	StrBuf experiment = { 0 }, start = { 0 }, *inner = &writer->inner, *innermost = &writer->innermost;
	for (const Json *at = json_first(hparams); at; at = json_next(at)) {
		int type = *json_key(at) ? put_member(innermost, at) : 0;
		if (!type)
			continue;
		proto_string(inner, ENTRY_KEY, json_key(at));
		proto_message(inner, ENTRY_VALUE, innermost);
		proto_message(&start, START_HPARAM, inner);
		proto_string(inner, HPARAM_NAME, json_key(at));
		proto_int(inner, HPARAM_TYPE, type);
		proto_message(&experiment, EXPERIMENT_HPARAM, inner);
	}
	for (; *metric; metric++) {
		proto_string(innermost, METRIC_TAG, *metric);
		proto_message(inner, METRIC_NAME, innermost);
		proto_message(&experiment, EXPERIMENT_METRIC, inner);
	}
	proto_double(&start, START_TIME, wall_s);
	write_hparams(writer, "_hparams_/experiment", wall_s, HPARAMS_EXPERIMENT, &experiment);
	write_hparams(writer, "_hparams_/session_start_info", wall_s, HPARAMS_START, &start);
	strbuf_done(&experiment);
	strbuf_done(&start);
}
