"""Planet Wars, as in the AI Challenge of 2010: its text formats, its engine and its programs, on the tick phases of
Sector.

The rules and formats come from the specification of the contest and from its engine by J. Cameron. The page
`docs/decisions/classic.md` states the rules where the two differ or are silent.
"""
