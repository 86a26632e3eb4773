// Package text is a task as people and programs write it. Whoever reads or
// prints a task, its fields or what became of it does so here and nowhere else,
// so that the command line, the dashboard and programs cannot disagree:
//
//   - ReadTask and Lines read a task from JSON, one object or one a line;
//     DocumentOf and JSON print it.
//   - SetFlag reads one flag of octaskly submit, SubmitCommand prints them all.
//   - ParseDuration, ParseTimeout, ParseMiB, ParseCPUs, ParsePriority read what
//     stands in a field or behind a flag; FormatDuration and the like print it so
//     that it is read back as the same.
//   - SplitAssignments and JoinAssignments are variables and labels on one line.
//   - Exit, Bytes and Elapsed say in words what happened.
//   - CleanLine, CleanText and Cleaner make what a task wrote safe to show.
//
// Every error is a *task.Error of kind usage or too_large, and says what can be
// written instead.
package text
