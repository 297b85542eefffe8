/* Cycles that are over. The housekeeper judges them, or whoever decides by a tier before he has come by: both
 * with this, and each cycle as of its own end, so it does not matter who was first. Pure. */
#pragma once

#include "tiers/standing.h"

/* Is a cycle, and its grace, over at that moment and not judged? */
bool stand_overdue(const struct stand *stand, const struct program *program, struct instant now);

/* The rank that the end of the running cycle and its grace would leave, were nothing bought until then. */
size_t stand_rank_ahead(const struct stand *stand, const struct metrics *metrics,
                        const struct program *program, const struct zone *zone);

/* Something was taken back: whoever was found safe when notices were considered, and is not any more, is to
 * be considered again. before: the metrics until then. */
void stand_lowered(struct stand *stand, const struct metrics *before, const struct program *program,
                   const struct zone *zone);

/* Judge every such cycle as of its own end and grace. Needs the days of the programme's longest window before
 * the first of these ends, and all later ones. The moves are in the stand's history, with cause
 * "cycle_end". */
void stand_judge(struct stand *stand, struct arena *arena, const struct program *program,
                 const struct zone *zone, struct instant now);
