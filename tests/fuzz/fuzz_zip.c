/* An archive: every member is walked and unpacked, never past what is allowed. */
#include "fuzz.h"
#include "rl/zip.h"

#include <stdlib.h>

enum { MEMBER_MAX = 1 << 20 };

void fuzz_zip(const char *bytes, size_t len)
{
	Zip zip;
	ZipEntry entry;
	ZipCursor cursor = { 0 };
	StrBuf scratch = { 0 };
	Error err = { 0 };
	int code = zip_open(bytes, len, &zip, &err);
	fuzz_check(code, &err);
	for (size_t total = 0; !code && total < 8 * MEMBER_MAX && zip_next(&zip, &cursor, &entry); total += entry.size) {
		const char *data;
		err = (Error) { 0 };
		fuzz_check(zip_read(&entry, MEMBER_MAX, &scratch, &data, &err), &err);
		if (scratch.len > MEMBER_MAX)
			abort();
	}
	strbuf_done(&scratch);
}

void seed_zip(StrBuf *to)
{
	fuzz_read("tests/fixtures/sb3_ppo_seedlike.zip", to);
}
