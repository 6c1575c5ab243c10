/* A pickle, with the globals that torch's files name. */
#include "fuzz.h"
#include "rl/pickle.h"
#include "rl/zip.h"

#include <stdlib.h>

static const char *const GLOBALS[] = { "collections.OrderedDict", "torch.FloatStorage", "torch._utils._rebuild_tensor_v2", NULL };

void fuzz_pickle(const char *bytes, size_t len)
{
	Pickle *pickle = NULL;
	Error err = { 0 };
	int code = pickle_parse(bytes, len, GLOBALS, &pickle, &err);
	fuzz_check(code, &err);
	if (!code && !pickle_root(pickle))
		abort();
	pickle_free(pickle);
}

static void unpack(const char *bytes, size_t len, const char *name, StrBuf *to)
{
	Zip zip;
	ZipEntry entry;
	StrBuf scratch = { 0 };
	const char *data;
	if (zip_open(bytes, len, &zip, NULL) || !zip_find(&zip, name, &entry) || zip_read(&entry, 1 << 20, &scratch, &data, NULL))
		abort();
	strbuf_add(to, data, entry.size);
	strbuf_done(&scratch);
}

void seed_pickle(StrBuf *to)
{
	StrBuf model = { 0 }, policy = { 0 };
	fuzz_read("tests/fixtures/sb3_ppo_seedlike.zip", &model);
	unpack(model.data, model.len, "policy.pth", &policy);
	unpack(policy.data, policy.len, "archive/data.pkl", to);
	strbuf_done(&policy);
	strbuf_done(&model);
}
