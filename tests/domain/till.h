/* The till of a shop under test: orders and refunds as JSON, through the same functions that the API calls,
 * and what came of them. Every function works on the database of the fixture it is given. */
#pragma once

#include "fixture.h"
#include "orders/orders.h"

/* What one call brought. All texts live until till_close. */
struct answer {
        enum err err;
        bool created, replayed;
        const char *outcome; /* JSON; NULL after an error */
        const char *problem; /* JSON; NULL without an error */
};

/* A fixture with the programme of a new installation in force. */
struct fixture *till_open(const char *label);
/* Drops the database; the process's programme and every answer go with the last fixture. */
void till_close(struct fixture *fixture);

/* Move the clock; RFC 3339. */
void till_clock(struct fixture *fixture, const char *instant);

/* Put another programme into force. */
void till_program(struct fixture *fixture, const char *json);

/* Decode an order or a refund into c's arena; ends the program when it does not decode. */
const struct order_in *till_order(struct ctx *c, const char *json);

/* Take one order. */
struct answer till_take(struct fixture *fixture, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Take a batch as a lane does: together, and one by one when it fails as a whole. Returns whether it went
 * together. */
bool till_take_all(struct fixture *fixture, const char *const *orders, size_t n, struct answer *ret);

struct answer till_refund(struct fixture *fixture, const char *order, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
enum err till_spend(struct fixture *fixture, const char *customer, int64_t points);
/* Activate all that is due. */
void till_activate(struct fixture *fixture);

/* A hold of a customer ("ext:K") under a reference, for so many seconds. */
enum err till_hold(struct fixture *fixture, const char *customer, const char *reference, int64_t points,
                   int64_t seconds);
/* Everything that time causes to points, in the order of the housekeeper, with this context. */
void till_points_due(struct ctx *c);
void till_points_time(struct fixture *fixture);

/* Read an answer by a dotted path ("points.explanation.0.rule"); ends the program when it leads nowhere. The
 * number of a list is how long it is. */
int64_t answer_int(const struct answer *answer, const char *path);
const char *answer_text(const struct answer *answer, const char *path); /* NULL for null */

/* One number, one text (NULL for null) by SQL. */
int64_t till_int(struct fixture *fixture, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *till_text(struct fixture *fixture, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void till_sql(struct fixture *fixture, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Is everything in the database as `patron check` wants it? What is not is printed. */
bool till_sound(struct fixture *fixture);
