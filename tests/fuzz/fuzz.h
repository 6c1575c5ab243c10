/*
 * What must stand any bytes: one file a target, one row of FUZZ_TARGETS each. tests/unit/test_fuzz.c tries every target a little,
 * always the same; `make fuzz` lets libFuzzer at them.
 *
 * fuzz_NAME(bytes, len) gives the bytes to a parser and frees what comes out; it aborts where an answer breaks the parser's word.
 * seed_NAME(to) appends a good input, from which changed ones are made. The bytes end where they end: no NUL behind them.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/err.h"
#include "base/mem.h"

#define FUZZ_TARGETS(ROW) \
	ROW(filter) \
	ROW(history) \
	ROW(import) \
	ROW(json) \
	ROW(keys) \
	ROW(kube) \
	ROW(kubeconfig) \
	ROW(pickle) \
	ROW(predict) \
	ROW(preset) \
	ROW(prom) \
	ROW(safetensors) \
	ROW(sb3) \
	ROW(service) \
	ROW(trace) \
	ROW(view) \
	ROW(yaml) \
	ROW(zip)

#define FUZZ_DECLARE(name) \
	void fuzz_##name(const char *bytes, size_t len); \
	void seed_##name(StrBuf *to);
FUZZ_TARGETS(FUZZ_DECLARE)
#undef FUZZ_DECLARE

/* A parser's word: 0, or one of the codes for bad input with a text that says what is wrong. Aborts otherwise. */
void fuzz_check(int code, const Error *err);
/* A file of the repository; aborts where it cannot be read. */
void fuzz_read(const char *path, StrBuf *to);
/* The bytes as a file in memory, for what reads files: its name into path, 32 bytes; the descriptor is for fuzz_close. */
int fuzz_file(const char *bytes, size_t len, char *path);
void fuzz_close(int fd);

#endif
