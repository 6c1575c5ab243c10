/* The body of POST /predict. */
#include "fuzz.h"
#include "serve/predict_body.h"

#include <math.h>
#include <stdlib.h>

void fuzz_predict(const char *bytes, size_t len)
{
	static const PredictInput inputs[] = { { .dim = 5, .n_actions = 3, .is_seed = true }, { .dim = OBS_MAX, .n_actions = 3 } };
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		PredictBody body = { 0 };
		Error err = { 0 };
		int code = predict_body_read(&inputs[i], bytes, len, &body, &err);
		fuzz_check(code, &err);
		if (code)
			continue;
		if (!body.mask || body.mask >> inputs[i].n_actions)
			abort();
		for (int32_t k = 0; k < inputs[i].dim; k++)
			if (!isfinite(body.x[k]))
				abort();
	}
}

void seed_predict(StrBuf *to)
{
	strbuf_addf(to, "{\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200,\"rps\":1e2,\"observation\":[1,2,3,4,5],\"mask\":[1,true,0]}");
}
