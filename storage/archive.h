/*
 * The Archive of the run store: one thread with its own read-only handle answers questions, one after the other.
 *
 * A question that the store cannot answer (no file yet, no such run) gets an answer with a code and a text. The file
 * is opened at the first question, and again after a failure, since the writer may make it later.
 */
#ifndef MAESTRO_STORAGE_ARCHIVE_H
#define MAESTRO_STORAGE_ARCHIVE_H

#include "base/archive.h"

enum { ARCHIVE_QUEUE = 8 };

/* wake (lent, may be NULL) is signalled with every answer. ERR_NOMEM, ERR_FAILED. */
int store_archive_new(const char *path, Wake *wake, Archive **ret_archive, Error *err);

#endif
