/* The one place that the product's version stands in. */
#ifndef MAESTRO_BASE_VERSION_H
#define MAESTRO_BASE_VERSION_H

#define MAESTRO_VERSION "0.1.0"

#endif
