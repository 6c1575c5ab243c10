/* Names of keys and of the table's rows, and the reader of keys.yaml. See keys.h. */
#include "tui/keys.h"

#include "base/json.h"
#include "base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct KeyName {
	int key;
	const char *name;
} NAMES[] = {
	{ KEY_CTRL_C, "Ctrl-C" }, { KEY_TAB_, "Tab" }, { KEY_ENTER_, "Enter" }, { KEY_CTRL_L, "Ctrl-L" }, { KEY_CTRL_Z, "Ctrl-Z" },
	{ KEY_ESC, "Esc" }, { ' ', "Space" }, { KEY_RUBOUT, "Backspace" }, { KEY_UP_, "Up" }, { KEY_DOWN_, "Down" },
	{ KEY_LEFT_, "Left" }, { KEY_RIGHT_, "Right" }, { KEY_PAGE_UP, "PgUp" }, { KEY_PAGE_DOWN, "PgDn" }, { KEY_HOME_, "Home" },
	{ KEY_END_, "End" }, { KEY_BACK_TAB, "S-Tab" },
};
enum { N_NAMES = sizeof NAMES / sizeof *NAMES };

#define SCREEN_WORD(id, word, key, help, said, shell) #word,
static const char *const SCREEN[SCREEN_COUNT] = { SCREENS(SCREEN_WORD) };

char *keys_name(int key, char *text)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (NAMES[i].key == key) {
			str_copy(text, 16, NAMES[i].name);
			return text;
		}
	if (key > 0 && key < ' ')
		(void) snprintf(text, 16, "Ctrl-%c", key + '@');
	else
		(void) snprintf(text, 16, "%c", key > 0 && key < 127 ? key : '-');
	return text;
}

/* The reverse; -1: no such key. */
static int parse(const char *name)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (!strcmp(NAMES[i].name, name))
			return NAMES[i].key;
	if (!strncmp(name, "Ctrl-", 5) && name[5] >= 'A' && name[5] <= 'Z' && !name[6])
		return name[5] - '@';
	return name[0] > ' ' && name[0] < 127 && !name[1] ? name[0] : -1;
}

void keys_full_id(const KeyRow *row, char *text, size_t size)
{
	int screen = 0;
	while (screen < SCREEN_COUNT - 1 && !(row->screens & 1u << screen))
		screen++;
	unsigned others = row->screens & ~(1u << screen);
	bool is_wide = row->screens == ON_ALL || row->screens == ON_TABLES || (others & (others - 1)) != 0;
	(void) snprintf(text, size, "%s.%s", is_wide ? "all" : SCREEN[screen], row->id ? row->id : "?");
}

char *keys_names(const Keymap *keymap, size_t row, char *text)
{
	size_t n;
	const KeyRow *table = keys_table(&n);
	char name[16];
	str_copy(text, 32, keys_name(keymap->key[row], name));
	for (size_t i = row + 1; i < n && !table[i].id && table[i].action != ACT_QUIT; i++)
		(void) snprintf(text + strlen(text), 32 - strlen(text), " %s", keys_name(keymap->key[i], name));
	return text;
}

static int find_row(const char *id)
{
	size_t n;
	const KeyRow *table = keys_table(&n);
	char full[48];
	for (size_t i = 0; i < n; i++) {
		if (!table[i].id)
			continue;
		keys_full_id(&table[i], full, sizeof full);
		if (!strcmp(full, id))
			return (int) i;
	}
	return -1;
}

const char *keys_say(const Keymap *keymap, const char *text, char *said, size_t size)
{
	char id[48], name[32];
	size_t len = 0;
	said[0] = '\0';
	for (const char *at = text; *at && len + 1 < size;) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		int row = -1;
		if (end && (size_t) (end - at) < sizeof id) {
			(void) snprintf(id, sizeof id, "%.*s", (int) (end - at - 1), at + 1);
			row = find_row(id);
		}
		if (row < 0) {
			said[len++] = *at++;
			said[len] = '\0';
			continue;
		}
		if (keymap->key[row] < 0)
			(void) snprintf(name, sizeof name, ":%.30s", strchr(id, '.') + 1);
		else
			(void) keys_name(keymap->key[row], name);
		(void) snprintf(said + len, size - len, "%s", name);
		len = strlen(said);
		at = end + 1;
	}
	return said;
}

/* Line on which a top-level name stands, from 1. */
static int line_of(const char *text, size_t len, const char *name)
{
	int line = 1;
	size_t n = strlen(name);
	for (size_t at = 0; at < len; line++) {
		if (at + n < len && !strncmp(text + at, name, n) && strchr(" :=\"", text[at + n]))
			return line;
		const char *end = memchr(text + at, '\n', len - at);
		at = end ? (size_t) (end - text) + 1 : len;
	}
	return 0;
}

/* What is wrong with giving row that key; NULL: nothing. */
static const char *refuse(const Keymap *keymap, int row, int key, char *why, size_t size)
{
	size_t n;
	const KeyRow *table = keys_table(&n);
	char full[48];
	if (table[row].is_write && key > 0 && key < ' ' && key != KEY_ENTER_ && key != KEY_TAB_)
		return "an action that writes is not put on Ctrl";
	for (size_t i = 0; key >= 0 && i < n; i++) {
		if ((int) i == row || keymap->key[i] != key || !(table[i].screens & table[row].screens))
			continue;
		size_t named = i;
		while (!table[named].id)
			named--;
		keys_full_id(&table[named], full, sizeof full);
		(void) snprintf(why, size, "the key is %s's", full);
		return why;
	}
	return NULL;
}

/* Lines "name = key", as the manual writes them, become YAML's "name: key"; a key that YAML takes for its own is quoted. */
static void as_yaml(const char *text, size_t len, StrBuf *out)
{
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t) (end - text) - at : len - at;
		const char *line = text + at, *equal = memchr(line, '=', n), *colon = memchr(line, ':', n), *hash = memchr(line, '#', n);
		at += n + 1;
		if (equal && (!colon || colon > equal) && (!hash || hash > equal)) {
			size_t head = (size_t) (equal - line), tail = n - head - 1;
			const char *value = equal + 1;
			while (tail && *value == ' ')
				value++, tail--;
			while (tail && (value[tail - 1] == ' ' || value[tail - 1] == '\r'))
				tail--;
			while (head && line[head - 1] == ' ')
				head--;
			bool is_quoted = tail == 1;
			strbuf_addf(out, "%.*s: %s%.*s%s\n", (int) head, line, is_quoted ? "'" : "", (int) tail, value, is_quoted ? "'" : "");
		} else {
			strbuf_addf(out, "%.*s\n", (int) n, line);
		}
	}
}

static int take(const Json *member, Keymap *keymap, const char *text, size_t len, StrBuf *problems)
{
	char why[96], digit[8];
	const char *id = json_key(member), *problem = NULL, *name = json_string(member);
	int row = find_row(id), key = -1;
	int64_t number;
	if (!name && json_int(member, &number) && number >= 0 && number <= 9) {
		(void) snprintf(digit, sizeof digit, "%d", (int) number);
		name = digit;
	}
	if (row < 0)
		problem = "there is no such name; maestro keys prints them";
	else if (!json_is_null(member) && (!name || (key = parse(name)) < 0))
		problem = "no such key; write a character, Enter, Space, PgDn, Ctrl-L, ..., or null for none";
	else
		problem = refuse(keymap, row, key, why, sizeof why);
	if (!problem)
		keymap->key[row] = key;
	else
		strbuf_addf(problems, "line %d: %s: %s\n", line_of(text, len, id), id, problem);
	return problem != NULL;
}

int keys_load(const char *text, size_t len, Keymap *keymap, StrBuf *problems, Error *err)
{
	Json *root = NULL;
	StrBuf yaml = { 0 };
	as_yaml(text, len, &yaml);
	int code = yaml.failed ? ERR_NOMEM : yaml_parse(yaml.data ? yaml.data : "", yaml.len, &root, err), bad = 0;
	strbuf_done(&yaml);
	if (code)
		return code;
	if (!json_is_object(root) && !json_is_null(root))
		code = error_set(err, ERR_PARSE, "write a name and a key a line, such as live.override: o");
	/* first those that let go of a key, so that two may change places */
	for (const Json *m = json_first(root); m && !code; m = json_next(m)) {
		int row = find_row(json_key(m));
		if (row >= 0)
			keymap->key[row] = -1;
	}
	Keymap fresh;
	keys_default(&fresh);
	for (const Json *m = json_first(root); m && !code; m = json_next(m)) {
		int row = find_row(json_key(m)), failed = take(m, keymap, text, len, problems);
		bad += failed;
		if (failed && row >= 0)
			keymap->key[row] = fresh.key[row];
	}
	json_free(root);
	return code ? code : bad;
}
