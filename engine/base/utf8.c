/* See utf8.h. */
#include "base/utf8.h"

uint32_t utf8_take(const char **text)
{
	const unsigned char *s = (const unsigned char *) *text;
	static const uint32_t LEAST[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
	             s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
	uint32_t ch = len == 1 ? s[0] : len == 2 ? s[0] & 0x1fu : len == 3 ? s[0] & 0x0fu : s[0] & 0x07u;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			len = 0;
			break;
		}
		ch = ch << 6 | (s[i] & 0x3fu);
	}
	if (!len || ch < LEAST[len] || ch > 0x10ffff || (ch >= 0xd800 && ch < 0xe000)) {
		*text += 1;
		return '?';
	}
	*text += len;
	return ch;
}

size_t utf8_put(char *to, uint32_t ch)
{
	if (ch < 0x80) {
		to[0] = (char) ch;
		return 1;
	}
	size_t len = ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
	static const unsigned FIRST[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = len; i-- > 1; ch >>= 6)
		to[i] = (char) (0x80 | (ch & 0x3f));
	to[0] = (char) (FIRST[len] | ch);
	return len;
}

void utf8_make_plain(char *text)
{
	char *to = text;
	for (const char *at = text; *at;) {
		uint32_t ch = utf8_take(&at);
		to += utf8_put(to, ch < 0x20 || (ch >= 0x7f && ch < 0xa0) ? '?' : ch); /* never longer than what it stands for */
	}
	*to = '\0';
}
