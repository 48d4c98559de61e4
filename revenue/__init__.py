"""The rules of the business: scores that cross a threshold, deals that are lost, people who return to nurture, money.

It decides, from what is known of an entity and from its own memory, what follows now. Every rule is a pure function of
a situation; none may know a vendor, a mapping file, the journal or the time of day.
"""
