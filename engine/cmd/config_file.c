/* See config_file.h. */
#include "cmd/config_file.h"

#include "base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MOST = 1 << 20 };

const char *config_path(const char *given, char *room, size_t size)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (given)
		return given;
	(void) snprintf(room, size, "%s%s/maestro/config.yaml", xdg && *xdg ? xdg : home ? home : "", xdg && *xdg ? "" : "/.config");
	return access(room, F_OK) ? NULL : room;
}

int config_read(const char *path, StrBuf *text, Json **ret_root, Error *err)
{
	Error why = { 0 };
	int code = mem_read_file(path, FILE_MOST, text, err);
	if (code)
		return code;
	code = yaml_parse(text->data ? text->data : "", text->len, ret_root, &why);
	return code ? error_set(err, code == ERR_NOMEM ? code : ERR_INVALID, "%s: %s", path, why.text) : 0;
}

const char *config_value(const Json *value, char *room, size_t size)
{
	bool flag;
	double number;
	if (json_string(value))
		return json_string(value);
	if (json_bool(value, &flag))
		return flag ? "true" : "false";
	if (!json_number(value, &number))
		return NULL;
	(void) snprintf(room, size, "%.17g", number);
	return room;
}
