// This file is empty. It lets the compiler accept functions without a body,
// see compaction.go.
