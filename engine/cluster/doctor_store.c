/* The kind of volume that the store lies on (doctor.h), by /proc/self/mountinfo: proc(5). */
#include "cluster/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LINE = 4096, LOW_MB = 64 };

typedef struct Mount {
	char root[1024], point[1024], kind[64];
} Mount;

/* The mount that path is on: the last of those with the longest mount point before it. */
static bool find_mount(const char *path, Mount *ret)
{
	FILE *file = fopen("/proc/self/mountinfo", "r");
	char line[LINE];
	size_t best = 0;
	while (file && fgets(line, sizeof line, file)) {
		Mount mount;
		const char *rest = strstr(line, " - ");
		if (!rest || sscanf(line, "%*d %*d %*s %1023s %1023s", mount.root, mount.point) != 2 || sscanf(rest, " - %63s", mount.kind) != 1)
			continue;
		size_t len = strlen(mount.point);
		bool is_above = !strncmp(path, mount.point, len) && (path[len] == '/' || !path[len] || len == 1);
		if (is_above && len >= best) {
			best = len;
			*ret = mount;
		}
	}
	if (file)
		(void) fclose(file);
	return best > 0;
}

static void judge(const Mount *mount, DoctorLine *line)
{
	static const struct {
		const char *kind;
		DoctorLevel level;
		const char *what, *remedy;
	} kinds[] = {
		{ "tmpfs", DOCTOR_WARN, "memory: it ends with the machine or pod, and counts as the pod's memory", "mount a volume and give --db" },
		{ "overlay", DOCTOR_WARN, "the container's own layer: it ends with the container", "mount a volume and give --db" },
		{ "nfs", DOCTOR_FAIL, "NFS: its locks do not hold what SQLite asks of them", "put it on a local volume" },
		{ "nfs4", DOCTOR_FAIL, "NFS: its locks do not hold what SQLite asks of them", "put it on a local volume" },
		{ "cifs", DOCTOR_FAIL, "SMB: its locks do not hold what SQLite asks of them", "put it on a local volume" },
	};
	const char *what = "a local volume", *remedy = "";
	if (strstr(mount->root, "kubernetes.io~empty-dir"))
		what = "an emptyDir: it ends with the pod";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].kind, mount->kind)) {
			line->level = kinds[i].level;
			what = kinds[i].what;
			remedy = kinds[i].remedy;
		}
	size_t len = strlen(line->text);
	(void) snprintf(line->text + len, sizeof line->text - len, " is on %s (%s)", what, mount->kind);
	str_copy(line->remedy, sizeof line->remedy, remedy);
}

DoctorLine doctor_store(const char *path)
{
	DoctorLine line = { .check = "store", .level = DOCTOR_OK };
	char folder[2048];
	Mount mount;
	struct statvfs room;
	str_copy(folder, sizeof folder, path);
	(void) snprintf(line.text, sizeof line.text, "%.160s", path);
	char *real = NULL; /* of the nearest folder that is there */
	for (char *slash; !real && (slash = strrchr(folder, '/')); ) {
		*slash = '\0';
		real = realpath(folder[0] ? folder : "/", NULL);
	}
	if (!real)
		real = realpath(".", NULL);
	struct stat info;
	errno = 0;
	if (!real || stat(real, &info) || access(real, W_OK) || (!S_ISDIR(info.st_mode) && (errno = ENOTDIR))) {
		line.level = DOCTOR_FAIL;
		(void) snprintf(line.text, sizeof line.text, "%.120s cannot be written: %.60s", path, strerror(errno));
		str_copy(line.remedy, sizeof line.remedy, "scaling works without it and records nothing; give --db on a volume that can be written");
	} else {
		if (find_mount(real, &mount))
			judge(&mount, &line);
		if (!statvfs(real, &room) && (double) room.f_bavail * (double) room.f_frsize < LOW_MB * 1048576.0 && line.level == DOCTOR_OK) {
			line.level = DOCTOR_WARN;
			str_copy(line.remedy, sizeof line.remedy, "less than 64 MiB are free: make room");
		}
	}
	free(real);
	return line;
}
