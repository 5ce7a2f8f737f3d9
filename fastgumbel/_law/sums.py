"""How sums of rows are ordered, which decides their bits.

The sums of relaxed samples of at most SHORT categories are taken one by one, in the type of the row. All other sums are
`total`: the numbers of each whole group of GROUP are added in their type, halves to halves down to one number; the sums
of the groups are added one by one in float64, and after them the numbers behind the last whole group.
"""

SHORT = 96
GROUP = 64
