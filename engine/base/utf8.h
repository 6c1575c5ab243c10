/* UTF-8, and text from elsewhere on its way to a terminal. */
#ifndef MAESTRO_BASE_UTF8_H
#define MAESTRO_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* One code point off *text, which must not be at its end; a byte that is no UTF-8 gives '?'. */
uint32_t utf8_take(const char **text);

/* The bytes of a code point, 1 to 4 of them, without a NUL; returns how many. */
size_t utf8_put(char *to, uint32_t ch);

/* In place: each control character (C0, DEL, C1) and each byte that is no UTF-8 becomes '?', so that a terminal obeys none of it. */
void utf8_make_plain(char *text);

#endif
