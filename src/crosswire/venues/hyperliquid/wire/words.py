"""What all messages share: numbers are decimal text, times are ms, ids are whole numbers."""

# Documented, sent, not read: any JSON passes.
Ignored = object
# Decimal text such as "113377.0"; it may carry float noise where the venue computed it.
Number = str
Milliseconds = int
