/*
 * What the views look like as JSON: one table of fields a struct, for writing and for reading it. A recording, a snapshot
 * served over HTTP and a console that is attached to one use the same form.
 */
#ifndef MAESTRO_BASE_SHAPE_H
#define MAESTRO_BASE_SHAPE_H

#include "base/json.h"

#include <stddef.h>

typedef enum ShapeType { SHAPE_BOOL, SHAPE_I16, SHAPE_I32, SHAPE_U32, SHAPE_I64, SHAPE_F32, SHAPE_F64, SHAPE_TEXT,
	SHAPE_STRUCT } ShapeType;

typedef struct Shape Shape;
typedef struct ShapeRow {
	const char *name;
	ShapeType type;
	size_t offset;
	size_t size;         /* of one element */
	size_t n;            /* elements; 1 is no array */
	const char *count;   /* name of the int32 field before it that says how many are there; NULL: all n */
	const Shape *shape;  /* of SHAPE_STRUCT */
	uint32_t below;      /* of an enum: what is not below it is not taken; 0: any */
} ShapeRow;
struct Shape {
	const ShapeRow *row;
	size_t n_rows;
};

extern const Shape shape_train, shape_live, shape_archive, shape_policy;

/* Adds the struct's fields to a JSON object; NAN is null. */
void shape_write(const Shape *shape, const void *data, Json *object);
/* Fills the struct; ill-typed fields and absent ones keep what is there, but a real number that is null or absent (an older
 * program wrote it) is NAN. Counts are kept within their arrays. */
void shape_read(const Shape *shape, void *data, const Json *object);

#endif
