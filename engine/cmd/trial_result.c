/* See trial_result.h. */
#include "cmd/trial_result.h"

#include "base/base64.h"
#include "base/sha256.h"
#include "rl/zip.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 4000, FILE_MOST = 256 << 20 };
static const char HEAD[] = "maestro-result ", END[] = "maestro-result end";
const char *const TRIAL_FILE[TRIAL_FILES] = { "run.json", "model.safetensors", "best.safetensors" };

int trial_result_write(const StrBuf file[TRIAL_FILES], StrBuf *out, Error *err)
{
	ZipWriter zip;
	StrBuf archive = { 0 }, text = { 0 };
	char sum[SHA256_HEX];
	zip_begin(&zip, &archive);
	for (int i = 0; i < TRIAL_FILES; i++)
		if (file[i].data)
			zip_add_packed(&zip, TRIAL_FILE[i], file[i].data, file[i].len);
	int code = zip_end(&zip);
	if (!code) {
		sha256_hex(archive.data, archive.len, sum);
		base64_encode(archive.data, archive.len, &text);
		strbuf_addf(out, "%s%s\n", HEAD, sum);
		for (size_t at = 0; at < text.len && !text.failed; at += LINE) {
			strbuf_add(out, text.data + at, text.len - at < LINE ? text.len - at : LINE);
			strbuf_add(out, "\n", 1);
		}
		strbuf_addf(out, "%s\n", END);
	}
	code = code || text.failed || out->failed ? error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : 0;
	strbuf_done(&archive);
	strbuf_done(&text);
	return code;
}

/* The result's sum and its base64, in place of the log. */
static const char *find(const char *log, char sum[SHA256_HEX], size_t *ret_len)
{
	const char *at = log;
	while (at && strncmp(at, HEAD, sizeof HEAD - 1))
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	const char *end = at ? strstr(at + 1, END) : NULL, *body = end ? strchr(at, '\n') : NULL;
	if (!body || body >= end)
		return NULL;
	str_copy(sum, SHA256_HEX, at + sizeof HEAD - 1);
	*ret_len = (size_t) (end - body);
	return body;
}

static int unpack(const char *bytes, size_t len, StrBuf ret_file[TRIAL_FILES], Error *err)
{
	Zip zip;
	int code = zip_open(bytes, len, &zip, err);
	for (int i = 0; i < TRIAL_FILES && !code; i++) {
		ZipEntry entry;
		StrBuf scratch = { 0 };
		const char *data = NULL;
		if (!zip_find(&zip, TRIAL_FILE[i], &entry))
			continue;
		code = zip_read(&entry, FILE_MOST, &scratch, &data, err);
		if (!code)
			strbuf_add(&ret_file[i], data, entry.size);
		strbuf_done(&scratch);
		if (!code && ret_file[i].failed)
			code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	if (!code && !ret_file[0].len)
		code = error_set(err, ERR_BAD_MODEL, "there is no run in it");
	return code;
}

int trial_result_read(const char *log, StrBuf ret_file[TRIAL_FILES], Error *err)
{
	char sum[SHA256_HEX] = "", is[SHA256_HEX];
	size_t len;
	const char *body = find(log, sum, &len);
	if (!body)
		return error_set(err, ERR_NOT_FOUND, "no result in its log, or only a part of one");
	char *text = strndup(body, len);
	if (!text)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	bool is_base64 = base64_decode(text, &len);
	if (is_base64)
		sha256_hex(text, len, is);
	int code = is_base64 && !strcmp(sum, is) ? unpack(text, len, ret_file, err)
	         : error_set(err, ERR_BAD_MODEL, "its result is damaged: its checksum is another");
	free(text);
	return code;
}
