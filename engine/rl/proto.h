/*
 * Protocol buffers' wire format, written by hand: field by field into a StrBuf. A message within a message is built in a
 * StrBuf of its own and put as bytes. Failure to grow shows in the StrBuf.
 */
#ifndef MAESTRO_RL_PROTO_H
#define MAESTRO_RL_PROTO_H

#include "base/mem.h"

#include <stdint.h>

/* Each appends one field. */
void proto_int(StrBuf *to, uint32_t field, int64_t value);
void proto_float(StrBuf *to, uint32_t field, float value);
void proto_double(StrBuf *to, uint32_t field, double value);
void proto_bytes(StrBuf *to, uint32_t field, const char *data, size_t len);
void proto_string(StrBuf *to, uint32_t field, const char *text);
/* Puts message as a field and empties it for the next one; a failed message fails `to`. */
void proto_message(StrBuf *to, uint32_t field, StrBuf *message);

#endif
