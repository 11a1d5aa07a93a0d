"""Planet Wars as the AI Challenge of 2010 played it: its texts, its engine, and its programs, on Sector's own phases.

The rules and formats are those of the contest's specification and of its engine by J. Cameron; where the two differ, or say
nothing, docs/decisions/classic.md says what holds here.
"""
