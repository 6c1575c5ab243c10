/*
 * Safetensors files (huggingface.co/docs/safetensors): 8 bytes of header length, little-endian; a JSON object of
 * tensors, with strings under "__metadata__"; the data, without holes. Here: float32 tensors of one or two dimensions.
 *
 * A file is not trusted: every length, offset and shape is checked before it is used, and no allocation is larger than
 * the file itself asks by its own size.
 */
#ifndef MAESTRO_RL_IO_SAFETENSORS_H
#define MAESTRO_RL_IO_SAFETENSORS_H

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "rl/net.h"

enum { SAFETENSORS_MAX = 64 }; /* tensors in a file */

typedef struct SafeTensor {
	const char *name;  /* lent by the file */
	int32_t rows, cols; /* one dimension: cols 0 */
	size_t n;          /* values */
	const char *data;  /* into the file's bytes; not aligned */
} SafeTensor;

typedef struct SafeFile {
	Json *header;
	size_t count;
	SafeTensor tensor[SAFETENSORS_MAX];
} SafeFile;

/* bytes are lent until close. ERR_BAD_MODEL says what is wrong. */
int safetensors_open(const char *bytes, size_t len, SafeFile *ret_file, Error *err);
void safetensors_close(SafeFile *file);
/* A string of the metadata, owned by the file; NULL: no such key. */
const char *safetensors_metadata(const SafeFile *file, const char *key);

/* Appends a whole file; metadata: an object of strings, taken over. ERR_NOMEM. */
int safetensors_write(const NetTensor *tensor, size_t count, Json *metadata, StrBuf *ret_bytes);

#endif
