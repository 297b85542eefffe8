/* ?fields=: a list, or the answer of a single GET, slimmed to the members that are named. The server does
 * this by the shape of the answer, so that no endpoint knows of it. */
#pragma once

#include "base/pick.h"
#include "http/endpoint.h"

#define FIELDS_PARAMETER "fields"

/* What is chosen from: the items of a list, else the answer itself. NULL: the endpoint has no such
 * parameter. */
const struct shape *fields_of(const struct endpoint *endpoint);

/* What of the answer the names leave; faults are noted as by pick_read. */
const struct pick *fields_read(struct ctx *c, const struct endpoint *endpoint, const char *names);

/* For the OpenAPI document: the parameter, and the schema of a name with all that there are, called
 * member_of_<shape>. */
void fields_parameter(struct text *out, const struct endpoint *endpoint);
void fields_schema(struct text *out, const struct shape *shape);
