/* A model of Stable-Baselines3: a zip of JSON, pickles and a zip of tensors. */
#include "fuzz.h"
#include "rl/io_sb3.h"

#include <stdlib.h>

void fuzz_sb3(const char *bytes, size_t len)
{
	Net *net = NULL;
	ModelInfo info;
	Error err = { 0 };
	int code = sb3_read(bytes, len, &net, &info, &err);
	fuzz_check(code, &err);
	if (!code != !!net)
		abort();
	net_free(net);
}

void seed_sb3(StrBuf *to)
{
	fuzz_read("tests/fixtures/sb3_ppo_seedlike.zip", to);
}
