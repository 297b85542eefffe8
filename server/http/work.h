/* Work: what a lane worker does with the requests it took. */
#pragma once

#include "http/internal.h"

/* Run one request, or several of the same batch endpoint, answer and resume each. With given_up they are
 * answered ERR_DRAINING instead. */
void work_run(struct db *db, struct request **requests, size_t n, bool given_up);

/* Build the answer of a request whose work is done and give it back to the event thread. */
void work_finish(struct request *r);
