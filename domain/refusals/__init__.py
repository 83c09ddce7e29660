"""The refusals of the field, a module a family; `domain.errors` draws the whole tree."""
