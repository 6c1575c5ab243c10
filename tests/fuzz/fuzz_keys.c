/* A keys.yaml: what is wrong is told and counted, and every row still has its key or none. */
#include "fuzz.h"
#include "tui/keys.h"

#include <stdlib.h>

void fuzz_keys(const char *bytes, size_t len)
{
	Keymap keymap;
	StrBuf problems = { 0 };
	Error err = { 0 };
	size_t n;
	(void) keys_table(&n);
	keys_default(&keymap);
	int wrong = keys_load(bytes, len, &keymap, &problems, &err);
	fuzz_check(wrong < 0 ? wrong : 0, &err);
	if (wrong > 0 && !problems.len)
		abort();
	for (size_t i = 0; i < n; i++) {
		char name[32];
		if (keymap.key[i] < -1 || !keys_names(&keymap, i, name)[0])
			abort();
	}
	strbuf_done(&problems);
}

void seed_keys(StrBuf *to)
{
	strbuf_addf(to, "live.override: O\nall.help: ~\ntrain.pause: Ctrl-L\nnone.such: x\n");
}
