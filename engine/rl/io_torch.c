/* See io_torch.h. */
#include "rl/io_torch.h"

#include "rl/pickle_write.h"
#include "rl/zip.h"

#include <stdio.h>
#include <string.h>

static const char REBUILD[] = "torch._utils._rebuild_tensor_v2", STORAGE[] = "torch.FloatStorage";
static const char *const GLOBALS[] = { "collections.OrderedDict", REBUILD, STORAGE, NULL };
static const char PICKLE_FILE[] = "/data.pkl";

/* ---- reading ---- */

/* torch puts all files into one folder, whose name is the archive's: the one that holds the pickle. */
static bool find_pickle(const Zip *zip, ZipEntry *ret_entry, size_t *ret_folder_len)
{
	ZipCursor cursor = { 0 };
	size_t suffix = sizeof PICKLE_FILE - 1;
	while (zip_next(zip, &cursor, ret_entry))
		if (ret_entry->name_len > suffix &&
		    !memcmp(ret_entry->name + ret_entry->name_len - suffix, PICKLE_FILE, suffix)) {
			*ret_folder_len = ret_entry->name_len - suffix;
			return true;
		}
	return false;
}

static bool find_in(const Zip *zip, const ZipEntry *pickle, size_t folder_len, const char *name, ZipEntry *ret_entry)
{
	char path[256];
	if (folder_len + 1 + strlen(name) >= sizeof path)
		return false;
	(void) snprintf(path, sizeof path, "%.*s/%s", (int) folder_len, pickle->name, name);
	return zip_find(zip, path, ret_entry);
}

typedef struct Reading {
	Zip zip;
	ZipEntry pickle;
	size_t folder_len;
	Error *err;
} Reading;

/* The file behind ('storage', FloatStorage, key, device, elements). */
static int read_storage(Reading *r, const char *tensor, const PickleValue *reference, const char **ret_data,
			int64_t *ret_elements)
{
	const PickleValue *args = reference && reference->kind == PICKLE_PERSISTENT ? reference->args : NULL;
	const char *word = pickle_string(pickle_at(args, 0)), *key = pickle_string(pickle_at(args, 2));
	int64_t elements = 0;
	char name[64];
	ZipEntry entry;
	StrBuf unused = { 0 };
	if (!word || strcmp(word, "storage") || !pickle_is_global(pickle_at(args, 1), STORAGE) || !key ||
	    !pickle_int(pickle_at(args, 4), &elements))
		return error_set(r->err, ERR_BAD_MODEL, "tensor %.64s: not in a FloatStorage", tensor);
	(void) snprintf(name, sizeof name, "data/%.32s", key);
	if (!find_in(&r->zip, &r->pickle, r->folder_len, name, &entry))
		return error_set(r->err, ERR_BAD_MODEL, "tensor %.64s: no file %s", tensor, name);
	if (!entry.is_stored || elements < 1 || (uint64_t) elements != entry.size / sizeof(float) ||
	    entry.size % sizeof(float))
		return error_set(r->err, ERR_BAD_MODEL, "tensor %.64s: %lld elements in %zu bytes%s", tensor,
				 (long long) elements, entry.size, entry.is_stored ? "" : ", compressed");
	*ret_elements = elements;
	return zip_read(&entry, entry.size, &unused, ret_data, r->err);
}

/* Size and stride of dimension i of the tensor, checked so that its last element lies among `elements`. */
static bool read_dimensions(const PickleValue *args, int64_t elements, TorchTensor *tensor, int64_t *ret_offset)
{
	const PickleValue *sizes = pickle_at(args, 2), *strides = pickle_at(args, 3);
	int64_t size[2] = { 1, 1 }, stride[2] = { 0, 0 }, last = 0;
	if (!pickle_int(pickle_at(args, 1), ret_offset) || *ret_offset < 0 || *ret_offset >= elements || !sizes ||
	    !strides || sizes->count < 1 || sizes->count > 2 || strides->count != sizes->count)
		return false;
	for (size_t i = 0; i < sizes->count; i++) {
		if (!pickle_int(pickle_at(sizes, i), &size[i]) || !pickle_int(pickle_at(strides, i), &stride[i]) ||
		    size[i] < 1 || size[i] > elements || stride[i] < 0 || stride[i] > elements)
			return false;
		last += (size[i] - 1) * stride[i]; /* each below 2^60: elements stand in memory */
		tensor->stride[i] = (size_t) stride[i];
	}
	/* no element twice: a tensor of a few bytes must not look like a large one */
	if (size[0] * size[1] > elements || last >= elements - *ret_offset || size[0] > INT32_MAX || size[1] > INT32_MAX)
		return false;
	tensor->rows = (int32_t) size[0];
	tensor->cols = sizes->count == 2 ? (int32_t) size[1] : 0;
	return true;
}

static int read_tensor(Reading *r, const PickleValue *value, TorchTensor *tensor)
{
	int64_t elements = 0, offset;
	if (!pickle_is_call(value, REBUILD))
		return error_set(r->err, ERR_BAD_MODEL, "%.64s is not a tensor", tensor->name);
	int code = read_storage(r, tensor->name, pickle_at(value->args, 0), &tensor->data, &elements);
	if (code)
		return code;
	if (!read_dimensions(value->args, elements, tensor, &offset))
		return error_set(r->err, ERR_BAD_MODEL, "tensor %.64s: not of 1 or 2 dimensions within its %lld elements",
				 tensor->name, (long long) elements);
	tensor->data += (size_t) offset * sizeof(float);
	return 0;
}

static const TorchTensor *find_tensor(const TorchFile *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++)
		if (!strcmp(file->tensor[i].name, name))
			return &file->tensor[i];
	return NULL;
}

static int read_tensors(Reading *r, TorchFile *file)
{
	const PickleValue *root = pickle_root(file->pickle);
	if (root->kind != PICKLE_DICT && !pickle_is_call(root, GLOBALS[0]))
		return error_set(r->err, ERR_BAD_MODEL, "not a state dict");
	for (const PickleItem *item = root->first; item; item = item->next->next) {
		TorchTensor tensor = { .name = pickle_string(item->value) };
		if (!tensor.name)
			return error_set(r->err, ERR_BAD_MODEL, "a tensor without a name");
		if (file->count == TORCH_TENSORS_MAX)
			return error_set(r->err, ERR_BAD_MODEL, "more than %d tensors", TORCH_TENSORS_MAX);
		if (find_tensor(file, tensor.name))
			return error_set(r->err, ERR_BAD_MODEL, "tensor %.64s: there twice", tensor.name);
		int code = read_tensor(r, item->next->value, &tensor);
		if (code)
			return code;
		file->tensor[file->count++] = tensor;
	}
	return 0;
}

static int check_byte_order(Reading *r)
{
	ZipEntry entry;
	StrBuf scratch = { 0 };
	const char *text = NULL;
	if (!find_in(&r->zip, &r->pickle, r->folder_len, "byteorder", &entry))
		return 0; /* before torch 2.0: always little */
	int code = zip_read(&entry, 16, &scratch, &text, r->err);
	if (!code && (entry.size < 6 || memcmp(text, "little", 6)))
		code = error_set(r->err, ERR_BAD_MODEL, "byte order %.*s, not little", (int) entry.size, text);
	strbuf_done(&scratch);
	return code;
}

int torch_open(const char *bytes, size_t len, TorchFile *ret_file, Error *err)
{
	Reading r = { .err = err };
	TorchFile file = { 0 };
	StrBuf scratch = { 0 };
	const char *text = NULL;
	int code = zip_open(bytes, len, &r.zip, err);
	if (!code && !find_pickle(&r.zip, &r.pickle, &r.folder_len))
		code = error_set(err, ERR_BAD_MODEL, "no data.pkl: not torch's");
	if (!code)
		code = check_byte_order(&r);
	if (!code)
		code = zip_read(&r.pickle, PICKLE_BYTES_MAX, &scratch, &text, err);
	if (!code)
		code = pickle_parse(text, r.pickle.size, GLOBALS, &file.pickle, err);
	if (!code)
		code = read_tensors(&r, &file);
	strbuf_done(&scratch);
	if (code)
		torch_close(&file);
	else
		*ret_file = file;
	return code;
}

void torch_close(TorchFile *file)
{
	pickle_free(file->pickle);
	*file = (TorchFile) { 0 };
}

void torch_copy(const TorchTensor *tensor, float *ret)
{
	size_t rows = (size_t) tensor->rows, cols = tensor->cols ? (size_t) tensor->cols : 1;
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < cols; c++)
			memcpy(ret++, tensor->data + (r * tensor->stride[0] + c * tensor->stride[1]) * sizeof(float),
			       sizeof(float));
}

/* ---- writing ---- */

static size_t elements(const NetTensor *tensor)
{
	return (size_t) tensor->rows * (size_t) (tensor->cols ? tensor->cols : 1);
}

static void put_tensor(StrBuf *to, const NetTensor *tensor, size_t key)
{
	char name[24];
	(void) snprintf(name, sizeof name, "%zu", key);
	pickle_put_string(to, tensor->name);
	pickle_put_global(to, "torch._utils", "_rebuild_tensor_v2");
	pickle_op(to, PICKLE_MARK PICKLE_MARK);
	pickle_put_string(to, "storage");
	pickle_put_global(to, "torch", "FloatStorage");
	pickle_put_string(to, name);
	pickle_put_string(to, "cpu");
	pickle_put_int(to, (int32_t) elements(tensor));
	pickle_op(to, PICKLE_TUPLE_END PICKLE_PERSID);
	pickle_put_int(to, 0);
	pickle_put_int(to, tensor->rows);
	if (tensor->cols)
		pickle_put_int(to, tensor->cols);
	pickle_op(to, tensor->cols ? PICKLE_TUPLE_2 : PICKLE_TUPLE_1);
	if (tensor->cols)
		pickle_put_int(to, tensor->cols);
	pickle_put_int(to, 1);
	pickle_op(to, tensor->cols ? PICKLE_TUPLE_2 : PICKLE_TUPLE_1);
	pickle_op(to, PICKLE_NO);
	pickle_put_global(to, "collections", "OrderedDict");
	pickle_op(to, PICKLE_TUPLE_EMPTY PICKLE_REDUCE PICKLE_TUPLE_END PICKLE_REDUCE);
}

/* The archive around a pickle and count storages. */
static int write_archive(const StrBuf *pickle, const NetTensor *tensor, size_t count, StrBuf *ret_bytes)
{
	ZipWriter zip;
	char name[48];
	zip_begin(&zip, ret_bytes);
	zip_add(&zip, "archive/data.pkl", pickle->data ? pickle->data : "", pickle->len);
	zip_add(&zip, "archive/byteorder", "little", 6);
	for (size_t i = 0; i < count; i++) {
		(void) snprintf(name, sizeof name, "archive/data/%zu", i);
		zip_add(&zip, name, (const char *) tensor[i].data, elements(&tensor[i]) * sizeof(float));
	}
	zip_add(&zip, "archive/version", "3\n", 2);
	int code = zip_end(&zip);
	return pickle->failed ? ERR_NOMEM : code;
}

int torch_write(const NetTensor *tensor, size_t count, StrBuf *ret_bytes)
{
	StrBuf pickle = { 0 };
	pickle_op(&pickle, PICKLE_BEGIN);
	pickle_put_global(&pickle, "collections", "OrderedDict");
	pickle_op(&pickle, PICKLE_TUPLE_EMPTY PICKLE_REDUCE PICKLE_MARK);
	for (size_t i = 0; i < count; i++)
		put_tensor(&pickle, &tensor[i], i);
	pickle_op(&pickle, PICKLE_DICT_ITEMS PICKLE_END);
	int code = write_archive(&pickle, tensor, count, ret_bytes);
	strbuf_done(&pickle);
	return code;
}

/* The members of Adam's only group, as torch 2 names them. */
static void put_group(StrBuf *to, size_t count, double learning_rate, double eps)
{
	static const struct {
		const char *name, *opcode;
	} FLAGS[] = {
		{ "amsgrad", PICKLE_NO }, { "maximize", PICKLE_NO }, { "foreach", PICKLE_NOTHING },
		{ "capturable", PICKLE_NO }, { "differentiable", PICKLE_NO }, { "fused", PICKLE_NOTHING },
		{ "decoupled_weight_decay", PICKLE_NO },
	};
	pickle_put_string(to, "lr");
	pickle_put_float(to, learning_rate);
	pickle_put_string(to, "betas");
	pickle_put_float(to, 0.9);
	pickle_put_float(to, 0.999);
	pickle_op(to, PICKLE_TUPLE_2);
	pickle_put_string(to, "eps");
	pickle_put_float(to, eps);
	pickle_put_string(to, "weight_decay");
	pickle_put_int(to, 0);
	for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
		pickle_put_string(to, FLAGS[i].name);
		pickle_op(to, FLAGS[i].opcode);
	}
	pickle_put_string(to, "params");
	pickle_op(to, PICKLE_LIST_EMPTY PICKLE_MARK);
	for (size_t i = 0; i < count; i++)
		pickle_put_int(to, (int32_t) i);
	pickle_op(to, PICKLE_LIST_ITEMS);
}

int torch_write_adam(size_t count, double learning_rate, double eps, StrBuf *ret_bytes)
{
	StrBuf pickle = { 0 };
	pickle_op(&pickle, PICKLE_BEGIN PICKLE_DICT_EMPTY PICKLE_MARK);
	pickle_put_string(&pickle, "state");
	pickle_op(&pickle, PICKLE_DICT_EMPTY);
	pickle_put_string(&pickle, "param_groups");
	pickle_op(&pickle, PICKLE_LIST_EMPTY PICKLE_MARK PICKLE_DICT_EMPTY PICKLE_MARK);
	put_group(&pickle, count, learning_rate, eps);
	pickle_op(&pickle, PICKLE_DICT_ITEMS PICKLE_LIST_ITEMS PICKLE_DICT_ITEMS PICKLE_END);
	int code = write_archive(&pickle, NULL, 0, ret_bytes);
	strbuf_done(&pickle);
	return code;
}

int torch_write_nothing(StrBuf *ret_bytes)
{
	StrBuf pickle = { 0 };
	pickle_op(&pickle, PICKLE_BEGIN PICKLE_DICT_EMPTY PICKLE_END);
	int code = write_archive(&pickle, NULL, 0, ret_bytes);
	strbuf_done(&pickle);
	return code;
}
