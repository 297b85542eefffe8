/* Two databases side by side: what they hold must be the same, whatever way it came there. */
#pragma once

#include "till.h"

/* Are all tables of the domain equal? Ids that are made by time, and the transactions of events, may differ.
 * The first difference of each table is printed. */
bool twins_equal(struct fixture *one, struct fixture *other);
