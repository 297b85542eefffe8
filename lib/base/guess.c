#include "base/guess.h"

#include <string.h>

/* Longer words are no misspelling of anything we know. */
#define GUESS_MAX 32

static unsigned least(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, changes and swaps of neighbours. Both at most GUESS_MAX
 * long. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
        unsigned d[GUESS_MAX + 1][GUESS_MAX + 1];

        for (unsigned i = 0; i <= a_len; i++)
                d[i][0] = i;
        for (unsigned j = 0; j <= b_len; j++)
                d[0][j] = j;
        for (size_t i = 1; i <= a_len; i++) {
                for (size_t j = 1; j <= b_len; j++) {
                        unsigned change = a[i - 1] != b[j - 1];
                        d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
                }
        }
        return d[a_len][b_len];
}

void guess_try(struct guess *guess, const char *name)
{
        size_t name_len = strlen(name);

        if (guess->len > GUESS_MAX || name_len > GUESS_MAX)
                return;
        unsigned distance = edit_distance(guess->word, guess->len, name, name_len);
        /* A third of the letters may be wrong; more is another word. */
        if (distance > (guess->len + 2) / 3 || (guess->best != NULL && distance >= guess->distance))
                return;
        guess->best = name;
        guess->distance = distance;
}
