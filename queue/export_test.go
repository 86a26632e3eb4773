package queue

// RemoveOverdue is one round of the retention.
var RemoveOverdue = (*Queue).removeOverdue
