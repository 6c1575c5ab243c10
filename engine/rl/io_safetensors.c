/* See io_safetensors.h. */
#include "rl/io_safetensors.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, HEADER_MAX = 1 << 20 };
static const char METADATA[] = "__metadata__";

static int read_shape(const Json *shape, SafeTensor *tensor, Error *err)
{
	size_t rank = json_len(shape), i = 0;
	int64_t size[2] = { 0, 0 };
	if (!json_is_array(shape) || rank < 1 || rank > 2)
		return error_set(err, ERR_BAD_MODEL, "tensor %s: shape is not of 1 or 2 dimensions", tensor->name);
	for (const Json *at = json_first(shape); at; at = json_next(at), i++)
		if (!json_int(at, &size[i]) || size[i] < 1 || size[i] > INT32_MAX / 2)
			return error_set(err, ERR_BAD_MODEL, "tensor %s: bad size in its shape", tensor->name);
	tensor->rows = (int32_t) size[0];
	tensor->cols = (int32_t) size[1];
	tensor->n = (size_t) size[0] * (size_t) (rank == 2 ? size[1] : 1);
	return 0;
}

static int read_tensor(const Json *entry, const char *data, size_t data_len, SafeTensor *ret, Error *err)
{
	SafeTensor tensor = { .name = json_key(entry) };
	const char *dtype = json_string_or(entry, "dtype", "?");
	int64_t begin = 0, end = 0;
	if (strcmp(dtype, "F32") != 0)
		return error_set(err, ERR_BAD_MODEL, "tensor %s: type %.16s, not F32", tensor.name, dtype);
	int code = read_shape(json_get(entry, "shape"), &tensor, err);
	if (code)
		return code;
	const Json *offsets = json_get(entry, "data_offsets"), *first = json_first(offsets);
	if (json_len(offsets) != 2 || !json_int(first, &begin) || !json_int(json_next(first), &end) || begin < 0 ||
	    end < begin || (uint64_t) end > data_len || (uint64_t) (end - begin) != tensor.n * sizeof(float))
		return error_set(err, ERR_BAD_MODEL, "tensor %s: bad data_offsets for its shape in %zu bytes of data",
				 tensor.name, data_len);
	tensor.data = data + begin;
	*ret = tensor;
	return 0;
}

/* Each byte of the data belongs to one tensor; and each name stands once. */
static int check_layout(const SafeFile *file, size_t data_len, Error *err)
{
	size_t sum = 0;
	for (size_t i = 0; i < file->count; i++) {
		const SafeTensor *a = &file->tensor[i];
		sum += a->n * sizeof(float);
		for (size_t j = 0; j < i; j++) {
			const SafeTensor *b = &file->tensor[j];
			if (!strcmp(a->name, b->name))
				return error_set(err, ERR_BAD_MODEL, "tensor %s: there twice", a->name);
			if (a->data < b->data + b->n * sizeof(float) && b->data < a->data + a->n * sizeof(float))
				return error_set(err, ERR_BAD_MODEL, "tensors %s and %s overlap", a->name, b->name);
		}
	}
	if (sum != data_len)
		return error_set(err, ERR_BAD_MODEL, "tensors hold %zu bytes, the data %zu", sum, data_len);
	return 0;
}

static int read_tensors(const char *data, size_t data_len, SafeFile *file, Error *err)
{
	if (!json_is_object(file->header))
		return error_set(err, ERR_BAD_MODEL, "header: not an object");
	for (const Json *entry = json_first(file->header); entry; entry = json_next(entry)) {
		if (!strcmp(json_key(entry), METADATA))
			continue;
		if (file->count == SAFETENSORS_MAX)
			return error_set(err, ERR_BAD_MODEL, "header: more than %d tensors", SAFETENSORS_MAX);
		int code = read_tensor(entry, data, data_len, &file->tensor[file->count], err);
		if (code)
			return code;
		file->count++;
	}
	return check_layout(file, data_len, err);
}

int safetensors_open(const char *bytes, size_t len, SafeFile *ret_file, Error *err)
{
	uint64_t header_len = 0;
	if (len < LENGTH_BYTES)
		return error_set(err, ERR_BAD_MODEL, "%zu bytes are too few for a safetensors file", len);
	for (size_t i = LENGTH_BYTES; i-- > 0;)
		header_len = header_len << 8 | (unsigned char) bytes[i];
	if (header_len > HEADER_MAX || header_len > len - LENGTH_BYTES)
		return error_set(err, ERR_BAD_MODEL, "not a safetensors file, or cut short: header of %llu bytes in %zu",
				 (unsigned long long) header_len, len);
	SafeFile file = { 0 };
	Error why = { 0 };
	if (json_parse(bytes + LENGTH_BYTES, (size_t) header_len, &file.header, &why))
		return error_set(err, ERR_BAD_MODEL, "header: %.200s", why.text);
	int code = read_tensors(bytes + LENGTH_BYTES + header_len, len - LENGTH_BYTES - (size_t) header_len, &file, err);
	if (code) {
		safetensors_close(&file);
		return code;
	}
	*ret_file = file;
	return 0;
}

void safetensors_close(SafeFile *file)
{
	json_free(file->header);
	*file = (SafeFile) { 0 };
}

const char *safetensors_metadata(const SafeFile *file, const char *key)
{
	return json_string(json_get(json_get(file->header, METADATA), key));
}

static Json *describe(const NetTensor *tensor, size_t *offset)
{
	Json *entry = json_new_object();
	size_t n = (size_t) tensor->rows * (size_t) (tensor->cols ? tensor->cols : 1);
	json_add_string(entry, "dtype", "F32");
	Json *shape = json_add_array(entry, "shape");
	json_add_int(shape, NULL, tensor->rows);
	if (tensor->cols)
		json_add_int(shape, NULL, tensor->cols);
	Json *offsets = json_add_array(entry, "data_offsets");
	json_add_int(offsets, NULL, (int64_t) *offset);
	*offset += n * sizeof(float);
	json_add_int(offsets, NULL, (int64_t) *offset);
	return entry;
}

int safetensors_write(const NetTensor *tensor, size_t count, Json *metadata, StrBuf *ret_bytes)
{
	Json *header = json_new_object();
	size_t offset = 0;
	json_add(header, METADATA, metadata);
	for (size_t i = 0; i < count; i++)
		json_add(header, tensor[i].name, describe(&tensor[i], &offset));
	char *text = json_print(header);
	json_free(header);
	if (!text)
		return ERR_NOMEM;
	size_t text_len = strlen(text), header_len = (text_len + 7) / 8 * 8; /* so that the data is aligned */
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		strbuf_add(ret_bytes, &(char) { (char) (header_len >> (8 * i) & 0xff) }, 1);
	strbuf_add(ret_bytes, text, text_len);
	strbuf_add(ret_bytes, "       ", header_len - text_len);
	free(text);
	for (size_t i = 0; i < count; i++) {
		size_t n = (size_t) tensor[i].rows * (size_t) (tensor[i].cols ? tensor[i].cols : 1);
		strbuf_add(ret_bytes, (const char *) tensor[i].data, n * sizeof(float));
	}
	return ret_bytes->failed ? ERR_NOMEM : 0;
}
