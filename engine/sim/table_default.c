/* The default service's response table, measured by gen/make_table.c when the program is built. */
#include "sim/table.h"

static const ResponseTable TABLE = {
#include "default_table.h"
};

const ResponseTable *table_default(void)
{
	return &TABLE;
}
