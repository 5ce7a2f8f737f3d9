"""Layout of what the search knows of blocks, races, quads and lanes that wait: planes of one array of each type.

Of each type there is one array, as a call passes seven numbers an array, which would take longer than some stages do;
and vector loops need constant distances. A plane has STAGE places. Even blocks stand from 0 on, and in the plane behind
it the odd ones that share their Philox calls; those of a race stand together.
"""

from fastgumbel._cpu.stage import STAGE

# So many lanes may wait to be evaluated, of which a flush adds up to ADDED.
WAITING = 16 * STAGE
ADDED = 4 * STAGE

# Planes of reals. Of a block, two planes each: largest log-potential; the winner lane's perturbed value, roughly, and
# by how much it reaches what matters; from where on log-potentials of other lanes do, and by how much one reaches that;
# and what one of the perturbed values is at least, roughly.
MAXIMUM = 0
ROUGHLY = 2 * STAGE
NEAR = 4 * STAGE
THRESHOLD = 6 * STAGE
REACH = 8 * STAGE
SURE = 10 * STAGE
# Of a pair of blocks: temperature of its race, its inverse, and less than the perturbed values that matter.
PAIR_TEMPERATURE = 12 * STAGE
RATE = 13 * STAGE
LEAST = 14 * STAGE
# Of a race: temperature, NaN in an invalid row; and what the search keeps of its result.
TEMPERATURE = 15 * STAGE
RESULT_REAL = 16 * STAGE
SECOND_RESULT_REAL = 17 * STAGE
# Of a lane that is evaluated: E_b, exponential, perturbed value, log-potential, temperature.
MINIMUM = 18 * STAGE
NOISE = 19 * STAGE
VALUE = 20 * STAGE
POTENTIAL = 21 * STAGE
LANE_TEMPERATURE = 22 * STAGE
# Of a lane that waits: log-potential, temperature, and bounds of its perturbed value.
WAITING_POTENTIAL = 23 * STAGE
WAITING_TEMPERATURE = WAITING_POTENTIAL + WAITING
UPPER = WAITING_TEMPERATURE + WAITING
LOWER = UPPER + WAITING
REALS = LOWER + WAITING

# Planes of float32. Of a block, two planes each: E_b and its Gumbel.
EXPONENTIAL = 0
GUMBEL = 2 * STAGE
# Of a quad that waits: E_b, and how far it is from what matters; and the same of all quads of listed blocks.
QUEUED_EXPONENTIAL = 4 * STAGE
QUEUED_GAP = 5 * STAGE
GAP = 6 * STAGE
# Of a lane that waits: E_b of its block.
WAITING_EXPONENTIAL = 38 * STAGE
SINGLES = WAITING_EXPONENTIAL + WAITING

# Planes of integers. Of a block, two planes each: the winner lane, the first column and its place in the piece (both as
# int64), the place of the winner lane, and the counter of the high words of its first quad.
WINNER = 0
COLUMN = 2 * STAGE
ITEM = 4 * STAGE
WON = 6 * STAGE
QUAD = 8 * STAGE
# Of a pair of blocks: the race, and where it lies in the field, as counters.
RACE = 10 * STAGE
PAIR_COUNTER = 11 * STAGE
# Of a race: the row of the piece, and what the search keeps of its result.
LINE = 14 * STAGE
RESULT_INTEGER = 15 * STAGE
SECOND_RESULT_INTEGER = 16 * STAGE
# Of a listed block: its place, and which of its quads may matter, a mask.
PLACE = 17 * STAGE
QUADS = 19 * STAGE
# Of a quad that waits, and of a lane that is evaluated: counters.
QUAD_COUNTER = 21 * STAGE
LANE_COUNTER = 24 * STAGE
# Not 0 where races may differ in their draws, or in the high halves of their rows' ids.
DIFFER = 27 * STAGE
# From which item on the next rows are still to be asked for, and to before which.
AHEAD = DIFFER + 1
AHEAD_END = DIFFER + 2
# Of a lane that waits: the place of its block, and its number there.
LANE_PLACE = 28 * STAGE
LANE = LANE_PLACE + WAITING + STAGE
INTEGERS = LANE + WAITING + STAGE

# Planes of words. Of a pair of blocks: those of the even one, low first, and of the odd one.
PAIR_WORD = 0
# Of a quad that waits: which of all quads of listed blocks it is, up to which high word a lane may matter, and four
# high words; of a lane that is evaluated, four low words of its quad, and both of its block.
QUEUED = 4 * STAGE
WORD_LIMIT = 5 * STAGE
HIGH_WORD = 6 * STAGE
LOW_WORD = 10 * STAGE
BLOCK_LOW = 14 * STAGE
BLOCK_HIGH = 15 * STAGE
# Lanes of the quads that are drawn whose high words are small enough; and of a lane that waits, its high word.
HIT = 16 * STAGE
LANE_HIGH = HIT + ADDED + STAGE
WORDS = LANE_HIGH + WAITING + STAGE
