/* A small API for the tests of server/http: one endpoint for each thing that the machinery must do. */
#pragma once

#include "base/ctx.h"

/* Make the tables that the endpoints use. */
enum err endpoints_prepare(struct ctx *c) MUST_CHECK;

/* The largest batch that was seen since the start. */
unsigned endpoints_largest_batch(void);
