/* JSON, and printed again. */
#include "fuzz.h"
#include "base/json.h"

#include <stdlib.h>

void fuzz_json(const char *bytes, size_t len)
{
	Json *root = NULL;
	Error err = { 0 };
	int code = json_parse(bytes, len, &root, &err);
	fuzz_check(code, &err);
	if (!code)
		free(json_print(root));
	json_free(root);
}

void seed_json(StrBuf *to)
{
	strbuf_addf(to, "%s", "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"pod\":\"web-\\u00e9\"},"
	            "\"value\":[1732636800.123,\"0.5\"]},null,true,-1.5e-3]}}");
}
