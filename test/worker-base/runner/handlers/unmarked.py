def unmarked(): pass
