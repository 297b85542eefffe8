#include "http/metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

const char *const lane_names[LANE_COUNT_] = {"api", "reads", "orders", "reports", "bulk"};

#define STATUS_CLASSES 6 /* 1xx ... 5xx at 1 ... 5 */

/* Upper bounds; a last bucket takes the rest. Times in microseconds: what a checkout notices up to what times
 * out. */
static const int64_t time_bounds[] = {1000,   2500,   5000,   10000,   25000,   50000,
                                      100000, 250000, 500000, 1000000, 2500000, 10000000};
static const int64_t batch_bounds[] = {1, 2, 4, 8, 16, 32, BATCH_CALLS_MAX};
#define BUCKETS_MAX (ARRAY_SIZE(time_bounds) + 1)

struct histogram {
        _Atomic int64_t buckets[BUCKETS_MAX], sum;
};

struct metrics {
        const struct router *router;
        _Atomic int64_t singles[METRIC_COUNT_];
        struct histogram seconds[LANE_COUNT_], batches;
        _Atomic int64_t requests[][STATUS_CLASSES]; /* by route index */
};

struct metrics *metrics_new(const struct router *router)
{
        struct metrics *metrics =
                calloc(1, sizeof *metrics + router_count(router) * sizeof metrics->requests[0]);

        if (metrics == NULL)
                abort();
        metrics->router = router;
        return metrics;
}

void metrics_free(struct metrics *metrics)
{
        free(metrics);
}

static void count(_Atomic int64_t *counter, int64_t n)
{
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static int64_t reading(_Atomic int64_t *counter)
{
        return atomic_load_explicit(counter, memory_order_relaxed);
}

static void observe(struct histogram *histogram, const int64_t *bounds, size_t bound_count, int64_t value)
{
        size_t i = 0;

        while (i < bound_count && value > bounds[i])
                i++;
        count(&histogram->buckets[i], 1);
        count(&histogram->sum, value);
}

void metric_add(struct metrics *metrics, enum metric metric, int64_t n)
{
        count(&metrics->singles[metric], n);
}

void metric_request(struct metrics *metrics, const struct route *route, int status, int64_t microseconds)
{
        assert(status >= 100 && status < 600);
        count(&metrics->requests[route->index][status / 100], 1);
        observe(&metrics->seconds[route->endpoint->lane], time_bounds, ARRAY_SIZE(time_bounds), microseconds);
}

void metric_batch(struct metrics *metrics, size_t n)
{
        observe(&metrics->batches, batch_bounds, ARRAY_SIZE(batch_bounds), (int64_t)n);
}

/* ------------------------------------------------------------------ writing */

static void write_head(struct text *out, const char *name, const char *kind, const char *help)
{
        text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

/* `unit` divides bounds and sum for display; labels is "" or "lane=\"api\",". */
static void write_histogram(struct text *out, const char *name, const char *labels,
                            struct histogram *histogram, const int64_t *bounds, size_t bound_count,
                            double unit)
{
        int64_t total = 0;

        for (size_t i = 0; i < bound_count; i++) {
                total += reading(&histogram->buckets[i]);
                text_printf(out, "%s_bucket{%sle=\"%g\"} %lld\n", name, labels, (double)bounds[i] / unit,
                            (long long)total);
        }
        total += reading(&histogram->buckets[bound_count]);
        text_printf(out, "%s_bucket{%sle=\"+Inf\"} %lld\n", name, labels, (long long)total);
        char braces[64] = "";
        if (*labels != '\0')
                snprintf(braces, sizeof braces, "{%.*s}", (int)(strlen(labels) - 1), labels);
        text_printf(out, "%s_sum%s %.6f\n%s_count%s %lld\n", name, braces,
                    (double)reading(&histogram->sum) / unit, name, braces, (long long)total);
}

static void write_requests(struct metrics *metrics, struct text *out, const char *name)
{
        for (unsigned i = 0; i < router_count(metrics->router); i++) {
                const struct endpoint *endpoint = router_route(metrics->router, i)->endpoint;
                for (int hundred = 1; hundred < STATUS_CLASSES; hundred++) {
                        int64_t n = reading(&metrics->requests[i][hundred]);
                        if (n > 0)
                                text_printf(out, "%s{route=\"%s\",method=\"%s\",status=\"%dxx\"} %lld\n",
                                            name, endpoint->path, method_names[endpoint->method], hundred,
                                            (long long)n);
                }
        }
}

static void write_seconds(struct metrics *metrics, struct text *out, const char *name)
{
        for (unsigned lane = 0; lane < LANE_COUNT_; lane++) {
                char labels[48];
                snprintf(labels, sizeof labels, "lane=\"%s\",", lane_names[lane]);
                write_histogram(out, name, labels, &metrics->seconds[lane], time_bounds,
                                ARRAY_SIZE(time_bounds), (double)INSTANT_SECOND);
        }
}

static void write_queues(struct text *out, const char *name, const unsigned depth[LANE_COUNT_])
{
        for (unsigned lane = 0; lane < LANE_COUNT_; lane++)
                text_printf(out, "%s{lane=\"%s\"} %u\n", name, lane_names[lane], depth[lane]);
}

enum family {
#define METRIC(name, kind, text, help)
#define FAMILY(name, kind, text, help) FAMILY_##name,
#include "http/metrics.def"
#undef METRIC
#undef FAMILY
};

static void write_family(struct metrics *metrics, struct text *out, enum family family, const char *name,
                         const unsigned depth[LANE_COUNT_])
{
        switch (family) {
        case FAMILY_REQUESTS:
                write_requests(metrics, out, name);
                break;
        case FAMILY_SECONDS:
                write_seconds(metrics, out, name);
                break;
        case FAMILY_BATCH:
                write_histogram(out, name, "", &metrics->batches, batch_bounds, ARRAY_SIZE(batch_bounds),
                                /* unit= */ 1);
                break;
        case FAMILY_QUEUE:
                write_queues(out, name, depth);
                break;
        }
}

void metrics_write(struct metrics *metrics, const unsigned depth[LANE_COUNT_], struct text *out)
{
#define METRIC(name, kind, text, help)                                                                       \
        write_head(out, text, #kind, help);                                                                  \
        text_printf(out, "%s %lld\n", text, (long long)reading(&metrics->singles[METRIC_##name]));
#define FAMILY(name, kind, text, help)                                                                       \
        write_head(out, text, #kind, help);                                                                  \
        write_family(metrics, out, FAMILY_##name, text, depth);
#include "http/metrics.def"
#undef METRIC
#undef FAMILY
}
