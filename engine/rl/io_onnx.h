/*
 * A policy as an ONNX model (opset 13), for other programs to serve: input "obs" [batch][obs_dim] float as the environment
 * gives it; outputs "logits" [batch][n_actions] float (before any mask) and "action" [batch] int64, the greedy choice. The
 * normalisation of observations, where the net has one, is the graph's first nodes.
 */
#ifndef MAESTRO_RL_IO_ONNX_H
#define MAESTRO_RL_IO_ONNX_H

#include "base/mem.h"
#include "rl/model.h"

/* Appends a whole file, which has no place for info. ERR_NOMEM. */
int onnx_write(const Net *net, const ModelInfo *info, StrBuf *ret_bytes);

#endif
