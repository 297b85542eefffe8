/* Metrics: counters that cost an atomic addition, shown at /metrics in Prometheus' text format. Process-wide. */
#pragma once

#include <stdint.h>

#include "base/text.h"
#include "http/router.h"

enum metric {
#define METRIC(name, kind, text, help) METRIC_##name,
#define FAMILY(name, kind, text, help)
#include "http/metrics.def"
#undef METRIC
#undef FAMILY
        METRIC_COUNT_
};

extern const char *const lane_names[LANE_COUNT_];

/* Make room for the routes' counters; call before any request. */
void metrics_open(const struct router *router);
void metrics_close(void);

void metric_add(enum metric metric, int64_t n);

/* A request to a route was answered; or a batch of n calls ran. */
void metric_request(const struct route *route, int status, int64_t microseconds);
void metric_batch(size_t n);

/* All metrics as text; depth[lane] is how many requests wait there now. */
void metrics_write(const unsigned depth[LANE_COUNT_], struct text *out);
