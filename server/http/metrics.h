/* Metrics: counters that cost an atomic addition, shown in Prometheus' text format. Thread-safe. */
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

struct metrics;

/* The counters of one server, all zero. */
struct metrics *metrics_new(const struct router *router);
void metrics_free(struct metrics *metrics);

void metric_add(struct metrics *metrics, enum metric metric, int64_t n);

/* A request to a route was answered; or a batch of n calls ran. */
void metric_request(struct metrics *metrics, const struct route *route, int status, int64_t microseconds);
void metric_batch(struct metrics *metrics, size_t n);

/* All metrics as text; depth[lane] is how many requests wait there now. */
void metrics_write(struct metrics *metrics, const unsigned depth[LANE_COUNT_], struct text *out);
