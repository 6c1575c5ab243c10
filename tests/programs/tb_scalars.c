/* The scalars of TensorBoard event files, a line each: "step tag value". For scripts that compare them with the store.
 *   tb_scalars FILE... */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Part { /* of a protocol buffer: the next field is read from `at` */
	const unsigned char *at, *end;
} Part;

static uint64_t varint(Part *part)
{
	uint64_t value = 0;
	for (int shift = 0; part->at < part->end && shift < 64; shift += 7) {
		value |= (uint64_t) (*part->at & 127) << shift;
		if (!(*part->at++ & 128))
			break;
	}
	return value;
}

/* The next field's number, 0 at the end: its bytes in *inside, or its number in *value. */
static int next(Part *part, Part *inside, uint64_t *value)
{
	if (part->at >= part->end)
		return 0;
	uint64_t key = varint(part), len = 0;
	switch (key & 7) {
	case 0: *value = varint(part); return (int) (key >> 3);
	case 1: len = 8; break;
	case 2: len = varint(part); break;
	case 5: len = 4; break;
	default: return 0;
	}
	if (len > (uint64_t) (part->end - part->at))
		return 0;
	*inside = (Part) { part->at, part->at + len };
	part->at += len;
	return (int) (key >> 3);
}

static void print_value(Part value, long long step)
{
	Part inside = { 0 }, tag = { 0 };
	uint64_t number;
	float x = 0;
	int has = 0;
	for (int field; (field = next(&value, &inside, &number)) > 0;) {
		if (field == 1)
			tag = inside;
		if (field == 2 && inside.end - inside.at == sizeof x) {
			memcpy(&x, inside.at, sizeof x);
			has = 1;
		}
	}
	if (has)
		printf("%lld %.*s %.6g\n", step, (int) (tag.end - tag.at), (const char *) tag.at, (double) x);
}

static void print_event(Part event)
{
	Part inside = { 0 }, summary = { 0 }, value = { 0 };
	uint64_t number = 0, step = 0;
	for (int field; (field = next(&event, &inside, &number)) > 0;) {
		step = field == 2 ? number : step;
		summary = field == 5 ? inside : summary;
	}
	for (int field; (field = next(&summary, &value, &number)) > 0;)
		if (field == 1)
			print_value(value, (long long) step);
}

/* Records: length, its checksum, data, its checksum. False: cannot be read. */
static int print_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	unsigned char head[12], tail[4];
	if (!file)
		return 0;
	while (fread(head, 1, sizeof head, file) == sizeof head) {
		uint64_t len;
		memcpy(&len, head, sizeof len);
		unsigned char *data = len < 1u << 24 ? malloc(len + 1) : NULL;
		if (!data || fread(data, 1, len, file) != len || fread(tail, 1, sizeof tail, file) != sizeof tail) {
			free(data);
			break; /* the end of a file whose writer was killed */
		}
		print_event((Part) { data, data + len });
		free(data);
	}
	(void) fclose(file);
	return 1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!print_file(argv[i])) {
			perror(argv[i]);
			return 1;
		}
	return 0;
}
