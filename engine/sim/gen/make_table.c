/* Prints the default service's response table as a C initialiser; the Makefile runs it into $(B)/gen. */
#include "sim/table.h"

#include <stdio.h>

enum { REQUESTS = 400000, SEED = 1 };

static void print_row(const char *name, const float *value, int n)
{
	printf(".%s = {", name);
	for (int i = 0; i < n; i++)
		printf("%s%.9ef,", i % 8 ? " " : "\n\t", (double) value[i]);
	printf("\n},\n");
}

int main(void)
{
	static ResponseTable table;
	Service service;
	service_default(&service);
	if (table_build_settled(&service, REQUESTS, SEED, &table))
		return 1;
	print_row("rho", table.rho, TABLE_LOADS);
	print_row("n", table.n, TABLE_LOADS);
	print_row("x", table.x, TABLE_LOADS);
	print_row("accept", table.accept, TABLE_LOADS);
	print_row("cores", table.cores, TABLE_LOADS);
	print_row("mean_s", table.mean_s, TABLE_LOADS);
	printf(".cdf = {\n");
	for (int j = 0; j < TABLE_LOADS; j++) {
		printf("{");
		for (int k = 0; k < TIME_POINTS; k++)
			printf("%s%.8ef,", k % 8 ? " " : "\n\t", (double) table.cdf[j][k]);
		printf("\n},\n");
	}
	printf("},\n");
	return fflush(stdout) || ferror(stdout);
}
