/*
 * What torch.save makes of a state dict: a zip of a pickle (names, shapes, strides) and one file a storage. Here: float32
 * tensors of one or two dimensions, on whatever device they were.
 *
 * A file is not trusted: storages must be stored whole, so that no shape can ask for more memory than the file has bytes.
 */
#ifndef MAESTRO_RL_IO_TORCH_H
#define MAESTRO_RL_IO_TORCH_H

#include "base/err.h"
#include "base/mem.h"
#include "rl/net.h"
#include "rl/pickle.h"

enum { TORCH_TENSORS_MAX = 64 };

typedef struct TorchTensor {
	const char *name;   /* lent by the file */
	int32_t rows, cols; /* one dimension: cols 0 */
	size_t stride[2];   /* in elements */
	const char *data;   /* its first element; lent; not aligned */
} TorchTensor;

typedef struct TorchFile {
	Pickle *pickle;
	size_t count;
	TorchTensor tensor[TORCH_TENSORS_MAX];
} TorchFile;

/* bytes are lent until close. ERR_BAD_MODEL says what is wrong; ERR_NOMEM. */
int torch_open(const char *bytes, size_t len, TorchFile *ret_file, Error *err);
void torch_close(TorchFile *file);
/* Its elements, row by row, into ret [rows x cols]. */
void torch_copy(const TorchTensor *tensor, float *ret);

/* Appends what torch.save would write: a state dict; or, of count parameters, the state dict of an Adam that has not yet
 * stepped. ERR_NOMEM. */
int torch_write(const NetTensor *tensor, size_t count, StrBuf *ret_bytes);
int torch_write_adam(size_t count, double learning_rate, double eps, StrBuf *ret_bytes);
/* Likewise an empty dict. */
int torch_write_nothing(StrBuf *ret_bytes);

#endif
