/* Event files: whole records with the checksums of the format, and protocol buffers as their documentation encodes them. */
#include "rl/proto.h"
#include "rl/tensorboard.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Castagnoli's CRC a bit at a time. */
static uint32_t crc32c(const char *data, size_t len)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char) data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static uint32_t masked(const char *data, size_t len)
{
	uint32_t crc = crc32c(data, len);
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint32_t get32(const char *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static StrBuf written(void (*write)(TbWriter *writer))
{
	char folder[] = "/tmp/test_tensorboard_XXXXXX", inner[64], path[512] = "";
	TbWriter *writer = NULL;
	StrBuf bytes = { 0 };
	assert_non_null(mkdtemp(folder));
	(void) snprintf(inner, sizeof inner, "%s/logs/run", folder);
	assert_int_equal(tb_open(inner, 1e9, &writer, NULL), 0);
	write(writer);
	assert_int_equal(tb_flush(writer, NULL), 0);
	DIR *dir = opendir(inner);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (strstr(entry->d_name, "tfevents"))
			(void) snprintf(path, sizeof path, "%s/%s", inner, entry->d_name);
	(void) closedir(dir);
	assert_int_equal(mem_read_file(path, 1 << 20, &bytes, NULL), 0); /* before it is closed: a reader may follow it */
	tb_close(writer);
	(void) unlink(path);
	(void) rmdir(inner);
	(void) snprintf(inner, sizeof inner, "%s/logs", folder);
	(void) rmdir(inner);
	(void) rmdir(folder);
	return bytes;
}

/* Checks all records and counts those whose data hold text. */
static size_t count_records(const StrBuf *bytes, const char *text, size_t *ret_all)
{
	size_t n = 0, all = 0;
	for (size_t at = 0; at < bytes->len; all++) {
		size_t len = get32(bytes->data + at);
		assert_true(bytes->len - at >= 16 + len);
		assert_int_equal(get32(bytes->data + at + 8), masked(bytes->data + at, 8));
		assert_int_equal(get32(bytes->data + at + 12 + len), masked(bytes->data + at + 12, len));
		n += memmem(bytes->data + at + 12, len, text, strlen(text)) != NULL;
		at += 16 + len;
	}
	*ret_all = all;
	return n;
}

static void write_all(TbWriter *writer)
{
	static const char *const METRICS[] = { "rollout/ep_rew_mean", NULL };
	const float weights[] = { 1, 2, NAN, 3 };
	Json *hparams = json_new_object();
	json_add_number(hparams, "gamma", .99);
	json_add_string(hparams, "activation", "tanh");
	json_add_null(hparams, "trace");
	tb_hparams(writer, 1e9, hparams, METRICS);
	tb_scalar(writer, "train/loss", 1e9, 1024, .5);
	tb_scalar(writer, "train/loss", 1e9, 2048, NAN);
	tb_histogram(writer, "action_net.weight", 1e9, 1024, weights, 4);
	tb_histogram(writer, "nothing", 1e9, 1024, &weights[2], 1);
	json_free(hparams);
}

static void event_files_hold_whole_records(void **state)
{
	(void) state;
	size_t all;
	assert_int_equal(crc32c("123456789", 9), 0xe3069283u); /* RFC 3720's check value */
	StrBuf bytes = written(write_all);
	assert_int_equal(count_records(&bytes, "brain.Event:2", &all), 1);
	assert_int_equal(all, 5); /* version, two of hparams, a scalar, a histogram */
	assert_int_equal(count_records(&bytes, "train/loss", &all), 1);
	assert_int_equal(count_records(&bytes, "action_net.weight", &all), 1);
	assert_int_equal(count_records(&bytes, "nothing", &all), 0);
	assert_int_equal(count_records(&bytes, "_hparams_/session_start_info", &all), 1);
	assert_int_equal(count_records(&bytes, "gamma", &all), 2);
	assert_int_equal(count_records(&bytes, "trace", &all), 0);
	strbuf_done(&bytes);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
	(void) state;
	TbWriter *writer = NULL;
	Error err = { 0 };
	assert_int_equal(tb_open("/proc/none/run", 1e9, &writer, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/proc/none"));
}

/* The examples of protobuf.dev/programming-guides/encoding. */
static void protocol_buffers_are_as_documented(void **state)
{
	(void) state;
	StrBuf out = { 0 }, inner = { 0 };
	proto_int(&out, 1, 150);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "\x08\x96\x01", 3);
	strbuf_clear(&out);
	proto_string(&out, 2, "testing");
	assert_memory_equal(out.data, "\x12\x07testing", 9);
	strbuf_clear(&out);
	proto_int(&inner, 1, 150);
	proto_message(&out, 3, &inner);
	assert_memory_equal(out.data, "\x1a\x03\x08\x96\x01", 5);
	assert_int_equal(inner.len, 0);
	strbuf_clear(&out);
	proto_int(&out, 1, -2);
	assert_memory_equal(out.data, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
	strbuf_done(&out);
	strbuf_done(&inner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_files_hold_whole_records),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
		cmocka_unit_test(protocol_buffers_are_as_documented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
