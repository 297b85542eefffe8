#include "http/lanes.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "db/db.h"
#include "http/pace.h"
#include "http/work.h"

/* Enough for a batch's working arrays under a sanitizer; the default of 8 MB says nothing. */
#define WORKER_STACK_BYTES ((size_t)1024 * 1024)

struct queue {
        pthread_mutex_t lock;
        pthread_cond_t filled;
        struct request *head, **tail;
        unsigned count, count_max;
        unsigned sleepers; /* workers that wait; nobody else needs a signal */
        bool closed, given_up;
};

struct worker {
        pthread_t thread;
        struct queue *queue;
        struct db *db;
};

struct lane_set {
        unsigned first_queue, queue_count;
};

struct lanes {
        struct server_options options;
        struct queue *queues;
        struct worker *workers;
        unsigned queue_count, worker_count;
        struct lane_set sets[LANE_COUNT_];
        unsigned turn; /* for requests without a key */
};

/* ------------------------------------------------------------------ queues */

static void queue_open(struct queue *queue, unsigned count_max)
{
        *queue = (struct queue){.count_max = count_max};
        queue->tail = &queue->head;
        pthread_mutex_init(&queue->lock, NULL);
        pthread_cond_init(&queue->filled, NULL);
}

static bool queue_put(struct queue *queue, struct request *r)
{
        pthread_mutex_lock(&queue->lock);
        bool room = queue->count < queue->count_max;
        if (room) {
                r->next = NULL;
                *queue->tail = r;
                queue->tail = &r->next;
                queue->count++;
                if (queue->sleepers > 0)
                        pthread_cond_signal(&queue->filled);
        }
        pthread_mutex_unlock(&queue->lock);
        return room;
}

static struct request *queue_pop(struct queue *queue)
{
        struct request *r = queue->head;

        queue->head = r->next;
        if (queue->head == NULL)
                queue->tail = &queue->head;
        queue->count--;
        return r;
}

/* Wait for work, then take what is there now: one request, or all that follow it for the same batch endpoint.
 * 0 when the queue is closed and empty. */
static size_t queue_take(struct queue *queue, struct request *taken[BATCH_CALLS_MAX], bool *ret_given_up)
{
        size_t n = 0;

        pthread_mutex_lock(&queue->lock);
        while (queue->head == NULL && !queue->closed) {
                queue->sleepers++;
                pthread_cond_wait(&queue->filled, &queue->lock);
                queue->sleepers--;
        }
        if (queue->head != NULL) {
                taken[n++] = queue_pop(queue);
                bool batch = taken[0]->match.route->endpoint->run_batch != NULL;
                while (batch && n < BATCH_CALLS_MAX && queue->head != NULL &&
                       queue->head->match.route == taken[0]->match.route)
                        taken[n++] = queue_pop(queue);
        }
        *ret_given_up = queue->given_up;
        pthread_mutex_unlock(&queue->lock);
        return n;
}

static void *worker_main(void *arg)
{
        struct worker *worker = arg;
        struct request *taken[BATCH_CALLS_MAX];
        bool given_up;

        for (size_t n; (n = queue_take(worker->queue, taken, &given_up)) > 0;)
                work_run(worker->db, taken, n, given_up);
        return NULL;
}

/* ------------------------------------------------------------------ the whole */

static bool worker_start(struct lanes *lanes, struct queue *queue, const struct db_options *options)
{
        struct worker *worker = &lanes->workers[lanes->worker_count];
        pthread_attr_t attr;

        worker->queue = queue;
        worker->db = db_new(options);
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
        int error = pthread_create(&worker->thread, &attr, worker_main, worker);
        pthread_attr_destroy(&attr);
        if (error != 0) {
                db_free(worker->db);
                return false;
        }
        lanes->worker_count++;
        return true;
}

static bool lane_start(struct lanes *lanes, enum lane lane, unsigned queues, unsigned workers_per_queue)
{
        static const char *const applications[LANE_COUNT_] = {"patron api", "patron reads", "patron orders",
                                                              "patron reports", "patron bulk"};
        bool reports = lane == LANE_REPORTS || lane == LANE_BULK;
        struct db_options options = {
                .url = lanes->options.database_url,
                .application = applications[lane],
                .statement_timeout_ms = (int)(reports ? lanes->options.report_timeout_ms
                                                      : lanes->options.statement_timeout_ms),
                .by_key = !reports,
        };

        lanes->sets[lane] = (struct lane_set){lanes->queue_count, queues};
        for (unsigned i = 0; i < queues; i++) {
                struct queue *queue = &lanes->queues[lanes->queue_count++];
                queue_open(queue, lanes->options.queue_max);
                for (unsigned j = 0; j < workers_per_queue; j++)
                        if (!worker_start(lanes, queue, &options))
                                return false;
        }
        return true;
}

struct lanes *lanes_start(const struct server_options *options)
{
        struct lanes *lanes = calloc(1, sizeof *lanes);
        unsigned queues = options->orders_workers + 4;
        unsigned workers = options->orders_workers + options->api_workers + options->reports_workers +
                           options->bulk_workers + 1;

        assert(options->orders_workers > 0 && options->api_workers > 0 && options->reports_workers > 0 &&
               options->bulk_workers > 0);
        if (lanes == NULL)
                abort();
        lanes->options = *options;
        lanes->queues = calloc(queues, sizeof *lanes->queues);
        lanes->workers = calloc(workers, sizeof *lanes->workers);
        if (lanes->queues == NULL || lanes->workers == NULL)
                abort();
        if (!lane_start(lanes, LANE_API, 1, options->api_workers) || !lane_start(lanes, LANE_READS, 1, 1) ||
            !lane_start(lanes, LANE_ORDERS, options->orders_workers, 1) ||
            !lane_start(lanes, LANE_REPORTS, 1, options->reports_workers) ||
            !lane_start(lanes, LANE_BULK, 1, options->bulk_workers)) {
                lanes_stop(lanes);
                lanes_free(lanes);
                return NULL;
        }
        return lanes;
}

bool lanes_put(struct lanes *lanes, struct request *r)
{
        const struct endpoint *endpoint = r->match.route->endpoint;
        const struct lane_set *set = &lanes->sets[endpoint->lane];
        if (endpoint->lane == LANE_ORDERS)
                pace_order_came();
        uint64_t key = endpoint->lane_key != NULL ? endpoint->lane_key(r->in) : lanes->turn++;

        return queue_put(&lanes->queues[set->first_queue + (key >> 32 ^ key) % set->queue_count], r);
}

bool lanes_full(struct lanes *lanes)
{
        bool full = false;

        for (unsigned i = 0; i < lanes->queue_count; i++) {
                struct queue *queue = &lanes->queues[i];
                pthread_mutex_lock(&queue->lock);
                full |= queue->count == queue->count_max;
                pthread_mutex_unlock(&queue->lock);
        }
        return full;
}

void lanes_depth(struct lanes *lanes, unsigned ret[LANE_COUNT_])
{
        for (unsigned lane = 0; lane < LANE_COUNT_; lane++) {
                ret[lane] = 0;
                for (unsigned i = 0; i < lanes->sets[lane].queue_count; i++) {
                        struct queue *queue = &lanes->queues[lanes->sets[lane].first_queue + i];
                        pthread_mutex_lock(&queue->lock);
                        ret[lane] += queue->count;
                        pthread_mutex_unlock(&queue->lock);
                }
        }
}

void lanes_give_up(struct lanes *lanes)
{
        for (unsigned i = 0; i < lanes->queue_count; i++) {
                pthread_mutex_lock(&lanes->queues[i].lock);
                lanes->queues[i].given_up = true;
                pthread_mutex_unlock(&lanes->queues[i].lock);
        }
}

void lanes_stop(struct lanes *lanes)
{
        for (unsigned i = 0; i < lanes->queue_count; i++) {
                pthread_mutex_lock(&lanes->queues[i].lock);
                lanes->queues[i].closed = true;
                pthread_cond_broadcast(&lanes->queues[i].filled);
                pthread_mutex_unlock(&lanes->queues[i].lock);
        }
        for (unsigned i = 0; i < lanes->worker_count; i++) {
                pthread_join(lanes->workers[i].thread, NULL);
                db_free(lanes->workers[i].db);
        }
        lanes->worker_count = 0;
}

void lanes_free(struct lanes *lanes)
{
        if (lanes == NULL)
                return;
        assert(lanes->worker_count == 0);
        for (unsigned i = 0; i < lanes->queue_count; i++) {
                pthread_mutex_destroy(&lanes->queues[i].lock);
                pthread_cond_destroy(&lanes->queues[i].filled);
        }
        free(lanes->workers);
        free(lanes->queues);
        free(lanes);
}
